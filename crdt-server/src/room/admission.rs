use core::fmt;

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::causality::ChangeRun;
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, VersionVector};
use crdt_document::{Document, ImportError};

use super::claims::Claims;
use crate::outbound::MemberId;

/// The room's document, as the session of one member sees it: it reads like the document,
/// and takes in new events only of replicas that the member has claimed; of another server, all.
pub(super) struct Admission<'a> {
    pub(super) document: &'a mut Document,
    pub(super) claims: &'a Claims,
    pub(super) member: MemberId,
    pub(super) is_peer: bool,
}

/// Why changes were not admitted.
#[derive(Debug)]
pub(super) struct NotAdmitted(ImportError);

impl ChangeLog for Admission<'_> {
    type Error = NotAdmitted;

    fn genesis(&self) -> [u8; 16] {
        ChangeLog::genesis(self.document)
    }

    fn version(&self) -> &VersionVector {
        self.document.version()
    }

    fn frontier(&self) -> Frontier {
        self.document.frontier()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        self.document.frontier_of(version)
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        self.document.knows(frontier)
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        self.document.version_of(frontier)
    }

    fn closed(&self, claimed: VersionVector) -> VersionVector {
        self.document.closed(claimed)
    }

    fn serves(&self, known: &VersionVector) -> bool {
        self.document.serves(known)
    }

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
        self.document.encode_changes(known, upto, bytes_max, tables, body)
    }

    fn import_changes(
        &mut self,
        body: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, NotAdmitted> {
        let Self { document, claims, member, is_peer } = self;
        let admit = |run: &ChangeRun| *is_peer || claims.holds(*member, run.replica);
        document.import_changes_if(body, tables, &mut { admit }).map_err(NotAdmitted)
    }

    fn refusal(error: &NotAdmitted) -> Refusal {
        match &error.0 {
            ImportError::NotAdmitted { replica } => Refusal::ForeignReplica { replica: *replica },
            error => <Document as ChangeLog>::refusal(error),
        }
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for NotAdmitted {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0)
    }
}
