//! Offline-first documents: nested containers of CRDTs over one event log.
//!
//! A [`Document`] is a map of maps, sets, counters, texts and plain values. Every replica
//! edits its own copy at once, connected or not; copies that have exchanged their changes are
//! equal, whatever the order in which the changes went round.
//!
//! # Two replicas
//!
//! ```
//! use crdt_document::{Change, Document, ReplicaId};
//!
//! // Each writer has an id of its own: a random UUID, kept with its storage.
//! let mut mumbai = Document::new(ReplicaId::from_u128(0x1111));
//! let mut delhi = Document::new(ReplicaId::from_u128(0x2222));
//!
//! // A transaction is one change: all of it, or nothing if the closure fails.
//! mumbai.transact(|tx| {
//!     tx.text("body").insert(0, "Monsoon plan")?;
//!     tx.counter("views").increment(1);
//!     tx.set("tags").add("weather");
//!     tx.map("settings").set("theme", "dark");
//!     Ok(())
//! })?;
//!
//! // What the other one lacks, as bytes for whatever transport there is.
//! delhi.import(&mumbai.changes_since(delhi.version()))?;
//! assert_eq!(delhi.text("body"), "Monsoon plan");
//!
//! // Then both are offline.
//! mumbai.transact(|tx| {
//!     tx.text("body").insert(12, " 2026")?;
//!     tx.set("tags").remove("weather");
//!     tx.counter("views").increment(1);
//!     Ok(())
//! })?;
//! delhi.transact(|tx| {
//!     tx.text("body").insert(0, "The ")?;
//!     tx.set("tags").add("weather").add("city");
//!     tx.counter("views").increment(1);
//!     tx.map("settings").map("editor").set("spelling", "en-IN");
//!     Ok(())
//! })?;
//!
//! // They meet. Nobody's work is lost; what was added beside a removal stays.
//! delhi.import(&mumbai.changes_since(delhi.version()))?;
//! mumbai.import(&delhi.changes_since(mumbai.version()))?;
//! assert_eq!(mumbai.encode(), delhi.encode());
//! assert_eq!(mumbai.text("body"), "The Monsoon plan 2026");
//! assert!(mumbai.set("tags").contains("weather"));
//! assert_eq!(mumbai.counter("views").value(), 3);
//!
//! // What changed comes as data, to be shown when it suits.
//! for event in mumbai.drain_events() {
//!     if let Change::Text(edits) = &event.change {
//!         println!("{} was edited by {:?}: {edits:?}", event.path, event.by);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What concurrent changes mean
//!
//! | at the same time | afterwards |
//! |---|---|
//! | two values for one key of a map | the one with the greater (Lamport time, replica) is read; [`MapView::conflicts`] has both |
//! | a key is removed, and something is written under it | what was written is there, and nothing else (update wins) |
//! | two replicas create a container at one path | it is the same container, with what both put in |
//! | two kinds of thing are put under one key | both are there; the untyped read is a typed error |
//! | an element is added and removed | it is in (add wins) |
//! | a counter at 5 is reset, and incremented by 1 | 1 |
//! | two people type at one place | both texts, each in one piece |
//! | a text is cleared while someone types | what was typed meanwhile |
//!
//! # Where to go on
//!
//! * [`Document`]: writing, reading, versions, bytes. [`Transaction`]: all there is to write.
//! * [`ChangeSet`]: changes that were read and not applied, for servers and for replays.
//! * [`Presence`]: who else is here. It is no part of the document.
//! * A `Document` is a [`ChangeLog`](crdt_causal::sync::ChangeLog): a
//!   [`Session`](crdt_causal::sync::Session) keeps two of them in step over any network.
//! * [`Document::save`] and [`Document::open`]: one's own storage, opened in the time of what is visible;
//!   [`Document::encode`] is for others.
//! * The bytes are described in `docs/format.md`.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod base;
mod chains;
mod change_set;
mod codec;
mod container;
mod document;
mod edit;
mod error;
mod event;
mod floor;
mod genesis;
mod history;
mod import;
mod journal;
mod log;
mod numbering;
mod op;
mod owners;
mod path;
mod presence;
#[cfg(feature = "rebase")]
mod rebase;
#[cfg(feature = "saved")]
mod saved;
mod state;
mod transaction;
#[cfg(not(feature = "saved"))]
mod unsaved;
mod value;
mod view;

pub use base::Trimmed;
pub use change_set::ChangeSet;
pub use crdt_core::causality::{Base, ChangeRun};
pub use crdt_core::sequence::{Anchor, AnchorError, Side, TextError, TextPatch};
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
#[cfg(feature = "rebase")]
pub use rebase::Deed;
#[cfg(feature = "saved")]
pub use saved::SavedError;
pub use transaction::Transaction;
pub use value::{VALUE_DEPTH_MAX, Value, ValueMap};
pub use view::{Ambiguous, Conflict, CounterView, Entry, MapView, SetView, TextView, View};

/// The README's examples are compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
