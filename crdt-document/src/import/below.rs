use alloc::vec::Vec;

use crdt_core::causality::{Base, ChangeRun};
use crdt_core::collections::sort_by_key;
use crdt_core::{ReplicaId, VersionVector};

use crate::change_set::ChangeSet;

/// Which of the changes of a set are known to lie below a base: those of the writers that it
/// remembers, and those that the set shows to have happened before them.
///
/// What happened before an event never changes, so that whoever offers the events of a forgotten
/// writer together with what came after them can have them passed over. O(n log n) for n rows.
pub(crate) fn below(set: &ChangeSet, base: &Base) -> VersionVector {
    let mut rows: Vec<ChangeRun> = set.headers().collect();
    sort_by_key(&mut rows, ChangeRun::first);
    let mut below = base.writers().clone();
    let mut waiting: Vec<(ReplicaId, u64)> = below.iter().collect();
    let mut visited = alloc::vec![false; rows.len()];
    while let Some((replica, last)) = waiting.pop() {
        let end = rows.partition_point(|row| (row.replica, row.seq) <= (replica, last));
        // Those of the replica that were not visited are next to each other, up to the last.
        for index in (0..end).rev() {
            if rows[index].replica != replica || visited[index] {
                break;
            }
            visited[index] = true;
            for parent in &rows[index].parents {
                if !below.contains(*parent) {
                    below.observe(parent.replica, parent.seq);
                    waiting.push((parent.replica, parent.seq));
                }
            }
        }
    }
    below
}
