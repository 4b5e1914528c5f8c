//! Retirement: two servers that live, one that is retired without being asked and comes back, and one that
//! gets its slot.

use std::collections::BTreeSet;

use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::membership::{Admitted, Change, MemberId, Membership, Standing};
use stateright::{Model, Property};

/// What is taken out of the servers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Without {
    Nothing,
    /// What comes is read as if it had been named in the epoch of the reader.
    Epochs,
    /// The last position that counts is found without having anybody suspend the slot.
    Suspension,
    /// A slot is taken to be settled when the server itself has everything.
    Stability,
}

struct Realm {
    without: Without,
}

/// The servers that live, and the slot that is in question.
const LIVING: [usize; 2] = [0, 1];
const SLOT: Slot = Slot(2);
/// The one that is retired, and the one that comes after it.
const OLD: MemberId = MemberId(2);
const YOUNG: MemberId = MemberId(3);
/// How many events the old one admits before and after it was retired.
const OLD_EVENTS: u64 = 2;

/// An event by the true name of who admitted it.
type Event = (MemberId, u64);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Server {
    membership: Membership,
    cut: Cut,
    /// What the other one has said that it holds.
    heard: Cut,
    /// Truly merged: what the model knows, and no server does.
    merged: BTreeSet<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    servers: [Server; 2],
    /// The changes that were decreed, in the order of their epochs.
    changes: Vec<Change>,
    /// What each living server promised to hold of the slot, while it takes in no more.
    promised: [Option<u64>; 2],
    old_admitted: u64,
    young_admitted: u64,
    /// Words that are on their way from one server to the other.
    word: [Option<(Epoch, Cut)>; 2],
    /// Something was merged under another's name.
    mixed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    /// The old server admits something; it does not know that it was retired.
    OldAdmits,
    YoungAdmits,
    /// An event comes to a server from who admitted it.
    Comes {
        event: Event,
        to: usize,
    },
    /// A server hands on what it holds at a position of the slot, by the name that it has there.
    HandsOn {
        from: usize,
        position: u64,
    },
    Suspends(usize),
    /// The authority decrees what counts.
    Retires,
    /// The authority gives the slot to the young one. It runs on the first server.
    Joins,
    /// A server hears of the next change.
    Learns(usize),
    Speaks(usize),
    Listens(usize),
    Settles(usize),
}

impl Server {
    /// Who has the slot, in the view of this server.
    fn owner(&self) -> Option<MemberId> {
        [OLD, YOUNG].into_iter().rfind(|id| match self.membership.standing(*id) {
            Standing::Member(slot) | Standing::Retired { slot, .. } => slot == SLOT,
            _ => false,
        })
    }

    /// Takes in an event, as it is named in an epoch, if it is next in turn; whether that was a mistake.
    fn take(&mut self, epoch: Epoch, position: u64, event: Event) -> bool {
        let admission = Admission::new(SLOT, position);
        let Ok(Admitted::As(admission)) = self.membership.admit(epoch, admission) else {
            return false;
        };
        if admission.position != self.cut.get(SLOT) + 1 {
            return false;
        }
        self.cut.observe(SLOT, admission.position);
        let is_mixed = self.owner() != Some(event.0) || admission.position != event.1;
        self.merged.insert(event);
        is_mixed
    }

    /// The true name of what it holds at a position of the slot.
    fn at(&self, position: u64) -> Option<Event> {
        let held = position <= self.cut.get(SLOT);
        self.owner()
            .map(|owner| (owner, position))
            .filter(|event| held && self.merged.contains(event))
    }
}

impl State {
    /// The last position of the old server that counts, once that was decreed.
    fn last(&self) -> Option<u64> {
        self.changes.iter().find_map(|change| match change {
            Change::Retire { last, .. } => Some(*last),
            Change::Join { .. } => None,
        })
    }
}

impl Realm {
    /// In which epoch an event is named by who admitted it: the old server has slept since the first.
    fn epoch_of(state: &State, event: Event) -> Epoch {
        let joined = state
            .changes
            .iter()
            .position(|change| matches!(change, Change::Join { id, .. } if *id == event.0));
        Epoch(joined.map_or(0, |index| index as u32 + 1))
    }

    fn read_in(&self, named: Epoch, reader: &Server) -> Epoch {
        if self.without == Without::Epochs { reader.membership.epoch() } else { named }
    }
}

