//! C12, C13, C14: going down, and up again.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::Level;
use crdt_causal::policy::{Degrade, DegradeConfig, Ladder, LevelRange, Reply, Sample};
use crdt_causal::session::Guarantees;

use crate::random::Random;

const SESSION: Level = Level::session(Guarantees::ALL);
const DWELL_MS: u64 = 60_000;

fn degrade() -> Degrade {
    Degrade::new(DegradeConfig::default(), 0)
}

fn ranges() -> [LevelRange; 6] {
    [
        LevelRange::exactly(Level::STRONG),
        LevelRange::at_best(Level::STRONG),
        LevelRange::new(Level::STRONG, Level::CAUSAL).unwrap(),
        LevelRange::new(Level::CAUSAL, SESSION).unwrap(),
        LevelRange::at_best(SESSION),
        LevelRange::exactly(Level::EVENTUAL),
    ]
}

fn sample(random: &mut Random) -> Sample {
    match random.below(6) {
        0 => Sample::Unreachable,
        1 => Sample::Latency(200 + random.below(1_000)),
        _ => Sample::Latency(random.below(60)),
    }
}

#[test]
fn c12_no_answer_is_below_its_floor_in_100_000_schedules_of_faults() {
    let (mut served, mut degraded, mut refused) = (0_u64, 0_u64, 0_u64);
    for seed in 0..100_000 {
        let mut random = Random(seed);
        let (mut degrade, mut now) = (degrade(), 0);
        for _ in 0..20 {
            now += random.below(2 * DWELL_MS);
            degrade.observe(sample(&mut random), now);
            let before = degrade.attainable();
            if let Some(change) = degrade.poll(&Cut::new(), now) {
                assert_eq!((change.from, change.to), (before, degrade.attainable()));
            }
            let range = ranges()[random.pick(6)];
            match degrade.serve(range, &Cut::new(), &Cut::new()) {
                Reply::Served { achieved, is_degraded } => {
                    assert!(achieved >= range.floor() && achieved <= range.prefer());
                    assert!(degrade.attainable() >= achieved, "it is told what was kept");
                    assert_eq!(is_degraded, achieved != range.prefer());
                    served += 1;
                    degraded += u64::from(is_degraded);
                }
                Reply::BelowFloor { attainable } => {
                    assert!(!attainable.promises(range.floor()));
                    refused += 1;
                }
                Reply::Behind => panic!("nobody has seen anything"),
            }
        }
    }
    println!("C12 {served} served, {degraded} of them degraded, {refused} refused");
    assert!(degraded > 100_000 && refused > 100_000);
}

/// A local state that runs ahead and a majority that lags, and clients that read from whichever stands behind the
/// level: how many were turned away as behind after the level had risen.
fn after_recovery(seed: u64, is_told_the_truth: bool) -> (u64, u64) {
    let mut random = Random(seed);
    let (mut degrade, mut now) = (degrade(), 0);
    let (mut local, mut majority) = (Cut::new(), Cut::new());
    let mut seen = vec![Cut::new(); 3];
    let (mut rises, mut turned_away) = (0, 0);
    for step in 0..120_u64 {
        now += random.below(DWELL_MS / 2);
        // Partitioned for a while; then all is well.
        let is_whole = !(10..=50).contains(&step);
        let sample = if is_whole { Sample::Latency(20) } else { Sample::Unreachable };
        degrade.observe(sample, now);
        for slot in 0..2 {
            local.observe(Slot(slot), local.get(Slot(slot)) + random.below(3));
            // What the majority has follows, when it can, and slowly.
            if is_whole && random.below(3) == 0 {
                majority.observe(Slot(slot), local.get(Slot(slot)));
            }
        }
        let behind_stronger = if is_told_the_truth { &majority } else { &local };
        let change = degrade.poll(behind_stronger, now);
        rises += u64::from(change.is_some_and(|change| change.to > change.from));
        let is_strong = degrade.attainable() == Level::STRONG;
        let state = if is_strong { &majority } else { &local };
        let client = random.pick(3);
        match degrade.serve(LevelRange::at_best(Level::STRONG), state, &seen[client]) {
            Reply::Served { .. } => {
                assert!(state.dominates(&seen[client]), "time does not go backwards");
                seen[client] = state.clone();
            }
            Reply::Behind => turned_away += u64::from(is_strong),
            Reply::BelowFloor { .. } => panic!("anything will do"),
        }
    }
    (rises, turned_away)
}

#[test]
fn c13_nobody_sees_time_go_backwards_when_the_level_rises() {
    let (mut rises, mut careless) = (0, 0);
    for seed in 0..2_000 {
        let (risen, turned_away) = after_recovery(seed, true);
        rises += risen;
        assert_eq!(turned_away, 0, "seed {seed}");
        careless += after_recovery(seed, false).1;
    }
    println!("C13 {rises} rises; {careless} turned away if it rises without looking");
    assert!(rises > 1_000 && careless > 100);
}

#[test]
fn c14_a_latency_that_trembles_changes_it_once_in_a_dwell_at_most() {
    let mut degrade = degrade();
    let mut changes: Vec<u64> = Vec::new();
    for second in 0..3_600 {
        let now = second * 1_000;
        degrade.observe(Sample::Latency([49, 51, 199, 201][second as usize % 4]), now);
        changes.extend(degrade.poll(&Cut::new(), now).map(|_| now));
    }
    assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= DWELL_MS), "{changes:?}");
    // It goes down, and stays there, since it is never fast for as long as a dwell.
    assert_eq!((changes.len(), degrade.attainable()), (3, Level::EVENTUAL));
    // Fast for good, it comes up a level a dwell.
    let mut rises: Vec<u64> = Vec::new();
    for second in 3_600..4_600 {
        let now = second * 1_000;
        degrade.observe(Sample::Latency(49), now);
        rises.extend(degrade.poll(&Cut::new(), now).map(|_| now));
    }
    assert!(rises.windows(2).all(|pair| pair[1] - pair[0] >= DWELL_MS));
    assert_eq!((rises.len(), degrade.attainable()), (3, Level::STRONG));
}

#[test]
fn c14_within_the_dead_band_nothing_changes() {
    let mut degrade = degrade();
    for second in 0..3_600 {
        degrade.observe(Sample::Latency([49, 51, 199, 200][second as usize % 4]), second * 1_000);
        assert_eq!(degrade.poll(&Cut::new(), second * 1_000), None);
    }
}

/// Whatever happens, and whatever the clock says.
#[test]
fn c14_two_changes_are_a_dwell_apart_in_random_schedules() {
    for seed in 0..crate::cases() {
        let mut random = Random(seed);
        let (mut degrade, mut now, mut changed) = (degrade(), 0_u64, None::<u64>);
        for _ in 0..100 {
            now += random.below(DWELL_MS / 4);
            degrade.observe(sample(&mut random), now);
            // A clock that is set back for one reading.
            degrade.observe(sample(&mut random), now.saturating_sub(random.below(500)));
            if degrade.poll(&Cut::new(), now).is_some() {
                assert!(changed.is_none_or(|before| now - before >= DWELL_MS), "seed {seed}");
                changed = Some(now);
            }
        }
    }
}

#[test]
fn a_ladder_descends() {
    assert!(Ladder::new(vec![]).is_none());
    assert!(Ladder::new(vec![Level::CAUSAL, Level::STRONG]).is_none());
    assert!(Ladder::new(vec![Level::CAUSAL, Level::CAUSAL]).is_none());
    assert!(Ladder::new(vec![Level::STRONG, SESSION]).is_some());
}
