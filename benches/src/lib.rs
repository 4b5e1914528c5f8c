//! What the measurements share.
//!
//! A clock of processor time; and editing traces, keystroke-level histories of real documents in
//! the format of the public collections, read from a folder that is no part of the repository.

mod folder;
mod trace;

pub use delivery_loads::timed;

pub use folder::{named_by_environment, traces_in};
pub use trace::{Kind, Patch, Trace, TraceError, Transaction};
