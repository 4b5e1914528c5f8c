//! Where an insertion goes among concurrent ones: FugueMax, as `README.md` has its rules.

use core::ops::Range;

use super::{Id, Window};
use crate::EventGraph;
use crate::causality::Lv;
use crate::sequence::steps::step;

/// An insertion by its event and its neighbours.
#[derive(Clone, Copy)]
pub(super) struct Inserted {
    pub(super) lv: Lv,
    pub(super) left: Id,
    pub(super) right: Id,
}

impl Window {
    /// The place of `new` among the spans of `gap`: all that stand between its origins, none
    /// of which its version has.
    pub(super) fn integrate(&self, graph: &EventGraph, gap: Range<usize>, new: Inserted) -> usize {
        let start = gap.start;
        let gap = &self.spans[gap];
        let mut here = 0;
        // Where to go back to, while all seen since belong behind the new element.
        let mut held = None;
        while let Some(other) = gap.get(here) {
            step();
            if other.left == new.left {
                if other.right == new.right {
                    if graph.dot_of(new.lv) < graph.dot_of(other.first) {
                        break;
                    }
                    held = None;
                } else if gap[here + 1..].iter().any(|span| span.holds(other.right)) {
                    // Siblings stand in reverse order of their right origins; ours goes
                    // before this one, unless one that goes before ours is still to come.
                    held = held.or(Some(here));
                } else {
                    held = None;
                }
            } else if !gap[..here].iter().any(|span| span.holds(other.left)) {
                // It hangs on something before our left origin: so does all that follows.
                break;
            }
            here += 1;
        }
        start + held.unwrap_or(here)
    }
}
