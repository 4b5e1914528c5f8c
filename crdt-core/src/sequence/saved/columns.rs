//! A chunk without its text, as bytes: column after column, so that like stands by like.
//!
//! 1. how many rows there are; for each its change length, doubled twice, plus 2 if it has
//!    parents and 1 if it has more than one change;
//! 2. the counts of those that have more than one;
//! 3. for each that has parents how many, then the numbers of their replicas, then their
//!    sequence numbers, each as the distance from the last of that replica in the chunk;
//! 4. for each run of edits its kind in the lowest two bits, above them its length, or 0
//!    where it takes all the events that are left;
//! 5. for each run but clearings how far its first event is from where the run before left
//!    its cursor.

use alloc::vec::Vec;

use super::chunk::{Chunk, Event};
use crate::codec::{DecodeError, DecodeErrorKind, Reader, Writer};
use crate::collections::OrderedMap;
use crate::sequence::ops::{cursor_after, first_gap, read_kind, read_position, write_kind};
use crate::sequence::run::{EVENTS_MAX, Run, RunKind};

const HAS_PARENTS: u64 = 2;
const HAS_COUNT: u64 = 1;

pub(super) fn write(chunk: &Chunk) -> Vec<u8> {
    let mut out = Writer::new();
    let rows = chunk.rows();
    out.count(rows.len());
    for (index, row) in rows.iter().enumerate() {
        let has_parents = if chunk.parents(index).is_empty() { 0 } else { HAS_PARENTS };
        let has_count = if row.count == 1 { 0 } else { HAS_COUNT };
        out.varint(u64::from(row.change_len) << 2 | has_parents | has_count);
    }
    rows.iter().filter(|row| row.count != 1).for_each(|row| out.varint(u64::from(row.count)));
    let all_parents =
        || (0..rows.len()).map(|row| chunk.parents(row)).filter(|parents| !parents.is_empty());
    all_parents().for_each(|parents| out.count(parents.len()));
    all_parents().flatten().for_each(|&(replica, _)| out.varint(u64::from(replica)));
    let mut mentioned = OrderedMap::new();
    for &(replica, seq) in all_parents().flatten() {
        let last: &mut u64 = mentioned.entry(replica).or_default();
        out.signed(seq as i64 - *last as i64);
        *last = seq;
    }
    let mut left = chunk.events();
    for &run in chunk.runs() {
        write_kind(run, &mut left, &mut out);
    }
    let mut cursor = 0;
    for &run in chunk.runs() {
        if run.kind != RunKind::Clear {
            out.signed(i64::from(first_gap(run)) - i64::from(cursor));
        }
        cursor = cursor_after(run);
    }
    out.into_bytes()
}

/// Reads what [`write`] wrote, of a file with so many replicas.
pub(super) fn read(bytes: &[u8], replicas: u32) -> Result<Chunk, DecodeError> {
    let mut input = Reader::new(bytes);
    let headers = Headers::read(&mut input)?;
    let parents = read_parents(&headers, replicas, &mut input)?;
    let (mut chunk, mut parents) = (Chunk::default(), &parents[..]);
    for (index, row) in headers.rows.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| headers.rows[before].change_len);
        if row.parents == 0 && before == Some(row.change_len) {
            return Err(DecodeErrorKind::NotCanonical.at(0));
        }
        let (own, rest) = parents.split_at(row.parents);
        parents = rest;
        chunk.push_changes(row.change_len, row.count, own);
    }
    read_runs(&mut input, headers.events, &mut chunk)?;
    input.finish()?;
    Ok(chunk)
}

/// The first two columns, and the counts of the third.
struct Headers {
    rows: Vec<Header>,
    events: u32,
}

struct Header {
    change_len: u32,
    count: u32,
    parents: usize,
    flags: u64,
}

impl Headers {
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = input.count(1)?;
        let mut rows = Vec::with_capacity(input.capacity(count, size_of::<Header>()));
        for _ in 0..count {
            let at = input.position();
            let word = input.varint()?;
            let change_len =
                u32::try_from(word >> 2).ok().filter(|len| (1..=EVENTS_MAX).contains(len));
            let change_len = change_len.ok_or(DecodeErrorKind::OutOfRange.at(at))?;
            rows.push(Header { change_len, count: 1, parents: 0, flags: word & 3 });
        }
        let mut events = 0u64;
        for row in &mut rows {
            let at = input.position();
            if row.flags & HAS_COUNT != 0 {
                row.count = input.varint_u32()?;
                if row.count < 2 {
                    return Err(DecodeErrorKind::NotCanonical.at(at));
                }
            }
            events += u64::from(row.change_len) * u64::from(row.count);
            if events > u64::from(EVENTS_MAX) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
        }
        for row in rows.iter_mut().filter(|row| row.flags & HAS_PARENTS != 0) {
            let at = input.position();
            row.parents = input.count(2)?;
            if row.parents == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
        }
        Ok(Self { rows, events: events as u32 })
    }
}

/// The rest of the third column: the parents of all rows, one after the other.
fn read_parents(
    headers: &Headers,
    replicas: u32,
    input: &mut Reader<'_>,
) -> Result<Vec<Event>, DecodeError> {
    let at = input.position();
    let total = headers.rows.iter().try_fold(0usize, |sum, row| sum.checked_add(row.parents));
    // Each takes a byte in either part.
    let total = total
        .filter(|&total| total <= input.remaining() / 2)
        .ok_or(DecodeErrorKind::CountTooLarge.at(at))?;
    let mut parents: Vec<Event> = Vec::with_capacity(total);
    for _ in 0..total {
        let at = input.position();
        let replica = input.varint_u32()?;
        if replica >= replicas {
            return Err(DecodeErrorKind::UnknownTableEntry.at(at));
        }
        parents.push((replica, 0));
    }
    let mut mentioned = OrderedMap::new();
    for (replica, seq) in &mut parents {
        let at = input.position();
        let last: &mut u64 = mentioned.entry(*replica).or_default();
        let next = last.checked_add_signed(input.signed()?);
        // Local versions, and sequence numbers with them, have 32 bits.
        *last = next
            .filter(|seq| (1..=u64::from(u32::MAX)).contains(seq))
            .ok_or(DecodeErrorKind::OutOfRange.at(at))?;
        *seq = *last;
    }
    Ok(parents)
}

/// The last two columns.
fn read_runs(input: &mut Reader<'_>, events: u32, chunk: &mut Chunk) -> Result<(), DecodeError> {
    let mut kinds = input.clone();
    let mut left = events;
    while left > 0 {
        left -= read_kind(input, left)?.1;
    }
    let (mut left, mut cursor, mut last) = (events, 0, None::<Run>);
    while left > 0 {
        let (kind, len) = read_kind(&mut kinds, left)?;
        let at = input.position();
        let run = read_position(kind, len, cursor, input)?;
        if last.is_some_and(|mut last| last.absorb(run) > 0) {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        cursor = cursor_after(run);
        left -= len;
        last = Some(run);
        chunk.push_run(run);
    }
    Ok(())
}
