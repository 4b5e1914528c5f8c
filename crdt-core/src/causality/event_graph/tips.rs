//! The maximal events, as new ones come.

use smallvec::SmallVec;

use super::Lv;

/// So many parents are looked for one by one.
const FEW: usize = 4;

/// An event that follows `parents`, which ascend, becomes a tip in place of those that are among them. Tips ascend, and
/// it is later than all. O(log n) for n tips where there are few parents, but for closing the gap.
pub fn advance_tips(tips: &mut SmallVec<[Lv; 2]>, parents: &[Lv], event: Lv) {
    if parents.len() > FEW {
        tips.retain(|tip| parents.binary_search(tip).is_err());
    } else {
        for parent in parents {
            if let Ok(at) = tips.binary_search(parent) {
                tips.remove(at);
            }
        }
    }
    debug_assert!(tips.last().is_none_or(|last| *last < event), "the newest event is the last tip");
    tips.push(event);
}
