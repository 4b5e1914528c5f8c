//! Decisions against the plain sets of events that cuts stand for, and staleness against histories.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crdt_core::laws::trials;
use crdt_core::{Dot, ReplicaId};
use quickcheck::{Arbitrary, Gen, TestResult};

use super::*;
use crate::cut::{Admission, Cut, Epoch, Slot};
use crate::session::{Guarantees, LogTag, VerifiedToken};
use crdt_core::laws::cases;

type Events = BTreeSet<Admission>;

fn events(cut: &Cut) -> Events {
    let all = |(slot, last)| (1..=last).map(move |position| Admission { slot, position });
    cut.iter().flat_map(all).collect()
}

fn small(g: &mut Gen, below: u8) -> u64 {
    u64::from(u8::arbitrary(g) % below)
}

/// Everything that a decision is made from, small enough for all cases to be met.
#[derive(Clone, Debug)]
struct Case {
    level: Level,
    floor: Level,
    deadline: Option<u64>,
    scope: Scope,
    token_epoch: u32,
    read: Cut,
    written: Cut,
    token_strong: u64,
    /// Of one replica: tags of logs, and sequence numbers.
    offline: Vec<(u32, u64)>,
    held: Vec<(u32, u64)>,
    applied: Cut,
    node_strong: u64,
    durable: Option<Cut>,
    peers: Vec<(u16, Cut)>,
    heads: Option<(u64, u64)>,
}

impl Arbitrary for Case {
    fn arbitrary(g: &mut Gen) -> Self {
        let cut = |g: &mut Gen| -> Cut {
            (0..small(g, 3)).map(|_| (Slot(small(g, 3) as u16), small(g, 4))).collect()
        };
        let writes = |g: &mut Gen| -> Vec<(u32, u64)> {
            (0..small(g, 2)).map(|_| (small(g, 2) as u32, small(g, 3))).collect()
        };
        let mut applied = cut(g);
        if bool::arbitrary(g) {
            // Mostly a node is not far behind.
            applied.join(&(0..3).map(|slot| (Slot(slot), 2)).collect());
        }
        Self {
            level: Level::arbitrary(g),
            floor: Level::arbitrary(g),
            deadline: Option::<bool>::arbitrary(g).map(|late| if late { 150 } else { 100 }),
            scope: if bool::arbitrary(g) { Scope::Realm } else { Scope::Log(LogTag(0)) },
            token_epoch: if small(g, 8) == 0 { small(g, 3) as u32 } else { 1 },
            read: cut(g),
            written: cut(g),
            token_strong: small(g, 8) / 7,
            offline: writes(g),
            held: writes(g),
            applied,
            node_strong: small(g, 2),
            durable: Option::<bool>::arbitrary(g).map(|_| cut(g)),
            peers: (0..small(g, 5)).map(|_| (small(g, 4) as u16, cut(g))).collect(),
            heads: Option::<bool>::arbitrary(g).map(|_| (small(g, 5), small(g, 3) * 50)),
        }
    }
}

const NOW: u64 = 100;
const ME: ReplicaId = ReplicaId::from_u128(1);

/// What holds of a case, said of sets.
struct Truth {
    is_write: bool,
    read: bool,
    written: bool,
    staleness: Staleness,
}

impl Truth {
    fn holds(&self, level: Level) -> bool {
        let asked = |guarantee| level.guarantees().contains(guarantee);
        let (reads, writes) = if self.is_write {
            (asked(Guarantees::WRITES_FOLLOW_READS), asked(Guarantees::MONOTONIC_WRITES))
        } else {
            (asked(Guarantees::MONOTONIC_READS), asked(Guarantees::READ_YOUR_WRITES))
        };
        let fresh = match (level.bound(), self.staleness) {
            (None, _) => true,
            _ if self.is_write => true,
            (Some(_), Staleness::Unknown) => false,
            (
                Some(bound),
                Staleness::Known { ops, age_ms } | Staleness::AtLeast { ops, age_ms },
            ) => ops <= bound.ops && age_ms <= bound.age_ms,
        };
        !level.is_strong() && (!reads || self.read) && (!writes || self.written) && fresh
    }
}

