//! What a writer holds: a document, and what has come for it and waits unmerged.

use crdt_causal::sync::{ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::codec::{Reader, Writer};
use crdt_core::{DotRange, EventGraph, Frontier, ReplicaId, VersionVector};
use crdt_document::{ChangeSet, Document, ImportError};

use crate::failure::{Failure, Outcome};

/// Where the text of a trace is kept in the document.
pub(super) const TEXT: &str = "text";

/// A log whose sync session takes everything in, and whose document merges only what it is
/// told to.
pub(super) struct HeldBack {
    document: Document,
    /// What the document and the inbox hold together.
    held: EventGraph,
    inbox: ChangeSet,
}

impl HeldBack {
    pub(super) fn new(replica: ReplicaId) -> Self {
        Self {
            document: Document::new(replica),
            held: EventGraph::new(),
            inbox: ChangeSet::default(),
        }
    }

    pub(super) fn document(&self) -> &Document {
        &self.document
    }

    pub(super) fn into_document(self) -> Document {
        self.document
    }

    /// Makes one transaction; returns the replica's last sequence number after it.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut Document) -> Outcome) -> Outcome<u64> {
        edit(&mut self.document)?;
        let changes = self.document.changes_since(self.held.version());
        let changes = self.document.decode_changes(&changes).map_err(|error| {
            Failure::new(format!("the document cannot read its own changes: {error}"))
        })?;
        hold(&mut self.held, &changes);
        let replica = self.document.replica().expect("a writer has a replica id");
        Ok(self.document.version().get(replica))
    }

    /// Merges, in one batch, what of the inbox `version` covers; whether there was any.
    pub(super) fn merge(&mut self, version: &VersionVector) -> Outcome<bool> {
        if self.document.version().dominates(version) {
            return Ok(false);
        }
        let (wanted, rest) = std::mem::take(&mut self.inbox).split_at(version);
        self.inbox = rest;
        self.document
            .apply(wanted)
            .map_err(|error| Failure::new(format!("a received change does not apply: {error}")))?;
        Ok(true)
    }
}

/// Notes the changes that are not held yet.
fn hold(held: &mut EventGraph, changes: &ChangeSet) {
    let (_, fresh) = changes.clone().split_at(held.version());
    for run in fresh.headers() {
        let parents =
            held.full_parents(run.replica, &run.parents).expect("changes come after their parents");
        held.push(run.replica, run.change_len, run.count, &parents).expect("a trace is small");
    }
}

impl ChangeLog for HeldBack {
    type Error = ImportError;

    fn genesis(&self) -> [u8; 16] {
        ChangeLog::genesis(&self.document)
    }

    fn version(&self) -> &VersionVector {
        self.held.version()
    }

    fn frontier(&self) -> Frontier {
        self.held.frontier_dots()
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        let lvs = self.held.local(frontier).ok()?;
        Some(self.held.version_vector(&lvs))
    }

    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        body: &mut Writer,
    ) -> Vec<DotRange> {
        // What waits in the inbox came from the server, which needs none of it.
        let mut merged = upto.clone();
        merged.meet(self.document.version());
        self.document.encode_changes(known, &merged, bytes_max, tables, body)
    }

    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, ImportError> {
        let changes = ChangeSet::read(body, tables).map_err(ImportError::from)?;
        let covered = changes
            .headers()
            .map(|run| DotRange::new(run.replica, run.seq, run.last().seq))
            .collect();
        let (_, fresh) = changes.split_at(self.held.version());
        hold(&mut self.held, &fresh);
        self.inbox.append(fresh);
        Ok(covered)
    }

    fn refusal(error: &ImportError) -> Refusal {
        <Document as ChangeLog>::refusal(error)
    }
}
