//! Questions about the past. All walk the graph from the newest event back, a run at a time,
//! and stop as soon as the answer is known: the cost is that of the runs in between, without
//! those whose Lamport times show that nothing asked for can be in their past.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use smallvec::SmallVec;

use super::queue::Queue;
use super::{EventGraph, Lv};
use crate::{Dot, VersionVector};

/// Tags of a comparison: on which side an event lies.
const LEFT: u8 = 0;
const RIGHT: u8 = 1;
const BOTH: u8 = 2;

/// Tags of a search for maximal events: whether one was asked about, or only reached.
const REACHED: u8 = 0;
const ASKED: u8 = 1;

/// What is on the left side only, and what on the right.
type Sides = (Vec<Range<Lv>>, Vec<Range<Lv>>);

impl EventGraph {
    /// Whether `lv` is one of the events of `version`, or happened before one.
    pub fn contains(&self, version: &[Lv], lv: Lv) -> bool {
        if version.contains(&lv) {
            return true;
        }
        let mut queue = Queue::default();
        version.iter().filter(|&&tip| tip > lv).for_each(|&tip| queue.push(tip, REACHED));
        if queue.len() == 0 {
            return false;
        }
        let lamport = self.run_of(lv).lamport_of(lv);
        let mut below = self.runs.len();
        while let Some((tip, _)) = queue.pop() {
            let index = self.runs.index_of(tip, below);
            let run = &self.runs[index];
            if run.start <= lv {
                return true;
            }
            if run.lamport_of(tip) <= lamport {
                continue;
            }
            below = index;
            // Whatever else leads into this run adds nothing.
            while queue.pop_from(run.start).is_some() {}
            for &parent in self.runs.parents(index) {
                match parent.cmp(&lv) {
                    Ordering::Less => {}
                    Ordering::Equal => return true,
                    Ordering::Greater => queue.push(parent, REACHED),
                }
            }
        }
        false
    }

    /// The events in the past of `left` but not of `right`, and the reverse; each as
    /// ascending ranges that do not touch. (An event is in its own past here.)
    pub fn diff(&self, left: &[Lv], right: &[Lv]) -> Sides {
        self.diff_within(left, right, usize::MAX).expect("there are not as many runs")
    }

    /// The same, if no more than `most` runs have to be looked at for it.
    pub(crate) fn diff_within(&self, left: &[Lv], right: &[Lv], most: usize) -> Option<Sides> {
        let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
        if left != right {
            let is_whole = self.walk_apart(left, right, most, |side, range| {
                let ranges = if side == LEFT { &mut only_left } else { &mut only_right };
                push_descending(ranges, range);
            });
            if !is_whole {
                return None;
            }
            only_left.reverse();
            only_right.reverse();
        }
        Some((only_left, only_right))
    }

    /// The version vector of the past of `version`. O(R) plus the runs between it and the tip.
    pub fn version_vector(&self, version: &[Lv]) -> VersionVector {
        let mut vector = self.version.clone();
        if version != &self.frontier[..] {
            self.walk_apart(&self.frontier, version, usize::MAX, |_, range| {
                // Ranges come newest first, and each lies in one run.
                let first = self.dot_of(range.start);
                vector.set(first.replica, first.seq - 1);
            });
        }
        vector
    }

    /// `vector` with everything that happened before the events in it, as far as those are held.
    ///
    /// What a replica holds is causally closed, so that it has what happened before. Its vector
    /// leaves out the writers that it forgot when it trimmed its history; whoever still has that
    /// history knows them from the others. O(R log R), and O(runs) between the vector and the tip.
    pub fn closed(&self, vector: &VersionVector) -> VersionVector {
        let held = vector.iter().filter_map(|(replica, seq)| {
            let last = seq.min(self.version.get(replica));
            self.lv_of(Dot::new(replica, last))
        });
        let tips = self.maximal(&held.collect::<Vec<Lv>>());
        if !self.follows_base(&tips) {
            return vector.clone();
        }
        let mut closed = self.version_vector(&tips);
        closed.join(vector);
        closed
    }

    /// Those of `events` that are in no other's past, in ascending order.
    pub fn maximal(&self, events: &[Lv]) -> SmallVec<[Lv; 2]> {
        let mut maximal: SmallVec<[Lv; 2]> = SmallVec::new();
        // At equal events those that were asked about come first.
        let mut queue = Queue::default();
        events.iter().for_each(|&lv| queue.push(lv, ASKED));
        let mut asked = queue.len();
        let earliest = events.iter().map(|&lv| self.run_of(lv).lamport_of(lv)).min().unwrap_or(0);
        let mut below = self.runs.len();
        while asked > 0 {
            let Some((lv, tag)) = queue.pop() else { break };
            let mut reached = tag == REACHED;
            asked -= usize::from(tag);
            while let Some((_, tag)) = queue.pop_from(lv) {
                asked -= usize::from(tag);
                reached |= tag == REACHED;
            }
            if !reached {
                maximal.push(lv);
            }
            if asked == 0 {
                break;
            }
            let index = self.runs.index_of(lv, below);
            let run = &self.runs[index];
            if run.lamport_of(lv) <= earliest {
                continue;
            }
            below = index;
            while let Some((_, tag)) = queue.pop_from(run.start) {
                asked -= usize::from(tag);
            }
            self.runs.parents(index).iter().for_each(|&parent| queue.push(parent, REACHED));
        }
        maximal.reverse();
        maximal
    }

    /// Calls `found` with every piece of a run that lies on one side only, newest first. Returns
    /// whether these were all, and not too many runs to look at.
    fn walk_apart(
        &self,
        left: &[Lv],
        right: &[Lv],
        most: usize,
        mut found: impl FnMut(u8, Range<Lv>),
    ) -> bool {
        let mut count = 0;
        let mut queue = Queue::default();
        left.iter().for_each(|&lv| queue.push(lv, LEFT));
        right.iter().for_each(|&lv| queue.push(lv, RIGHT));
        let mut one_sided = queue.len();
        let mut below = self.runs.len();
        while one_sided > 0 {
            let Some((mut top, mut side)) = queue.pop() else { break };
            if count == most {
                return false;
            }
            count += 1;
            one_sided -= usize::from(side != BOTH);
            let index = self.runs.index_of(top, below);
            below = index;
            let start = self.runs[index].start;
            while let Some((next, next_side)) = queue.pop_from(start) {
                one_sided -= usize::from(next_side != BOTH);
                if next_side != side {
                    if side != BOTH && next < top {
                        found(side, next + 1..top + 1);
                    }
                    side = BOTH;
                    top = next;
                }
            }
            let parents = self.runs.parents(index);
            if side != BOTH {
                found(side, start..top + 1);
                one_sided += parents.len();
            }
            parents.iter().for_each(|&parent| queue.push(parent, side));
        }
        true
    }
}

/// Adds a range below all others to a list in descending order, joining it to the last.
fn push_descending(ranges: &mut Vec<Range<Lv>>, range: Range<Lv>) {
    match ranges.last_mut() {
        Some(last) if last.start == range.end => last.start = range.start,
        _ => ranges.push(range),
    }
}
