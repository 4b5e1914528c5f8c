//! The movable tree.
//!
//! * `step.rs`, `node.rs`, `key.rs`: a move, a node, the order of siblings
//! * `replay.rs`, `places.rs`: the moves in their order, and where they put the nodes
//! * `check.rs`: what holds of that
//! * `store.rs`, `edit.rs`, `codec.rs`: the store, its mutators, its bytes
//! * `assembly.rs`: what must hold of a tree that is read
//! * `undo.rs`: taking a delta back
//! * `root.rs`: the root

mod assembly;
mod check;
mod codec;
mod edit;
mod key;
mod node;
mod places;
mod replay;
mod root;
mod step;
mod store;
mod undo;

#[cfg(feature = "serde")]
pub(crate) use assembly::Moves;
#[cfg(feature = "serde")]
pub(crate) use step::{ROOT, Step};

pub use edit::TreeError;
pub use root::{Tree, TreeDelta};
pub use store::{SkippedMove, TreeStore};
