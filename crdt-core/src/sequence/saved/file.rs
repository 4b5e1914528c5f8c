//! The parts of a saved text.
//!
//! ```text
//! "cTxt" version [base] replicas frontier  text  directory  checksum │ chunk chunk …
//! ╰───────────── the head: all that is needed to show and to write ─╯╰─ the history ─╯
//! ```
//!
//! The base is there where older history was trimmed. Of its text only the length is stored: what
//! is left of it is in the text at the tip, and the rest stands with the deletions that took it,
//! as if one insertion before all others had made it.
//!
//! The head has a checksum, and so has each chunk; the chunks' checksums stand in the head.
//! Replicas are numbered in the order of their first changes in canonical order, so that
//! those who come later leave the numbers in older chunks as they were. The base's writers come
//! first, in ascending order.

use alloc::string::String;
use alloc::vec::Vec;

use super::chunk::Chunk;
use super::columns;
use super::cuts::chunk_ends;
use crate::causality::{Base, Lv};
use crate::codec::{
    CHECKSUM_LEN, DecodeError, DecodeErrorKind, Lengths, Limits, Packing, Reader, Writer, checksum,
    pack,
};
use crate::sequence::run::EVENTS_MAX;
use crate::{Dot, EventGraph, ReplicaId};

const MAGIC: [u8; 4] = *b"cTxt";
/// Of a text with its whole history.
const WHOLE: u8 = 1;
/// Of a text that begins with a base.
const TRIMMED: u8 = 2;

/// What the history begins with, where older history was trimmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FileBase {
    /// The events; their writers are the first authors.
    pub(super) events: Base,
    /// How many code points the text had.
    pub(super) length: u32,
}

/// Where a replica's events end, and the chunks that hold them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Author {
    pub(super) replica: ReplicaId,
    /// The last sequence number in the base, 0 for those who came later.
    pub(super) trimmed: u64,
    /// The last sequence number.
    pub(super) last: u64,
    /// One for each end in [`chunk_ends`].
    pub(super) chunks: Vec<Packed>,
}

/// A chunk as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Packed {
    columns: Lengths,
    deleted: Lengths,
    checksum: u32,
    /// The columns, then the deleted text.
    bytes: Vec<u8>,
}

impl Packed {
    pub(super) fn new(chunk: &Chunk) -> Self {
        if chunk.rows().is_empty() {
            // A long change may fill the next chunk as well.
            return Self::of_streams(&[], &[]);
        }
        Self::of_streams(&columns::write(chunk), chunk.deleted().as_bytes())
    }

    pub(super) fn of_streams(columns: &[u8], deleted: &[u8]) -> Self {
        let mut bytes = Vec::new();
        let columns = pack(Packing::Columns, columns, &mut bytes);
        let deleted = pack(Packing::Deleted, deleted, &mut bytes);
        bytes.shrink_to_fit();
        Self { columns, deleted, checksum: checksum(&bytes), bytes }
    }

    /// Checks and decodes it, as part of a file with so many replicas.
    pub(super) fn unpack(&self, replicas: u32) -> Result<Chunk, DecodeError> {
        if checksum(&self.bytes) != self.checksum {
            return Err(DecodeErrorKind::ChecksumMismatch.at(0));
        }
        if self.bytes.is_empty() {
            return Ok(Chunk::default());
        }
        let (columns, deleted) = self.bytes.split_at(self.columns.stored());
        let columns = self.columns.unpack(Packing::Columns, columns)?;
        let deleted = self.deleted.unpack(Packing::Deleted, deleted)?;
        let deleted =
            String::from_utf8(deleted).map_err(|_| DecodeErrorKind::NotUtf8.at(columns.len()))?;
        Ok(columns::read(&columns, replicas)?.with_deleted(deleted))
    }

    /// The two streams, which are sound.
    #[cfg(test)]
    pub(super) fn streams(&self) -> (Vec<u8>, Vec<u8>) {
        let (columns, deleted) = self.bytes.split_at(self.columns.stored());
        let columns = self.columns.unpack(Packing::Columns, columns).expect("sound");
        (columns, self.deleted.unpack(Packing::Deleted, deleted).expect("sound"))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    fn write(&self, out: &mut Writer) {
        self.columns.write(out);
        self.deleted.write(out);
        out.raw(&self.checksum.to_le_bytes());
    }

    /// Reads what the head has of a chunk; its bytes come later.
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            columns: Lengths::read(Packing::Columns, input)?,
            deleted: Lengths::read(Packing::Deleted, input)?,
            checksum: u32::from_le_bytes(input.array()?),
            bytes: Vec::new(),
        })
    }
}

/// A saved text, with its history as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct File {
    pub(super) base: Option<FileBase>,
    pub(super) authors: Vec<Author>,
    /// The numbers of those whose last events are maximal, by ascending id.
    pub(super) frontier: Vec<u32>,
}

