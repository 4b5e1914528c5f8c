use std::fs::{self, File};
use std::path::Path;

use redb::{
    Builder, Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, WriteTransaction,
};

use super::{Content, Store, StoreError, StoredDocument, Write};
use crate::auth::Owner;
use crdt_core::ReplicaId;

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
const FORMAT: u64 = 1;

/// The name of the file in the data folder.
const FILE_NAME: &str = "store.redb";

/// What redb may keep in memory. Documents in use live in their rooms, so that the store is
/// read once per room.
const CACHE_BYTES: usize = 32 << 20;

/// One entry, `format`.
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Document → encoded document.
const SNAPSHOTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("snapshots");

/// (Document, position) → bundle of changes. Positions ascend within a document.
const LOG: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("log");

/// (Document, replica id as a number) → digest of the owner's token.
const OWNERS: TableDefinition<'_, (&str, u128), [u8; Owner::LEN]> = TableDefinition::new("owners");

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
            Some(found) => return Err(StoreError::UnknownFormat { found, expected: FORMAT }),
            None => {
                transaction.open_table(META)?.insert("format", FORMAT)?;
                // Made now, so that readers find them.
                transaction.open_table(SNAPSHOTS)?;
                transaction.open_table(LOG)?;
                transaction.open_table(OWNERS)?;
                transaction.commit()?;
            }
        }
        Ok(Self { database })
    }
}

impl Store for EmbeddedStore {
    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        for write in writes {
            apply(&transaction, write)?;
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
        Ok(stored)
    }
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
    }
    if !write.owners.is_empty() {
        let mut owners = transaction.open_table(OWNERS)?;
        for (replica, owner) in &write.owners {
            owners.insert((document, replica.as_u128()), owner.digest())?;
        }
    }
    Ok(())
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
