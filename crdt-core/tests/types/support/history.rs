//! Histories: what several replicas did, in which order, and what each had seen.

use std::fmt::Debug;
use std::hash::Hash;

use crdt_core::codec::{Decode, Encode};
use crdt_core::{Lattice, ReplicaId, Writer};
use quickcheck::{Arbitrary, Gen};

use super::{reload, replica};

pub(crate) const REPLICAS: usize = 3;
/// Versions are bit sets.
pub(crate) const EVENTS_MAX: usize = 120;

/// A type under test, and what its value is by the specification.
pub(crate) trait Subject: 'static {
    type Op: Clone + Debug + Arbitrary;
    type Root: Lattice<Delta = Self::Delta>
        + Default
        + Clone
        + PartialEq
        + Hash
        + Debug
        + Encode
        + Decode;
    type Delta: Lattice<Delta = Self::Delta>
        + From<Self::Root>
        + Default
        + Clone
        + PartialEq
        + Debug
        + Encode
        + Decode;
    /// All that a reader can ask for.
    type Value: PartialEq + Debug;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer;
    fn apply(root: &mut Self::Root, op: &Self::Op, writer: &mut Writer) -> Self::Delta;
    fn value(root: &Self::Root) -> Self::Value;
    fn is_empty(delta: &Self::Delta) -> bool;
    fn check(root: &Self::Root);

    /// The value at a causally closed version, from the specification alone: a function of
    /// the operations and of what happened before what.
    fn specified(events: &[Event<Self::Op>], version: Version) -> Self::Value;
}

/// A set of events, by their indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) u128);

impl Version {
    pub(crate) fn contains(self, event: usize) -> bool {
        self.0 >> event & 1 == 1
    }

    pub(crate) fn insert(&mut self, event: usize) {
        self.0 |= 1 << event;
    }

    /// What happened before one of the events that `which` picks.
    pub(crate) fn seen_by<Op>(self, events: &[Event<Op>], which: impl Fn(usize) -> bool) -> Self {
        Self(self.iter().filter(|&d| which(d)).fold(0, |seen, d| seen | events[d].past.0))
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = usize> {
        (0..EVENTS_MAX).filter(move |&event| self.contains(event))
    }
}

/// One operation, and the events that its replica had seen.
#[derive(Clone, Debug)]
pub(crate) struct Event<Op> {
    pub(crate) replica: usize,
    pub(crate) op: Op,
    pub(crate) past: Version,
}

#[derive(Clone, Debug)]
pub(crate) enum Step<Op> {
    Act {
        at: u8,
        op: Op,
    },
    /// Joins another replica's whole state.
    Pull {
        to: u8,
        from: u8,
    },
    /// Joins the delta of one event, whose past is missing perhaps.
    Deliver {
        to: u8,
        event: u8,
    },
    /// Saves the replica, loads it again and makes a new writer.
    Restart {
        at: u8,
    },
}

impl<Op: Arbitrary> Arbitrary for Step<Op> {
    fn arbitrary(g: &mut Gen) -> Self {
        let at = u8::arbitrary(g) % REPLICAS as u8;
        match u8::arbitrary(g) % 8 {
            0..=3 => Self::Act { at, op: Op::arbitrary(g) },
            4 | 5 => Self::Pull { to: at, from: u8::arbitrary(g) % REPLICAS as u8 },
            6 => Self::Deliver { to: at, event: u8::arbitrary(g) },
            _ => Self::Restart { at },
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match self.clone() {
            Self::Act { at, op } => Box::new(op.shrink().map(move |op| Self::Act { at, op })),
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// What the steps lead to.
pub(crate) struct History<S: Subject> {
    pub(crate) events: Vec<Event<S::Op>>,
    pub(crate) deltas: Vec<S::Delta>,
    pub(crate) states: Vec<S::Root>,
}

/// Whether a delta may arrive before what its replica had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Causal,
    Any,
}

impl<S: Subject> History<S> {
    /// Plays the steps. After each of them the invariants hold; each mutator's delta turns
    /// the state it met into the state it left; and with causal arrival every replica shows
    /// the specified value.
    pub(crate) fn play(steps: &[Step<S::Op>], arrival: Arrival) -> Self {
        let mut history = Self {
            events: Vec::new(),
            deltas: Vec::new(),
            states: vec![S::Root::default(); REPLICAS],
        };
        let mut versions = [Version::default(); REPLICAS];
        let mut writers: Vec<Writer> =
            (0..REPLICAS).map(|index| S::writer(&history.states[index], replica(index))).collect();
        for step in steps {
            let changed = match step {
                Step::Act { at, op } if history.events.len() < EVENTS_MAX => {
                    let at = usize::from(*at);
                    let mut replayed = history.states[at].clone();
                    let delta = S::apply(&mut history.states[at], op, &mut writers[at]);
                    let news = replayed.join(delta.clone());
                    assert_eq!(replayed, history.states[at], "state ⊔ delta is the new state");
                    assert_eq!(news, !S::is_empty(&delta), "a delta brings news or is empty");
                    let past = versions[at];
                    versions[at].insert(history.events.len());
                    history.events.push(Event { replica: at, op: op.clone(), past });
                    history.deltas.push(delta);
                    at
                }
                Step::Act { at, .. } => usize::from(*at),
                Step::Pull { to, from } => {
                    let (to, from) = (usize::from(*to), usize::from(*from));
                    let other = history.states[from].clone();
                    let before = history.states[to].clone();
                    let news = history.states[to].join(other);
                    assert_eq!(news, before != history.states[to], "news is a change");
                    versions[to].0 |= versions[from].0;
                    to
                }
                Step::Deliver { to, event } => {
                    let to = usize::from(*to);
                    if history.events.is_empty() {
                        continue;
                    }
                    let event = usize::from(*event) % history.events.len();
                    let mut arriving = Version::default();
                    arriving.insert(event);
                    if arrival == Arrival::Causal {
                        arriving.0 |= history.events[event].past.0 & !versions[to].0;
                    }
                    for event in arriving.iter() {
                        history.states[to].join(reload(&history.deltas[event]));
                    }
                    versions[to].0 |= arriving.0;
                    to
                }
                Step::Restart { at } => {
                    let at = usize::from(*at);
                    history.states[at] = reload(&history.states[at]);
                    writers[at] = S::writer(&history.states[at], replica(at));
                    at
                }
            };
            let state = &history.states[changed];
            S::check(state);
            if arrival == Arrival::Causal {
                let specified = S::specified(&history.events, versions[changed]);
                assert_eq!(S::value(state), specified, "replica {changed} after {step:?}");
            }
        }
        history
    }

    /// The version that holds every event.
    pub(crate) fn everything(&self) -> Version {
        Version((1u128 << self.events.len()) - 1)
    }
}