impl File {
    /// The last events of those in the frontier.
    pub(super) fn heads(&self) -> impl Iterator<Item = Dot> + '_ {
        let heads = self.frontier.iter().map(|&number| &self.authors[number as usize]);
        heads.map(|author| Dot::new(author.replica, author.last))
    }

    /// The number of a replica; a newcomer gets the next.
    pub(super) fn number_of(&mut self, replica: ReplicaId) -> u32 {
        let known = self.authors.iter().position(|author| author.replica == replica);
        let number = known.unwrap_or_else(|| {
            self.authors.push(Author { replica, trimmed: 0, last: 0, chunks: Vec::new() });
            self.authors.len() - 1
        });
        number as u32
    }

    /// The local version after the last event.
    pub(super) fn end(&self) -> Lv {
        let events = |author: &Author| (author.last - author.trimmed) as u32;
        self.first() + self.authors.iter().map(events).sum::<u32>()
    }

    /// The local version of the first event that is not the base's.
    pub(super) fn first(&self) -> Lv {
        self.base.as_ref().map_or(0, |base| base.events.heads().len() as Lv)
    }

    /// How many code points the base's text has.
    pub(super) fn base_length(&self) -> u32 {
        self.base.as_ref().map_or(0, |base| base.length)
    }

    /// How many of the authors are the base's.
    pub(super) fn base_writers(&self) -> usize {
        self.base.as_ref().map_or(0, |base| base.events.writers().len())
    }

    /// A graph that begins as the file does.
    pub(super) fn begin_graph(&self) -> EventGraph {
        let base = self.base.as_ref().map(|base| base.events.clone());
        base.map_or_else(EventGraph::new, EventGraph::with_base)
    }

    /// The bytes, with the text that the history leads to.
    pub(super) fn write(&self, text: &str) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&MAGIC);
        out.u8(if self.base.is_some() { TRIMMED } else { WHOLE });
        let (writers, newcomers) = self.authors.split_at(self.base_writers());
        if let Some(base) = &self.base {
            out.count(writers.len());
            for author in writers {
                out.raw(&author.replica.to_bytes());
                out.varint(author.trimmed);
                out.varint(author.last - author.trimmed);
            }
            out.count(base.events.heads().len());
            for head in base.events.heads() {
                let number = writers.binary_search_by_key(&head.replica, |author| author.replica);
                out.count(number.expect("a head is by one of the writers"));
            }
            out.varint(base.events.lamport());
            out.varint(u64::from(base.length));
        }
        out.count(newcomers.len());
        for author in newcomers {
            out.raw(&author.replica.to_bytes());
            out.varint(author.last);
        }
        out.count(self.frontier.len());
        self.frontier.iter().for_each(|&number| out.varint(u64::from(number)));
        let mut packed = Vec::new();
        pack(Packing::Shown, text.as_bytes(), &mut packed).write(&mut out);
        out.raw(&packed);
        let chunks = || self.authors.iter().flat_map(|author| &author.chunks);
        chunks().for_each(|chunk| chunk.write(&mut out));
        let sum = checksum(out.as_bytes());
        out.raw(&sum.to_le_bytes());
        let mut bytes = out.into_bytes();
        bytes.reserve_exact(chunks().map(|chunk| chunk.bytes.len()).sum());
        chunks().for_each(|chunk| bytes.extend_from_slice(&chunk.bytes));
        bytes
    }

    /// Reads what [`write`](Self::write) wrote; the chunks are not looked into.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, String), DecodeError> {
        let mut input = Reader::with_limits(bytes, Limits::DEFAULT)?;
        if input.array()? != MAGIC {
            return Err(DecodeErrorKind::WrongMagic.at(0));
        }
        let is_trimmed = match input.u8()? {
            WHOLE => false,
            TRIMMED => true,
            _ => return Err(DecodeErrorKind::UnknownVersion.at(MAGIC.len())),
        };
        let authors_at = input.position();
        let mut authors = Vec::new();
        let base = if is_trimmed { Some(read_base(&mut authors, &mut input)?) } else { None };
        read_newcomers(&mut authors, &mut input)?;
        let lasting = base.as_ref().map_or(0, |base| base.heads.len() as u64);
        let events: u64 = authors.iter().map(|author| author.last - author.trimmed).sum();
        if lasting + events > u64::from(EVENTS_MAX) {
            return Err(DecodeErrorKind::OutOfRange.at(authors_at));
        }
        let frontier = read_frontier(&authors, &mut input)?;
        let at = input.position();
        let lengths = Lengths::read(Packing::Shown, &mut input)?;
        let text_at = input.position();
        let packed = input.take(lengths.stored())?;
        for author in &mut authors {
            for _ in chunk_ends(author.trimmed, author.last) {
                author.chunks.push(Packed::read(&mut input)?);
            }
        }
        let head = &bytes[..input.position()];
        let sum_at = input.position();
        if input.array::<CHECKSUM_LEN>()? != checksum(head).to_le_bytes() {
            return Err(DecodeErrorKind::ChecksumMismatch.at(sum_at));
        }
        for chunk in authors.iter_mut().flat_map(|author| &mut author.chunks) {
            chunk.bytes = input.take(chunk.columns.stored() + chunk.deleted.stored())?.to_vec();
        }
        input.finish()?;
        // What costs more than a look comes behind the checksum.
        let mut ids: Vec<ReplicaId> = authors.iter().map(|author| author.replica).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(DecodeErrorKind::NotCanonical.at(authors_at));
        }
        let ascends =
            |pair: &[u32]| authors[pair[0] as usize].replica < authors[pair[1] as usize].replica;
        if !frontier.windows(2).all(ascends) {
            return Err(DecodeErrorKind::NotAscending.at(at));
        }
        let text =
            lengths.unpack(Packing::Shown, packed).map_err(|error| error.kind.at(text_at))?;
        let text = String::from_utf8(text).map_err(|_| DecodeErrorKind::NotUtf8.at(text_at))?;
        let base = base.map(|base| base.check(&authors, authors_at)).transpose()?;
        Ok((Self { base, authors, frontier }, text))
    }
}

