//! Questions about the past. All walk the graph from the newest event back, a run at a time,
//! and stop as soon as the answer is known: the cost is that of the runs in between, without
//! those whose Lamport times show that nothing asked for can be in their past.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::ops::Range;

use smallvec::SmallVec;

use super::{EventGraph, Lv};
use crate::VersionVector;

/// On which side of a comparison an event lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
    Both,
}

impl EventGraph {
    /// Whether `lv` is one of the events of `version`, or happened before one.
    pub fn contains(&self, version: &[Lv], lv: Lv) -> bool {
        if version.contains(&lv) {
            return true;
        }
        let mut heap: BinaryHeap<Lv> = version.iter().copied().filter(|&tip| tip > lv).collect();
        if heap.is_empty() {
            return false;
        }
        let lamport = self.lamport(lv);
        while let Some(tip) = heap.pop() {
            let run = self.run_of(tip);
            if run.start <= lv {
                return true;
            }
            if run.lamport_of(tip) <= lamport {
                continue;
            }
            // Whatever else leads into this run adds nothing.
            while heap.peek().is_some_and(|&next| next >= run.start) {
                heap.pop();
            }
            for &parent in &run.parents {
                if parent == lv {
                    return true;
                }
                if parent > lv {
                    heap.push(parent);
                }
            }
        }
        false
    }

    /// The events in the past of `left` but not of `right`, and the reverse; each as
    /// ascending ranges that do not touch. (An event is in its own past here.)
    pub fn diff(&self, left: &[Lv], right: &[Lv]) -> (Vec<Range<Lv>>, Vec<Range<Lv>>) {
        let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
        if left != right {
            self.walk_apart(left, right, |side, range| {
                let ranges = if side == Side::Left { &mut only_left } else { &mut only_right };
                push_descending(ranges, range);
            });
            only_left.reverse();
            only_right.reverse();
        }
        (only_left, only_right)
    }

    /// The version vector of the past of `version`. O(R) plus the runs between it and the tip.
    pub fn version_vector(&self, version: &[Lv]) -> VersionVector {
        let mut vector = self.version.clone();
        if version != &self.frontier[..] {
            self.walk_apart(&self.frontier, version, |_, range| {
                // Ranges come newest first, and each lies in one run.
                let first = self.dot_of(range.start);
                vector.set(first.replica, first.seq - 1);
            });
        }
        vector
    }

    /// Those of `events` that are in no other's past, in ascending order.
    pub fn maximal(&self, events: &[Lv]) -> SmallVec<[Lv; 2]> {
        let mut maximal: SmallVec<[Lv; 2]> = SmallVec::new();
        // (event, whether it was asked about): at equal events the asked one comes first.
        let mut heap: BinaryHeap<(Lv, bool)> = events.iter().map(|&lv| (lv, true)).collect();
        let mut asked = heap.len();
        let earliest = events.iter().map(|&lv| self.lamport(lv)).min().unwrap_or(0);
        while asked > 0 {
            let Some((lv, is_asked)) = heap.pop() else { break };
            let mut reached = !is_asked;
            if is_asked {
                asked -= 1;
            }
            while let Some(&(same, also_asked)) = heap.peek().filter(|&&(next, _)| next == lv) {
                debug_assert_eq!(same, lv);
                heap.pop();
                if also_asked {
                    asked -= 1;
                } else {
                    reached = true;
                }
            }
            if !reached {
                maximal.push(lv);
            }
            if asked == 0 {
                break;
            }
            let run = self.run_of(lv);
            if run.lamport_of(lv) <= earliest {
                continue;
            }
            while let Some(&(_, also_asked)) = heap.peek().filter(|&&(next, _)| next >= run.start) {
                heap.pop();
                asked -= usize::from(also_asked);
            }
            heap.extend(run.parents.iter().map(|&parent| (parent, false)));
        }
        maximal.reverse();
        maximal
    }

    /// Calls `found` with every piece of a run that lies on one side only, newest first.
    fn walk_apart(&self, left: &[Lv], right: &[Lv], mut found: impl FnMut(Side, Range<Lv>)) {
        let sides = left.iter().map(|&lv| (lv, Side::Left));
        let mut heap: BinaryHeap<(Lv, Side)> =
            sides.chain(right.iter().map(|&lv| (lv, Side::Right))).collect();
        let mut one_sided = heap.len();
        while one_sided > 0 {
            let Some((mut top, mut side)) = heap.pop() else { break };
            one_sided -= usize::from(side != Side::Both);
            let run = self.run_of(top);
            while let Some(&(next, next_side)) = heap.peek().filter(|&&(next, _)| next >= run.start)
            {
                heap.pop();
                one_sided -= usize::from(next_side != Side::Both);
                if next_side != side {
                    if side != Side::Both && next < top {
                        found(side, next + 1..top + 1);
                    }
                    side = Side::Both;
                    top = next;
                }
            }
            if side != Side::Both {
                found(side, run.start..top + 1);
                one_sided += run.parents.len();
            }
            heap.extend(run.parents.iter().map(|&parent| (parent, side)));
        }
    }
}

/// Adds a range below all others to a list in descending order, joining it to the last.
fn push_descending(ranges: &mut Vec<Range<Lv>>, range: Range<Lv>) {
    match ranges.last_mut() {
        Some(last) if last.start == range.end => last.start = range.start,
        _ => ranges.push(range),
    }
}
