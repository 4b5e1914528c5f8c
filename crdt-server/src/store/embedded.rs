use std::fs::{self, File};
use std::path::Path;

use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, WriteTransaction,
};

use std::sync::Arc;

use crdt_causal::cut::{Cut, Slot};
use crdt_core::{DotRange, ReplicaId};

use super::{
    Answer, Content, Held, LogEntry, RealmNote, RealmState, Store, StoreError, StoredDocument,
    VersionDigest, Write, held, upgrade,
};
use crate::auth::Owner;

/// The store in one file of its own, without a service: a redb database.
///
/// redb is a copy-on-write B-tree. A commit writes new pages, a checksum over their root
/// into the unused one of two header slots, and syncs once before it returns; after a crash
/// the slot whose tree does not check out is discarded, so a commit happened or did not.
///
/// Cost: a commit is one `fsync`, however many documents it touches. Opening after a crash
/// verifies the checksums of the whole file; opening after a clean shutdown reads the header.
#[derive(Debug)]
pub struct EmbeddedStore {
    database: Database,
}

/// The layout below.
const FORMAT: u64 = 3;

/// The layout in which a snapshot was a document as it is sent. Such snapshots are still read.
const FORMAT_WITHOUT_SAVED: u64 = 2;

/// The layout that had no admission log, no digests and no answers.
const FORMAT_WITHOUT_POSITIONS: u64 = 1;

/// The name of the file in the data folder.
const FILE_NAME: &str = "store.redb";

/// What redb may keep in memory. Documents in use live in their rooms, so that the store is
/// read once per room.
const CACHE_BYTES: usize = 32 << 20;

/// `format`; `log`, the identity of the admission log; `head`, the last position given out;
/// `forgotten`, up to where its entries are no longer kept; `held`, up to where what has no row in
/// [`held::HELD`] was admitted, if there is that table.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Document → saved document, or one as it is sent, by an earlier release.
pub(super) const SNAPSHOTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("snapshots");

/// (Document, position) → bundle of changes. Positions ascend within a document.
pub(super) const LOG: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("log");

/// (Document, replica id as a number) → digest of the owner's token.
const OWNERS: TableDefinition<'_, (&str, u128), [u8; Owner::LEN]> = TableDefinition::new("owners");

/// Last position → the rest of an entry of the admission log.
const ADMISSIONS: TableDefinition<'_, u64, Admission> = TableDefinition::new("admissions");

