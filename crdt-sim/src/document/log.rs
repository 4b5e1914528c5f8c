//! The document as a session sees it, and someone who watches what is imported.

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, VersionVector};
use crdt_document::{Document, ImportError};

/// Passes everything on to the document, and notes what each import covers.
pub(super) struct Observed<'a> {
    pub(super) doc: &'a mut Document,
    /// What every change has to have seen.
    pub(super) floor: Frontier,
    pub(super) applied: Vec<Vec<DotRange>>,
}

impl ChangeLog for Observed<'_> {
    type Error = ImportError;

    fn genesis(&self) -> [u8; 16] {
        ChangeLog::genesis(&*self.doc)
    }

    fn version(&self) -> &VersionVector {
        self.doc.version()
    }

    fn frontier(&self) -> Frontier {
        self.doc.frontier()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        self.doc.frontier_of(version)
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        ChangeLog::version_of(&*self.doc, frontier)
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        self.doc.knows(frontier)
    }

    fn closed(&self, claimed: VersionVector) -> VersionVector {
        self.doc.closed(claimed)
    }

    fn serves(&self, known: &VersionVector) -> bool {
        self.doc.serves(known)
    }

    fn chain(&self, dot: Dot) -> Option<ChainHash> {
        self.doc.chain(dot)
    }

    fn follows(&self, ranges: &[DotRange]) -> Vec<Dot> {
        self.doc.follows(ranges)
    }

    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        body: &mut Writer,
    ) -> Vec<DotRange> {
        self.doc.encode_changes(known, upto, bytes_max, tables, body)
    }

    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, ImportError> {
        let covered = if self.floor.is_empty() {
            self.doc.import_changes(body, tables)?
        } else {
            self.doc.import_changes_after(&self.floor, body, tables, &mut |_| true)?
        };
        self.applied.push(covered.clone());
        Ok(covered)
    }

    fn refusal(error: &ImportError) -> Refusal {
        Document::refusal(error)
    }
}