fn check(case: &Case, is_write: bool) {
    let mut token = VerifiedToken::new(Epoch(case.token_epoch));
    token.observe_read(&case.read);
    for (slot, position) in &case.written {
        token.observe_write(Admission::new(slot, position));
    }
    token.observe_strong(case.token_strong);
    let token = with_offline(token, &case.offline);
    // Slot 3 is another server, from which heads come; the node is slot 0.
    let config = ProgressConfig { skew_ms_max: 0, silence_ms_max: 60 };
    let mut progress = Progress::new(Slot(0), [Slot(3)], config);
    for (slot, position) in &case.applied {
        progress.apply(slot, position);
    }
    if let Some((head, at)) = case.heads {
        progress.heard(Slot(3), head, at, at);
    }
    progress.check_invariants();
    let held = |replica: ReplicaId, log: LogTag| {
        assert_eq!(replica, ME);
        case.held
            .iter()
            .filter(|(tag, _)| LogTag(*tag) == log)
            .map(|(_, seq)| *seq)
            .max()
            .unwrap_or(0)
    };
    let peers: Vec<Peer> = case
        .peers
        .iter()
        .map(|(slot, applied)| Peer { slot: Slot(*slot), applied: applied.clone() })
        .collect();
    let node = NodeView {
        epoch: Epoch(1),
        progress: &progress,
        strong: case.node_strong,
        peers: &peers,
        held: &held,
        engine: case.durable.as_ref().map(|durable| EngineView { durable }),
    };
    let mut spec = Spec::new(case.level).or_at_least(case.floor).about(case.scope);
    if let Some(deadline) = case.deadline {
        spec = spec.until(deadline);
    }
    let decision = if is_write {
        decide_write(&spec, &token, &node, NOW)
    } else {
        decide(&spec, &token, &node, NOW)
    };

    // The same, of sets.
    let (applied, read, written) =
        (events(&case.applied), events(token.read()), events(token.written()));
    let offline_here = |all_logs: bool| {
        case.offline.iter().all(|&(tag, seq)| {
            let own_log = case.scope == Scope::Log(LogTag(tag));
            let asked = match case.scope {
                Scope::Realm => true,
                Scope::Log(_) => own_log != is_write,
            };
            !(all_logs || asked) || held(ME, LogTag(tag)) >= seq
        })
    };
    let strong_here = case.node_strong >= case.token_strong;
    let truth = Truth {
        is_write,
        read: read.is_subset(&applied) && strong_here,
        written: written.is_subset(&applied) && strong_here && offline_here(false),
        staleness: progress.staleness(NOW),
    };
    let waits = case.deadline.is_some_and(|deadline| NOW < deadline);
    let strong_ready = case.durable.as_ref().is_some_and(|durable| {
        let durable = events(durable);
        read.is_subset(&durable) && written.is_subset(&durable) && offline_here(true)
    });
    if case.token_epoch != 1 {
        let expired = matches!(decision, Decision::Refuse(Refusal::EpochExpired { .. }));
        let unknown = matches!(decision, Decision::Refuse(Refusal::EpochUnknown { .. }));
        assert_eq!((expired, unknown), (case.token_epoch < 1, case.token_epoch > 1));
        return;
    }
    let level_holds = truth.holds(spec.level());
    match decision {
        Decision::Serve(achieved) => {
            assert!(level_holds || !waits && truth.holds(spec.floor()));
            assert!(achieved.level >= spec.floor() || is_write);
            // It says all that holds, and nothing else.
            let singles = [
                Guarantees::READ_YOUR_WRITES,
                Guarantees::MONOTONIC_READS,
                Guarantees::MONOTONIC_WRITES,
                Guarantees::WRITES_FOLLOW_READS,
            ];
            for guarantee in singles {
                let claimed = achieved.level.guarantees().contains(guarantee);
                assert_eq!(claimed, truth.holds(Level::session(guarantee)), "{guarantee}");
            }
            let causal = truth.holds(Level::session(Guarantees::ALL));
            assert_eq!(achieved.level >= Level::CAUSAL, causal);
            assert_eq!(achieved.level.bound(), truth.staleness.bound());
            assert_eq!((achieved.at, achieved.staleness), (&case.applied, truth.staleness));
        }
        Decision::Engine { at_least } => {
            assert!(spec.level().is_strong() && strong_ready);
            assert_eq!(at_least, case.token_strong);
        }
        Decision::WaitFor { until, .. } => {
            assert!(waits && Some(until) == case.deadline && !level_holds);
        }
        Decision::Redirect(candidates) => {
            assert!(!waits && !level_holds && !truth.holds(spec.floor()));
            let needs = |guarantee| spec.level().guarantees().contains(guarantee);
            let (reads, writes) = if is_write {
                (needs(Guarantees::WRITES_FOLLOW_READS), needs(Guarantees::MONOTONIC_WRITES))
            } else {
                (needs(Guarantees::MONOTONIC_READS), needs(Guarantees::READ_YOUR_WRITES))
            };
            let enough: Vec<Slot> = peers
                .iter()
                .filter(|peer| {
                    let applied = events(&peer.applied);
                    peer.slot != Slot(0)
                        && (!reads || read.is_subset(&applied))
                        && (!writes || written.is_subset(&applied))
                })
                .map(|peer| peer.slot)
                .collect();
            assert!(!candidates.is_empty() && candidates.len() == enough.len().min(3));
            assert!(enough.starts_with(&candidates));
        }
        Decision::Refuse(Refusal::Lacking(lacking)) => {
            assert!(!waits && !level_holds && !truth.holds(spec.floor()));
            match lacking {
                Lacking::Admission(event) => {
                    assert!(!applied.contains(&event));
                    assert!(read.contains(&event) || written.contains(&event));
                }
                Lacking::Durable(event) => {
                    let durable = case.durable.as_ref().is_none_or(|cut| cut.contains(event));
                    assert!(!durable && spec.level().is_strong());
                }
                Lacking::Engine => assert!(case.durable.is_none()),
                Lacking::Strong { position } => assert!(position > case.node_strong),
                Lacking::Offline { log, write } => assert!(held(write.replica, log) < write.seq),
                Lacking::Fresher { bound, staleness } => {
                    assert!(!is_write && staleness == truth.staleness);
                    assert!(!truth.holds(Level::bounded(bound.ops, bound.age_ms)));
                }
            }
        }
        Decision::Refuse(refusal) => panic!("{refusal} of the epoch at hand"),
    }
}

