use std::time::{Duration, Instant};

/// A token bucket: so many at once, then so many per second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    left: f64,
    refilled: Instant,
}

/// How fast a [`Bucket`] refills, and up to where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    per_second: f64,
    burst: f64,
}

impl Rate {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: f64::from(per_second), burst: f64::from(burst.max(1)) }
    }

    /// How long an empty bucket takes to be full again.
    pub(crate) fn refill_time(self) -> Duration {
        Duration::try_from_secs_f64(self.burst / self.per_second).unwrap_or(Duration::MAX)
    }
}

impl Bucket {
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.burst, refilled: now }
    }

    /// When something was last taken, or tried to be.
    pub(crate) fn refilled(&self) -> Instant {
        self.refilled
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.refilled = now;
        self.left = (self.left + elapsed * rate.per_second).min(rate.burst);
        let taken = self.left >= 1.0;
        if taken {
            self.left -= 1.0;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_a_rate() {
        let (rate, start) = (Rate::new(2, 10), Instant::now());
        let mut bucket = Bucket::full(rate, start);
        let taken = |bucket: &mut Bucket, now| (0..100).filter(|_| bucket.take(rate, now)).count();
        assert_eq!(taken(&mut bucket, start), 10);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3)), 6);
        assert_eq!(taken(&mut bucket, start + Duration::from_secs(100)), 10);
        assert_eq!(rate.refill_time(), Duration::from_secs(5));
        assert_eq!(Rate::new(0, 10).refill_time(), Duration::MAX);
    }
}
