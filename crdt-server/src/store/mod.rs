//! What survives the process: snapshots, logs of changes, who owns which replica id, and the
//! order in which everything was admitted.
//!
//! A document is stored as the newest *snapshot* (the whole document, as
//! [`Document::save`](crdt_document::Document::save) writes it: what is visible first) and the *log*
//! of bundles of changes that came after it. A room appends to the log, and from time to
//! time, and when it is closed, replaces snapshot and log by a newer snapshot, in one transaction. So a
//! document that was closed in order opens without its history.
//!
//! Every event that becomes durable gets a *position*, over all documents, in the same commit:
//! the [admission log](LogEntry), by which servers tell each other, and their clients, how
//! much of everything they hold.
//!
//! [`Store`] is the interface, [`EmbeddedStore`] the one that needs no service,
//! [`StoreWriter`] the thread through which everything is written: it groups what has
//! queued up into one commit, and whoever wrote is told once that commit is durable.

mod admission;
mod digest;
mod embedded;
mod error;
mod held;
mod upgrade;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use crdt_core::{DotRange, ReplicaId};

pub use admission::{Admitted, LogEntry, RealmNote, RealmState};
pub use digest::VersionDigest;
pub use embedded::EmbeddedStore;
pub use error::StoreError;
pub use held::Held;
pub(crate) use held::{PERMANENT, RENEWED, before_stratum, up_to};
pub(crate) use writer::unix_ms;
pub use writer::{Durable, StoreStatistics, StoreWriter};

use crate::auth::Owner;

/// A place that keeps documents.
///
/// Implementations need not be fast at small commits, since [`StoreWriter`] groups them,
/// but have to be honest: what `commit` has reported as done survives a crash of the
/// process and of the machine.
pub trait Store: Send + Sync + 'static {
    /// Writes all of `writes`, in order, and appends `log`, which numbers what they admit, to
    /// the admission log; or none of it. Returns when it is durable. With a stratum, what is in
    /// `log` is noted as [held](Held) since then.
    ///
    /// # Errors
    ///
    /// After an error the state on disk is unknown until the store is opened anew, so the
    /// caller must neither retry nor go on: a second `fsync` reports success without having
    /// written what the first one failed to write (Rebello et al., ATC 2020).
    fn commit(
        &self,
        writes: &[Write],
        log: &[LogEntry],
        stratum: Option<u64>,
    ) -> Result<(), StoreError>;

    /// What is stored of a document; an unknown one is empty. Sees every finished commit.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn load(&self, document: &str) -> Result<StoredDocument, StoreError>;

    /// What is stored of the server's place in the realm.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn realm(&self) -> Result<RealmState, StoreError>;

    /// Replaces what is stored of the realm, and forgets entries of the admission log, as many
    /// as make a short commit.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    fn note(&self, note: &RealmNote) -> Result<(), StoreError>;

    /// The entries of the admission log with events beyond the position `after`, `max` at most,
    /// in order. Those up to [`RealmState::forgotten`] are not there any more.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn admissions(&self, after: u64, max: usize) -> Result<Vec<LogEntry>, StoreError>;

    /// The documents whose names come after `after`, `max` at most, in the order of their names,
    /// each with the digest of its last write.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn documents(
        &self,
        after: &str,
        max: usize,
    ) -> Result<Vec<(Arc<str>, VersionDigest)>, StoreError>;

    /// The digest of a document's last write; `None` if it was never written.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn digest(&self, document: &str) -> Result<Option<VersionDigest>, StoreError>;

    /// Begins to keep track of since when events are [held](Held), or goes on with it; or ends it,
    /// and forgets that and the [state of trimming](RealmState::stability). Called before anything
    /// else.
    ///
    /// # Errors
    ///
    /// As for [`commit`](Self::commit).
    fn keep_held(&self, keep: bool) -> Result<(), StoreError>;

    /// Since when a document's events are held, in the order of strata.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn held(&self, document: &str) -> Result<Vec<Held>, StoreError>;

    /// The documents whose names come after `after`, `max` at most, in the order of their names,
    /// that hold something of which nothing has a position beyond `position`, and that were not
    /// [trimmed](Trim) up to there.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn older_documents(
        &self,
        after: &str,
        position: u64,
        max: usize,
    ) -> Result<Vec<Arc<str>>, StoreError>;
}

/// One write: to one document, all or nothing.
#[derive(Clone, Debug)]
pub struct Write {
    /// The document's name.
    pub document: Arc<str>,
    /// What is stored of its content.
    pub content: Content,
    /// Replica ids that from now on belong to whoever holds a token.
    pub owners: Vec<(ReplicaId, Owner)>,
    /// The events that the content has and earlier writes had not: they are numbered.
    pub admitted: Vec<Admitted>,
    /// The digest of the version that is stored with this write.
    pub digest: VersionDigest,
    /// Requests that were answered, for when they come again.
    pub answers: Vec<Answer>,
    /// Answers with smaller ordinals are forgotten.
    pub answers_from: u64,
    /// Writers that are here, and not forgotten for a while, though they write nothing.
    pub renewals: Vec<Renewal>,
    /// If the content was trimmed.
    pub trim: Option<Trim>,
}

/// A writer of a document that has been here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The writer.
    pub replica: ReplicaId,
    /// When, by the time in which the server was there, in milliseconds.
    pub at: u64,
}

/// What a document no longer has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trim {
    /// Up to this position of the server its events were trimmed, as far as they could be.
    pub position: u64,
    /// Replica ids that have left its table: nobody owns them any more.
    pub forgotten: Vec<ReplicaId>,
    /// Those that never leave it.
    pub authors: Vec<ReplicaId>,
    /// Who was here after this time is not forgotten yet.
    pub renewed_after: u64,
}

/// A request with an idempotency key that was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The how-many-th it was of its document.
    pub ordinal: u64,
    /// The digest of who asked and of the key.
    pub key: [u8; 32],
    /// The digest of what was asked.
    pub request: [u8; 32],
    /// The events that it led to. What changed nothing is not remembered.
    pub events: DotRange,
}

/// What a [`Write`] does to what is stored of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A bundle of changes, appended to the log.
    Changes(Vec<u8>),
    /// The whole document, which replaces the snapshot and empties the log.
    Snapshot(Vec<u8>),
    /// What is stored stays as it is.
    Unchanged,
}

/// What is stored of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDocument {
    /// The newest snapshot, if there is one.
    pub snapshot: Option<Vec<u8>>,
    /// The bundles of changes since the snapshot, oldest first.
    pub log: Vec<Vec<u8>>,
    /// Who owns which replica id.
    pub owners: BTreeMap<ReplicaId, Owner>,
    /// The latest requests with an idempotency key, oldest first.
    pub answers: Vec<Answer>,
}

impl Write {
    /// A write of content and nothing else.
    pub fn new(document: &str, content: Content) -> Self {
        Self {
            document: document.into(),
            content,
            owners: Vec::new(),
            admitted: Vec::new(),
            digest: VersionDigest::default(),
            answers: Vec::new(),
            answers_from: 0,
            renewals: Vec::new(),
            trim: None,
        }
    }
}

impl Content {
    /// The size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Changes(bytes) | Self::Snapshot(bytes) => bytes.len(),
            Self::Unchanged => 0,
        }
    }

    /// Whether there are no bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl StoredDocument {
    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.snapshot.is_none() && self.log.is_empty() && self.owners.is_empty()
    }

    /// The size of the log in bytes.
    pub fn log_bytes(&self) -> usize {
        self.log.iter().map(Vec::len).sum()
    }
}
