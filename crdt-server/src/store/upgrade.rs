use redb::{ReadableTable, WriteTransaction};
use tracing::warn;

use super::embedded::{LOG, SNAPSHOTS, append, set_digest};
use super::{LogEntry, StoreError, StoredDocument, VersionDigest};
use crate::room::rebuild;
use crate::store::writer::unix_ms;
use crdt_core::{DotRange, VersionVector};

/// Gives positions to what a store without an admission log holds, so that other servers are told
/// of it: all in the transaction of the upgrade, by document and replica.
///
/// A document that cannot be rebuilt is left out, as it cannot be served either.
pub(super) fn number_everything(transaction: &WriteTransaction) -> Result<(), StoreError> {
    let mut next = 1;
    for (name, stored) in everything(transaction)? {
        let document = match rebuild(&stored) {
            Ok(document) => document,
            Err(error) => {
                warn!(document = name, %error, "cannot be rebuilt, and gets no positions");
                continue;
            }
        };
        set_digest(transaction, &name, VersionDigest::of(document.version()))?;
        let ranges: Vec<DotRange> =
            document.version().missing_from(&VersionVector::new()).collect();
        let mut entries = Vec::with_capacity(ranges.len());
        for range in ranges {
            let entry = LogEntry {
                first: next,
                document: name.as_str().into(),
                range,
                from: None,
                admitted_at: unix_ms(),
            };
            next = entry.last() + 1;
            entries.push(entry);
        }
        append(transaction, &entries)?;
    }
    Ok(())
}

/// The names of all documents, and what is stored of each.
fn everything(transaction: &WriteTransaction) -> Result<Vec<(String, StoredDocument)>, StoreError> {
    let mut documents = std::collections::BTreeMap::<String, StoredDocument>::new();
    for entry in transaction.open_table(SNAPSHOTS)?.iter()? {
        let (name, bytes) = entry?;
        let stored = documents.entry(name.value().to_owned()).or_default();
        stored.snapshot = Some(bytes.value().to_vec());
    }
    for entry in transaction.open_table(LOG)?.iter()? {
        let (place, bytes) = entry?;
        let stored = documents.entry(place.value().0.to_owned()).or_default();
        stored.log.push(bytes.value().to_vec());
    }
    Ok(documents.into_iter().collect())
}
