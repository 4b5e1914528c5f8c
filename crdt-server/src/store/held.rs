//! Since when a document's events are held, roughly: what a server needs to know to tell what
//! of a document is old.
//!
//! Time is cut into *strata*, each named by the last position that was given out before it began.
//! For each document, stratum and writer there is a row with the first event that came in it.
//! What has no row is older than all that have one. Beside them there is a row for each writer that
//! has been here lately, with the time, and for each that is never forgotten. Rows go when all of their events have been
//! trimmed; so the table is as long as what was written lately, whatever there was before.

use std::sync::Arc;

use crdt_core::{ReplicaId, VersionVector};
use redb::{ReadableTable, TableDefinition, WriteTransaction};

use super::{LogEntry, Renewal, StoreError, Trim, Write};

/// (Document, stratum, replica id as a number) → the first event, and the position of the last.
pub(super) const HELD: TableDefinition<'_, (&str, u64, u128), (u64, u64)> =
    TableDefinition::new("held");

/// What is to be kept of the server's part in trimming, under `state`.
pub(super) const STABILITY: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("stability");

/// In place of a stratum: the writer is never forgotten.
pub(crate) const PERMANENT: u64 = u64::MAX;

/// In place of a stratum: the writer was here at the time that stands for the position.
pub(crate) const RENEWED: u64 = u64::MAX - 1;

/// The writer of the row that stands for everything that came before there were rows.
const EARLIER: u128 = 0;

/// What came of a writer to a document in one stratum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The last position that was given out before the stratum began. The two greatest numbers
    /// stand for a writer that is never forgotten, and for one that was here.
    pub stratum: u64,
    /// The writer.
    pub replica: ReplicaId,
    /// The first of its events that came in the stratum.
    pub first: u64,
    /// The position of the last that came in the stratum; of a writer that was here the time.
    pub position: u64,
}

impl Held {
    const fn is_of_events(&self) -> bool {
        self.stratum < RENEWED
    }
}

/// Which of the events in `version` were here when a stratum began. `held` are the document's rows,
/// read after everything in `version` was durable.
pub(crate) fn before_stratum(
    held: &[Held],
    version: &VersionVector,
    stratum: u64,
) -> VersionVector {
    cut(version, held.iter().filter(|row| row.stratum >= stratum))
}

/// Of the events in `version` some that have no position beyond `position`: all but those in
/// strata that go on beyond it.
pub(crate) fn up_to(held: &[Held], version: &VersionVector, position: u64) -> VersionVector {
    cut(version, held.iter().filter(|row| row.position > position))
}

fn cut<'a>(version: &VersionVector, later: impl Iterator<Item = &'a Held>) -> VersionVector {
    let mut before = version.clone();
    for row in later.filter(|row| row.is_of_events()) {
        let last = before.get(row.replica).min(row.first.saturating_sub(1));
        before.set(row.replica, last);
    }
    before
}

pub(super) fn read(
    table: &impl ReadableTable<(&'static str, u64, u128), (u64, u64)>,
    document: &str,
) -> Result<Vec<Held>, StoreError> {
    let mut held = Vec::new();
    for entry in table.range((document, 0, 0)..=(document, u64::MAX, u128::MAX))? {
        let (key, value) = entry?;
        let (_, stratum, replica) = key.value();
        let (first, position) = value.value();
        if replica != EARLIER {
            let replica = ReplicaId::from_u128(replica);
            held.push(Held { stratum, replica, first, position });
        }
    }
    Ok(held)
}

/// The documents after `after` that have a row with nothing beyond `position`, in the order of their
/// names.
pub(super) fn older(
    table: &impl ReadableTable<(&'static str, u64, u128), (u64, u64)>,
    after: &str,
    position: u64,
    max: usize,
) -> Result<Vec<Arc<str>>, StoreError> {
    let mut documents: Vec<Arc<str>> = Vec::new();
    for entry in table.range((after, u64::MAX, u128::MAX)..)? {
        let (key, value) = entry?;
        let (document, stratum, _) = key.value();
        if document == after || stratum >= RENEWED || value.value().1 > position {
            continue;
        }
        if documents.last().is_none_or(|last| **last != *document) {
            if documents.len() >= max {
                break;
            }
            documents.push(document.into());
        }
    }
    Ok(documents)
}

/// Notes in which stratum events came, and that writers were here.
pub(super) fn note(
    transaction: &WriteTransaction,
    writes: &[Write],
    log: &[LogEntry],
    stratum: u64,
) -> Result<(), StoreError> {
    let mut table = transaction.open_table(HELD)?;
    for entry in log {
        let key = (&*entry.document, stratum, entry.range.replica.as_u128());
        let first = table.get(key)?.map_or(entry.range.first, |row| row.value().0);
        table.insert(key, (first.min(entry.range.first), entry.last()))?;
    }
    for write in writes {
        for Renewal { replica, at } in &write.renewals {
            table.insert((&*write.document, RENEWED, replica.as_u128()), (0, *at))?;
        }
    }
    Ok(())
}

/// Forgets the rows of what was trimmed.
pub(super) fn trim(
    transaction: &WriteTransaction,
    document: &str,
    trim: &Trim,
) -> Result<(), StoreError> {
    let mut table = transaction.open_table(HELD)?;
    let rows = (document, 0, 0)..(document, RENEWED, 0);
    table.retain_in(rows, |_, (_, position)| position > trim.position)?;
    let renewed = (document, RENEWED, 0)..(document, PERMANENT, 0);
    table.retain_in(renewed, |_, (_, at)| at > trim.renewed_after)?;
    for replica in &trim.authors {
        table.insert((document, PERMANENT, replica.as_u128()), (0, u64::MAX))?;
    }
    Ok(())
}

/// Begins to keep rows, with one for each document that is there, or ends it. Returns the position
/// that everything has that came before the first row.
pub(super) fn keep(
    transaction: &WriteTransaction,
    keep: bool,
    since: Option<u64>,
    head: u64,
    documents: Vec<String>,
) -> Result<Option<u64>, StoreError> {
    if !keep {
        transaction.delete_table(HELD)?;
        transaction.delete_table(STABILITY)?;
    }
    let mut table = transaction.open_table(HELD)?;
    transaction.open_table(STABILITY)?;
    if !keep {
        return Ok(None);
    }
    if since.is_none() {
        for document in documents {
            table.insert((&*document, 0, EARLIER), (0, head))?;
        }
    }
    Ok(Some(since.unwrap_or(head)))
}