/// As a client's token brings offline writes: through the token.
fn with_offline(session: VerifiedToken, writes: &[(u32, u64)]) -> VerifiedToken {
    use crate::clock::HybridTime;
    use crate::session::{Authenticator, KeyId, Mac, Realm};
    struct Open;
    impl Authenticator for Open {
        fn newest(&self) -> KeyId {
            KeyId(0)
        }
        fn mac(&self, _: KeyId, _: &[u8]) -> Option<Mac> {
            Some([0; 16])
        }
    }
    let mut token = session.attest(Realm(0), HybridTime::default(), &Open).unwrap();
    for &(log, seq) in writes {
        token.record_write(ME, LogTag(log), seq).unwrap();
    }
    token.verify(Realm(0), session.epoch(), &Open, |_| true).unwrap()
}

#[test]
fn reads_are_decided_as_the_sets_say() {
    fn law(case: Case) -> TestResult {
        check(&case, false);
        TestResult::passed()
    }
    trials().tests(cases() * 4).quickcheck(law as fn(_) -> _);
}

#[test]
fn writes_are_decided_as_the_sets_say() {
    fn law(case: Case) -> TestResult {
        check(&case, true);
        TestResult::passed()
    }
    trials().tests(cases() * 4).quickcheck(law as fn(_) -> _);
}

/// What a write takes along is what the guarantees of writes say, each by itself.
#[test]
fn a_write_takes_its_dependencies_along() {
    let mut token = VerifiedToken::new(Epoch(1));
    token.observe_read(&Cut::from_iter([(Slot(0), 5)]));
    token.observe_write(Admission::new(Slot(1), 7));
    let of = |guarantees| dependencies(Level::session(guarantees), &token);
    let (read, written) = ([(Slot(0), 5)], [(Slot(1), 7)]);
    assert_eq!(of(Guarantees::ALL), read.into_iter().chain(written).collect());
    assert_eq!(of(Guarantees::WRITES_FOLLOW_READS), Cut::from_iter(read));
    assert_eq!(of(Guarantees::MONOTONIC_WRITES), Cut::from_iter(written));
    assert!(of(Guarantees::READ_YOUR_WRITES | Guarantees::MONOTONIC_READS).is_empty());
}

/// A refusal tells its reader what to do about it.
#[test]
fn words() {
    use alloc::string::ToString;
    let write = Dot::new(ME, 3);
    let cases = [
        (Lacking::Admission(Admission::new(Slot(2), 9)), "the event s2:9 is not here"),
        (Lacking::Engine, "no engine for strong operations answers"),
        (
            Lacking::Fresher { bound: Bound { ops: 1, age_ms: 2 }, staleness: Staleness::Unknown },
            "it is not known how far behind this server is",
        ),
    ];
    for (lacking, words) in cases {
        assert_eq!(Refusal::Lacking(lacking).to_string(), words);
    }
    let offline = Lacking::Offline { log: LogTag(1), write };
    assert!(offline.to_string().contains("client's own write"));
}

/// What servers do, and what is told of it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u8),
    Admit(u8),
    Tell(u8),
    /// An earlier word arrives, out of order.
    TellLate(u8),
    Apply(u8),
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        let [kind, value] = [(); 2].map(|()| u8::arbitrary(g));
        match kind % 6 {
            0 => Self::Pass(value),
            1 | 2 => Self::Admit(value),
            3 => Self::Tell(value),
            4 if value % 4 == 0 => Self::TellLate(value),
            4 => Self::Tell(value),
            _ => Self::Apply(value),
        }
    }
}

