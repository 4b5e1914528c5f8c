//! Offline-first documents: nested containers of CRDTs over one event log.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod change_set;
mod codec;
mod container;
mod document;
mod edit;
mod error;
mod event;
mod genesis;
mod history;
mod import;
mod journal;
mod log;
mod op;
mod owners;
mod path;
mod presence;
mod state;
mod transaction;
mod value;
mod view;

pub use change_set::ChangeSet;
pub use crdt_core::causality::ChangeRun;
pub use crdt_core::sequence::{TextError, TextPatch};
pub use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};
pub use document::Document;
pub use edit::{CounterEdit, MapEdit, SetEdit, TextEdit};
pub use error::{EditError, ImportError};
pub use event::{Change, Event, MapChange, Origin, TextChange};
pub use genesis::{Genesis, MERGE_RULES};
pub use history::ChangeInfo;
pub use import::Imported;
pub use path::{Kind, PATH_STEPS_MAX, Path, Step};
pub use presence::{Presence, PresenceEvent, PresenceFull, PresenceLimits};
pub use transaction::Transaction;
pub use value::{VALUE_DEPTH_MAX, Value, ValueMap};
pub use view::{Ambiguous, Conflict, CounterView, Entry, MapView, SetView, TextView, View};

#[cfg(test)]
mod test_support {
    /// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
    pub(crate) fn cases() -> u64 {
        std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
    }
}