/// First position, document (as bytes: where they are damaged that is an error), replica id as a number, first and last event, the slot that they
/// came from plus 1 or 0, and when.
type Admission = (u64, &'static [u8], u128, u64, u64, u32, u64);

/// Document → digest of its version.
const DIGESTS: TableDefinition<'_, &str, [u8; VersionDigest::LEN]> =
    TableDefinition::new("digests");

/// (Document, ordinal) → digests of key and request, then replica id as a number, first and last
/// event.
const ANSWERS: TableDefinition<'_, (&str, u64), StoredAnswer> = TableDefinition::new("answers");

type StoredAnswer = ([u8; 32], [u8; 32], u128, u64, u64);

/// Slot → position that is held of that server.
const APPLIED: TableDefinition<'_, u16, u64> = TableDefinition::new("applied");

/// Slot → identity of the admission log that positions there are of.
const LOGS: TableDefinition<'_, u16, u64> = TableDefinition::new("logs");

/// Slot → position that the server there has everything up to.
const ACKNOWLEDGED: TableDefinition<'_, u16, u64> = TableDefinition::new("acknowledged");

/// How many entries of the log one note forgets: some milliseconds of work.
const FORGOTTEN_AT_ONCE: usize = 8192;

impl EmbeddedStore {
    /// Opens the store in the folder `directory`, or makes both.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written, another process has the store open, or the file is
    /// damaged or of another format.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE_NAME);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Path { path, source }
        };
        fs::create_dir_all(directory).map_err(at(directory))?;
        let existed = path.exists();
        let database = match builder().create(&path) {
            Ok(database) => database,
            Err(DatabaseError::DatabaseAlreadyOpen) => return Err(StoreError::InUse { path }),
            Err(error) => return Err(error.into()),
        };
        let store = Self::with_database(database)?;
        if !existed {
            // The file is durable once its name is: sync the folder, and the folder's name.
            sync_directory(directory).map_err(at(directory))?;
            if let Some(parent) = directory.parent().filter(|path| !path.as_os_str().is_empty()) {
                sync_directory(parent).map_err(at(parent))?;
            }
        }
        Ok(store)
    }

    /// Opens the store on a medium of the caller's, for instance one that fails on purpose.
    ///
    /// # Errors
    ///
    /// If the medium fails, or what is on it is damaged or of another format.
    pub fn with_backend(backend: impl StorageBackend) -> Result<Self, StoreError> {
        Self::with_database(builder().create_with_backend(backend)?)
    }

    fn with_database(database: Database) -> Result<Self, StoreError> {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        let found = transaction.open_table(META)?.get("format")?.map(|value| value.value());
        match found {
            Some(FORMAT) => transaction.abort()?,
            // So that an earlier release refuses the file, and not its documents one by one.
            Some(FORMAT_WITHOUT_SAVED) => {
                transaction.open_table(META)?.insert("format", FORMAT)?;
                transaction.commit()?;
            }
            Some(FORMAT_WITHOUT_POSITIONS) => {
                make_realm_tables(&transaction)?;
                upgrade::number_everything(&transaction)?;
                transaction.open_table(META)?.insert("format", FORMAT)?;
                transaction.commit()?;
            }
            Some(found) => return Err(StoreError::UnknownFormat { found, expected: FORMAT }),
            None => {
                transaction.open_table(META)?.insert("format", FORMAT)?;
                // Made now, so that readers find them.
                transaction.open_table(SNAPSHOTS)?;
                transaction.open_table(LOG)?;
                transaction.open_table(OWNERS)?;
                make_realm_tables(&transaction)?;
                transaction.commit()?;
            }
        }
        Ok(Self { database })
    }
}

fn make_realm_tables(transaction: &WriteTransaction) -> Result<(), StoreError> {
    // A store without random numbers would be taken for another one: there is none.
    let log_id = getrandom::u64().expect("the operating system has random numbers");
    transaction.open_table(META)?.insert("log", log_id)?;
    transaction.open_table(ADMISSIONS)?;
    transaction.open_table(DIGESTS)?;
    transaction.open_table(ANSWERS)?;
    transaction.open_table(APPLIED)?;
    transaction.open_table(ACKNOWLEDGED)?;
    transaction.open_table(LOGS)?;
    Ok(())
}

