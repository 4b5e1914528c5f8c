//! The laws of [`Lattice`] as tests, for the types of this crate and for your own.
//!
//! What makes replicas converge is not in a type's signature, so it has to be tried. Say what
//! your type's operations are and what its value is *by specification* ([`Subject`]), and
//! [`check`] plays random histories of three replicas that lose, repeat and reorder what they
//! tell each other, restart from what they saved, and have to agree all the same:
//!
//! > operations applied in any causal order == states joined == deltas joined in any order,
//! > grouped, repeated == any of these saved and loaded == the specification
//!
//! [`exhaustive`] tries every history of a few operations instead of random ones, and
//! [`undo`] whether changes can be taken back, and
//! [`decomposition`] whether a type that implements [`Decompose`] falls apart as that says.
//!
//! `CRDT_CASES` sets the number of cases for each law, 4,096 by default, and `CRDT_SEED` another seed
//! to make them from; `QUICKCHECK_GENERATOR_SIZE` makes them smaller than they are.
//!
//! ```
//! use crdt_core::laws::{self, Event, Subject, Version};
//! use crdt_core::lattice::Part;
//! use crdt_core::{MaxRegister, ReplicaId};
//!
//! struct HighScore;
//!
//! impl Subject for HighScore {
//!     type Op = u8;
//!     type Root = MaxRegister<u8>;
//!     type Delta = Part<MaxRegister<u8>>;
//!     type Writer = ();
//!     type Value = Option<u8>;
//!
//!     fn writer(_: &Self::Root, _: ReplicaId) {}
//!
//!     fn apply(root: &mut Self::Root, op: &u8, (): &mut ()) -> Self::Delta {
//!         root.raise(*op)
//!     }
//!
//!     fn value(root: &Self::Root) -> Option<u8> {
//!         root.get().copied()
//!     }
//!
//!     fn specified(events: &[Event<u8>], version: Version) -> Option<u8> {
//!         version.iter().map(|event| events[event].op).max()
//!     }
//! }
//!
//! laws::check::<HighScore>();
//! laws::exhaustive::<HighScore>(&[1, 2, 3], 3);
//! ```

mod exhaustive;
mod history;
mod rng;
mod trials;
mod undo;

use alloc::vec::Vec;
use core::fmt::Debug;
use core::hash::Hash;

pub use exhaustive::exhaustive;
pub use history::{Arrival, EVENTS_MAX, Event, History, REPLICAS, Step, Version};
use quickcheck::Testable;
pub use quickcheck::{Arbitrary, Gen};
pub use rng::Rng;
pub use trials::{cases, random, trials};
pub use undo::{UndoSubject, undo};

use crate::codec::{Decode, Encode, Reader, Writer};
use crate::lattice::Decompose;
use crate::{Lattice, ReplicaId};

/// A type under test, and what its value is by the specification.
pub trait Subject: 'static {
    /// What a replica can do.
    type Op: Clone + Debug + Arbitrary;
    /// The type. To try its laws it has to be saved, loaded and compared.
    type Root: Lattice<Delta = Self::Delta>
        + Default
        + Clone
        + PartialEq
        + Hash
        + Debug
        + Encode
        + Decode;
    /// What it returns to be sent.
    type Delta: Lattice<Delta = Self::Delta>
        + From<Self::Root>
        + Default
        + Clone
        + PartialEq
        + Debug
        + Encode
        + Decode;
    /// What its mutators take: a [`Writer`](crate::Writer), or whatever yours do.
    type Writer;
    /// All that a reader can ask for.
    type Value: PartialEq + Debug;

    /// A writer for a replica that goes on from `root`.
    fn writer(root: &Self::Root, replica: ReplicaId) -> Self::Writer;

    /// Does it, and returns the delta: the default if nothing has changed.
    fn apply(root: &mut Self::Root, op: &Self::Op, writer: &mut Self::Writer) -> Self::Delta;

    /// What a reader sees.
    fn value(root: &Self::Root) -> Self::Value;

    /// The value at a causally closed version, from the specification alone: a function of
    /// the operations and of what happened before what.
    fn specified(events: &[Event<Self::Op>], version: Version) -> Self::Value;

    /// Panics if an internal invariant does not hold.
    fn check(_root: &Self::Root) {}
}

