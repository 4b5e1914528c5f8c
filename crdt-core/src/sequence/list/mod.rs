//! Lists of any elements, in the order of texts, with moves.
//!
//! Where a text replays the history of what is concurrent, a list keeps the tree that the order
//! is read from: its elements are larger than letters and fewer, and it nests in maps, where it is
//! a store like any other, joined in any order, with gaps, and reset by a removal above it.
//!
//! * `span.rs`: runs of nodes, one record each
//! * `order.rs`: the nodes in document order, and who moved what
//! * `place.rs`: where a node goes: FugueMax
//! * `store.rs`, `edit.rs`, `codec.rs`: the store, its mutators, its bytes
//! * `runs.rs`: what a list is written as
//! * `undo.rs`: taking a delta back
//! * `list.rs`: the root

mod check;
mod codec;
mod edit;
#[expect(clippy::module_inception, reason = "the root is named after what it is")]
mod list;
mod order;
mod place;
mod runs;
mod span;
mod store;
mod undo;

#[cfg(feature = "serde")]
pub(crate) use runs::Assembly;
#[cfg(feature = "serde")]
pub(crate) use span::{Cell, NOWHERE, Place};

pub use list::{List, ListDelta};
pub use store::{Iter, ListStore, LostMove};