/// A base as it is read; its writers are the first authors.
struct ReadBase {
    writers: usize,
    /// The numbers of those whose events in the base are maximal.
    heads: Vec<u32>,
    lamport: u64,
    length: u32,
}

impl ReadBase {
    fn check(self, authors: &[Author], at: usize) -> Result<FileBase, DecodeError> {
        let writers = &authors[..self.writers];
        if !writers.windows(2).all(|pair| pair[0].replica < pair[1].replica) {
            return Err(DecodeErrorKind::NotAscending.at(at));
        }
        let last = |author: &Author| (author.replica, author.trimmed);
        let heads = self.heads.iter().map(|&number| last(&writers[number as usize]));
        let heads = heads.map(|(replica, seq)| Dot::new(replica, seq)).collect();
        let events = Base::new(heads, self.lamport, writers.iter().map(last).collect())
            .map_err(|_| DecodeErrorKind::OutOfRange.at(at))?;
        Ok(FileBase { events, length: self.length })
    }
}

fn read_base(authors: &mut Vec<Author>, input: &mut Reader<'_>) -> Result<ReadBase, DecodeError> {
    let writers = input.count(size_of::<ReplicaId>() + 2)?;
    authors.reserve(input.capacity(writers, size_of::<Author>()));
    for _ in 0..writers {
        let replica = ReplicaId::from_bytes(input.array()?);
        let at = input.position();
        let trimmed = u64::from(input.varint_u32()?);
        let since = input.varint_max(u64::from(EVENTS_MAX))?;
        if trimmed == 0 {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        authors.push(Author { replica, trimmed, last: trimmed + since, chunks: Vec::new() });
    }
    let at = input.position();
    let count = input.count(1)?;
    let mut heads: Vec<u32> = Vec::with_capacity(input.capacity(count, size_of::<u32>()));
    for _ in 0..count {
        let at = input.position();
        let number = input.varint_u32()?;
        if number as usize >= writers {
            return Err(DecodeErrorKind::UnknownTableEntry.at(at));
        }
        if heads.last().is_some_and(|&last| last >= number) {
            return Err(DecodeErrorKind::NotAscending.at(at));
        }
        heads.push(number);
    }
    if heads.is_empty() {
        return Err(DecodeErrorKind::OutOfRange.at(at));
    }
    let lamport = input.varint()?;
    let length = input.varint_max(u64::from(EVENTS_MAX))? as u32;
    Ok(ReadBase { writers, heads, lamport, length })
}

fn read_newcomers(authors: &mut Vec<Author>, input: &mut Reader<'_>) -> Result<(), DecodeError> {
    let count = input.count(size_of::<ReplicaId>() + 1)?;
    authors.reserve(input.capacity(count, size_of::<Author>()));
    for _ in 0..count {
        let replica = ReplicaId::from_bytes(input.array()?);
        let at = input.position();
        let last = input.varint_max(u64::from(EVENTS_MAX))?;
        if last == 0 {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        authors.push(Author { replica, trimmed: 0, last, chunks: Vec::new() });
    }
    Ok(())
}

fn read_frontier(authors: &[Author], input: &mut Reader<'_>) -> Result<Vec<u32>, DecodeError> {
    let at = input.position();
    let count = input.count(1)?;
    if count > authors.len() || (count == 0) != authors.is_empty() {
        return Err(DecodeErrorKind::OutOfRange.at(at));
    }
    let mut frontier = Vec::with_capacity(count);
    for _ in 0..count {
        let at = input.position();
        let number = input.varint_u32()?;
        if number as usize >= authors.len() {
            return Err(DecodeErrorKind::UnknownTableEntry.at(at));
        }
        frontier.push(number);
    }
    Ok(frontier)
}
