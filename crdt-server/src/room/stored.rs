use core::fmt;
use std::sync::Arc;

use crdt_causal::cut::Slot;
use crdt_core::{DotRange, Frontier, ReplicaId, VersionVector};
use crdt_document::{Document, ImportError, SavedError};

use super::without_blocking;
use crate::auth::Owner;
use crate::store::{
    Admitted, Answer, Content, Durable, Renewal, StoreWriter, StoredDocument, Trim, VersionDigest,
    Write,
};

/// What of a room's document is stored, and what is on its way to the store.
///
/// At most one write of a room is under way. What is imported meanwhile is written with the
/// next one, so that a busy room groups by itself, and all rooms group in the store's thread.
pub(super) struct Stored {
    document: Arc<str>,
    store: StoreWriter,
    /// What a crash cannot take away; `None` as long as that is all that was loaded, and nobody has
    /// asked what it is: its history may be asleep.
    durable: Option<VersionVector>,
    /// What was handed over to the store, in how many writes, of which so many are durable.
    written: Frontier,
    writes: u64,
    durable_writes: u64,
    /// What is stored is to be replaced by a snapshot, so that who loads it next finds no log.
    packs: bool,
    snapshot_bytes: usize,
    log_bytes: usize,
    digest: VersionDigest,
    /// The position up to which everything durable of the document was numbered, at the latest.
    position: u64,
    owners: Vec<(ReplicaId, Owner)>,
    /// What came from other servers since the last write.
    brought: Vec<(DotRange, Slot)>,
    answers: Vec<Answer>,
    answers_from: u64,
    renewals: Vec<Renewal>,
    /// What is stored is to be replaced by what was trimmed.
    trim: Option<Trim>,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    done: Durable,
    version: VersionVector,
}

/// The store has failed, and with it the room.
#[derive(Debug)]
pub(super) struct StoreFailed;

/// A stored document that cannot be read back.
#[derive(Debug)]
pub(crate) enum LoadError {
    Snapshot(ImportError),
    Saved(SavedError),
    Changes { position: usize, error: ImportError },
}

/// Below this a log is not worth a snapshot.
const LOG_BYTES_MIN: usize = 64 << 10;

/// Rebuilds a document from what is stored of it.
pub(crate) fn rebuild(stored: &StoredDocument) -> Result<Document, LoadError> {
    let mut bundles = stored.log.iter().enumerate();
    let mut document = match (&stored.snapshot, stored.log.first()) {
        // With a log behind it the history is needed at once.
        (Some(bytes), _) if Document::is_saved(bytes) => {
            Document::open(bytes.as_slice()).map_err(LoadError::Saved)?
        }
        // As earlier releases stored it.
        (Some(bytes), _) => Document::decode(bytes).map_err(LoadError::Snapshot)?,
        // The first bundle of all is a whole document.
        (None, Some(bytes)) => {
            bundles.next();
            let failed = |error| LoadError::Changes { position: 0, error };
            Document::decode(bytes).map_err(failed)?
        }
        (None, None) => Document::reader(),
    };
    // Nobody watches.
    document.record_events(false);
    for (position, bundle) in bundles {
        let imported = document.import(bundle);
        imported.map_err(|error| LoadError::Changes { position, error })?;
    }
    Ok(document)
}

impl Stored {
    pub(super) fn new(
        document: Arc<str>,
        store: StoreWriter,
        loaded: &StoredDocument,
        frontier: Frontier,
    ) -> Self {
        // What was loaded was durable, and numbered, before it was.
        let store_head = store.head();
        Self {
            document,
            store,
            durable: None,
            written: frontier,
            writes: 0,
            durable_writes: 0,
            packs: false,
            snapshot_bytes: loaded.snapshot.as_ref().map_or(0, Vec::len),
            log_bytes: loaded.log_bytes(),
            digest: VersionDigest::default(),
            position: store_head,
            owners: Vec::new(),
            brought: Vec::new(),
            answers: Vec::new(),
            answers_from: 0,
            renewals: Vec::new(),
            trim: None,
            under_way: None,
        }
    }

    /// Finds out what was loaded, if that was not done yet: to be called before anything is added to it,
    /// and before [`durable`](Self::durable). O(history) where that is asleep.
    ///
    /// # Panics
    ///
    /// If the history cannot be read: the store has kept something else than it was given.
    pub(super) fn look_at(&mut self, document: &Document) {
        if self.durable.is_some() {
            return;
        }
        if let Err(lost) = document.history() {
            panic!("the stored history of {} cannot be read: {lost}", self.document);
        }
        let version = document.version();
        self.digest = VersionDigest::of(version);
        self.durable = Some(version.clone());
    }

    /// What a crash cannot take away.
    ///
    /// # Panics
    ///
    /// If nobody has [looked](Self::look_at).
    pub(super) fn durable(&self) -> &VersionVector {
        self.durable.as_ref().expect("somebody has looked at what was loaded")
    }

    /// How many writes are durable.
    pub(super) const fn durable_writes(&self) -> u64 {
        self.durable_writes
    }

    /// How many writes have to be durable for all to be that the document has now.
    pub(super) fn awaits(&self, document: &Document) -> u64 {
        self.writes + u64::from(document.frontier() != self.written)
    }

