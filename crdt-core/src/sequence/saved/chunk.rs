//! What one replica did in a stretch of its events.

use alloc::string::String;
use alloc::vec::Vec;

use crate::sequence::run::{EVENTS_MAX, Run};

/// An event by the number of its replica in the file, and its sequence number.
pub(super) type Event = (u32, u64);

/// Consecutive changes of one length, each following the one before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) change_len: u32,
    pub(super) count: u32,
    /// Where the first change's parents end in the list of all.
    parents_end: u32,
}

impl Row {
    pub(super) fn events(self) -> u32 {
        self.change_len * self.count
    }
}

/// Whole changes of one replica, without gaps: their headers, the shapes of their edits, and
/// the text that they deleted. What they inserted is with those who deleted it, or in the
/// state.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Chunk {
    rows: Vec<Row>,
    parents: Vec<Event>,
    runs: Vec<Run>,
    deleted: String,
}

impl Chunk {
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The explicit parents of a row's first change.
    pub(super) fn parents(&self, row: usize) -> &[Event] {
        let start = row.checked_sub(1).map_or(0, |before| self.rows[before].parents_end);
        &self.parents[start as usize..self.rows[row].parents_end as usize]
    }

    pub(super) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(super) fn deleted(&self) -> &str {
        &self.deleted
    }

    pub(super) fn events(&self) -> u32 {
        self.rows.iter().map(|row| row.events()).sum()
    }

    /// How many elements the edits insert.
    pub(super) fn inserted(&self) -> u64 {
        let inserts =
            self.runs.iter().filter(|run| run.kind == crate::sequence::run::RunKind::Insert);
        inserts.map(|run| u64::from(run.len)).sum()
    }

    /// Appends changes, as more of the last row where they can be.
    pub(super) fn push_changes(&mut self, change_len: u32, count: u32, parents: &[Event]) {
        if let Some(last) = self.rows.last_mut().filter(|_| parents.is_empty())
            && last.change_len == change_len
        {
            last.count += count;
            return;
        }
        self.parents.extend_from_slice(parents);
        let parents_end = self.parents.len() as u32;
        self.rows.push(Row { change_len, count, parents_end });
    }

    /// Appends an edit, as more of the last one where it can be.
    pub(super) fn push_run(&mut self, run: Run) {
        let mut rest = run;
        if let Some(last) = self.runs.last_mut() {
            let taken = last.absorb(run);
            if taken == run.len {
                return;
            }
            if taken > 0 {
                rest = run.split(taken).1;
            }
        }
        debug_assert!(rest.len <= EVENTS_MAX);
        self.runs.push(rest);
    }

    /// Appends deleted text.
    pub(super) fn push_deleted(&mut self, text: &str) {
        self.deleted.push_str(text);
    }

    /// Appends deleted text that was deleted from its end to its beginning.
    pub(super) fn push_deleted_backward(&mut self, text: &str) {
        self.deleted.extend(text.chars().rev());
    }

    /// Takes over deleted text that was read.
    pub(super) fn with_deleted(mut self, deleted: String) -> Self {
        self.deleted = deleted;
        self
    }

    /// Appends the events that follow.
    pub(super) fn append(&mut self, later: &Self) {
        for (index, row) in later.rows.iter().enumerate() {
            self.push_changes(row.change_len, row.count, later.parents(index));
        }
        later.runs.iter().for_each(|&run| self.push_run(run));
        self.push_deleted(&later.deleted);
    }
}
