//! Text that many replicas edit: an event log of edits by position, merged by the Eg-walker
//! in FugueMax order.
//!
//! Begin with [`Text`], a value of its own. [`TextStore`] is the same without an event graph,
//! for those who keep one for many texts. `README.md` beside this file explains the
//! algorithm, why nothing interleaves, and the costs.

mod anchor;
mod critical;
mod delta;
mod difference;
mod error;
mod headers;
mod held;
mod held_version;
mod join;
pub(crate) mod list;
mod log;
mod merge;
mod one_edit;
mod ops;
mod patch;
mod rope;
mod run;
mod saved;
mod steps;
#[cfg(test)]
mod tests;
mod text;
mod text_edit;
mod text_store;
mod tree;
mod trim;
mod walker;
mod window;

pub use anchor::{Anchor, AnchorError, Side};
pub use delta::TextDelta;
pub use error::{InvalidTextOp, TextError};
pub use held::{Place, Places};
pub use join::{ImportError, JoinError};
pub use list::{Iter as ListIter, List, ListDelta, ListStore, LostMove};
pub use ops::{OpRuns, OpWriter};
pub use patch::{PatchRun, TextPatch};
pub use rope::{Misplaced, Rope};
pub use run::{EVENTS_MAX, TextOp};
pub use saved::{HistoryError, SavedHistory};
pub use text::Text;
pub use text_store::TextStore;
