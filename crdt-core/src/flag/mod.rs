//! Flags.

mod disable_wins;
mod enable_wins;

pub use disable_wins::{DisableWinsFlag, DisableWinsFlagDelta, DisableWinsStore, Toggle};
pub use enable_wins::{EnableWinsFlag, EnableWinsFlagDelta, EnableWinsStore};
