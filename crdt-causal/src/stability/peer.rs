//! What a server knows of another one's floor.

use alloc::collections::{BTreeSet, VecDeque};

use super::report::Report;
use crate::cut::{Cut, Slot};

/// Another member, as far as trimming goes.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// What it admits is taken in without a look at the floor.
    pub(super) is_trusted: bool,
    /// The last statement of which all that it is conditional on was applied here.
    floor: Cut,
    trusts: BTreeSet<Slot>,
    /// Of the statements that are not met the first and the last. One that talks on and on would
    /// otherwise never be understood, or all it says be kept.
    waiting: VecDeque<Report>,
}

impl Peer {
    /// Nothing was heard of it. It may trust any of `members`.
    pub(super) fn new(is_trusted: bool, members: BTreeSet<Slot>) -> Self {
        Self { is_trusted, floor: Cut::new(), trusts: members, waiting: VecDeque::new() }
    }

    pub(super) fn heard(&mut self, report: &Report) {
        let says_nothing_new = match self.waiting.back() {
            Some(last) => last.floor == report.floor && last.trusted == report.trusted,
            None => self.floor == report.floor && self.trusts == report.trusted,
        };
        if !says_nothing_new {
            self.waiting.truncate(1);
            self.waiting.push_back(report.clone());
        }
    }

    /// So much is applied here now.
    pub(super) fn meet(&mut self, applied: &Cut) {
        while let Some(report) =
            self.waiting.pop_front_if(|report| applied.dominates(&report.applied))
        {
            (self.floor, self.trusts) = (report.floor, report.trusted);
        }
    }

    /// The floor below which it can send nothing new any more.
    pub(super) const fn floor(&self) -> &Cut {
        &self.floor
    }

    /// Through whom something from below its floor can still come.
    pub(super) const fn trusts(&self) -> &BTreeSet<Slot> {
        &self.trusts
    }

    pub(super) fn drop_slot(&mut self, slot: Slot) {
        self.floor.set(slot, 0);
        self.trusts.remove(&slot);
        for report in &mut self.waiting {
            report.applied.set(slot, 0);
            report.floor.set(slot, 0);
            report.trusted.remove(&slot);
        }
    }
}
