//! Clocks that tell what happened before what, and one that also tells about when.
//!
//! | clock | `a < b` means | size | for |
//! |---|---|---|---|
//! | [`VersionVector`] | `a` happened before `b`, exactly | one entry for each writer | versions of what is replicated |
//! | [`DottedVersionVector`] | the same, of single writes | one entry for each *server*, and a dot | writes that servers name for many clients |
//! | [`HybridClock`] | `a` did not happen after `b` | 8 bytes | stamps that people can read |
//!
//! Vector clocks are the version vectors of `crdt-core`: Fidge and Mattern number the events of each
//! process and take the greatest numbers of both sides at a receipt, which is
//! [`observe`](VersionVector::observe) and [`join`](VersionVector::join).
//!
//! There are no interval tree clocks (Almeida, Baquero and Fonte, 2008) in here. They spare throw-away
//! writers an id for ever: a writer takes half of another's identity and gives it back at the end. But a
//! tab that is closed gives nothing back, and there is no half to take for one that begins offline; what
//! their entries cost is instead bounded by *cuts*, which browsers never lengthen, and by retiring ids.
//!
//! [`VersionVector`]: crdt_core::VersionVector

mod dotted;
mod hybrid;

pub use crdt_core::VersionVector;
pub use dotted::DottedVersionVector;
pub use hybrid::{HybridClock, HybridError, HybridTime};
