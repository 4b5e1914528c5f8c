//! C6: bounded staleness, by operations and by time.

use crdt_causal::cut::{Epoch, Slot};
use crdt_causal::level::{
    Decision, Lacking, Level, NodeView, Progress, ProgressConfig, Refusal, Spec, Staleness, decide,
};
use crdt_causal::session::VerifiedToken;

use crate::histories;
use crate::random::Random;

const SECOND: u64 = 1_000;
const START: u64 = 1_000_000_000;
const HERE: Slot = Slot(0);
const THERE: Slot = Slot(1);

/// 100 operations and five minutes.
fn bounded() -> Level {
    Level::bounded(100, 300 * SECOND)
}

/// A server beside another, whose clocks are alike.
fn beside_another() -> Progress {
    let mut config = ProgressConfig::default();
    config.skew_ms_max = 0;
    Progress::new(HERE, [THERE], config)
}

fn ask(progress: &Progress, level: Level, now: u64) -> Result<Staleness, Lacking> {
    let node = NodeView::new(Epoch(1), progress);
    match decide(&Spec::new(level), &VerifiedToken::new(Epoch(1)), &node, now) {
        Decision::Serve(achieved) => {
            assert!(achieved.level >= level);
            Ok(achieved.staleness)
        }
        Decision::Refuse(Refusal::Lacking(lacking @ Lacking::Fresher { .. })) => Err(lacking),
        other => panic!("{other:?}"),
    }
}

/// So many operations behind, of which the first is so many seconds old.
fn behind(ops: u64, seconds: u64) -> (Progress, u64) {
    let mut progress = beside_another();
    // Everything was applied when the first of them was about to be admitted there.
    progress.apply(THERE, 1_000);
    progress.heard(THERE, 1_000, START, START);
    let now = START + seconds * SECOND;
    progress.heard(THERE, 1_000 + ops, now, now);
    (progress, now)
}

#[test]
fn at_99_and_101_operations_and_at_299_and_301_seconds() {
    let mut table = Vec::new();
    for ops in [99, 100, 101] {
        for seconds in [299, 300, 301] {
            let (progress, now) = behind(ops, seconds);
            let served = ask(&progress, bounded(), now);
            if let Ok(staleness) = served {
                assert_eq!(staleness, Staleness::Known { ops, age_ms: seconds * SECOND });
            }
            assert_eq!(served.is_ok(), ops <= 100 && seconds <= 300, "{ops} and {seconds} s");
            table.push(format!(
                "{ops}/{seconds}s {}",
                if served.is_ok() { "served" } else { "refused" }
            ));
            // Each bound by itself.
            let any_ops = Level::bounded(u64::MAX, 300 * SECOND);
            assert_eq!(ask(&progress, any_ops, now).is_ok(), seconds <= 300);
            let any_age = Level::bounded(100, u64::MAX);
            assert_eq!(ask(&progress, any_age, now).is_ok(), ops <= 100);
        }
    }
    println!("C6 {}", table.join(", "));
}

