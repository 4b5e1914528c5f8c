use core::fmt;

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::causality::ChangeRun;
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};
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
    pub(super) past: Past<'a>,
}

/// What new events have to have seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Past<'a> {
    /// Whoever brings them has seen to it.
    Any,
    /// All of this.
    After(&'a Frontier),
    /// It cannot be said yet: the server is behind the others.
    Unknown,
}

/// Why changes were not admitted.
#[derive(Debug)]
pub(super) enum NotAdmitted {
    /// The document, or the claims, did not allow it.
    Import(ImportError),
    /// The writer was silent for so long that it was forgotten. What it has written now it may
    /// write again, under a new id.
    Retired(ReplicaId),
    /// Later they may be.
    CatchingUp,
}

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
        let Self { document, claims, member, is_peer, past } = self;
        let admit = &mut |run: &ChangeRun| *is_peer || claims.holds(*member, run.replica);
        let imported = match past {
            Past::Any => document.import_changes_if(body, tables, admit),
            Past::After(floor) => document.import_changes_after(floor, body, tables, admit),
            Past::Unknown => return Err(NotAdmitted::CatchingUp),
        };
        imported.map_err(|error| match retired(document, &error) {
            Some(replica) => NotAdmitted::Retired(replica),
            None => NotAdmitted::Import(error),
        })
    }

    fn refusal(error: &NotAdmitted) -> Refusal {
        match error {
            NotAdmitted::Import(error) => <Document as ChangeLog>::refusal(error),
            NotAdmitted::Retired(_) => Refusal::Trimmed,
            NotAdmitted::CatchingUp => Refusal::Overloaded,
        }
    }
}

/// Whose events are missing from the first on, where writers were forgotten: a session sends all
/// that the other side lacks, so that these were here once.
fn retired(document: &Document, error: &ImportError) -> Option<ReplicaId> {
    let ImportError::Missing(ranges) = error else { return None };
    document.base()?;
    let first = ranges.iter().find(|range| range.first == 1)?;
    (document.version().get(first.replica) == 0).then_some(first.replica)
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import(error) => error.fmt(f),
            Self::Retired(replica) => {
                write!(f, "replica {replica} was silent for so long that it was forgotten")
            }
            Self::CatchingUp => f.write_str("the server is catching up with the others"),
        }
    }
}

impl core::error::Error for NotAdmitted {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Import(error) => Some(error),
            Self::Retired(_) | Self::CatchingUp => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{Link, Outbound};

    /// What a session asks a log.
    #[derive(Debug, PartialEq)]
    struct Answers {
        genesis: [u8; 16],
        version: VersionVector,
        frontier: Frontier,
        frontier_of: Option<Frontier>,
        knows: bool,
        version_of: Option<VersionVector>,
        closed: VersionVector,
        serves: bool,
        chain: Option<ChainHash>,
        follows: Vec<Dot>,
        encoded: (Vec<DotRange>, Vec<u8>),
    }

    fn ask<L: ChangeLog>(log: &L, past: &VersionVector, dot: Dot) -> Answers {
        let alone = VersionVector::from_iter([(dot.replica, dot.seq)]);
        let (mut tables, mut body) = (SendTables::new(), Writer::new());
        let ranges = log.encode_changes(past, log.version(), 1 << 16, &mut tables, &mut body);
        Answers {
            genesis: log.genesis(),
            version: log.version().clone(),
            frontier: log.frontier(),
            frontier_of: log.frontier_of(past),
            knows: log.knows(&Frontier::from_iter([dot])),
            version_of: log.version_of(&Frontier::from_iter([dot])),
            closed: log.closed(alone.clone()),
            serves: log.serves(&VersionVector::from_iter([(ReplicaId::from_u128(99), 1)])),
            chain: log.chain(dot),
            follows: log.follows(&ranges),
            encoded: (ranges, body.into_bytes()),
        }
    }

    /// In each answer the wrapper says what the document does, and that is more than a log could
    /// say that knows nothing of hashes and of trimmed history.
    #[test]
    fn whatever_a_session_asks_the_document_answers() {
        let [ann, bob] = [1, 2].map(ReplicaId::from_u128);
        let mut document = Document::new(ann);
        let type_in = |document: &mut Document, text: &str| {
            document.transact(|tx| tx.text("body").push(text).map(drop)).expect("in bounds");
        };
        type_in(&mut document, "one");
        let past = document.version().clone();
        document.set_replica(bob).expect("no transaction");
        type_in(&mut document, "two");
        let dot = Dot::new(bob, 3);
        for trims in [false, true] {
            if trims {
                let stable = document.version().clone();
                type_in(&mut document, "three");
                document.trim(&stable, |_| false).expect("no transaction").expect("some");
            }
            let expected = ask(&document, &past, dot);
            assert_eq!(expected.serves, !trims);
            assert!(expected.knows && !expected.encoded.1.is_empty());
            if !trims {
                assert!(expected.frontier_of.is_some() && expected.chain.is_some());
                assert!(expected.closed.get(ann) > 0, "what happened before bob's");
                assert!(!expected.follows.is_empty());
            }
            let claims = Claims::default();
            let member = Link::new(0, Outbound::new(1, <_>::default()).0).member;
            let admission = Admission {
                document: &mut document,
                claims: &claims,
                member,
                is_peer: false,
                past: Past::Any,
            };
            assert_eq!(ask(&admission, &past, dot), expected);
        }
    }
}
