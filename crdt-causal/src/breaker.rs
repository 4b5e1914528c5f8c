//! A circuit breaker that knows what can be answered without the other side.
//!
//! Calls to a server that is down cost their whole deadline, and pile up. A breaker counts failures and,
//! after a few, answers at once in its place: *open*. When it has been so for a while it lets exactly one
//! call through, the *probe*, and closes if that succeeds: *half-open*. Nygard, *Release It!* (2007).
//!
//! What "answers at once" means depends on the consistency level of the request. A replica alone can
//! answer up to some level; a request that accepts that level is [served here](Route::Local) and told
//! so, and one that does not is [refused](Route::Refused). The breaker never lowers what was asked for.
//!
//! ```
//! use crdt_causal::breaker::{Breaker, BreakerConfig, Route, State};
//!
//! // Any partial order of levels will do. Alone, this replica can answer "session".
//! #[derive(Debug, PartialEq, PartialOrd)]
//! enum Level {
//!     Eventual,
//!     Session,
//!     Strong,
//! }
//!
//! let mut breaker = Breaker::new(BreakerConfig::default(), 0);
//! for second in 1..=5 {
//!     let route = breaker.route(&Level::Strong, Level::Session, second * 1_000);
//!     let Route::Remote(permit) = route else {
//!         panic!("it is closed");
//!     };
//!     breaker.failed(permit, second * 1_000);
//! }
//! assert_eq!(breaker.state(6_000), State::Open { until: 65_000 });
//!
//! // A map tile may be a bit old. A payment is refused, and told when to try again.
//! let tile = breaker.route(&Level::Eventual, Level::Session, 6_000);
//! assert_eq!(tile, Route::Local { achieved: Level::Session, until: 65_000 });
//! let payment = breaker.route(&Level::Strong, Level::Session, 6_000);
//! assert_eq!(payment, Route::Refused { until: 65_000 });
//! ```

use alloc::collections::VecDeque;

use crate::elapsed::Elapsed;

/// When a [`Breaker`] opens, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// It opens at this many failures within the window. 5 by default, and at least 1.
    pub failures_max: usize,
    /// How long a failure counts. A minute by default.
    pub window_ms: u64,
    /// How long it stays open before it probes. A minute by default.
    pub open_ms: u64,
    /// A probe that has not come back after this time has failed. Ten seconds by default.
    pub probe_ms_max: u64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self { failures_max: 5, window_ms: 60_000, open_ms: 60_000, probe_ms_max: 10_000 }
    }
}

/// What a breaker lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything.
    Closed,
    /// Nothing.
    Open {
        /// The time from which one call is let through.
        until: u64,
    },
    /// One call, the probe.
    HalfOpen {
        /// Whether it is under way, and so nothing else is let through.
        probing: bool,
    },
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Route<L> {
    /// Call the other side, and report how that went.
    Remote(Permit),
    /// Answer with what is here, and say so. A write is kept and sent later.
    Local {
        /// The level of such an answer: what a replica can give alone.
        achieved: L,
        /// When the other side is tried again at the earliest.
        until: u64,
    },
    /// Do not answer: nothing that is possible here is good enough.
    Refused {
        /// When trying again may help.
        until: u64,
    },
}

/// Leave for one call. Give it back to [`Breaker::succeeded`] or [`Breaker::failed`].
///
/// It belongs to the period in which it was given: how a call from before the breaker opened ends says
/// nothing of the time after, so such a permit changes nothing. One that is lost delays at worst: a
/// probe that is never reported counts as failed after [`BreakerConfig::probe_ms_max`].
#[must_use = "how the call went has to be reported"]
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    period: u64,
}

/// A circuit breaker for calls to one other side. See the [module](self).
///
/// Time is an argument, milliseconds of a monotonic clock. A clock that goes back is harmless: that time
/// does not count, and nothing is undone. Each call costs O(1), a failure O(failures that are no longer
/// in the window); memory is at most [`BreakerConfig::failures_max`] times.
#[derive(Clone, Debug)]
pub struct Breaker {
    config: BreakerConfig,
    elapsed: Elapsed,
    /// Rises whenever the phase changes, so that permits of an earlier one are known.
    period: u64,
    phase: Phase,
}