    /// Has the log become part of the snapshot with the next write, if there is a log. Whether there is.
    pub(super) const fn pack(&mut self) -> bool {
        self.packs = self.log_bytes > 0;
        self.packs
    }

    /// A position that the durable events of the document do not go beyond.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Notes that events came from another server.
    pub(super) fn brought(&mut self, range: DotRange, slot: Slot) {
        self.brought.push((range, slot));
    }

    /// Keeps an answer together with the next write; those below `from` are forgotten with it.
    pub(super) fn answer(&mut self, answer: Answer, from: u64) {
        self.answers.push(answer);
        self.answers_from = from;
    }

    /// Records an owner together with the next write.
    pub(super) fn own(&mut self, replica: ReplicaId, owner: Owner) {
        self.owners.push((replica, owner));
    }

    /// The document's name.
    pub(super) fn document(&self) -> Arc<str> {
        Arc::clone(&self.document)
    }

    /// Notes with the next write that a writer is here.
    pub(super) fn renew(&mut self, renewal: Renewal) {
        self.renewals.push(renewal);
    }

    /// The document was trimmed, when everything was durable: what is left takes the place of what
    /// is stored, with the next write.
    pub(super) fn trimmed(&mut self, document: &Document, trim: Trim) {
        let version = document.version();
        self.digest = VersionDigest::of(version);
        self.durable = Some(version.clone());
        self.written = document.frontier();
        self.owners.retain(|(replica, _)| !trim.forgotten.contains(replica));
        self.trim = Some(trim);
    }

    /// Whether everything is durable.
    pub(super) fn is_settled(&self, document: &Document) -> bool {
        self.under_way.is_none()
            && self.written == document.frontier()
            && self.trim.is_none()
            && self.renewals.is_empty()
    }

    /// Starts a write, if there is something to write and none is under way. Whether it did.
    pub(super) fn write(&mut self, document: &Document) -> bool {
        let is_grown = self.written != document.frontier();
        let is_due = is_grown || self.trim.is_some() || !self.renewals.is_empty() || self.packs;
        if self.under_way.is_some() || !is_due {
            return false;
        }
        // All was durable that was written, and something was; or the log is looked at, to pack it.
        if !is_grown {
            self.look_at(document);
        }
        let new = document.version().missing_from(self.durable());
        let admitted: Vec<Admitted> =
            new.map(|range| Admitted { range, from: self.bringer(range) }).collect();
        self.brought.clear();
        for Admitted { range, .. } in &admitted {
            self.digest.extend(*range);
        }
        let is_long = self.log_bytes > self.snapshot_bytes.max(LOG_BYTES_MIN);
        let packs = std::mem::take(&mut self.packs);
        let content = if packs || self.trim.is_some() || (is_grown && is_long) {
            let snapshot = without_blocking(|| document.save());
            (self.snapshot_bytes, self.log_bytes) = (snapshot.len(), 0);
            Content::Snapshot(snapshot)
        } else if !is_grown {
            Content::Unchanged
        } else {
            let bundle = document.changes_since(self.durable());
            self.log_bytes += bundle.len();
            Content::Changes(bundle)
        };
        let done = self.store.write(Write {
            document: Arc::clone(&self.document),
            content,
            owners: std::mem::take(&mut self.owners),
            admitted,
            digest: self.digest,
            answers: std::mem::take(&mut self.answers),
            answers_from: self.answers_from,
            renewals: std::mem::take(&mut self.renewals),
            trim: self.trim.take(),
        });
        self.under_way = Some(UnderWay { done, version: document.version().clone() });
        self.written = document.frontier();
        self.writes += 1;
        true
    }

    /// The server that all of `range` came from, if one did.
    fn bringer(&self, range: DotRange) -> Option<Slot> {
        let mut expected = range.first;
        let mut slot = None;
        for (part, bringer) in &self.brought {
            if part.replica != range.replica || part.last < expected {
                continue;
            }
            if part.first > expected || slot.is_some_and(|slot| slot != *bringer) {
                return None;
            }
            slot = Some(*bringer);
            expected = part.last + 1;
        }
        slot.filter(|_| expected > range.last)
    }

    /// Resolves when the write under way is durable; never, if there is none. Cancel safe.
    pub(super) async fn settled(&mut self) -> Result<(), StoreFailed> {
        let Some(under_way) = &mut self.under_way else { return std::future::pending().await };
        self.position = (&mut under_way.done).await.map_err(|_| StoreFailed)?;
        if let Some(UnderWay { version, .. }) = self.under_way.take() {
            self.durable = Some(version);
            self.durable_writes = self.writes;
        }
        Ok(())
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot(error) => write!(f, "the stored snapshot: {error}"),
            Self::Saved(error) => write!(f, "the stored snapshot: {error}"),
            Self::Changes { position, error } => {
                write!(f, "the stored changes at position {position}: {error}")
            }
        }
    }
}

impl core::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Snapshot(error) => Some(error),
            Self::Saved(error) => Some(error),
            Self::Changes { error, .. } => Some(error),
        }
    }
}
