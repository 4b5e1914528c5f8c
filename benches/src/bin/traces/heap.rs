//! How much heap something takes.

use crate::attempt::attempt;
use crate::engine::Outcome;

const MIB: f64 = 1024.0 * 1024.0;

/// Mebibytes that something holds.
pub(crate) struct Held {
    /// What lives on with the result.
    pub(crate) live: f64,
    /// The most at one time. A buffer that grows counts twice while it is copied.
    pub(crate) peak: f64,
}

/// Runs something, and returns what it allocated.
pub(crate) fn held<T>(run: impl FnOnce() -> Outcome<T>) -> Outcome<(Held, T)> {
    let mut result = None;
    // A panic must not pass through the counter, which would go on counting.
    let counted = allocation_counter::measure(|| result = Some(attempt(run)));
    let value = result.expect("it has run")?;
    let live = counted.bytes_current as f64 / MIB;
    Ok((Held { live, peak: counted.bytes_max as f64 / MIB }, value))
}
