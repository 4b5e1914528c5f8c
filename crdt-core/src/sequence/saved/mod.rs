//! The form in which a text is stored: its state first, and a history that is not decoded
//! until something needs it.
//!
//! | file | one idea |
//! |---|---|
//! | `file.rs` | the parts of a saved text |
//! | `pack.rs` | compressed streams |
//! | `cuts.rs` | where a replica's history is cut into chunks |
//! | `chunk.rs`, `columns.rs` | what one replica did in a stretch of its events; that as bytes |
//! | `elements.rs`, `replay.rs` | which insertion a deletion took its text from |
//! | `write.rs`, `growing.rs` | from a history to a file, and from a file to a longer one |
//! | `history.rs` | from a file to a history |
//! | `past.rs` | what a loaded text has instead of a history |
//! | `extent.rs` | how much history is saved |
//! | `load.rs`, `join.rs` | all of it for `Text`; joining without the history |

mod chunk;
mod columns;
mod cuts;
#[cfg(test)]
mod damage;
mod elements;
mod error;
mod extent;
mod file;
mod growing;
mod history;
mod join;
mod load;
mod past;
mod replay;
mod split;
mod write;

pub use error::HistoryError;
pub use extent::SavedHistory;
pub(super) use past::Past;
