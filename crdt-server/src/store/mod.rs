//! What survives the process: snapshots, logs of changes, and who owns which replica id.
//!
//! A document is stored as the newest *snapshot* (the whole document, encoded) and the *log*
//! of bundles of changes that came after it. A room appends to the log, and from time to
//! time replaces snapshot and log by a newer snapshot, in one transaction.
//!
//! [`Store`] is the interface, [`EmbeddedStore`] the one that needs no service,
//! [`StoreWriter`] the thread through which everything is written: it groups what has
//! queued up into one commit, and whoever wrote is told once that commit is durable.

mod embedded;
mod error;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use crdt_core::ReplicaId;

pub use embedded::EmbeddedStore;
pub use error::StoreError;
pub use writer::{Durable, StoreStatistics, StoreWriter};

use crate::auth::Owner;

/// A place that keeps documents.
///
/// Implementations need not be fast at small commits, since [`StoreWriter`] groups them,
/// but have to be honest: what `commit` has reported as done survives a crash of the
/// process and of the machine.
pub trait Store: Send + Sync + 'static {
    /// Writes all of `writes`, in order, or none of it, and returns when it is durable.
    ///
    /// # Errors
    ///
    /// After an error the state on disk is unknown until the store is opened anew, so the
    /// caller must neither retry nor go on: a second `fsync` reports success without having
    /// written what the first one failed to write (Rebello et al., ATC 2020).
    fn commit(&self, writes: &[Write]) -> Result<(), StoreError>;

    /// What is stored of a document; an unknown one is empty. Sees every finished commit.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    fn load(&self, document: &str) -> Result<StoredDocument, StoreError>;
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
}

/// The content of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A bundle of changes, appended to the log.
    Changes(Vec<u8>),
    /// The whole document, which replaces the snapshot and empties the log.
    Snapshot(Vec<u8>),
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
}

impl Content {
    /// The size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Changes(bytes) | Self::Snapshot(bytes) => bytes.len(),
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
