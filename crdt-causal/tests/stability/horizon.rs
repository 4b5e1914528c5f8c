//! The horizon against a log of when what was applied.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{Horizon, HorizonConfig};

use crate::cases;
use crate::random::Random;

fn config(horizon_ms: u64, samples_max: usize) -> HorizonConfig {
    let mut config = HorizonConfig::default();
    config.horizon_ms = horizon_ms;
    config.samples_max = samples_max;
    config
}

/// Nothing younger than the horizon has passed it; all that is older by two steps has; and memory is
/// bounded. The server may be saved and loaded at any time.
#[test]
fn what_has_passed_is_what_the_log_says() {
    let mut passed = 0_u64;
    for seed in 0..cases() {
        let mut random = Random(seed);
        let samples_max = 1 + random.below(20);
        let horizon_ms = 1 + random.below(2_000);
        let step_ms = horizon_ms.div_ceil(samples_max);
        let config = config(horizon_ms, samples_max as usize);
        let mut now = random.below(1_000);
        let mut horizon = Horizon::new(config.clone(), now);
        let mut applied = Cut::new();
        let mut log = vec![];
        for _ in 0..100 {
            // It is called at least once a step, as it asks for.
            now += random.below(1 + (horizon.poll_timeout() - now).min(step_ms));
            let slot = Slot(random.below(3) as u16);
            applied.observe(slot, applied.get(slot) + random.below(3));
            horizon.record(&applied, now);
            log.push((now, applied.clone()));
            horizon.check_invariants();
            if random.below(10) == 0 {
                let loaded = Horizon::from_saved(config.clone(), &horizon.to_saved(), now);
                assert_eq!(loaded.as_ref(), Ok(&horizon));
            }
            let by = |age_ms: u64| {
                let old = log.iter().rev().find(|(at, _)| now.saturating_sub(*at) >= age_ms);
                old.map_or(Cut::new(), |(_, cut)| cut.clone())
            };
            assert!(by(horizon_ms).dominates(horizon.passed()), "seed {seed}");
            assert!(horizon.passed().dominates(&by(horizon_ms + 2 * step_ms)), "seed {seed}");
            passed += u64::from(!horizon.passed().is_empty());
        }
    }
    assert!(passed > cases(), "{passed}");
}

/// A clock that leaps ahead ends nobody's horizon, and one that goes back stops none.
#[test]
fn a_wrong_clock_moves_the_horizon_by_one_step() {
    const DAY: u64 = 24 * 3_600_000;
    let mut horizon = Horizon::new(HorizonConfig::default(), 0);
    let applied = Cut::from_iter([(Slot(0), 1)]);
    for hour in 0..24 * 29 {
        horizon.record(&applied, hour * 3_600_000);
    }
    horizon.record(&applied, 9_999 * DAY);
    assert!(horizon.passed().is_empty(), "29 days have passed, whatever the clock says");
    for hour in 0..28 {
        horizon.record(&applied, hour * 3_600_000);
    }
    assert_eq!(horizon.passed(), &applied);
}

/// A server that was down for a month has forgotten nothing that somebody could not come back to.
#[test]
fn time_in_which_the_server_was_not_there_does_not_count() {
    let config = config(1_000, 10);
    let applied = Cut::from_iter([(Slot(0), 1)]);
    let mut horizon = Horizon::new(config.clone(), 0);
    horizon.record(&applied, 0);
    let mut horizon = Horizon::from_saved(config, &horizon.to_saved(), 1_000_000).unwrap();
    for now in (1_000_000..1_001_000).step_by(50) {
        horizon.record(&applied, now);
        assert!(horizon.passed().is_empty());
    }
    horizon.record(&applied, 1_001_000);
    assert_eq!(horizon.passed(), &applied);
}

#[test]
fn golden_bytes() {
    let mut horizon = Horizon::new(config(1_000, 10), 0);
    for (now, position) in [(0, 1), (100, 200), (150, 300), (230, 301)] {
        horizon.record(&Cut::from_iter([(Slot(0), position)]), now);
    }
    let bytes = [230, 1, 3, 0, 1, 0, 1, 100, 1, 0, 200, 1, 130, 1, 1, 0, 173, 2];
    assert_eq!(horizon.to_saved(), bytes);
    for len in 0..bytes.len() {
        assert!(Horizon::from_saved(config(1_000, 10), &bytes[..len], 0).is_err());
    }
    // With fewer samples than were saved.
    let few = Horizon::from_saved(config(1_000, 5), &bytes, 0).unwrap();
    few.check_invariants();
}
