//! Sets.

mod add_wins;
mod grow_only;
mod remove_wins;
mod two_phase;

pub use add_wins::{AddWinsSet, AddWinsSetDelta, AddWinsStore, IntoIter, Iter};
pub use grow_only::{GrowOnlySet, GrowOnlySetDelta};
pub use remove_wins::{RemoveWinsSet, RemoveWinsSetDelta, RemoveWinsStore};
pub use two_phase::{TwoPhaseSet, TwoPhaseSetDelta};
