//! Time that only goes forward.

/// How much time has passed, by a clock that may be set back or leap ahead.
///
/// A step back counts as no time at all. After a small one, as between the clocks of two cores, it is
/// waited until the clock has caught up; after another what it says is measured from there.
/// A leap ahead counts as `step_ms_max` at most. So no reading of the clock, however wrong, changes
/// the sum by more than one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elapsed {
    total_ms: u64,
    read_at: u64,
}

/// A clock that trembles by this much is not taken to have been set.
const JITTER_MS_MAX: u64 = 1_000;

impl Elapsed {
    /// Nothing has passed yet, and the clock says `now`.
    pub(crate) const fn since(now: u64) -> Self {
        Self::resumed(0, now)
    }

    /// `total_ms` had passed when it was last looked at, and the clock says `now`.
    pub(crate) const fn resumed(total_ms: u64, now: u64) -> Self {
        Self { total_ms, read_at: now }
    }

    /// Reads the clock; what has passed in all.
    pub(crate) fn advance(&mut self, now: u64, step_ms_max: u64) -> u64 {
        let step = now.saturating_sub(self.read_at).min(step_ms_max);
        self.total_ms = self.total_ms.saturating_add(step);
        if now.saturating_add(JITTER_MS_MAX) < self.read_at || now > self.read_at {
            self.read_at = now;
        }
        self.total_ms
    }

    /// What the clock said when it was last read.
    pub(crate) const fn read_at(&self) -> u64 {
        self.read_at
    }

    /// What had passed when the clock was last read.
    pub(crate) const fn total_ms(&self) -> u64 {
        self.total_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_for_a_while_moves_it_by_one_step() {
        let mut elapsed = Elapsed::since(1_000);
        assert_eq!(elapsed.advance(1_500, 1_000), 500);
        assert_eq!(elapsed.advance(200, 1_000), 500, "a step back is no time");
        assert_eq!(elapsed.advance(300, 1_000), 600, "and is measured from");
        assert_eq!(elapsed.advance(u64::MAX, 1_000), 1_600, "a leap is one step");
        assert_eq!(elapsed.advance(400, 1_000), 1_600);
        assert_eq!(elapsed.advance(450, 1_000), 1_650);
    }

    #[test]
    fn a_clock_that_trembles_goes_no_faster() {
        let mut elapsed = Elapsed::since(1_000);
        for _ in 0..1_000 {
            elapsed.advance(1_010, 1_000);
            elapsed.advance(1_005, 1_000);
        }
        assert_eq!(elapsed.total_ms(), 10);
    }
}
