//! Histories: what several replicas did, in which order, and what each had seen.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Debug;

use quickcheck::{Arbitrary, Gen};

use super::{Subject, reload, replica};
use crate::Lattice;

/// How many replicas a random history has.
pub const REPLICAS: usize = 3;
/// How many events a history has at most: versions are bit sets.
pub const EVENTS_MAX: usize = 120;

/// A set of events, by their indices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version(pub u128);

impl Version {
    /// Whether the event is in it.
    pub const fn contains(self, event: usize) -> bool {
        self.0 >> event & 1 == 1
    }

    /// Adds an event.
    pub const fn insert(&mut self, event: usize) {
        self.0 |= 1 << event;
    }

    /// What happened before one of the events that `which` picks.
    pub fn seen_by<Op>(self, events: &[Event<Op>], which: impl Fn(usize) -> bool) -> Self {
        Self(self.iter().filter(|&d| which(d)).fold(0, |seen, d| seen | events[d].past.0))
    }

    /// The events, in an order in which each follows its past.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = usize> {
        let end = u128::BITS - self.0.leading_zeros();
        (0..end as usize).filter(move |&event| self.contains(event))
    }
}

/// One operation, and the events that its replica had seen.
#[derive(Clone, Debug)]
pub struct Event<Op> {
    /// Which replica did it; its id is [`replica(index)`](super::replica).
    pub replica: usize,
    /// What it did.
    pub op: Op,
    /// What it had seen.
    pub past: Version,
}

/// A step of a random history.
#[derive(Clone, Debug)]
pub enum Step<Op> {
    /// A replica changes its state.
    Act {
        /// Which.
        at: u8,
        /// How.
        op: Op,
    },
    /// Joins another replica's whole state.
    Pull {
        /// Who joins it.
        to: u8,
        /// Whose.
        from: u8,
    },
    /// Joins the delta of one event, whose past is missing perhaps.
    Deliver {
        /// Where it arrives.
        to: u8,
        /// Which, counted round.
        event: u8,
    },
    /// Saves the replica, loads it again and makes a new writer.
    Restart {
        /// Which.
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
            _ => Box::new(core::iter::empty()),
        }
    }
}

/// What the steps lead to.
#[derive(Debug)]
pub struct History<S: Subject> {
    /// The operations, in the order in which they were made.
    pub events: Vec<Event<S::Op>>,
    /// The delta of each.
    pub deltas: Vec<S::Delta>,
    /// The replicas' states at the end.
    pub states: Vec<S::Root>,
}

/// Whether a delta may arrive before what its replica had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits for them.
    Causal,
    /// It may.
    Any,
}

impl<S: Subject> History<S> {
    /// Plays the steps. After each of them the invariants hold; each mutator's delta turns
    /// the state it met into the state it left; and with causal arrival every replica shows
    /// the specified value.
    pub fn play(steps: &[Step<S::Op>], arrival: Arrival) -> Self {
        let mut specified = BTreeMap::new();
        Self::play_under(steps, arrival, |history, versions, at| {
            if arrival == Arrival::Causal {
                // A version's value is the same whatever came after it, and where it is.
                let specified = specified
                    .entry(versions[at].0)
                    .or_insert_with(|| S::specified(&history.events, versions[at]));
                assert_eq!(S::value(&history.states[at]), *specified, "at replica {at}");
            }
        })
    }

    /// As [`play`](Self::play), but nobody reads: for laws that say nothing of values.
    pub(super) fn play_unread(steps: &[Step<S::Op>], arrival: Arrival) -> Self {
        Self::play_under(steps, arrival, |_, _, _| {})
    }

    /// Plays the steps, and after each shows the history, what each replica has seen, and which
    /// replica the step was about.
    fn play_under(
        steps: &[Step<S::Op>],
        arrival: Arrival,
        mut show: impl FnMut(&Self, &[Version; REPLICAS], usize),
    ) -> Self {
        let mut history = Self {
            events: Vec::new(),
            deltas: Vec::new(),
            states: vec![S::Root::default(); REPLICAS],
        };
        let mut versions = [Version::default(); REPLICAS];
        let mut writers: Vec<S::Writer> =
            (0..REPLICAS).map(|index| S::writer(&history.states[index], replica(index))).collect();
        for step in steps {
            let changed = match step {
                Step::Act { at, op } if history.events.len() < EVENTS_MAX => {
                    let at = usize::from(*at);
                    let mut replayed = history.states[at].clone();
                    let delta = S::apply(&mut history.states[at], op, &mut writers[at]);
                    let news = replayed.join(delta.clone());
                    assert_eq!(replayed, history.states[at], "state ⊔ delta is the new state");
                    let tells = delta != S::Delta::default();
                    assert_eq!(news, tells, "a delta brings news or is empty");
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
            S::check(&history.states[changed]);
            show(&history, &versions, changed);
        }
        history
    }

    /// The version that holds every event.
    pub fn everything(&self) -> Version {
        Version((1u128 << self.events.len()) - 1)
    }
}
