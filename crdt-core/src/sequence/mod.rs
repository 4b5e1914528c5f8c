//! Text: an event log of positional edits, merged by the Eg-walker in FugueMax order.

mod critical;
mod error;
mod log;
mod merge;
mod ops;
mod patch;
mod rope;
mod run;
#[cfg(test)]
mod tests;
mod text_store;
mod tree;
mod walker;

pub use error::{InvalidTextOp, TextError};
pub use ops::{OpRuns, OpWriter};
pub use patch::{PatchRun, TextPatch};
pub use rope::{Misplaced, Rope};
pub use run::{EVENTS_MAX, TextOp};
pub use text_store::TextStore;
