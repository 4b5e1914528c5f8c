//! C8: strong operations are linearizable, and the minority refuses.

use std::collections::BTreeMap;

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::level::engine::{Engine, Fault, Machine, MemoryEngine, Outcome, Ticket};
use crdt_causal::level::{
    Decision, EngineView, Lacking, Level, NodeView, Progress, ProgressConfig, Refusal, Spec, decide,
};
use crdt_causal::session::VerifiedToken;

use crate::histories;
use crate::random::Random;
use crate::register::{Operation, Record, is_linearizable};

/// A register that can be compared and set.
#[derive(Clone, Debug, Default)]
struct Register(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Write(u64),
    CompareAndSet(u64, u64),
}

impl Machine for Register {
    type Command = Command;
    type Query = ();
    type Answer = u64;

    fn apply(&mut self, command: &Command) -> Option<u64> {
        match *command {
            Command::Write(value) => self.0 = value,
            Command::CompareAndSet(from, to) if self.0 == from => self.0 = to,
            Command::CompareAndSet(..) => return None,
        }
        Some(self.0)
    }

    fn query(&self, (): &()) -> u64 {
        self.0
    }
}

#[derive(Debug, Default)]
struct Played {
    records: Vec<Record>,
    unavailable: u32,
    conflicts: u32,
}

const PROCESSES: usize = 4;

/// Clients at the nodes of an engine that is partitioned and heals, loses requests and answers, and
/// does late what was given up.
fn play(seed: u64) -> Played {
    let mut random = Random(seed);
    let nodes = [3, 5][random.pick(2)];
    let mut engine = MemoryEngine::new(nodes, 40, Register::default());
    let mut played = Played::default();
    let mut under_way: BTreeMap<Ticket, usize> = BTreeMap::new();
    let mut is_busy = [false; PROCESSES];
    let (mut moment, mut now, mut written) = (0, 0, 0);
    // At most so many of which nobody knows, for the checker tries all cases.
    let mut unknown = 0;
    while played.records.len() < 24 || !under_way.is_empty() {
        now += random.below(8);
        if random.below(12) == 0 {
            // Mostly there is a majority, and somebody outside of it.
            let groups: Vec<_> = (0..nodes).map(|_| usize::from(random.below(3) == 0)).collect();
            engine.partition(&groups, now);
        }
        let process = random.pick(PROCESSES);
        if !is_busy[process] && played.records.len() < 24 {
            let lost = unknown < 3 && random.below(12) == 0;
            let request_ms_max = if unknown < 3 && random.below(6) == 0 { 80 } else { 15 };
            engine.fault(Fault {
                request_ms: random.below(request_ms_max),
                answer_ms: random.below(15),
                request_lost: lost && random.below(2) == 0,
                answer_lost: lost,
            });
            let node = random.pick(nodes);
            let (called, ticket) = match random.below(5) {
                0..3 => (Operation::Read(None), engine.node(node).read((), now)),
                3 => {
                    written += 1;
                    let ticket = engine.node(node).propose(Command::Write(written), now);
                    (Operation::Write(written), ticket)
                }
                _ => {
                    let (from, to) = (random.below(written + 1), written + 100);
                    written += 1;
                    let command = Command::CompareAndSet(from, to);
                    let ticket = engine.node(node).propose(command, now);
                    (Operation::CompareAndSet(from, to, None), ticket)
                }
            };
            under_way.insert(ticket, played.records.len());
            is_busy[process] = true;
            let record = Record { process, called, answered: called, begun: moment, ended: None };
            (moment, _) = (moment + 1, played.records.push(record));
        }
        while let Some((ticket, outcome)) = engine.node(0).poll(now) {
            let index = under_way.remove(&ticket).expect("it was begun, and told of once");
            let record = &mut played.records[index];
            is_busy[record.process] = false;
            record.ended = Some(moment);
            moment += 1;
            record.answered = match (record.called, outcome) {
                (Operation::Read(_), Outcome::Committed { answer, .. }) => {
                    Operation::Read(Some(answer))
                }
                (Operation::CompareAndSet(from, to, _), Outcome::Committed { .. }) => {
                    Operation::CompareAndSet(from, to, Some(true))
                }
                (Operation::CompareAndSet(from, to, _), Outcome::Conflict { .. }) => {
                    played.conflicts += 1;
                    Operation::CompareAndSet(from, to, Some(false))
                }
                (_, Outcome::Indeterminate) => {
                    (record.ended, unknown) = (None, unknown + 1);
                    record.called
                }
                // Not done, so that it is no part of the history.
                (_, Outcome::Unavailable) => {
                    played.unavailable += 1;
                    record.begun = usize::MAX;
                    record.called
                }
                (called, _) => called,
            };
        }
    }
    played.records.retain(|record| record.begun != usize::MAX);
    played
}

/// What is wrong with a history of this seed, if anything is.
pub(crate) fn not_linearizable(seed: u64) -> Option<&'static str> {
    (!is_linearizable(&play(seed).records)).then_some("not linearizable")
}

#[test]
fn histories_are_linearizable() {
    let (mut operations, mut unknown, mut unavailable, mut conflicts) = (0, 0, 0, 0);
    for seed in 0..histories() * 2 {
        assert_eq!(not_linearizable(seed), None, "seed {seed}");
        let played = play(seed);
        operations += played.records.len();
        unknown += played.records.iter().filter(|record| record.ended.is_none()).count();
        unavailable += played.unavailable;
        conflicts += played.conflicts;
    }
    println!(
        "C8 {} histories, {operations} operations: {conflicts} conflicts, {unknown} indeterminate, \
         {unavailable} refused; all linearizable",
        histories() * 2
    );
    assert!(unknown > 0 && unavailable > 0 && conflicts > 0);
}

