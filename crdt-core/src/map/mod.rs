//! Maps.

mod lww;

pub use lww::{Iter, LwwMap, LwwMapDelta, LwwStore, Write};