/// The `index`-th replica of a history, of eight. Ids are not in the order of the indices, so
/// that a type that confuses the two is found out.
pub fn replica(index: usize) -> ReplicaId {
    ReplicaId::from_u128([7, 3, 9, 1, 8, 2, 6, 4][index] << 64 | index as u128)
}

fn bytes(value: &impl Encode) -> Vec<u8> {
    let mut out = Writer::new();
    value.encode(&mut out);
    out.into_bytes()
}

/// The value, saved and loaded.
fn reload<T: Encode + Decode>(value: &T) -> T {
    let bytes = bytes(value);
    let mut input = Reader::new(&bytes);
    let value = T::decode(&mut input).expect("a value's own bytes are valid");
    assert!(input.is_empty(), "a value is read to its end");
    value
}

/// Tries every law of the type on random histories.
///
/// # Panics
///
/// If a law is broken, with the shortest history that was found for it.
pub fn check<S: Subject>() {
    quickcheck(convergent_lattice::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
}

/// What a history leads to is for both laws: to play it costs as much as a law.
fn convergent_lattice<S: Subject>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
    let mut rng = Rng(seed);
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play(&steps, arrival);
        convergence(&history, arrival, &mut rng);
        lattice(&history, &mut rng);
    }
    true
}

/// Tries the laws of [`Decompose`] on random histories.
///
/// # Panics
///
/// If one is broken, with the shortest history that was found for it.
pub fn decomposition<S: Subject<Root: Decompose>>() {
    quickcheck(parts::<S> as fn(Vec<Step<S::Op>>, u64) -> bool);
}

/// The parts are the value, each is needed and none can be divided; and a difference is what
/// the other side lacks, and no more.
fn parts<S: Subject<Root: Decompose>>(steps: Vec<Step<S::Op>>, seed: u64) -> bool {
    let mut rng = Rng(seed);
    for arrival in [Arrival::Causal, Arrival::Any] {
        let history = History::<S>::play_unread(&steps, arrival);
        let [one, other] = [(); 2].map(|()| &history.states[rng.below(REPLICAS)]);
        let joined = |parts: &mut dyn Iterator<Item = &S::Delta>| {
            let mut root = S::Root::default();
            parts.for_each(|part| _ = root.join(part.clone()));
            root
        };
        let parts = one.decompose();
        assert_eq!(joined(&mut parts.iter()), *one, "the parts joined are the value");
        // Some of the parts, or a case would cost their square.
        for _ in 0..parts.len().min(4) {
            let index = rng.below(parts.len());
            let part = &parts[index];
            let others = parts.iter().enumerate().filter(|&(other, _)| other != index);
            let without = joined(&mut others.map(|(_, part)| part));
            assert_ne!(without, *one, "each part is needed: {part:?}");
            let alone = joined(&mut [part].into_iter());
            assert_eq!(alone.decompose().len(), 1, "a part cannot be divided: {part:?}");
        }

        let difference = one.difference(other);
        let (mut told, mut both) = (other.clone(), other.clone());
        let news = told.join(difference.clone());
        both.join(one.clone());
        S::check(&told);
        assert_eq!(told, both, "a difference tells all that is lacking");
        assert_eq!(news, difference != S::Delta::default(), "and nothing if nothing is");
        // Each of its parts is one of the value's that the other side lacks.
        let mut lacking = 0;
        for part in &parts {
            lacking += usize::from(other.clone().join(part.clone()));
        }
        let told = joined(&mut [&difference].into_iter()).decompose().len();
        assert_eq!(told, lacking, "a difference tells no more than is lacking");
    }
    true
}

