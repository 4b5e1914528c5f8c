//! The parts of a saved text.
//!
//! ```text
//! "cTxt" version  replicas frontier  text  directory  checksum │ chunk chunk …
//! ╰───────── the head: all that is needed to show and to write ─╯╰─ the history ─╯
//! ```
//!
//! The head has a checksum, and so has each chunk; the chunks' checksums stand in the head.
//! Replicas are numbered in the order of their first changes in canonical order, so that
//! those who come later leave the numbers in older chunks as they were.

use alloc::string::String;
use alloc::vec::Vec;

use super::chunk::Chunk;
use super::columns;
use super::cuts::chunk_ends;
use super::pack::{Kind, Lengths, pack};
use crate::codec::{CHECKSUM_LEN, DecodeError, DecodeErrorKind, Limits, Reader, Writer, checksum};
use crate::sequence::run::EVENTS_MAX;
use crate::{Dot, ReplicaId};

const MAGIC: [u8; 4] = *b"cTxt";
const VERSION: u8 = 1;

/// Where a replica's events end, and the chunks that hold them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Author {
    pub(super) replica: ReplicaId,
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
        let columns = pack(Kind::Columns, columns, &mut bytes);
        let deleted = pack(Kind::Deleted, deleted, &mut bytes);
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
        let (columns, deleted) = self.bytes.split_at(self.columns.packed);
        let columns = self.columns.unpack(Kind::Columns, columns)?;
        let deleted = self.deleted.unpack(Kind::Deleted, deleted)?;
        let deleted =
            String::from_utf8(deleted).map_err(|_| DecodeErrorKind::NotUtf8.at(columns.len()))?;
        Ok(columns::read(&columns, replicas)?.with_deleted(deleted))
    }

    /// The two streams, which are sound.
    #[cfg(test)]
    pub(super) fn streams(&self) -> (Vec<u8>, Vec<u8>) {
        let (columns, deleted) = self.bytes.split_at(self.columns.packed);
        let columns = self.columns.unpack(Kind::Columns, columns).expect("sound");
        (columns, self.deleted.unpack(Kind::Deleted, deleted).expect("sound"))
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
            columns: Lengths::read(Kind::Columns, input)?,
            deleted: Lengths::read(Kind::Deleted, input)?,
            checksum: u32::from_le_bytes(input.array()?),
            bytes: Vec::new(),
        })
    }
}

/// A saved text, with its history as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct File {
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
            self.authors.push(Author { replica, last: 0, chunks: Vec::new() });
            self.authors.len() - 1
        });
        number as u32
    }

    /// How many events there are.
    pub(super) fn events(&self) -> u32 {
        self.authors.iter().map(|author| author.last as u32).sum()
    }

    /// The bytes, with the text that the history leads to.
    pub(super) fn write(&self, text: &str) -> Vec<u8> {
        let mut out = Writer::new();
        out.raw(&MAGIC);
        out.u8(VERSION);
        out.count(self.authors.len());
        for author in &self.authors {
            out.raw(author.replica.as_bytes());
            out.varint(author.last);
        }
        out.count(self.frontier.len());
        self.frontier.iter().for_each(|&number| out.varint(u64::from(number)));
        let mut packed = Vec::new();
        pack(Kind::Shown, text.as_bytes(), &mut packed).write(&mut out);
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
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(MAGIC.len()));
        }
        let authors_at = input.position();
        let mut authors = read_authors(&mut input)?;
        let frontier = read_frontier(&authors, &mut input)?;
        let at = input.position();
        let lengths = Lengths::read(Kind::Shown, &mut input)?;
        let text_at = input.position();
        let packed = input.take(lengths.packed)?;
        for author in &mut authors {
            for _ in chunk_ends(author.last) {
                author.chunks.push(Packed::read(&mut input)?);
            }
        }
        let head = &bytes[..input.position()];
        let sum_at = input.position();
        if input.array::<CHECKSUM_LEN>()? != checksum(head).to_le_bytes() {
            return Err(DecodeErrorKind::ChecksumMismatch.at(sum_at));
        }
        for chunk in authors.iter_mut().flat_map(|author| &mut author.chunks) {
            chunk.bytes = input.take(chunk.columns.packed + chunk.deleted.packed)?.to_vec();
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
        let text = lengths.unpack(Kind::Shown, packed).map_err(|error| error.kind.at(text_at))?;
        let text = String::from_utf8(text).map_err(|_| DecodeErrorKind::NotUtf8.at(text_at))?;
        Ok((Self { authors, frontier }, text))
    }
}

fn read_authors(input: &mut Reader<'_>) -> Result<Vec<Author>, DecodeError> {
    let count = input.count(size_of::<ReplicaId>() + 1)?;
    let mut authors = Vec::with_capacity(input.capacity(count, size_of::<Author>()));
    let mut events = 0;
    for _ in 0..count {
        let replica = ReplicaId::from_bytes(input.array()?);
        let at = input.position();
        let last = input.varint_max(u64::from(EVENTS_MAX))?;
        events += last;
        if last == 0 || events > u64::from(EVENTS_MAX) {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        authors.push(Author { replica, last, chunks: Vec::new() });
    }
    Ok(authors)
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
