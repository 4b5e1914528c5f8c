//! Clocks that tell what happened before what, and one that also tells about when.
//!
//! | clock | `a < b` means | size | for |
//! |---|---|---|---|
//! | [`VersionVector`] | `a` happened before `b`, exactly | one entry for each writer | versions of what is replicated |
//! | [`HybridClock`] | `a` did not happen after `b` | 8 bytes | stamps that people can read |
//!
//! Vector clocks are the version vectors of `crdt-core`: Fidge and Mattern number the events of each
//! process and take the greatest numbers of both sides at a receipt, which is
//! [`observe`](VersionVector::observe) and [`join`](VersionVector::join).
//!
//! [`VersionVector`]: crdt_core::VersionVector

mod hybrid;

pub use crdt_core::VersionVector;
pub use hybrid::{HybridClock, HybridError, HybridTime};