/// Two other servers admit, tell and are applied, in any order. The truth is the list of when each
/// event was admitted.
#[test]
fn staleness_is_never_less_than_the_truth() {
    fn law(script: Vec<Step>) -> bool {
        let config = ProgressConfig { skew_ms_max: 0, silence_ms_max: 100 };
        let mut progress = Progress::new(Slot(0), [Slot(1), Slot(2)], config);
        let mut admitted: [Vec<u64>; 2] = Default::default();
        let mut told: [Vec<(u64, u64)>; 2] = Default::default();
        let mut heard_at = [None; 2];
        let mut applied = [0usize; 2];
        let mut now = 1_000;
        for step in script {
            match step {
                Step::Pass(ms) => now += u64::from(ms),
                Step::Admit(server) => admitted[usize::from(server % 2)].push(now),
                Step::Tell(value) | Step::TellLate(value) => {
                    let server = usize::from(value % 2);
                    if matches!(step, Step::Tell(_)) {
                        told[server].push((admitted[server].len() as u64, now));
                    }
                    let back = told[server].len().saturating_sub(1 + usize::from(value) / 64);
                    let is_late = matches!(step, Step::TellLate(_));
                    let index =
                        if is_late { Some(back) } else { told[server].len().checked_sub(1) };
                    if let Some(&(position, at)) = index.and_then(|index| told[server].get(index)) {
                        progress.heard(Slot(server as u16 + 1), position, at, now);
                        heard_at[server] = Some(now);
                    }
                }
                Step::Apply(value) => {
                    let server = usize::from(value % 2);
                    let lacking = admitted[server].len() - applied[server];
                    applied[server] += lacking.min(1 + usize::from(value) / 32);
                    progress.apply(Slot(server as u16 + 1), applied[server] as u64);
                }
            }
            progress.check_invariants();
            let lacking = |server: usize| &admitted[server][applied[server]..];
            match progress.staleness(now) {
                Staleness::Unknown => assert!(heard_at.contains(&None)),
                staleness => {
                    let Bound { ops, age_ms } = staleness.bound().unwrap();
                    // Whatever is lacking is younger, or was admitted in that very millisecond.
                    let oldest = (0..2).filter_map(|server| lacking(server).first()).min();
                    assert!(oldest.is_none_or(|&oldest| now - oldest <= age_ms));
                    assert!(ops <= (lacking(0).len() + lacking(1).len()) as u64);
                    let silent = heard_at.iter().flatten().any(|&at| now - at > 100);
                    assert_eq!(silent, matches!(staleness, Staleness::AtLeast { .. }));
                }
            }
        }
        // When all has been told and applied, nothing is lacking and nothing is old.
        for (slot, admitted) in (1..).map(Slot).zip(&admitted) {
            progress.heard(slot, admitted.len() as u64, now, now);
            progress.apply(slot, admitted.len() as u64);
        }
        progress.staleness(now) == Staleness::Known { ops: 0, age_ms: 0 }
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn many_words_about_what_is_not_applied() {
    let mut progress = Progress::new(Slot(0), [Slot(1)], ProgressConfig::default());
    for position in 1..=10_000 {
        progress.heard(Slot(1), position, position * 10, position * 10);
        progress.check_invariants();
    }
    // A time in the future counts as the present, and a server that is none is not heard.
    progress.heard(Slot(1), 10_001, u64::MAX, 100_010);
    progress.heard(Slot(9), 5, 100_010, 100_010);
    assert_eq!(
        progress.staleness(100_010),
        Staleness::Known { ops: 10_001, age_ms: 100_010 + 500 }
    );
    progress.apply(Slot(1), 5_000);
    let Staleness::Known { ops: 5_001, age_ms } = progress.staleness(100_010) else { panic!() };
    // The truth is 50,010, and the skew; what was thinned out can only add to it.
    assert!((50_510..56_000).contains(&age_ms), "{age_ms}");
    progress.apply(Slot(1), 10_001);
    assert_eq!(progress.staleness(100_010), Staleness::Known { ops: 0, age_ms: 500 });
    progress.set_others([]);
    assert_eq!(progress.staleness(u64::MAX), Staleness::Known { ops: 0, age_ms: 0 });
    progress.set_others([Slot(0), Slot(1), Slot(1)]);
    assert_eq!(progress.staleness(0), Staleness::Unknown, "one, and it was forgotten");
}
