use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use crdt_causal::sync::ReceiveTables;
use crdt_core::VersionVector;
use crdt_core::causality::ChangeRun;
use crdt_core::codec::{DecodeError, Reader};

use crate::base::BaseBytes;
use crate::codec::body::Body;

/// Changes that were read and not applied yet: checked as far as the bytes tell, with runs
/// kept as runs.
///
/// Its headers say who issued what, so that a server can decide about a set before anything
/// of it takes effect; and a set can be held, cut and put together while what it builds on
/// is still missing. [`Document::apply`](crate::Document::apply) takes it in.
///
/// ```
/// use crdt_document::{Document, ReplicaId};
///
/// let mut doc = Document::new(ReplicaId::from_u128(1));
/// doc.transact(|tx| tx.text("body").insert(0, "hi").map(drop))?;
///
/// let mut peer = Document::reader();
/// let changes = peer.decode_changes(&doc.encode())?;
/// assert!(changes.headers().all(|run| run.replica == ReplicaId::from_u128(1)));
/// peer.apply(changes)?;
/// assert_eq!(peer.text("body"), "hi");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ChangeSet {
    parts: Vec<Part>,
}

/// Changes of one body.
#[derive(Clone, Debug)]
struct Part {
    body: Arc<Body>,
    chosen: Vec<Chosen>,
}

/// `count` changes of a row, after the first `skip`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chosen {
    pub(crate) row: u32,
    pub(crate) skip: u32,
    pub(crate) count: u32,
}

impl ChangeSet {
    /// Reads the changes that one side of a connection has encoded for the other.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes.
    pub fn read(input: &mut Reader<'_>, tables: &mut ReceiveTables) -> Result<Self, DecodeError> {
        Body::read(input, tables).map(Self::whole)
    }

    pub(crate) fn whole(body: Body) -> Self {
        let rows = body.rows().max(1);
        Self::pieces(body, rows).next().unwrap_or_default()
    }

    /// All changes of a body, at most `rows_max` rows in each set.
    pub(crate) fn pieces(body: Body, rows_max: u32) -> impl Iterator<Item = Self> {
        // A body without rows can have a base.
        let (rows, body) = (body.rows(), Arc::new(body));
        let count = rows.max(u32::from(body.base().is_some()));
        (0..count).step_by(rows_max as usize).map(move |first| {
            let rows = first..rows.min(first.saturating_add(rows_max));
            let chosen =
                rows.map(|row| Chosen { row, skip: 0, count: body.changes(row) }).collect();
            Self { parts: vec![Part { body: body.clone(), chosen }] }
        })
    }

    /// Whether there are no changes, and no base that they could follow.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.chosen.is_empty()) && self.base().is_none()
    }

    /// What the changes follow, if they come from a document whose history was trimmed and the
    /// set brings that with it.
    pub(crate) fn base(&self) -> Option<&BaseBytes> {
        self.parts.iter().find_map(|part| part.body.base())
    }

    /// What the changes are called and what they follow.
    pub fn headers(&self) -> impl Iterator<Item = ChangeRun> + '_ {
        self.runs().map(|(body, chosen)| body.header(chosen.row, chosen.skip, chosen.count))
    }

    /// Divides the set into the changes that a version covers and the rest.
    #[must_use]
    pub fn split_at(self, upto: &VersionVector) -> (Self, Self) {
        let (mut covered, mut rest) = (Self::default(), Self::default());
        for Part { body, chosen } in self.parts {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            for Chosen { row, skip, count } in chosen {
                let run = body.header(row, skip, count);
                let events = (upto.get(run.replica) + 1).saturating_sub(run.seq);
                let changes = (events / u64::from(run.change_len)).min(u64::from(count)) as u32;
                if changes > 0 {
                    first.push(Chosen { row, skip, count: changes });
                }
                if changes < count {
                    second.push(Chosen { row, skip: skip + changes, count: count - changes });
                }
            }
            covered.push(Part { body: body.clone(), chosen: first });
            rest.push(Part { body, chosen: second });
        }
        (covered, rest)
    }

    /// Takes in the changes of another set. It does no harm if some are in both.
    pub fn append(&mut self, other: Self) {
        self.parts.extend(other.parts);
    }

    fn push(&mut self, part: Part) {
        if !part.chosen.is_empty() {
            self.parts.push(part);
        }
    }

    pub(crate) fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.parts.iter().map(|part| &*part.body)
    }

    fn runs(&self) -> impl Iterator<Item = (&Body, Chosen)> {
        self.parts.iter().flat_map(|part| part.chosen.iter().map(|&chosen| (&*part.body, chosen)))
    }

    /// Each run of changes with the number of its body.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, Chosen)> {
        let parts = self.parts.iter().enumerate();
        parts.flat_map(|(number, part)| part.chosen.iter().map(move |&chosen| (number, chosen)))
    }
}