impl Store for EmbeddedStore {
    fn commit(
        &self,
        writes: &[Write],
        log: &[LogEntry],
        stratum: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        for write in writes {
            apply(&transaction, write)?;
        }
        append(&transaction, log)?;
        if let Some(stratum) = stratum {
            held::note(&transaction, writes, log, stratum)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn load(&self, document: &str) -> Result<StoredDocument, StoreError> {
        let transaction = self.database.begin_read()?;
        let snapshots = transaction.open_table(SNAPSHOTS)?;
        let snapshot = snapshots.get(document)?.map(|bytes| bytes.value().to_vec());
        let mut stored = StoredDocument { snapshot, ..StoredDocument::default() };
        for entry in transaction.open_table(LOG)?.range((document, 0)..=(document, u64::MAX))? {
            stored.log.push(entry?.1.value().to_vec());
        }
        let owners = transaction.open_table(OWNERS)?;
        for entry in owners.range((document, 0)..=(document, u128::MAX))? {
            let (key, owner) = entry?;
            let replica = ReplicaId::from_u128(key.value().1);
            stored.owners.insert(replica, Owner::from_digest(owner.value()));
        }
        let answers = transaction.open_table(ANSWERS)?;
        for entry in answers.range((document, 0)..=(document, u64::MAX))? {
            let (place, answer) = entry?;
            let (key, request, replica, first, last) = answer.value();
            let events = DotRange::new(ReplicaId::from_u128(replica), first, last);
            stored.answers.push(Answer { ordinal: place.value().1, key, request, events });
        }
        Ok(stored)
    }

    fn realm(&self) -> Result<RealmState, StoreError> {
        let transaction = self.database.begin_read()?;
        let meta = transaction.open_table(META)?;
        let number = |name| Ok::<_, StoreError>(meta.get(name)?.map_or(0, |value| value.value()));
        let mut state = RealmState {
            log_id: number("log")?,
            head: number("head")?,
            forgotten: number("forgotten")?,
            held_since: meta.get("held")?.map(|value| value.value()),
            ..RealmState::default()
        };
        if state.held_since.is_some() {
            let table = transaction.open_table(held::STABILITY)?;
            state.stability = table.get("state")?.map(|bytes| bytes.value().to_vec());
        }
        let mut applied = Cut::new();
        for entry in transaction.open_table(APPLIED)?.iter()? {
            let (slot, position) = entry?;
            applied.observe(Slot(slot.value()), position.value());
        }
        state.applied = applied;
        for entry in transaction.open_table(ACKNOWLEDGED)?.iter()? {
            let (slot, position) = entry?;
            state.acknowledged.insert(Slot(slot.value()), position.value());
        }
        for entry in transaction.open_table(LOGS)?.iter()? {
            let (slot, log) = entry?;
            state.logs.insert(Slot(slot.value()), log.value());
        }
        Ok(state)
    }

    fn note(&self, note: &RealmNote) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        {
            let mut applied = transaction.open_table(APPLIED)?;
            applied.retain(|slot, _| note.applied.get(Slot(slot)) > 0)?;
            for (slot, position) in &note.applied {
                applied.insert(slot.0, position)?;
            }
            let mut acknowledged = transaction.open_table(ACKNOWLEDGED)?;
            acknowledged.retain(|slot, _| note.acknowledged.contains_key(&Slot(slot)))?;
            for (slot, position) in &note.acknowledged {
                acknowledged.insert(slot.0, position)?;
            }
            let mut logs = transaction.open_table(LOGS)?;
            logs.retain(|slot, _| note.logs.contains_key(&Slot(slot)))?;
            for (slot, log) in &note.logs {
                logs.insert(slot.0, log)?;
            }
            let mut meta = transaction.open_table(META)?;
            let mut log = transaction.open_table(ADMISSIONS)?;
            let mut forgotten = None;
            for entry in log.extract_from_if(..=note.forget, |_, _| true)?.take(FORGOTTEN_AT_ONCE) {
                forgotten = Some(entry?.0.value());
            }
            if let Some(forgotten) = forgotten {
                meta.insert("forgotten", forgotten)?;
            }
            if let Some(stability) = &note.stability {
                transaction.open_table(held::STABILITY)?.insert("state", stability.as_slice())?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn admissions(&self, after: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
        let transaction = self.database.begin_read()?;
        let log = transaction.open_table(ADMISSIONS)?;
        let mut entries = Vec::new();
        for entry in log.range(after.saturating_add(1)..)?.take(max) {
            let value = entry?.1;
            let (position, document, replica, first, last, from, admitted_at) = value.value();
            let from = from.checked_sub(1).and_then(|slot| u16::try_from(slot).ok()).map(Slot);
            let range = DotRange::new(ReplicaId::from_u128(replica), first, last);
            let document = std::str::from_utf8(document)
                .map_err(|_| redb::Error::Corrupted("a document's name in the log".to_owned()))?
                .into();
            entries.push(LogEntry { first: position, document, range, from, admitted_at });
        }
        Ok(entries)
    }

    fn documents(
        &self,
        after: &str,
        max: usize,
    ) -> Result<Vec<(Arc<str>, VersionDigest)>, StoreError> {
        use std::ops::Bound::{Excluded, Unbounded};
        let transaction = self.database.begin_read()?;
        let digests = transaction.open_table(DIGESTS)?;
        let mut documents = Vec::new();
        for entry in digests.range::<&str>((Excluded(after), Unbounded))?.take(max) {
            let (name, digest) = entry?;
            documents.push((name.value().into(), VersionDigest::from_bytes(digest.value())));
        }
        Ok(documents)
    }

    fn digest(&self, document: &str) -> Result<Option<VersionDigest>, StoreError> {
        let transaction = self.database.begin_read()?;
        let found = transaction.open_table(DIGESTS)?.get(document)?;
        Ok(found.map(|digest| VersionDigest::from_bytes(digest.value())))
    }

    fn keep_held(&self, keep: bool) -> Result<(), StoreError> {
        let since = self.realm()?.held_since;
        if keep == since.is_some() {
            return Ok(());
        }
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        {
            let mut meta = transaction.open_table(META)?;
            let head = meta.get("head")?.map_or(0, |head| head.value());
            let mut documents = Vec::new();
            for entry in transaction.open_table(DIGESTS)?.iter()? {
                documents.push(entry?.0.value().to_owned());
            }
            match held::keep(&transaction, keep, since, head, documents)? {
                Some(since) => drop(meta.insert("held", since)?),
                None => drop(meta.remove("held")?),
            }
        }
        transaction.commit()?;
        Ok(())
    }

    fn held(&self, document: &str) -> Result<Vec<Held>, StoreError> {
        held::read(&self.database.begin_read()?.open_table(held::HELD)?, document)
    }

    fn older_documents(
        &self,
        after: &str,
        position: u64,
        max: usize,
    ) -> Result<Vec<Arc<str>>, StoreError> {
        held::older(&self.database.begin_read()?.open_table(held::HELD)?, after, position, max)
    }
}

/// Appends to the admission log.
pub(super) fn append(transaction: &WriteTransaction, log: &[LogEntry]) -> Result<(), StoreError> {
    let Some(head) = log.last().map(LogEntry::last) else { return Ok(()) };
    let mut admissions = transaction.open_table(ADMISSIONS)?;
    for entry in log {
        let LogEntry { first, range, admitted_at, .. } = entry;
        let from = entry.from.map_or(0, |slot| u32::from(slot.0) + 1);
        let replica = range.replica.as_u128();
        let value = (
            *first,
            entry.document.as_bytes(),
            replica,
            range.first,
            range.last,
            from,
            *admitted_at,
        );
        admissions.insert(entry.last(), value)?;
    }
    transaction.open_table(META)?.insert("head", head)?;
    Ok(())
}

/// Sets the digest of a document.
pub(super) fn set_digest(
    transaction: &WriteTransaction,
    document: &str,
    digest: VersionDigest,
) -> Result<(), StoreError> {
    transaction.open_table(DIGESTS)?.insert(document, digest.to_bytes())?;
    Ok(())
}

fn apply(transaction: &WriteTransaction, write: &Write) -> Result<(), StoreError> {
    let document = &*write.document;
    let mut log = transaction.open_table(LOG)?;
    match &write.content {
        Content::Changes(bundle) => {
            let last = log.range((document, 0)..=(document, u64::MAX))?.next_back().transpose()?;
            let position = last.map_or(0, |(key, _)| key.value().1 + 1);
            log.insert((document, position), bundle.as_slice())?;
        }
        Content::Snapshot(bytes) => {
            transaction.open_table(SNAPSHOTS)?.insert(document, bytes.as_slice())?;
            log.retain_in((document, 0)..=(document, u64::MAX), |_, _| false)?;
        }
        Content::Unchanged => {}
    }
    if let Some(trim) = &write.trim {
        held::trim(transaction, document, trim)?;
        let mut owners = transaction.open_table(OWNERS)?;
        for replica in &trim.forgotten {
            owners.remove((document, replica.as_u128()))?;
        }
    }
    if !write.owners.is_empty() {
        let mut owners = transaction.open_table(OWNERS)?;
        for (replica, owner) in &write.owners {
            owners.insert((document, replica.as_u128()), owner.digest())?;
        }
    }
    if !write.answers.is_empty() {
        let mut answers = transaction.open_table(ANSWERS)?;
        for Answer { ordinal, key, request, events } in &write.answers {
            let replica = events.replica.as_u128();
            answers.insert(
                (document, *ordinal),
                (*key, *request, replica, events.first, events.last),
            )?;
        }
        answers.retain_in((document, 0)..(document, write.answers_from), |_, _| false)?;
    }
    set_digest(transaction, document, write.digest)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    // Windows cannot open a folder as a file, and makes names durable by itself.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
