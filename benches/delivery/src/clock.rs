//! The processor time that something takes.

use std::time::Duration;

/// Runs something, and returns how many milliseconds that took.
///
/// All threads of the process count, and what other programs do meanwhile does not, where
/// the system has such a clock.
pub fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let before = now();
    let value = run();
    let spent = now().saturating_sub(before);
    (spent.as_secs_f64() * 1e3, value)
}

#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.try_into().expect("processor time is not negative")
}

#[cfg(not(unix))]
fn now() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