impl Model for Realm {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let server = Server {
            membership: Membership::founded([MemberId(0), MemberId(1), OLD]),
            cut: Cut::new(),
            heard: Cut::new(),
            merged: BTreeSet::new(),
        };
        vec![State {
            servers: [server.clone(), server],
            changes: vec![],
            promised: [None; 2],
            old_admitted: 0,
            young_admitted: 0,
            word: [None, None],
            mixed: false,
        }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        if state.old_admitted < OLD_EVENTS {
            steps.push(Step::OldAdmits);
        }
        let has_joined = state.changes.iter().any(|change| matches!(change, Change::Join { .. }));
        if has_joined && state.young_admitted == 0 {
            steps.push(Step::YoungAdmits);
        }
        let old = (1..=state.old_admitted).map(|position| (OLD, position));
        let young = (1..=state.young_admitted).map(|position| (YOUNG, position));
        for event in old.chain(young) {
            steps.extend(LIVING.map(|to| Step::Comes { event, to }));
        }
        for from in LIVING {
            let held = state.servers[from].cut.get(SLOT);
            steps.extend((1..=held).map(|position| Step::HandsOn { from, position }));
            if state.last().is_none() && state.promised[from].is_none() {
                steps.push(Step::Suspends(from));
            }
            if state.servers[from].membership.epoch().0 < state.changes.len() as u32 {
                steps.push(Step::Learns(from));
            }
            steps.push(Step::Speaks(from));
            if state.word[from].is_some() {
                steps.push(Step::Listens(1 - from));
            }
            if state.servers[from].membership.retiring().next().is_some() {
                steps.push(Step::Settles(from));
            }
        }
        if state.last().is_none() && state.promised.iter().all(Option::is_some) {
            steps.push(Step::Retires);
        }
        if state.last().is_some() && !has_joined {
            steps.push(Step::Joins);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::OldAdmits => next.old_admitted += 1,
            Step::YoungAdmits => next.young_admitted += 1,
            Step::Comes { event, to } => {
                let epoch = self.read_in(Self::epoch_of(state, event), &state.servers[to]);
                next.mixed |= next.servers[to].take(epoch, event.1, event);
            }
            Step::HandsOn { from, position } => {
                let event = state.servers[from].at(position)?;
                let named = state.servers[from].membership.epoch();
                let epoch = self.read_in(named, &state.servers[1 - from]);
                next.mixed |= next.servers[1 - from].take(epoch, position, event);
            }
            Step::Suspends(server) => {
                if self.without != Without::Suspension {
                    next.servers[server].membership.suspend(SLOT);
                }
                next.promised[server] = Some(state.servers[server].cut.get(SLOT));
            }
            Step::Retires => {
                let last = state.promised.iter().flatten().copied().max()?;
                next.changes.push(Change::Retire { slot: SLOT, last });
            }
            Step::Joins => {
                let authority = &state.servers[0].membership;
                // It has to know its own decrees, and the slot has to be free.
                let knows_all = authority.epoch().0 as usize == state.changes.len();
                let (_, change) = authority.join(YOUNG).ok().filter(|_| knows_all)?;
                if change != (Change::Join { id: YOUNG, slot: SLOT }) {
                    return None;
                }
                next.changes.push(change);
            }
            Step::Learns(server) => {
                let membership = &mut next.servers[server].membership;
                let epoch = Epoch(membership.epoch().0 + 1);
                membership.apply(epoch, state.changes[epoch.0 as usize - 1]).ok()?;
            }
            Step::Speaks(server) => {
                let Server { membership, cut, .. } = &state.servers[server];
                next.word[server] = Some((membership.epoch(), cut.clone()));
            }
            Step::Listens(server) => {
                let (named, cut) = next.word[1 - server].take()?;
                let epoch = self.read_in(named, &state.servers[server]);
                let listener = &mut next.servers[server];
                listener.heard.join(&listener.membership.translate(epoch, &cut).ok()?);
            }
            Step::Settles(server) => {
                let Server { membership, cut, heard, .. } = &mut next.servers[server];
                let mut stable = cut.clone();
                if self.without != Without::Stability {
                    stable.meet(heard);
                }
                for slot in membership.settle(&stable) {
                    cut.set(slot, 0);
                    heard.set(slot, 0);
                }
            }
        }
        next.servers.iter().for_each(|server| server.membership.check_invariants());
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("slots are never mixed up", |_, state: &State| !state.mixed),
            Property::always("what does not count is merged by nobody", |_, state: &State| {
                state.last().is_none_or(|last| {
                    let merged = state.servers.iter().flat_map(|server| &server.merged);
                    merged.into_iter().all(|(id, position)| *id != OLD || *position <= last)
                })
            }),
            Property::always(
                "when a slot is free, everybody has what counts",
                |_, state: &State| {
                    let is_free = state.servers[0]
                        .membership
                        .join(YOUNG)
                        .is_ok_and(|(_, change)| matches!(change, Change::Join { slot: SLOT, .. }));
                    let last = state.last().unwrap_or(0);
                    !is_free
                        || state.servers.iter().all(|server| {
                            (1..=last).all(|position| server.merged.contains(&(OLD, position)))
                        })
                },
            ),
            Property::always("what is said to be held is held", |_, state: &State| {
                state.servers.iter().all(|server| {
                    let positions = 1..=server.cut.get(SLOT);
                    positions.into_iter().all(|position| server.at(position).is_some())
                })
            }),
            Property::sometimes("the slot is used again", |_, state: &State| {
                state.servers.iter().all(|server| server.merged.contains(&(YOUNG, 1)))
            }),
            Property::sometimes("the old one comes back in vain", |_, state: &State| {
                let in_vain = state.last().is_some_and(|last| state.old_admitted > last);
                in_vain && state.servers.iter().all(|server| server.merged.contains(&(YOUNG, 1)))
            }),
        ]
    }
}

#[test]
fn whoever_comes_back_is_recognised_in_every_run() {
    let (broken, states) = crate::broken(Realm { without: Without::Nothing });
    println!("{states} states");
    assert_eq!(broken, Vec::<&str>::new());
    assert!(states > 1_000);
}

#[test]
fn each_check_is_needed() {
    let without = |without| crate::broken(Realm { without }).0;
    assert!(without(Without::Epochs).contains(&"slots are never mixed up"));
    assert!(without(Without::Suspension).contains(&"what does not count is merged by nobody"));
    assert!(
        without(Without::Stability).contains(&"when a slot is free, everybody has what counts")
    );
}
