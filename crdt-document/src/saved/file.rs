//! The parts of a saved document.
//!
//! ```text
//! "CRDs" version genesis │ writers │ snapshot, LZ4 │ history, deflate │ checksum
//! ```
//!
//! The writers stand in ascending order in two columns of entries of one length, so that one of
//! them is found where they are, however many there are; the history calls them by their places.

use alloc::vec::Vec;
use core::ops::Range;

use crdt_causal::sync::{ReceiveTables, SendTables};
use crdt_core::codec::{
    DecodeError, DecodeErrorKind, Lengths, Packing, Reader, ReceiveTable, SendTable, Writer, open,
    pack, seal,
};
use crdt_core::{ReplicaId, VersionVector};

use super::snapshot;
use crate::Genesis;
use crate::codec::body::{self, Body};
use crate::history;
use crate::state::State;

pub(super) const MAGIC: [u8; 4] = *b"CRDs";
const VERSION: u8 = 0;

const ID_LEN: usize = size_of::<ReplicaId>();
/// A sequence number: a graph has fewer than 2^32 events, with those that were trimmed.
const SEQ_LEN: usize = size_of::<u32>();

/// Writes a document whose history is at hand.
pub(super) fn write(state: &State, genesis: Genesis) -> Vec<u8> {
    let version = state.graph.version();
    let mut out = Writer::new();
    out.u8(VERSION);
    out.raw(genesis.as_bytes());
    out.count(version.len());
    version.iter().for_each(|(replica, _)| out.raw(&replica.to_bytes()));
    for (_, last) in version {
        let last = u32::try_from(last).expect("a graph numbers its events in 32 bits");
        out.raw(&last.to_le_bytes());
    }
    write_packed(Packing::Shown, &snapshot::write(state).unwrap_or_default(), &mut out);
    let mut tables = SendTables::new();
    tables.replicas = SendTable::of_known(version.iter().map(|(replica, _)| replica));
    let mut history = Writer::new();
    let order = history::canonical_order(&state.graph);
    body::write(state, state.base.as_deref(), &order, &mut tables, &mut history);
    write_packed(Packing::Columns, history.as_bytes(), &mut out);
    seal(MAGIC, out.as_bytes())
}

fn write_packed(kind: Packing, raw: &[u8], out: &mut Writer) {
    let mut stored = Vec::new();
    pack(kind, raw, &mut stored).write(out);
    out.raw(&stored);
}

/// A saved document, of which only the frame was read.
#[derive(Debug)]
pub(super) struct File {
    bytes: Vec<u8>,
    genesis: Genesis,
    /// Where the writers begin, and how many there are.
    writers: (usize, usize),
    snapshot: Section,
    history: Section,
}

/// Where a compressed part is.
#[derive(Debug)]
struct Section {
    lengths: Lengths,
    at: usize,
}

impl File {
    /// Reads the frame: O(n) for the checksum, and nothing for each writer.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let mut input = open(MAGIC, Reader::new(&bytes))?;
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let genesis = Genesis::from_bytes(input.array()?);
        let count = input.count(ID_LEN + SEQ_LEN)?;
        let writers = (input.position(), count);
        input.take(count * (ID_LEN + SEQ_LEN))?;
        let snapshot = Section::read(Packing::Shown, &mut input)?;
        let history = Section::read(Packing::Columns, &mut input)?;
        input.finish()?;
        Ok(Self { genesis, writers, snapshot, history, bytes })
    }

    /// The file as it was read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn genesis(&self) -> Genesis {
        self.genesis
    }

    /// The number of a writer's last event, 0 if it has none. O(log n).
    pub(super) fn last_of(&self, replica: ReplicaId) -> u64 {
        let (ids, lasts) = self.writers();
        match ids.binary_search(&replica.to_bytes()) {
            Ok(place) => u32::from_le_bytes(lasts[place]).into(),
            Err(_) => 0,
        }
    }

    fn writers(&self) -> (&[[u8; ID_LEN]], &[[u8; SEQ_LEN]]) {
        let (start, count) = self.writers;
        let (ids, lasts) =
            self.bytes[start..][..count * (ID_LEN + SEQ_LEN)].split_at(count * ID_LEN);
        (ids.as_chunks().0, lasts.as_chunks().0)
    }

    /// All writers with the numbers of their last events.
    pub(super) fn version(&self) -> VersionVector {
        let (ids, lasts) = self.writers();
        let ids = ids.iter().map(|&id| ReplicaId::from_bytes(id));
        ids.zip(lasts.iter().map(|&last| u32::from_le_bytes(last).into())).collect()
    }

    /// Whether the writers, with the numbers of their last events, are those of a version.
    pub(super) fn is_of(&self, version: &VersionVector) -> bool {
        let (ids, lasts) = self.writers();
        let lasts = lasts.iter().map(|&last| u64::from(u32::from_le_bytes(last)));
        ids.iter().map(|&id| ReplicaId::from_bytes(id)).zip(lasts).eq(version)
    }

    /// The snapshot; `None` if there is none.
    pub(super) fn snapshot(&self) -> Result<Option<Vec<u8>>, DecodeError> {
        let raw = self.unpack(Packing::Shown, &self.snapshot)?;
        Ok(if raw.is_empty() { None } else { Some(raw) })
    }

    /// The history, and how many bytes it is written in.
    pub(super) fn history(&self) -> Result<(Body, usize), DecodeError> {
        let raw = self.unpack(Packing::Columns, &self.history)?;
        let (ids, _) = self.writers();
        let ids = ids.iter().map(|&id| ReplicaId::from_bytes(id)).collect();
        let mut tables = ReceiveTables::new();
        tables.replicas =
            ReceiveTable::of_known(ids).ok_or(DecodeErrorKind::NotAscending.at(self.writers.0))?;
        let mut input = Reader::new(&raw);
        let body = Body::read(&mut input, &mut tables)?;
        input.finish()?;
        Ok((body, raw.len()))
    }

    fn unpack(&self, kind: Packing, section: &Section) -> Result<Vec<u8>, DecodeError> {
        let stored = &self.bytes[section.place()];
        section.lengths.unpack(kind, stored).map_err(|error| error.kind.at(section.at))
    }
}

impl Section {
    fn read(kind: Packing, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let lengths = Lengths::read(kind, input)?;
        let at = input.position();
        input.take(lengths.stored())?;
        Ok(Self { lengths, at })
    }

    const fn place(&self) -> Range<usize> {
        self.at..self.at + self.lengths.stored()
    }
}
