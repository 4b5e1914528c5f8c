//! Q1: W = 2, R = 2, N = 3. Every schedule of a write and two reads is played.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crdt_causal::quorum::{Promise, Quorum, QuorumSpec, ReadRepair, Topology, Write, WriteOutcome};
use crdt_core::MaxRegister;
use stateright::semantics::register::{Register, RegisterOp, RegisterRet};
use stateright::semantics::{ConsistencyTester, LinearizabilityTester};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// A register of three replicas, each with a version. One client writes, another reads twice.
struct Schedules {
    spec: QuorumSpec,
    /// Whether what was read is on a write quorum before it is returned (Attiya, Bar-Noy, Dolev).
    writes_back: bool,
}

const READS: u8 = 2;

#[derive(Clone, Debug)]
struct State {
    replicas: [u8; 3],
    write: Operation,
    written_to: u8,
    read: Operation,
    reads: u8,
    /// What the replicas have answered, and to whom it was written back.
    replies: BTreeMap<usize, u8>,
    written_back: u8,
    /// Whether the read that goes on has to see the write, by what was over when it began.
    must_see: bool,
    history: LinearizabilityTester<u8, Register<u8>>,
    is_regular: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Before,
    Under,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    BeginWrite,
    /// A replica takes in the write and acknowledges it.
    Take(usize),
    EndWrite,
    BeginRead,
    Reply(usize),
    WriteBack(usize),
    EndRead,
}

impl State {
    fn parts(&self) -> impl Hash + PartialEq + '_ {
        let operations = (self.write, self.written_to, self.read, self.reads);
        let replies = (&self.replies, self.written_back, self.must_see, self.is_regular);
        (self.replicas, operations, replies, &self.history)
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.parts().hash(hasher);
    }
}

impl Schedules {
    /// The machine of the read, as it is after these replies.
    fn read(&self, state: &State) -> ReadRepair<MaxRegister<u8>> {
        let mut read = ReadRepair::new(self.spec.read.clone());
        for (replica, version) in &state.replies {
            let mut held = MaxRegister::new();
            let _ = held.raise(*version);
            read.reply(*replica, held);
        }
        for replica in crate::members_of(state.written_back.into()) {
            read.repaired(replica);
        }
        read
    }

    fn write(&self, state: &State) -> Write {
        let mut write = Write::new(self.spec.write.clone(), u64::MAX);
        crate::members_of(state.written_to.into()).for_each(|replica| write.acknowledged(replica));
        write
    }
}

impl Model for Schedules {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            replicas: [0; 3],
            write: Operation::Before,
            written_to: 0,
            read: Operation::Before,
            reads: 0,
            replies: BTreeMap::new(),
            written_back: 0,
            must_see: false,
            history: LinearizabilityTester::new(Register(0)),
            is_regular: true,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let replicas = 0..3;
        match state.write {
            Operation::Before => steps.push(Step::BeginWrite),
            // The write goes on to the replicas that were not waited for.
            Operation::Under | Operation::Over => {
                let open = |replica: &usize| state.written_to >> replica & 1 == 0;
                steps.extend(replicas.clone().filter(open).map(Step::Take));
            }
        }
        if state.write == Operation::Under && self.write(state).outcome(0) == WriteOutcome::Met {
            steps.push(Step::EndWrite);
        }
        match state.read {
            Operation::Before | Operation::Over if state.reads < READS => {
                steps.push(Step::BeginRead);
            }
            Operation::Under => {
                let read = self.read(state);
                if read.value().is_none() {
                    let silent = |replica: &usize| !state.replies.contains_key(replica);
                    steps.extend(replicas.filter(silent).map(Step::Reply));
                } else if self.writes_back && !read.is_written_back(&self.spec.write) {
                    let lacks = |replica: &usize| {
                        read.lacking(*replica).is_some() || read.silent().any(|one| one == *replica)
                    };
                    steps.extend(replicas.filter(lacks).map(Step::WriteBack));
                } else {
                    steps.push(Step::EndRead);
                }
            }
            _ => {}
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::BeginWrite => {
                next.write = Operation::Under;
                next.history.on_invoke(0, RegisterOp::Write(1)).unwrap();
            }
            Step::Take(replica) => {
                next.replicas[replica] = 1;
                next.written_to |= 1 << replica;
            }
            Step::EndWrite => {
                next.write = Operation::Over;
                next.history.on_return(0, RegisterRet::WriteOk).unwrap();
            }
            Step::BeginRead => {
                next.read = Operation::Under;
                next.must_see = state.write == Operation::Over;
                next.history.on_invoke(1, RegisterOp::Read).unwrap();
            }
            Step::Reply(replica) => {
                next.replies.insert(replica, state.replicas[replica]);
            }
            Step::WriteBack(replica) => {
                let value = self.read(state).value().and_then(|value| value.get().copied());
                next.replicas[replica] = state.replicas[replica].max(value.unwrap_or(0));
                next.written_back |= 1 << replica;
            }
            Step::EndRead => {
                let value = self.read(state).value().and_then(|value| value.get().copied());
                let value = value.expect("there are enough replies");
                next.read = Operation::Over;
                next.reads += 1;
                next.is_regular &= value == 1 || !state.must_see;
                next.replies.clear();
                next.written_back = 0;
                next.history.on_return(1, RegisterRet::ReadOk(value)).unwrap();
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("linearizable", |_, state: &State| {
                state.history.serialized_history().is_some()
            }),
            Property::always("regular", |_, state: &State| state.is_regular),
            Property::sometimes("all is over", |_, state: &State| {
                state.reads == READS && state.write == Operation::Over
            }),
        ]
    }
}

