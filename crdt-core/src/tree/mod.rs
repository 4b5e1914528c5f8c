//! The movable tree.
//!
//! * `replay.rs`: the moves in their order, and the tree that they make
//! * `key.rs`: the order of siblings
//! * `store.rs`, `edit.rs`, `codec.rs`: the store, its mutators, its bytes
//! * `assembly.rs`: what must hold of a tree that is read
//! * `undo.rs`: taking a delta back
//! * `root.rs`: the root

mod assembly;
mod codec;
mod edit;
mod key;
mod replay;
mod root;
mod store;
mod undo;

#[cfg(feature = "serde")]
pub(crate) use assembly::Moves;
#[cfg(feature = "serde")]
pub(crate) use replay::{ROOT, Step};

pub use edit::TreeError;
pub use root::{Tree, TreeDelta};
pub use store::{SkippedMove, TreeStore};
