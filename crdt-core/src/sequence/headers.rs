//! The headers of a delta's changes, in twenty-four bytes a row and sixteen a parent.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::causality::ChangeRun;
use crate::{Dot, ReplicaId};

/// Consecutive changes of one replica; see [`ChangeRun`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) seq: u64,
    /// Index into the replicas.
    pub(super) replica: u32,
    pub(super) change_len: u32,
    pub(super) count: u32,
    /// Where the row's parents end in the list of all.
    parents_end: u32,
}

impl Row {
    pub(super) fn events(&self) -> u64 {
        u64::from(self.change_len) * u64::from(self.count)
    }

    /// The sequence number after the last event.
    pub(super) fn end(&self) -> u64 {
        self.seq + self.events()
    }
}

/// An event by the index of its replica, and its sequence number.
pub(super) type Event = (u32, u64);

/// Headers, in order. Those of one typed character need no memory of their own.
#[derive(Clone, Debug, Default)]
pub(super) struct Headers {
    replicas: SmallVec<[ReplicaId; 1]>,
    /// The numbers of all replicas, where they are more than are quickly looked through.
    numbers: BTreeMap<ReplicaId, u32>,
    rows: SmallVec<[Row; 1]>,
    parents: Vec<Event>,
}

/// So many replicas are looked through one by one.
const FEW: usize = if cfg!(test) { 2 } else { 8 };

impl Headers {
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { rows: SmallVec::with_capacity(rows), ..Self::default() }
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The explicit parents of a row's first change.
    pub(super) fn parents(&self, row: usize) -> &[Event] {
        let start = row.checked_sub(1).map_or(0, |before| self.rows[before].parents_end);
        &self.parents[start as usize..self.rows[row].parents_end as usize]
    }

    pub(super) fn all_parents(&self) -> &[Event] {
        &self.parents
    }

    pub(super) fn replica(&self, number: u32) -> ReplicaId {
        self.replicas[number as usize]
    }

    pub(super) fn replicas(&self) -> &[ReplicaId] {
        &self.replicas
    }

    pub(super) fn dot(&self, (replica, seq): Event) -> Dot {
        Dot::new(self.replica(replica), seq)
    }

    fn number(&mut self, replica: ReplicaId) -> u32 {
        if let Some(last) = self.rows.last()
            && self.replicas[last.replica as usize] == replica
        {
            return last.replica;
        }
        let known = if self.replicas.len() <= FEW {
            self.replicas.iter().position(|&known| known == replica).map(|number| number as u32)
        } else {
            self.numbers.get(&replica).copied()
        };
        if let Some(number) = known {
            return number;
        }
        // There are fewer replicas than events, and those are counted in 32 bits.
        let number = self.replicas.len() as u32;
        self.replicas.push(replica);
        if self.replicas.len() == FEW + 1 {
            self.numbers = self.replicas.iter().copied().zip(0..).collect();
        } else if self.replicas.len() > FEW {
            self.numbers.insert(replica, number);
        }
        number
    }

    /// Appends a row.
    pub(super) fn push(&mut self, run: &ChangeRun) {
        let replica = self.number(run.replica);
        for parent in &run.parents {
            let event = (self.number(parent.replica), parent.seq);
            self.parents.push(event);
        }
        self.rows.push(Row {
            seq: run.seq,
            replica,
            change_len: run.change_len,
            count: run.count,
            parents_end: self.parents.len() as u32,
        });
    }

    /// Appends a row, as more of the last one where it can be.
    pub(super) fn push_joined(&mut self, run: &ChangeRun) {
        if run.parents.is_empty()
            && let Some(last) = self.rows.last_mut()
            && self.replicas[last.replica as usize] == run.replica
            && last.change_len == run.change_len
            && last.end() == run.seq
        {
            last.count += run.count;
            return;
        }
        self.push(run);
    }

    /// Gives back the room that will not be needed.
    pub(super) fn shrink_to_fit(&mut self) {
        self.rows.shrink_to_fit();
        self.parents.shrink_to_fit();
    }

    /// How many runs of a graph the rows are at most: those that go on with the one before are
    /// part of its run.
    pub(super) fn runs(&self) -> usize {
        let goes_on = |&index: &usize| {
            self.parents(index).is_empty()
                && self.rows[index - 1].replica == self.rows[index].replica
        };
        self.rows.len() - (1..self.rows.len()).filter(goes_on).count()
    }

    /// A row, with its names.
    pub(super) fn run(&self, row: usize) -> ChangeRun {
        let Row { seq, replica, change_len, count, .. } = self.rows[row];
        let replica = self.replica(replica);
        let parents = self.parents(row).iter().map(|&event| self.dot(event)).collect();
        ChangeRun { replica, seq, change_len, count, parents }
    }
}
