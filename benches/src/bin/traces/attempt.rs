//! Trying what may fail or panic: a library that does either must not end the run.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

use crate::engine::Outcome;

/// Runs something; a panic is an error. Whatever it was working on is not to be used again.
pub(crate) fn attempt<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    // It is reported as the error that it becomes, not where it happens.
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    panic::set_hook(hook);
    result.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic)).into()))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}
