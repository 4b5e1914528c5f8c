//! The kernel: dotted causal stores, and the one join of every causal type.
//!
//! A *dot store* holds content under the [`Dot`]s of the events that put it there. Together
//! with a [`CausalContext`], the set of all events seen, it forms a lattice, [`Causal`], and
//! one rule merges two replicas:
//!
//! > a dot survives if both sides hold it, or if one side holds it and the other has not
//! > seen its event.
//!
//! A dot that is covered by the context and absent from the store was removed; nothing else
//! is kept of it, so there are no tombstones. Flags, multi-value and last-writer-wins
//! registers, sets and maps differ only in what their mutators remove:
//!
//! | store | content | is the state of |
//! |---|---|---|
//! | [`DotSet`] | the dots themselves | flags |
//! | [`DotFun`] | a value for each dot | registers |
//! | [`RedactableStore`] | as that, where values can be redacted | registers |
//! | [`DotMap`] | a non-empty store for each key | sets, maps, and what nests in them |
//!
//! Dots belong to elements, and elements have no clocks of their own: that is the flaw by
//! which removed elements come back in designs that keep one per element.
//!
//! A store without a context can stand inside a larger value that has one, such as a
//! document; there it takes single events (`apply_…` methods of the stores) instead of
//! joining deltas, and both ways lead to equal stores.
//!
//! Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7.

#[cfg(test)]
mod broken;
mod causal;
mod codec;
mod covered;
mod delta;
mod digest;
mod edit;
mod fields;
mod fun;
mod map;
mod redactable;
mod replicated;
mod set;
mod touched;
mod undo;

use crate::Dot;
use crate::causality::CausalContext;

pub use causal::Causal;
pub use codec::{DecodeStore, EncodeStore, Leaf, StoreReader, StoreWriter};
pub use delta::Delta;
pub use digest::Digest;
pub use edit::Edit;
pub use fields::{FieldPlaces, NoFields};
pub use fun::DotFun;
pub use map::DotMap;
pub use redactable::{Payload, RedactableStore};
pub use replicated::Replicated;
pub use set::DotSet;
pub use touched::{Places, Touched};
pub use undo::{Inverse, UndoStore};

/// Content held under the dots of the events that put it there.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no dot store",
    label = "this has to be a store, such as an `AddWinsStore` or a `CounterStore`",
    note = "a plain value stands in a `MultiValueStore`, another lattice in a `LatticeStore`"
)]
pub trait DotStore: Default {
    /// How a place in the store is told, so that a small delta touches a small part of it:
    /// [`Touched`] where the store is divided by keys, `()` where it is not.
    type Places: Places;

    /// Whether content can be redacted in it, anywhere.
    const REDACTABLE: bool = false;

    /// Whether no dot is held.
    fn is_empty(&self) -> bool;

    /// Visits every dot.
    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot));

    /// Visits every dot whose content is redacted: it is gone, and the dot stays. So is what was
    /// removed from a list, where others are placed by it. A store that others nest in has to pass it
    /// on, and [`REDACTABLE`](Self::REDACTABLE) too.
    fn for_each_redacted(&self, _visit: &mut dyn FnMut(Dot)) {}

    /// Drops the content of every dot that `keep` refuses.
    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool);

    /// Takes in `other`. A dot survives if both sides hold it, or if one side holds it and
    /// the other side's context lacks it. Every change is reported.
    ///
    /// `own` and `others` are the contexts of the two sides; each covers the dots of its
    /// store. Costs what the two stores are large.
    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    );

    /// As [`join`](Self::join), but looks only at the keys of `other` and at `touched`.
    ///
    /// It is the same as `join` where `others` covers no dot of this store in another place,
    /// which the caller has made sure of by [`count_at`](Self::count_at). Costs what `other`
    /// and what stands at `touched` are large.
    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        touched: &Self::Places,
        report: &mut dyn FnMut(DotChange),
    );

    /// How many dots of this store are covered by `others` and lie under a key of `other` or
    /// of `touched`.
    fn count_at(&self, other: &Self, others: &CausalContext, touched: &Self::Places) -> u64;

    /// Whether a pass through this store and `other` costs less than to look for all that
    /// `other` names, so that [`join`](Self::join) is better than
    /// [`join_at`](Self::join_at).
    fn is_passed_through(&self, other: &Self) -> bool {
        let _ = other;
        false
    }

    /// The content of the dots that `keep` wants.
    fn select(&self, keep: &mut dyn FnMut(Dot) -> bool) -> Self
    where
        Self: Clone,
    {
        let mut selected = self.clone();
        selected.retain(keep);
        selected
    }

    /// Panics if the store is not in its normal form.
    fn check_invariants(&self);
}

/// A store that falls apart into its dots.
pub trait Split: DotStore {
    /// Passes each dot, with a store that holds it alone where it stands here.
    fn split(self, visit: &mut dyn FnMut(Dot, Self));
}

/// What a join did to one dot of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotChange {
    /// The dot is held now, and was not before.
    Added(Dot),
    /// The dot was held, and is not any more.
    Removed(Dot),
    /// The dot is held as before, and its content is redacted now.
    Redacted(Dot),
}

/// How many dots of a store the context covers.
fn count_covered(store: &impl DotStore, context: &CausalContext) -> u64 {
    let mut count = 0;
    store.for_each_dot(&mut |dot| count += u64::from(context.contains(dot)));
    count
}
