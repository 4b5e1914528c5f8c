//! Whether the parts of a graph fit each other, and whether two graphs are one.

use alloc::vec::Vec;

use super::{EventGraph, Lv};
use crate::collections::sort;
use crate::{Dot, VersionVector};

impl EventGraph {
    /// Panics if the parts of the graph contradict each other. For tests: O(events).
    pub fn check_invariants(&self) {
        assert_eq!(self.issuers.len(), self.numbers.len());
        assert!(
            (0..).zip(&self.issuers).all(|(n, issuer)| self.numbers.get(&issuer.id) == Some(&n))
        );
        let mut version =
            self.base().map_or_else(VersionVector::new, |base| base.writers().clone());
        let mut tips: Vec<Lv> = Vec::new();
        let mut issued: Vec<Vec<u32>> = self.issuers.iter().map(|_| Vec::new()).collect();
        for index in 0..self.runs.len() {
            let (run, parents, end) =
                (self.runs[index], self.runs.parents(index), self.run_end(index));
            assert!(run.start < end, "runs are not empty and ascend");
            let id = self.issuers[run.replica as usize].id;
            issued[run.replica as usize].push(index as u32);
            if let Some(base) = self.base().filter(|_| run.start < self.first()) {
                assert_eq!(base.heads().dots()[index], self.dot_of(run.start));
                assert_eq!((u64::from(run.lamport), parents), (base.lamport(), &[][..]));
            } else {
                assert_eq!(run.seq_of(run.start), version.get(id) + 1, "sequences have no gap");
                assert!(self.follows_base(parents), "nothing is concurrent to what was trimmed");
                let lamport = parents.iter().map(|&p| self.lamport(p)).max().unwrap_or(0);
                assert_eq!(u64::from(run.lamport), lamport + 1);
            }
            let goes_on = index > 0
                && self.runs[index - 1].replica == run.replica
                && *parents == [run.start - 1];
            assert!(!goes_on, "a run ends where its replica does not go on");
            version.observe(id, run.seq_of(end - 1));
            assert!(parents.is_sorted() && parents.iter().all(|&p| p < run.start));
            assert_eq!(self.maximal(parents)[..], *parents, "parents are maximal");
            let own = self.dot_of(run.start).previous().and_then(|dot| self.lv_of(dot));
            assert!(own.is_none_or(|own| self.contains(parents, own)), "own past is covered");
            tips.retain(|tip| !parents.contains(tip));
            tips.push(end - 1);
            assert_eq!(self.lv_of(self.dot_of(run.start)), Some(run.start));
            assert_eq!(self.lv_of(self.dot_of(end - 1)), Some(end - 1));
            assert_eq!(self.runs.index_of(run.start, index + 1), index);
            assert_eq!(self.run_index(end - 1), index);
        }
        sort(&mut tips);
        assert_eq!(tips[..], self.frontier[..]);
        assert_eq!(version, self.version);
        assert!(issued.iter().eq(self.issuers.iter().map(|issuer| &issuer.runs)));
        for (id, last) in version.iter() {
            assert_eq!(self.last_of(id), last);
            assert_eq!(self.lv_of(Dot::new(id, last + 1)), None);
        }
        // What was forgotten leaves nobody behind it.
        assert!(self.issuers.last().is_none_or(|issuer| !issuer.runs.is_empty()));
        self.runs.check_invariants();
        assert!(self.blocks.is_sorted_by_key(|block| block.start));
    }
}

/// Graphs are equal when they hold the same events, in the same changes and the same causal order, whatever the
/// order in which the two replicas learned of them, and know as much of what was trimmed.
impl PartialEq for EventGraph {
    fn eq(&self, other: &Self) -> bool {
        // What goes on without a break here may be broken there, so that each is asked for its own.
        self.version == other.version
            && self.base == other.base
            && self.agrees_with(other)
            && other.agrees_with(self)
    }
}

impl Eq for EventGraph {}

impl EventGraph {
    /// Whether what begins here after a break, of another writer or of another kind, is the same there.
    fn agrees_with(&self, other: &Self) -> bool {
        self.changes(self.first()..self.len).all(|span| {
            let Some(theirs) = other.lv_of(Dot::new(span.replica, span.seq)) else { return false };
            self.dots(&span.parents) == other.dots(&other.parents_of(theirs))
                && other.change_of(theirs) == (theirs..theirs + span.change_len)
        })
    }
}
