//! The clock of one machine: wrong by some amount, fast or slow, and set now and then.

/// A clock that reads virtual time wrongly, and never goes back.
///
/// Sessions ask for a clock that does not go back, as every system has one; a program that has
/// only a settable clock keeps the greatest reading, which is what this one does. Set back, it
/// stands still until time has caught up.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The virtual time of the last setting.
    since: u64,
    /// What the clock showed then.
    shown: i64,
    /// How many millionths of a second it gains in each second.
    drift_ppm: i64,
    /// The greatest reading so far.
    last: u64,
}

impl Clock {
    /// A clock that shows `shown` at virtual time `now`.
    #[must_use]
    pub fn new(now: u64, shown: u64) -> Self {
        Self { since: now, shown: shown as i64, drift_ppm: 0, last: 0 }
    }

    fn raw(&self, now: u64) -> i64 {
        let elapsed = (now - self.since) as i64;
        self.shown + elapsed + elapsed * self.drift_ppm / 1_000_000
    }

    /// What it shows.
    pub fn read(&mut self, now: u64) -> u64 {
        self.last = self.last.max(u64::try_from(self.raw(now)).unwrap_or(0));
        self.last
    }

    /// Someone sets it forward, or back.
    pub fn step(&mut self, now: u64, by_ms: i64) {
        self.shown = self.raw(now).saturating_add(by_ms);
        self.since = now;
    }

    /// From now on it is so much too fast, or too slow.
    pub fn drift(&mut self, now: u64, ppm: i64) {
        self.step(now, 0);
        self.drift_ppm = ppm;
    }

    /// The first virtual time, not before `now`, at which it shows `reading`.
    #[must_use]
    pub fn when(&self, now: u64, reading: u64) -> u64 {
        let left = i64::try_from(reading).unwrap_or(i64::MAX).saturating_sub(self.raw(now));
        if left <= 0 || reading <= self.last {
            return now;
        }
        let rate = (1_000_000 + self.drift_ppm) as u128;
        let wait = (left as u128 * 1_000_000).div_ceil(rate);
        let wait = u64::try_from(wait).unwrap_or(u64::MAX / 4);
        // The reading itself is rounded.
        let mut at = now + wait.saturating_sub(2);
        while self.raw(at) < reading as i64 {
            at += 1;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_met_on_a_wrong_clock() {
        for (step, ppm) in [(0, 0), (5_000, 300_000), (-4_000, -300_000), (17, 999)] {
            let mut clock = Clock::new(0, 1_000_000);
            let shown = clock.read(10);
            clock.step(20, step);
            clock.drift(30, ppm);
            let deadline = shown + 2_500;
            let at = clock.when(40, deadline);
            assert!(clock.clone().read(at) >= deadline, "{step} {ppm}");
            assert!(at == 40 || clock.clone().read(at - 1) < deadline, "{step} {ppm}");
        }
    }

    #[test]
    fn it_never_goes_back() {
        let mut clock = Clock::new(0, 100_000);
        let before = clock.read(500);
        clock.step(500, -90_000);
        assert_eq!(clock.read(501), before);
        assert_eq!(clock.read(90_499), before);
        assert!(clock.read(90_600) > before);
    }
}
