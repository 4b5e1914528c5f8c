//! Pauses between attempts.

use core::time::Duration;

/// Pauses between attempts to connect: they double up to a cap, and each is shortened by a
/// random part, so that the clients of a server that comes back do not come all at once.
///
/// ```
/// use std::time::Duration;
/// use crdt_server::client::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
/// assert!(backoff.pause() <= Duration::from_millis(100));
/// assert!(backoff.pause() <= Duration::from_millis(200));
/// backoff.reset(); // connected
/// assert!(backoff.pause() <= Duration::from_millis(100));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// Pauses from `first` up to `max`.
    pub const fn new(first: Duration, max: Duration) -> Self {
        Self { first, max, next: first }
    }

    /// How long to wait now: between half of the present pause and all of it.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next.min(self.max);
        self.next = pause.saturating_mul(2);
        // Without randomness the pauses are only less spread.
        let random = getrandom::u32().unwrap_or(u32::MAX);
        let half = pause / 2;
        half + half.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// The next pause is the first one again.
    pub const fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    /// From half a second to half a minute.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(30))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_cap_and_are_never_nothing() {
        let (first, max) = (Duration::from_millis(100), Duration::from_secs(1));
        let mut backoff = Backoff::new(first, max);
        for expected in [100, 200, 400, 800, 1000, 1000] {
            let expected = Duration::from_millis(expected);
            let pause = backoff.pause();
            assert!(expected / 2 <= pause && pause <= expected, "{pause:?} {expected:?}");
        }
    }
}
