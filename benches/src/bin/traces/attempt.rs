//! Trying what may fail or panic: a library that does either must not end the run.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::engine::Outcome;

thread_local! {
    /// Whether a panic is reported as the error that it becomes, not where it happens.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something; a panic is an error. Whatever it was working on is not to be used again.
pub(crate) fn attempt<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                loud(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    result.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic)).into()))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_and_says_why() {
        let result: Outcome = attempt(|| panic!("at position {}", 7));
        assert_eq!(result.unwrap_err().to_string(), "panicked: at position 7");
    }
}