/// All times are sums of elapsed time.
#[derive(Clone, Debug)]
enum Phase {
    Closed {
        /// When the failures in the window were, in ascending order.
        failures: VecDeque<u64>,
    },
    Open {
        until: u64,
    },
    Probing {
        until: u64,
    },
}

impl Breaker {
    /// A closed breaker. Values of 0 in the configuration are taken for 1.
    #[must_use]
    pub fn new(config: BreakerConfig, now: u64) -> Self {
        let config = BreakerConfig {
            failures_max: config.failures_max.max(1),
            window_ms: config.window_ms.max(1),
            open_ms: config.open_ms.max(1),
            probe_ms_max: config.probe_ms_max.max(1),
        };
        let phase = Phase::Closed { failures: VecDeque::new() };
        Self { config, elapsed: Elapsed::since(now), period: 0, phase }
    }

    /// What to do with a request that accepts no level below `floor`, at a replica that can answer with
    /// level `alone` without the other side.
    pub fn route<L: PartialOrd>(&mut self, floor: &L, alone: L, now: u64) -> Route<L> {
        if let Some(permit) = self.admit(now) {
            return Route::Remote(permit);
        }
        let until = self.closes_at(now);
        if alone >= *floor {
            Route::Local { achieved: alone, until }
        } else {
            Route::Refused { until }
        }
    }

    /// Leave for a call, if one may be made now. In half-open this is given once.
    pub fn admit(&mut self, now: u64) -> Option<Permit> {
        let at = self.tick(now);
        match self.phase {
            Phase::Closed { .. } => Some(Permit { period: self.period }),
            Phase::Open { until } if at >= until => {
                self.enter(Phase::Probing { until: at.saturating_add(self.config.probe_ms_max) });
                Some(Permit { period: self.period })
            }
            Phase::Open { .. } | Phase::Probing { .. } => None,
        }
    }

    /// A call succeeded. A probe closes the breaker.
    pub fn succeeded(&mut self, permit: Permit, now: u64) {
        self.tick(now);
        if permit.period == self.period && matches!(self.phase, Phase::Probing { .. }) {
            self.enter(Phase::Closed { failures: VecDeque::new() });
        }
    }

    /// A call failed or was not answered in time. That the other side cannot be reached is a failure
    /// like any other, also for requests that were then answered from here.
    pub fn failed(&mut self, permit: Permit, now: u64) {
        let at = self.tick(now);
        if permit.period != self.period {
            return;
        }
        let opens = match &mut self.phase {
            Phase::Closed { failures } => {
                let window_ms = self.config.window_ms;
                while failures.front().is_some_and(|then| at - then >= window_ms) {
                    failures.pop_front();
                }
                failures.push_back(at);
                failures.len() >= self.config.failures_max
            }
            Phase::Probing { .. } => true,
            Phase::Open { .. } => unreachable!("no permit is given while it is open"),
        };
        if opens {
            self.open_from(at);
        }
    }

