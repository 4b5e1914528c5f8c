//! The chunks of one author while changes are appended.

use alloc::vec::Vec;

use super::chunk::{Chunk, Event};
use super::cuts::chunk_ends;
use super::file::{Author, Packed};
use crate::codec::DecodeError;

/// The chunks of an author, of which the first few stay as they are stored.
pub(super) struct Growing {
    /// Where the chunks end, from the first that is made anew.
    ends: Vec<u64>,
    chunks: Vec<Chunk>,
    kept: usize,
}

impl Growing {
    /// For an author whose events go from behind `trimmed` to `last`, of which none is stored yet.
    pub(super) fn new(trimmed: u64, last: u64) -> Self {
        let ends: Vec<u64> = chunk_ends(trimmed, last).collect();
        Self { chunks: alloc::vec![Chunk::default(); ends.len()], ends, kept: 0 }
    }

    /// For an author in a file with so many replicas, whose events will go to `last`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the chunks that do not stay.
    pub(super) fn of(author: &Author, last: u64, replicas: u32) -> Result<Self, DecodeError> {
        let ends = |last| chunk_ends(author.trimmed, last);
        let stay = ends(author.last).zip(ends(last));
        let kept = stay.take_while(|(before, now)| before == now).count();
        let mut grown = Self::new(author.trimmed, last);
        grown.kept = kept;
        grown.ends.drain(..kept);
        grown.chunks.drain(..kept);
        for chunk in &author.chunks[kept..] {
            // All chunks that do not stay become part of the first that is made anew.
            grown.chunks[0].append(&chunk.unpack(replicas)?);
        }
        Ok(grown)
    }

    /// Appends changes: tells `edits` for each chunk that gets some how many events it gets.
    pub(super) fn push<E>(
        &mut self,
        mut seq: u64,
        change_len: u32,
        mut count: u32,
        mut parents: &[Event],
        mut edits: impl FnMut(&mut Chunk, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        while count > 0 {
            let index = self.ends.partition_point(|&end| end < seq);
            let fits = (self.ends[index] - seq) / u64::from(change_len) + 1;
            let here = u64::from(count).min(fits) as u32;
            let chunk = &mut self.chunks[index];
            chunk.push_changes(change_len, here, core::mem::take(&mut parents));
            edits(chunk, here * change_len)?;
            seq += u64::from(here * change_len);
            count -= here;
        }
        Ok(())
    }

    /// All chunks as they are stored, with those before that stay.
    pub(super) fn finish(self, mut before: Vec<Packed>) -> Vec<Packed> {
        before.truncate(self.kept);
        before.extend(self.chunks.iter().map(Packed::new));
        before
    }
}
