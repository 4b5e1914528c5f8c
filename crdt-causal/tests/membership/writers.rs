//! The rule by which writers retire, against the whole log.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::cut::{Admission, Cut, Slot};
use crdt_causal::membership::{WriterStanding, WriterTable};
use crdt_core::{Dot, ReplicaId};

use crate::{Random, cases};

/// A writer is in the table exactly if some event of it was admitted after the trim cut; one that has left
/// is told so when it goes on, and never taken for another.
#[test]
fn writers_leave_when_all_they_wrote_is_trimmed() {
    let (mut left, mut came_back) = (0, 0);
    for seed in 0..cases() {
        let mut random = Random(seed);
        let mut table = WriterTable::new();
        let mut log: Vec<(Dot, Admission)> = vec![];
        let mut heads: BTreeMap<ReplicaId, u64> = BTreeMap::new();
        let mut positions = [0_u64; 2];
        let mut trim = Cut::new();
        for _ in 0..40 {
            let replica = ReplicaId::from_u128(u128::from(random.below(6)));
            if random.below(4) > 0 {
                let dot = Dot::new(replica, heads.get(&replica).copied().unwrap_or(0) + 1);
                let all = log.iter().filter(|(written, _)| written.replica == replica);
                let after = all.clone().any(|(_, admission)| !trim.contains(*admission));
                let expected = if after {
                    WriterStanding::Known { seq: dot.seq - 1 }
                } else if all.count() == 0 {
                    WriterStanding::New
                } else {
                    WriterStanding::Retired
                };
                assert_eq!(table.standing(dot), expected, "seed {seed}");
                if expected == WriterStanding::Retired {
                    came_back += 1;
                    continue;
                }
                heads.insert(replica, dot.seq);
                let slot = random.below(2) as usize;
                positions[slot] += 1;
                let admission = Admission::new(Slot(slot as u16), positions[slot]);
                table.observe(dot, admission);
                log.push((dot, admission));
            } else {
                // Trim cuts are causally closed: here, the beginning of the log.
                let some = random.below(log.len() as u64 + 1) as usize;
                trim.extend(log[..some].iter().map(|(_, admission)| *admission));
                let before: BTreeSet<ReplicaId> = table.iter().map(|(id, _)| id).collect();
                let retired: BTreeSet<ReplicaId> = table.trim(&trim).into_iter().collect();
                let after: BTreeSet<ReplicaId> = log
                    .iter()
                    .filter(|(_, admission)| !trim.contains(*admission))
                    .map(|(dot, _)| dot.replica)
                    .collect();
                assert_eq!(table.iter().map(|(id, _)| id).collect::<BTreeSet<_>>(), after);
                assert_eq!(retired, &before - &after);
                left += retired.len() as u64;
            }
        }
    }
    assert!(left > cases() / 4 && came_back > cases() / 4);
}

/// The figure: a hundred thousand browsers that wrote once cost nothing when that is trimmed.
#[test]
fn a_hundred_thousand_that_wrote_once_leave_nothing() {
    let mut table = WriterTable::new();
    for number in 1..=100_000_u64 {
        let dot = Dot::new(ReplicaId::from_u128(u128::from(number)), 1);
        table.observe(dot, Admission::new(Slot(0), number));
    }
    assert_eq!(table.trim(&Cut::from_iter([(Slot(0), 99_999)])).len(), 99_999);
    assert_eq!(table.len(), 1);
}