/// What every schedule keeps.
fn observed(read: usize, write: usize, writes_back: bool) -> (QuorumSpec, Promise, usize) {
    let topology = Topology::new([3]).unwrap();
    let of = |replicas| Quorum::of(&topology, replicas).unwrap();
    let spec = QuorumSpec { read: of(read), write: of(write) };
    let schedules = Schedules { spec: spec.clone(), writes_back };
    // To the end of all schedules, unless everything there is to be found was found.
    let checker = schedules.checker().finish_when(HasDiscoveries::All).spawn_bfs().join();
    assert!(checker.discovery("all is over").is_some());
    let broken = |property| checker.discovery(property).is_some();
    let promise = match (broken("regular"), broken("linearizable")) {
        (true, _) => Promise::Eventual,
        (false, true) => Promise::Regular,
        (false, false) => Promise::Linearizable,
    };
    (spec, promise, checker.unique_state_count())
}

#[test]
fn q1_two_of_three_is_regular_and_with_write_back_linearizable() {
    let (spec, without, states) = observed(2, 2, false);
    assert!(spec.intersects() && spec.write_conflict_free());
    assert_eq!((spec.overlap_min(), without), (1, Promise::Regular));
    let (_, with, more) = observed(2, 2, true);
    assert_eq!(with, Promise::Linearizable);
    println!("{states} states without write-back, {more} with");
}

/// For every R and W of three: what is promised is kept, and what does not intersect is stale in some
/// schedule.
#[test]
fn q1_what_is_promised_is_what_all_schedules_keep() {
    for read in 1..=3 {
        for write in 1..=3 {
            for writes_back in [false, true] {
                let (spec, observed, _) = observed(read, write, writes_back);
                let promised = spec.promise(writes_back);
                assert_eq!(spec.intersects(), read + write > 3);
                assert_eq!(spec.write_conflict_free(), 2 * write > 3);
                assert!(observed >= promised, "R {read} W {write}: {observed:?} < {promised:?}");
                assert_eq!(observed == Promise::Eventual, promised == Promise::Eventual);
                // To read from all makes up for writing back: the next read asks them all again.
                if read < 3 && writes_back {
                    assert_eq!(observed, promised, "R {read} W {write}");
                }
            }
        }
    }
}

/// Two writers who each ask a write quorum which version is the last, and write the next one: without
/// 2 W > N both may choose the same.
#[test]
fn q1_without_two_w_above_n_two_writers_choose_one_version() {
    for replicas in 2..=5 {
        let topology = Topology::new([replicas]).unwrap();
        for write in 1..=usize::from(replicas) {
            let quorum = Quorum::of(&topology, write).unwrap();
            let spec = QuorumSpec { read: quorum.clone(), write: quorum.clone() };
            let sets = crate::least_sets(&quorum);
            // The first writer is done before the second one asks.
            let misses = sets.iter().any(|first| sets.iter().any(|second| first & second == 0));
            assert_eq!(spec.write_conflict_free(), !misses);
        }
    }
}
