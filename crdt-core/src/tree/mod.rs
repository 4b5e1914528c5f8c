//! The movable tree.
//!
//! * `replay.rs`: the moves in their order, and the tree that they make
//! * `key.rs`: the order of siblings
//! * `store.rs`, `edit.rs`, `codec.rs`: the store, its mutators, its bytes
//! * `root.rs`: the root

mod codec;
mod edit;
mod key;
mod replay;
mod root;
mod store;

pub use edit::TreeError;
pub use root::{Tree, TreeDelta};
pub use store::{SkippedMove, TreeStore};
