//! The other libraries.

mod automerge;
mod cola;
mod diamond_types;
mod loro;
mod yrs;

pub(crate) use self::automerge::Automerge;
pub(crate) use self::cola::Cola;
pub(crate) use self::diamond_types::DiamondTypes;
pub(crate) use self::loro::Loro;
pub(crate) use self::yrs::{Yrs, YrsV2};