/// Whichever side a node is on: with more than half it commits, without it refuses, reads too.
#[test]
fn the_minority_refuses() {
    for nodes in 1..=7usize {
        for sides in 0..1usize << nodes {
            let groups: Vec<_> = (0..nodes).map(|node| sides >> node & 1).collect();
            let mut engine = MemoryEngine::new(nodes, 10, Register::default());
            engine.partition(&groups, 0);
            for node in 0..nodes {
                let side = groups.iter().filter(|group| **group == groups[node]).count();
                let write = engine.node(node).propose(Command::Write(node as u64 + 1), 0);
                let read = engine.node(node).read((), 0);
                let outcomes = [engine.node(node).poll(0), engine.node(node).poll(0)];
                let [Some((first, written)), Some((second, shown))] = outcomes else { panic!() };
                assert_eq!((first, second), (write, read));
                if side * 2 > nodes {
                    assert!(matches!(written, Outcome::Committed { .. }));
                    assert!(
                        matches!(shown, Outcome::Committed { answer, .. } if answer == node as u64 + 1)
                    );
                } else {
                    assert_eq!((written, shown), (Outcome::Unavailable, Outcome::Unavailable));
                }
            }
        }
    }
}

/// What is given up may be done all the same, and later.
#[test]
fn indeterminate_means_what_it_says() {
    let mut engine = MemoryEngine::new(3, 10, Register::default());
    engine.fault(Fault { request_ms: 50, ..Fault::default() });
    let late = engine.node(0).propose(Command::Write(1), 0);
    assert_eq!(engine.node(0).poll_timeout(), Some(10));
    assert_eq!(engine.node(0).poll(10), Some((late, Outcome::Indeterminate)));
    let value = |engine: &mut MemoryEngine<Register>, now| {
        let _read = engine.node(1).read((), now);
        match engine.node(1).poll(now) {
            Some((_, Outcome::Committed { answer, .. })) => answer,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((value(&mut engine, 49), value(&mut engine, 50)), (0, 1));
    engine.fault(Fault { answer_lost: true, ..Fault::default() });
    let unheard = engine.node(0).propose(Command::Write(2), 60);
    assert_eq!(engine.node(0).poll(69), None);
    assert_eq!(engine.node(0).poll(70), Some((unheard, Outcome::Indeterminate)));
    assert_eq!(value(&mut engine, 70), 2);
    engine.fault(Fault { request_lost: true, ..Fault::default() });
    let lost = engine.node(0).propose(Command::Write(3), 80);
    assert_eq!(engine.node(0).poll(90), Some((lost, Outcome::Indeterminate)));
    assert_eq!((value(&mut engine, 1_000), engine.node(0).poll_timeout()), (2, None));
}

/// A session writes, then does something strong that depends on it; then everything that is not
/// durable is lost. Returns what went wrong: the effect outlived its cause.
pub(crate) fn outlived(seed: u64) -> Option<&'static str> {
    let mut random = Random(seed);
    let mut engine = MemoryEngine::new(3, 10, Register::default());
    let mut progress = Progress::new(Slot(0), [], ProgressConfig::default());
    let mut session = VerifiedToken::new(Epoch(1));
    let writes = 1 + random.below(5);
    progress.apply(Slot(0), writes);
    session.observe_write(Admission::new(Slot(0), writes));
    engine.set_durable(Cut::from_iter([(Slot(0), random.below(writes + 1))]));
    let mut committed = false;
    for now in 0..3 {
        let durable = engine.node(0).durable().clone();
        let mut node = NodeView::new(Epoch(1), &progress);
        node.engine = Some(EngineView { durable: &durable });
        match decide(&Spec::new(Level::STRONG).until(10), &session, &node, now) {
            Decision::Engine { at_least: 0 } => {
                let _ticket = engine.node(0).propose(Command::Write(1), now);
                let outcome = engine.node(0).poll(now);
                committed = matches!(outcome, Some((_, Outcome::Committed { .. })));
                break;
            }
            Decision::WaitFor { lacking: Lacking::Durable(event), until: 10 } => {
                assert_eq!(event, Admission::new(Slot(0), writes));
            }
            other => panic!("{other:?}"),
        }
        // The disk gets on, or does not.
        if random.below(2) == 0 {
            engine.set_durable(Cut::from_iter([(Slot(0), writes)]));
        }
    }
    let survives = engine.node(0).durable().contains(Admission::new(Slot(0), writes));
    (committed && !survives).then_some("effect without its cause")
}

#[test]
fn causes_are_durable_before_strong_effects() {
    for seed in 0..histories() * 5 {
        assert_eq!(outlived(seed), None, "seed {seed}");
    }
}

/// Without an engine that answers, strong is refused, and nothing weaker is passed off for it.
#[test]
fn no_engine_no_strong_answer() {
    let progress = Progress::new(Slot(0), [], ProgressConfig::default());
    let node = NodeView::new(Epoch(1), &progress);
    let session = VerifiedToken::new(Epoch(1));
    let strong = Spec::new(Level::STRONG);
    let refused = Decision::Refuse(Refusal::Lacking(Lacking::Engine));
    assert_eq!(decide(&strong, &session, &node, 0), refused);
    let Decision::Serve(achieved) = decide(&strong.or_at_least(Level::CAUSAL), &session, &node, 0)
    else {
        panic!("causal will do")
    };
    assert!(achieved.level >= Level::CAUSAL && !achieved.level.is_strong());
}
