//! Q5: the circuit breaker, 5 failures in 60 seconds.

use crdt_causal::breaker::{Breaker, BreakerConfig, Route, State};
use crdt_causal::level::Level;
use crdt_causal::session::Guarantees;

use crate::{Random, cases};

/// What the documentation says, from a list of all that ever happened.
#[derive(Default)]
struct Model {
    /// When calls failed that were let through while it was closed, since it last closed.
    failures: Vec<u64>,
    /// When it opened, if it is open.
    opened_at: Option<u64>,
    /// When the probe was let through that is under way.
    probe_at: Option<u64>,
}

#[derive(Debug, PartialEq)]
enum Phase {
    Closed,
    Open,
    Ready,
    Probing,
}

impl Model {
    fn phase(&mut self, now: u64) -> Phase {
        if let Some(probe_at) = self.probe_at
            && now - probe_at >= 10_000
        {
            self.probe_at = None;
            self.opened_at = Some(probe_at + 10_000);
        }
        match (self.opened_at, self.probe_at) {
            (_, Some(_)) => Phase::Probing,
            (Some(at), _) if now - at < 60_000 => Phase::Open,
            (Some(_), _) => Phase::Ready,
            (None, _) => Phase::Closed,
        }
    }

    fn failed(&mut self, now: u64) {
        self.failures.push(now);
        if self.failures.iter().filter(|at| now - **at < 60_000).count() >= 5 {
            self.failures.clear();
            self.opened_at = Some(now);
        }
    }
}

/// Random calls with random ends, some of them after hours: the breaker is always in the state that the
/// list of events says, and lets at most one probe through at a time.
#[test]
fn q5_the_breaker_does_what_it_says() {
    let (mut opened, mut probes, mut closed_again) = (0, 0, 0);
    for seed in 0..cases() {
        let mut random = Random(seed);
        let mut breaker = Breaker::new(BreakerConfig::default(), 0);
        let mut model = Model::default();
        // Calls under way: how often the model had changed its mind when they began, and if a probe.
        let mut calls = vec![];
        let (mut now, mut period) = (0, 0);
        for _ in 0..80 {
            now += [0, 1_000, 9_000, 25_000][random.below(4) as usize];
            let before = model.phase(now);
            if before == Phase::Open || before == Phase::Ready {
                // A lost probe has opened it, so that calls from before mean nothing.
                calls.retain(|(_, of, _)| *of == period);
            }
            if random.below(2) == 0 {
                let route = breaker.route(&Level::STRONG, Level::CAUSAL, now);
                match (route, before) {
                    (Route::Remote(permit), Phase::Closed) => calls.push((permit, period, false)),
                    (Route::Remote(permit), Phase::Ready) => {
                        probes += 1;
                        period += 1;
                        model.probe_at = Some(now);
                        calls.push((permit, period, true));
                    }
                    (Route::Refused { until }, Phase::Open | Phase::Probing) => {
                        assert!(until > now);
                    }
                    (route, phase) => panic!("seed {seed}: {route:?} when it is {phase:?}"),
                }
            } else if !calls.is_empty() {
                let index = random.below(calls.len() as u64) as usize;
                let (permit, of, is_probe) = calls.swap_remove(index);
                let counts = of == period
                    && if is_probe { before == Phase::Probing } else { before == Phase::Closed };
                if random.below(3) == 0 {
                    breaker.succeeded(permit, now);
                    if counts && is_probe {
                        model = Model::default();
                        period += 1;
                        closed_again += 1;
                    }
                } else {
                    breaker.failed(permit, now);
                    if counts && is_probe {
                        model.probe_at = None;
                        model.opened_at = Some(now);
                        period += 1;
                    } else if counts {
                        model.failed(now);
                        if model.opened_at.is_some() {
                            period += 1;
                            opened += 1;
                        }
                    }
                }
            }
            let state = breaker.state(now);
            match model.phase(now) {
                Phase::Closed => assert_eq!(state, State::Closed, "seed {seed}"),
                Phase::Open => {
                    let until = model.opened_at.unwrap() + 60_000;
                    assert_eq!(state, State::Open { until }, "seed {seed}");
                }
                Phase::Ready => assert_eq!(state, State::HalfOpen { probing: false }),
                Phase::Probing => assert_eq!(state, State::HalfOpen { probing: true }),
            }
        }
    }
    let often = cases() / 40;
    assert!(
        opened > often && probes > often && closed_again > often,
        "{opened} {probes} {closed_again}"
    );
}

/// In half-open a thousand requests come at once: one goes through.
#[test]
fn q5_exactly_one_probe() {
    let mut breaker = Breaker::new(BreakerConfig::default(), 0);
    for _ in 0..5 {
        let permit = breaker.admit(0).unwrap();
        breaker.failed(permit, 0);
    }
    let let_through = (0..1_000).filter_map(|_| breaker.admit(60_000)).count();
    assert_eq!(let_through, 1);
}

/// By the level that is asked for, while it is open: what a replica alone can promise is served and told to
/// be that; everything else is refused. Every pair of levels.
#[test]
fn q5_what_is_served_while_it_is_open_is_said() {
    let mut breaker = Breaker::new(BreakerConfig::default(), 0);
    for _ in 0..5 {
        let permit = breaker.admit(0).unwrap();
        breaker.failed(permit, 0);
    }
    let session = Level::session(Guarantees::READ_YOUR_WRITES);
    let bounded = Level::bounded(100, 300_000);
    let levels = [
        Level::EVENTUAL,
        Level::CONSISTENT_PREFIX,
        session,
        bounded,
        session.join(bounded),
        Level::CAUSAL,
        Level::STRONG,
    ];
    let (mut served, mut refused) = (0, 0);
    for floor in levels {
        for alone in levels {
            match breaker.route(&floor, alone, 30_000) {
                Route::Local { achieved, until: 60_000 } => {
                    assert!(achieved == alone && alone.promises(floor));
                    served += 1;
                }
                Route::Refused { until: 60_000 } => {
                    assert!(!alone.promises(floor));
                    refused += 1;
                }
                route => panic!("{route:?}"),
            }
        }
    }
    assert_eq!(served + refused, 49);
    // A payment is never served from here; a tracking position is.
    assert!(matches!(breaker.route(&Level::STRONG, Level::CAUSAL, 1), Route::Refused { .. }));
    let position = breaker.route(&Level::EVENTUAL, Level::CAUSAL, 1);
    assert!(matches!(position, Route::Local { achieved: Level::CAUSAL, .. }));
}

/// The clock is set back, and leaps ahead, at random: never more than one probe, and a breaker that is open
/// lets something through after a minute of time at the latest.
#[test]
fn q5_a_wrong_clock_is_harmless() {
    for seed in 0..cases() / 8 {
        let mut random = Random(seed);
        let mut now = (1 << 60) + random.below(1 << 40);
        let mut breaker = Breaker::new(BreakerConfig::default(), now);
        for _ in 0..5 {
            let permit = breaker.admit(now).unwrap();
            breaker.failed(permit, now);
        }
        let mut waited = 0;
        let probe = loop {
            if random.below(10) == 0 {
                now = now.saturating_sub(2_000 + random.below(1 << 41));
            } else {
                now += 1_000;
                waited += 1_000;
            }
            if let Some(probe) = breaker.admit(now) {
                break probe;
            }
            assert!(waited <= 61_000, "seed {seed}");
        };
        assert!(waited >= 59_000, "seed {seed}: time went on by {waited} only");
        assert!(breaker.admit(now).is_none());
        breaker.succeeded(probe, now.saturating_sub(1 << 42));
        assert_eq!(breaker.state(now), State::Closed);
    }
}
