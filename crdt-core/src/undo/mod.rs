//! Taking back what a delta did, while what others did since stays.
//!
//! An undo is a change like any other: it names events, has a delta, and can be undone, which is
//! a redo. [`Undo::inverse`] finds what takes a delta back, from the delta and the state that it
//! meets; [`Undo::undo`] does it, at once or much later, at the same replica or at another one that
//! has seen the delta.
//!
//! ```
//! use crdt_core::undo::Undo;
//! use crdt_core::{AddWinsSet, ReplicaId};
//!
//! let mut tags = AddWinsSet::new();
//! let mut writer = tags.writer(ReplicaId::from_u128(1));
//! let _sent = tags.add("crdt", &mut writer)?;
//!
//! let before = tags.clone();
//! let cleared = tags.clear(&mut writer);
//! let inverse = before.inverse(&cleared);
//! let _sent = tags.add("event", &mut writer)?;
//!
//! let restored = tags.undo(&inverse, &mut writer)?;
//! assert!(tags.contains("crdt") && tags.contains("event"));
//! # drop(restored);
//! # Ok::<(), crdt_core::WriteError>(())
//! ```
//!
//! | the delta | since, others | its undo |
//! |---|---|---|
//! | put something where nothing was | nothing there | takes it out |
//! | put something where nothing was | put something else beside it, concurrently | takes it out; the other stays |
//! | replaced something | nothing there | takes it out, and puts back what was there |
//! | replaced something | replaced or removed what it had put | changes nothing there: what it did is gone already |
//! | took something out | nothing there | puts it back |
//! | took something out | put something there | puts it back beside that |
//! | took something out | took out the same, concurrently | puts it back: nobody can tell that two removed it |
//! | counted 5 | counted 3, or reset the counter without having seen the 5 | takes the 5 back |
//! | counted 5 | reset it, having seen the 5 | changes nothing |
//!
//! "There" is a place: an element of a set, a flag, a register, a key of a map, at any depth, each for
//! itself. What is put back stands under events of the writer who undoes: a register's
//! [`siblings`](crate::MultiValueRegister::siblings) tell of those, and last-writer-wins maps restore
//! a write under its old stamp, so that it wins and loses as before.
//!
//! In a list the place is found when the inverse is: what comes back is the same, whatever others have done by
//! then. In a tree an undo is made of moves as they stand when it is done, and is ordered with those of others as
//! any move is. A list or a tree that was taken back to nothing keeps the places or the names, as after a removal.
//!
//! Two replicas that undo the same delta both put back what it took; a set does not mind, a
//! register holds it twice until the next write, a counter counts it twice. Undo at one of them.
//!
//! | type | is undone by |
//! |---|---|
//! | sets, flags, [`MultiValueRegister`](crate::MultiValueRegister), [`LwwMap`](crate::LwwMap), [`ObservedRemoveMap`](crate::ObservedRemoveMap), [`Replicated`](tyalias@crate::Replicated) structs | the above |
//! | [`List`](crate::List) | the above, for each element: what was removed comes back as a new element right behind the place where it stood, also where others have inserted there; a moved one goes back, if nobody has moved it since |
//! | [`Tree`](crate::Tree) | the above, for each node: its place and its value each for itself. A removed node comes back under a new name, with what still stands below it and what it was given since; it does not where its parent is no more |
//! | [`PnCounter`](crate::PnCounter) | counting the same amount the other way |
//! | [`BoundedCounter`](crate::BoundedCounter) | the same; a transfer by transferring it back. Refused where the writer has not got the rights |
//! | [`LwwRegister`](crate::LwwRegister) | writing what was there before under a new stamp, if the write still stands |
//! | grow-only and two-phase sets, maxima, minima, [`GCounter`](crate::GCounter) | nothing: they only grow |
//!
//! Yu, Elvinger, Ignat, *A generic undo support for state-based CRDTs* (2019), has the same
//! cases, and answers concurrent undos of one change by counting them.

mod counter;
mod register;
mod roots;

use crate::{Lattice, Writer};

pub use counter::BoundedCounterInverse;
pub use register::LwwRegisterInverse;

/// A root whose changes can be taken back. See [the module](self) for what that means under
/// concurrency.
///
/// # Laws
///
/// Where `delta` is what a mutator returned, `before` the state that it met, and values are as
/// read without who wrote them and when:
///
/// * an undo right after the change leads to the value before it;
/// * an undo of the undo leads to the value after it;
/// * an undo takes out nothing but what the delta had put there.
pub trait Undo: Lattice {
    /// What takes a delta back.
    type Inverse;
    /// Why it cannot be taken back.
    type Error;

    /// What takes `delta` back; this is the state that it meets, before it is joined, or before the
    /// mutator that returned it. Costs what the delta is large and what it removes, for one that a
    /// mutator returned.
    fn inverse(&self, delta: &Self::Delta) -> Self::Inverse;

    /// Takes back what the delta did, as far as it still stands.
    ///
    /// # Errors
    ///
    /// Those of the type's mutators. Nothing has changed then.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    fn undo(
        &mut self,
        inverse: &Self::Inverse,
        writer: &mut Writer,
    ) -> Result<Self::Delta, Self::Error>;
}