    /// What it lets through now.
    pub fn state(&mut self, now: u64) -> State {
        let at = self.tick(now);
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { until } if at < until => {
                State::Open { until: now.saturating_add(until - at) }
            }
            Phase::Open { .. } => State::HalfOpen { probing: false },
            Phase::Probing { .. } => State::HalfOpen { probing: true },
        }
    }

    /// When a call may be let through again, in the caller's time.
    fn closes_at(&self, now: u64) -> u64 {
        let left = match self.phase {
            Phase::Closed { .. } => 0,
            Phase::Open { until } | Phase::Probing { until } => {
                until.saturating_sub(self.elapsed.total_ms())
            }
        };
        now.saturating_add(left)
    }

    /// Reads the clock, and gives up on a probe that was never reported.
    fn tick(&mut self, now: u64) -> u64 {
        // Leaps ahead count in full: at worst they let one probe through early.
        let at = self.elapsed.advance(now, u64::MAX);
        if let Phase::Probing { until } = self.phase
            && at >= until
        {
            self.open_from(until);
        }
        at
    }

    fn open_from(&mut self, at: u64) {
        self.enter(Phase::Open { until: at.saturating_add(self.config.open_ms) });
    }

    fn enter(&mut self, phase: Phase) {
        self.period += 1;
        self.phase = phase;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn breaker() -> Breaker {
        Breaker::new(BreakerConfig::default(), 0)
    }

    /// Lets `count` calls fail at `now`.
    fn fail(breaker: &mut Breaker, count: usize, now: u64) {
        for _ in 0..count {
            let permit = breaker.admit(now).expect("it is closed");
            breaker.failed(permit, now);
        }
    }

    #[test]
    fn failures_count_for_a_window() {
        let mut breaker = breaker();
        fail(&mut breaker, 4, 0);
        fail(&mut breaker, 4, 60_000);
        assert_eq!(breaker.state(60_000), State::Closed, "the first four are a minute old");
        fail(&mut breaker, 1, 119_999);
        assert_eq!(breaker.state(119_999), State::Open { until: 179_999 });
    }

    #[test]
    fn one_probe_at_a_time_and_a_lost_one_is_a_failed_one() {
        let mut breaker = breaker();
        fail(&mut breaker, 5, 0);
        assert_eq!(breaker.admit(59_999), None);
        assert_eq!(breaker.state(60_000), State::HalfOpen { probing: false });
        let lost = breaker.admit(60_000).expect("the probe");
        assert_eq!(breaker.state(60_001), State::HalfOpen { probing: true });
        for now in 60_000..70_000 {
            assert_eq!(breaker.admit(now), None, "one probe is under way");
        }
        assert_eq!(breaker.state(70_000), State::Open { until: 130_000 });
        // It comes back after all, and the breaker is not closed by old news.
        breaker.succeeded(lost, 75_000);
        assert_eq!(breaker.state(75_000), State::Open { until: 130_000 });

        let probe = breaker.admit(130_000).expect("the next probe");
        breaker.succeeded(probe, 130_100);
        assert_eq!(breaker.state(130_100), State::Closed);
    }

    #[test]
    fn calls_from_before_it_opened_say_nothing_of_the_time_after() {
        let mut breaker = breaker();
        let early: Vec<_> = (0..10).filter_map(|_| breaker.admit(0)).collect();
        fail(&mut breaker, 5, 10);
        let probe = breaker.admit(60_010).expect("the probe");
        for (index, permit) in early.into_iter().enumerate() {
            if index % 2 == 0 {
                breaker.succeeded(permit, 60_011);
            } else {
                breaker.failed(permit, 60_011);
            }
            assert_eq!(breaker.state(60_011), State::HalfOpen { probing: true });
        }
        breaker.failed(probe, 60_012);
        assert_eq!(breaker.state(60_012), State::Open { until: 120_012 });
    }

    #[test]
    fn a_clock_that_goes_back_neither_opens_nor_closes_anything() {
        let mut breaker = breaker();
        fail(&mut breaker, 5, 1_000_000);
        assert_eq!(breaker.admit(1_030_000), None);
        // Half of the wait is over; the clock is set back by a quarter of an hour.
        assert_eq!(breaker.state(100_000), State::Open { until: 130_000 });
        assert_eq!(breaker.admit(129_999), None);
        assert!(breaker.admit(130_000).is_some());

        let mut breaker = Breaker::new(BreakerConfig::default(), 500);
        fail(&mut breaker, 4, 500);
        fail(&mut breaker, 1, 0);
        assert!(matches!(breaker.state(0), State::Open { .. }), "no failure is forgotten");
    }

    #[test]
    fn times_at_the_end_of_time_do_no_harm() {
        let mut breaker = Breaker::new(BreakerConfig::default(), u64::MAX);
        fail(&mut breaker, 5, u64::MAX);
        assert_eq!(breaker.state(u64::MAX), State::Open { until: u64::MAX });
        assert_eq!(breaker.state(0), State::Open { until: 60_000 });
        let mut breaker = Breaker::new(BreakerConfig::default(), 0);
        fail(&mut breaker, 5, u64::MAX);
        let _probe = breaker.admit(0);
    }

    /// A partial order of levels: what cannot be compared is not good enough.
    #[test]
    fn what_cannot_be_compared_is_refused() {
        let mut breaker = breaker();
        fail(&mut breaker, 5, 0);
        assert_eq!(breaker.route(&f64::NAN, 1.0, 1), Route::Refused { until: 60_000 });
        assert_eq!(breaker.route(&1.0, 1.0, 1), Route::Local { achieved: 1.0, until: 60_000 });
    }
}
