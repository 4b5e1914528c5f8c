//! What of an offer lies in the base of a trimmed text.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::JoinError;
use crate::causality::ChangeRun;
use crate::sequence::delta::Changes;
use crate::sequence::headers::{Event, Headers};
use crate::sequence::{Text, TextDelta};
use crate::{Dot, VersionVector};

impl Text {
    /// The changes of deltas without those that were trimmed here; `None` if they are as they come.
    ///
    /// Trimmed are the events of the base by writers who are remembered, and whatever the deltas
    /// show to be in the past of one of those.
    pub(super) fn without_trimmed(
        &self,
        deltas: &[&TextDelta],
    ) -> Result<Option<TextDelta>, JoinError> {
        let Some(base) = self.graph.base() else { return Ok(None) };
        let in_base = |run: ChangeRun| base.writers().contains(run.first());
        if !deltas.iter().flat_map(|delta| delta.headers()).any(in_base) {
            return Ok(None);
        }
        let all = Changes::of_all(deltas)?;
        let headers = &all.headers;
        let trimmed = reach(headers, base.writers());
        for (&seq, &replica) in trimmed.iter().zip(headers.replicas()) {
            // Whoever is held has nothing in the base that is not known to be there.
            if seq > base.writers().get(replica) && self.version().get(replica) > 0 {
                return Err(JoinError::Equivocation { replica });
            }
        }
        let (mut left, mut at) = (Changes::default(), 0);
        for (index, row) in headers.rows().iter().enumerate() {
            let replica = headers.replica(row.replica);
            let last = trimmed[row.replica as usize];
            let events = row.events() as u32;
            let gone = (last + 1).saturating_sub(row.seq).min(row.events()) as u32;
            if !gone.is_multiple_of(row.change_len) {
                return Err(JoinError::Equivocation { replica });
            }
            if gone < events {
                if last > 0 && self.version().get(replica) == 0 {
                    let (change, trimmed) = (Dot::new(replica, last + 1), Dot::new(replica, last));
                    return Err(JoinError::BeforeTrim { change, trimmed });
                }
                let parents = if gone == 0 { headers.parents(index) } else { &[] };
                left.headers.push(&ChangeRun {
                    replica,
                    seq: row.seq + u64::from(gone),
                    change_len: row.change_len,
                    count: row.count - gone / row.change_len,
                    parents: parents.iter().map(|&event| headers.dot(event)).collect(),
                });
                let full = |_| unreachable!("there are no more than there were");
                left.ops.extend(&all.ops, at + gone..at + events).unwrap_or_else(full);
            }
            at += events;
        }
        Ok(Some(left.into()))
    }
}

/// How far the events of each replica are shown to lie in a version, of which `known` tells.
/// O(rows · log rows).
fn reach(headers: &Headers, known: &VersionVector) -> Vec<u64> {
    let rows = headers.rows();
    let event = |row: u32| -> Event { (rows[row as usize].replica, rows[row as usize].seq) };
    let mut ascending: Vec<u32> = (0..rows.len() as u32).collect();
    ascending.sort_unstable_by_key(|&row| event(row));
    let mut reach: Vec<u64> =
        headers.replicas().iter().map(|&replica| known.get(replica)).collect();
    // For each replica its first row that is not looked at yet.
    let mut next: Vec<usize> = (0..reach.len() as u32)
        .map(|replica| ascending.partition_point(|&row| event(row).0 < replica))
        .collect();
    let mut grown: SmallVec<[u32; 8]> = (0..reach.len() as u32).collect();
    while let Some(replica) = grown.pop() {
        let number = replica as usize;
        while let Some(&row) = ascending.get(next[number])
            && event(row) <= (replica, reach[number])
            && event(row).0 == replica
        {
            next[number] += 1;
            for &(parent, seq) in headers.parents(row as usize) {
                if reach[parent as usize] < seq {
                    reach[parent as usize] = seq;
                    grown.push(parent);
                }
            }
        }
    }
    reach
}
