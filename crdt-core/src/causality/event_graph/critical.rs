//! Critical versions: events that have all earlier ones in their past and are in the past
//! of all later ones. What lies before such an event is settled for every merge to come that
//! has it in its past.

use alloc::vec::Vec;
use core::ops::Range;

use super::{EventGraph, Lv};

/// The critical events, as ascending ranges of local versions.
#[derive(Clone, Debug, Default)]
pub(super) struct CriticalHeads {
    heads: Vec<Range<Lv>>,
    /// The newest event whose arrival made some of them uncritical.
    uncovered_by: Option<Lv>,
}

impl CriticalHeads {
    pub(super) fn push(&mut self, range: Range<Lv>) {
        match self.heads.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.heads.push(range),
        }
    }

    pub(super) fn last_below(&self, lv: Lv) -> Option<Lv> {
        let index = self.heads.partition_point(|range| range.start < lv).checked_sub(1)?;
        Some(self.heads[index].end.min(lv) - 1)
    }
}

impl EventGraph {
    /// The newest critical event before local version `lv`: all events up to it are in its
    /// past, and it is in the past of all events after it. O(log).
    pub fn critical_before(&self, lv: Lv) -> Option<Lv> {
        self.critical.last_below(lv)
    }

    /// An event that follows `parents` is about to become event `lv`: what they do not have
    /// in their past is no longer critical.
    pub(super) fn uncover_critical(&mut self, parents: &[Lv], lv: Lv) {
        // A critical event is in the past of all after it, so that the newest parent alone
        // tells which of them the new event covers.
        let covered = parents.iter().max().map_or(0, |newest| newest + 1);
        let heads = &mut self.critical.heads;
        while let Some(last) = heads.last_mut().filter(|last| last.end > covered) {
            self.critical.uncovered_by = Some(lv);
            if last.start < covered {
                last.end = covered;
                break;
            }
            heads.pop();
        }
    }

    /// Makes the critical events right again after events were forgotten.
    pub(super) fn recover_critical(&mut self) {
        if self.critical.uncovered_by.is_none_or(|lv| lv < self.len) {
            let len = self.len;
            let heads = &mut self.critical.heads;
            while heads.last().is_some_and(|range| range.start >= len) {
                heads.pop();
            }
            if let Some(last) = heads.last_mut() {
                last.end = last.end.min(len);
            }
            return;
        }
        self.critical = CriticalHeads::default();
        let mut tips: Vec<Lv> = Vec::new();
        for index in 0..self.runs.len() {
            let (start, end) = (self.runs[index].start, self.run_end(index));
            let parents = self.runs[index].parents.clone();
            if parents[..] != tips[..] {
                self.uncover_critical(&parents, start);
            }
            tips.retain(|tip| !parents.contains(tip));
            tips.push(end - 1);
            if tips.len() == 1 {
                self.critical.push(start..end);
            }
        }
    }
}
