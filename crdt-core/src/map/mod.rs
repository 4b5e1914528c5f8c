//! Maps.

mod lattice;
mod lww;
mod observed_remove;

pub use lattice::{LatticeStore, Whole};
pub use lww::{Iter, LwwMap, LwwMapDelta, LwwStore, Write};
pub use observed_remove::{ObservedRemoveMap, ObservedRemoveMapDelta};
