//! From when to when a slot was whose.

use super::member::MemberId;
use crate::cut::Epoch;

/// The time of one member under its slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tenure {
    pub(super) id: MemberId,
    /// The epoch that its joining made.
    pub(super) since: Epoch,
    pub(super) retired: Option<Retirement>,
}

/// How a tenure ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Retirement {
    /// The epoch that it made.
    pub(super) epoch: Epoch,
    pub(super) last: u64,
    /// Whether everything up to `last` is stable, so that no cut needs the slot any more.
    pub(super) is_settled: bool,
}

impl Tenure {
    pub(super) fn is_settled(&self) -> bool {
        self.retired.as_ref().is_some_and(|retired| retired.is_settled)
    }
}
