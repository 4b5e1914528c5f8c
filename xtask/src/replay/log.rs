//! What a writer holds: a document, and what has come for it and waits unmerged.

use std::collections::BTreeSet;

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};
use crdt_document::{ChangeSet, Document, ImportError};

use crate::failure::{Failure, Outcome};

/// Where the text of a trace is kept in the document.
pub(super) const TEXT: &str = "text";

/// A log whose sync session takes everything in, and whose document merges only what it is
/// told to.
pub(super) struct HeldBack {
    document: Document,
    held: Held,
    inbox: ChangeSet,
}

/// What the document and the inbox hold together.
#[derive(Default)]
struct Held {
    version: VersionVector,
    frontier: BTreeSet<Dot>,
}

impl Held {
    /// Notes changes that come after all that they follow, and are not held yet.
    fn note(&mut self, changes: &ChangeSet) {
        for run in changes.headers() {
            for parent in &run.parents {
                self.frontier.remove(parent);
            }
            if let Some(own) = run.first().previous() {
                self.frontier.remove(&own);
            }
            self.frontier.insert(run.last());
            self.version.observe(run.replica, run.last().seq);
        }
    }
}

impl HeldBack {
    pub(super) fn new(replica: ReplicaId) -> Self {
        Self {
            document: Document::new(replica),
            held: Held::default(),
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
        let changes = self.document.changes_since(&self.held.version);
        let changes = self.document.decode_changes(&changes).map_err(|error| {
            Failure::new(format!("the document cannot read its own changes: {error}"))
        })?;
        self.held.note(&changes.split_at(&self.held.version).1);
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

impl ChangeLog for HeldBack {
    type Error = ImportError;

    fn genesis(&self) -> [u8; 16] {
        ChangeLog::genesis(&self.document)
    }

    fn version(&self) -> &VersionVector {
        &self.held.version
    }

    fn frontier(&self) -> Frontier {
        self.held.frontier.iter().copied().collect()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        (version == self.version()).then(|| self.frontier())
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        frontier.iter().all(|dot| self.version().contains(dot))
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        if *frontier == self.frontier() {
            return Some(self.held.version.clone());
        }
        // What waits in the inbox is not in order yet; the peer's vector tells as well.
        self.document.version_of(frontier)
    }

    fn closed(&self, claimed: VersionVector) -> VersionVector {
        self.document.closed(claimed)
    }

    fn serves(&self, known: &VersionVector) -> bool {
        self.document.serves(known)
    }

    // Of what waits in the inbox nothing is known, and the peer compares nothing then.
    fn chain(&self, dot: Dot) -> Option<ChainHash> {
        self.document.chain(dot)
    }

    fn follows(&self, ranges: &[DotRange]) -> Vec<Dot> {
        self.document.follows(ranges)
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
        let (_, fresh) = changes.split_at(&self.held.version);
        self.held.note(&fresh);
        self.inbox.append(fresh);
        Ok(covered)
    }

    fn refusal(error: &ImportError) -> Refusal {
        <Document as ChangeLog>::refusal(error)
    }
}