/// How many steps a history has at most, most of them and the others.
const STEPS: [usize; 2] = [30, 100];

/// Most histories are short: what replicas can do to each other they do within some steps, and a
/// long history costs as much as a dozen of these. An eighth are long, for what only a larger
/// state shows; of those beyond what the tests try, a thirty-second.
fn quickcheck(law: impl Testable + Copy) {
    let long = cases().min(4096).div_ceil(8) + cases().saturating_sub(4096) / 32;
    for (steps, tests) in STEPS.into_iter().zip([cases() - long, long]) {
        trials().rng(random(steps)).tests(tests).quickcheck(law);
    }
}

/// States joined == deltas joined in any order, grouped, repeated, saved and loaded == the
/// specification; the bytes are equal too.
fn convergence<S: Subject>(history: &History<S>, arrival: Arrival, rng: &mut Rng) {
    let mut joined = S::Root::default();
    for state in &history.states {
        joined.join(state.clone());
    }
    S::check(&joined);
    if arrival == Arrival::Causal {
        let specified = S::specified(&history.events, history.everything());
        assert_eq!(S::value(&joined), specified, "all states joined");
    }

    // Every delta once or twice, in any order, as it is or gathered into groups.
    let mut mail: Vec<&S::Delta> = history.deltas.iter().collect();
    mail.extend(history.deltas.iter().filter(|_| rng.below(3) == 0));
    rng.shuffle(&mut mail);
    let mut loaded = S::Root::default();
    let mut group = S::Delta::default();
    for delta in mail {
        match rng.below(4) {
            0 => _ = group.join(delta.clone()),
            1 => _ = loaded.join(reload(&core::mem::take(&mut group))),
            2 => loaded = reload(&loaded),
            _ => {}
        }
        // What went into a group arrives by itself too: repetition changes nothing.
        loaded.join(delta.clone());
        S::check(&loaded);
    }
    loaded.join(group);
    assert_eq!(loaded, joined, "{arrival:?}: deltas joined are states joined");
    assert_eq!(bytes(&loaded), bytes(&joined), "equal states have equal bytes");
    assert_eq!(reload(&joined), joined);

    // Groups alone, joined as a tree.
    let mut groups = history.deltas.clone();
    while groups.len() > 1 {
        let taken = groups.swap_remove(rng.below(groups.len()));
        let into = rng.below(groups.len());
        groups[into].join(taken);
    }
    let mut grouped = S::Root::default();
    grouped.join(groups.pop().unwrap_or_default());
    assert_eq!(grouped, joined, "{arrival:?}: one group of all deltas");
}

/// Commutative, associative, idempotent, inflationary: for states with gaps and without,
/// and for deltas.
fn lattice<S: Subject>(history: &History<S>, rng: &mut Rng) {
    let states: Vec<S::Delta> = history.states.iter().cloned().map(S::Delta::from).collect();
    let pool: Vec<&S::Delta> = states.iter().chain(&history.deltas).collect();
    for _ in 0..4 {
        let [a, b, c] = [(); 3].map(|()| pool[rng.below(pool.len())]);
        semilattice(a, b, c);
    }
    let [a, b, c] = [0, 1, 2].map(|index| &history.states[index]);
    semilattice(a, b, c);
}

fn semilattice<L: Lattice + Clone + PartialEq + Debug>(a: &L, b: &L, c: &L) {
    let join = |a: &L, b: &L| {
        let mut joined = a.clone();
        let news = joined.join(b.clone());
        assert_eq!(news, joined != *a, "join tells whether it brought news");
        joined
    };
    let ab = join(a, b);
    assert_eq!(ab, join(b, a), "commutative");
    assert_eq!(join(&ab, c), join(a, &join(b, c)), "associative");
    assert_eq!(join(a, a), *a, "idempotent");
    assert_eq!(join(a, &ab), ab, "inflationary");
    assert_eq!(join(b, &ab), ab, "inflationary");
}

#[cfg(test)]
mod tests;