/// Nothing is known to be lacking, and nobody can know: it is served until the bound of time, from
/// then on never, until the other is heard of again.
#[test]
fn in_a_partition_the_head_cannot_be_known() {
    let mut progress = beside_another();
    progress.apply(THERE, 1_000);
    progress.heard(THERE, 1_000, START, START);
    let (mut served, mut refused) = (Vec::new(), 0);
    for seconds in 0..=86_400 {
        match ask(&progress, bounded(), START + seconds * SECOND) {
            Ok(staleness) => {
                // That not all is known is said as soon as the heartbeats stop.
                let known = Staleness::Known { ops: 0, age_ms: seconds * SECOND };
                assert_eq!(staleness == known, seconds <= 5, "after {seconds} s: {staleness:?}");
                served.push(seconds);
            }
            Err(lacking) => {
                let staleness = Staleness::AtLeast { ops: 0, age_ms: seconds * SECOND };
                let bound = bounded().bound().expect("it is one");
                assert_eq!(lacking, Lacking::Fresher { bound, staleness });
                refused += 1;
            }
        }
    }
    assert_eq!((served.last(), served.len(), refused), (Some(&300), 301, 86_100));
    // Eventual reads go on all the time.
    assert!(ask(&progress, Level::EVENTUAL, START + 86_400 * SECOND).is_ok());
    // The partition heals: what was admitted meanwhile has to come first.
    let now = START + 86_401 * SECOND;
    progress.heard(THERE, 5_000, now, now);
    assert!(ask(&progress, bounded(), now).is_err());
    progress.apply(THERE, 4_950);
    assert!(ask(&progress, bounded(), now).is_err(), "few are lacking, and one is a day old");
    progress.apply(THERE, 5_000);
    assert_eq!(ask(&progress, bounded(), now), Ok(Staleness::Known { ops: 0, age_ms: 0 }));
    println!("C6 in a partition: served until 300 s, refused {refused} times until a day");
}

/// A random bound and a server that falls silent: what is served beyond the bound, if anything.
pub(crate) fn in_silence(seed: u64) -> Option<&'static str> {
    let mut random = Random(seed);
    let age_ms = 1 + random.below(600 * SECOND);
    let mut progress = beside_another();
    progress.apply(THERE, 1_000);
    progress.heard(THERE, 1_000, START, START);
    let silent_ms = random.below(2 * age_ms);
    let (node, session) = (NodeView::new(Epoch(1), &progress), VerifiedToken::new(Epoch(1)));
    let spec = Spec::new(Level::bounded(100, age_ms));
    let decision = decide(&spec, &session, &node, START + silent_ms);
    let served = matches!(decision, Decision::Serve(_));
    assert!(served || silent_ms > age_ms, "it has to be served until then");
    (served && silent_ms > age_ms).then_some("served in silence")
}

#[test]
fn silence_is_no_news() {
    for seed in 0..histories() * 20 {
        assert_eq!(in_silence(seed), None, "seed {seed}");
    }
}

/// A server that was never heard of may have anything.
#[test]
fn before_the_first_word_nothing_is_known() {
    let mut progress = beside_another();
    progress.apply(THERE, 5);
    let error = ask(&progress, Level::bounded(u64::MAX, u64::MAX), START).unwrap_err();
    assert!(matches!(error, Lacking::Fresher { staleness: Staleness::Unknown, .. }));
    // One of two is not enough.
    progress.set_others([THERE, Slot(2)]);
    progress.heard(THERE, 5, START, START);
    assert!(ask(&progress, bounded(), START).is_err());
    progress.heard(Slot(2), 0, START, START);
    assert!(ask(&progress, bounded(), START).is_ok());
}

/// Clocks differ by at most the skew, so ages are that much longer; and who boasts of a later time
/// than now makes nothing fresher than now.
#[test]
fn the_skew_counts_against_the_bound() {
    let mut config = ProgressConfig::default();
    config.skew_ms_max = 2 * SECOND;
    let mut progress = Progress::new(HERE, [THERE], config);
    progress.heard(THERE, 0, START + 3_600 * SECOND, START);
    assert!(ask(&progress, bounded(), START + 298 * SECOND).is_ok());
    assert!(ask(&progress, bounded(), START + 299 * SECOND).is_err());
}

/// Who waits is told when it may be served.
#[test]
fn a_read_may_wait_for_news() {
    let (mut progress, now) = behind(101, 1);
    let node = NodeView::new(Epoch(1), &progress);
    let spec = Spec::new(bounded()).until(now + 50);
    let decision = decide(&spec, &VerifiedToken::new(Epoch(1)), &node, now);
    assert!(matches!(decision, Decision::WaitFor { until, .. } if until == now + 50));
    progress.apply(THERE, 1_001);
    assert!(ask(&progress, bounded(), now).is_ok());
}
