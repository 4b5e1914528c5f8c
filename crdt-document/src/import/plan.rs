use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::causality::ChangeRun;
use crdt_core::collections::{OrderedMap, sort_by_key};
use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

use super::content::Content;
use super::join_ranges;
use crate::change_set::{ChangeSet, Chosen};
use crate::codec::body::Body;
use crate::error::ImportError;
use crate::state::State;

/// What an import has to do.
pub(super) struct Plan {
    /// The changes that are not held yet, by replica and sequence, without gap or overlap.
    pub(super) new: Vec<NewRun>,
    /// All dots of the set.
    pub(super) covered: Vec<DotRange>,
}

/// New changes of one row of one body.
#[derive(Debug)]
pub(super) struct NewRun {
    pub(super) header: ChangeRun,
    pub(super) body: usize,
    /// The first event's place in the body.
    pub(super) event: u32,
}

/// Sorts a set into what is new and what is held, and makes sure that the new builds on
/// nothing that is missing and that the held is the same.
pub(super) fn plan(state: &State, set: &ChangeSet, bodies: &[&Body]) -> Result<Plan, ImportError> {
    let mut rows: Vec<(ReplicaId, u64, usize, Chosen)> = set
        .numbered()
        .map(|(body, chosen)| {
            let dot = bodies[body].first(chosen.row, chosen.skip);
            (dot.replica, dot.seq, body, chosen)
        })
        .collect();
    sort_by_key(&mut rows, |&(replica, seq, body, chosen)| (replica, seq, body, chosen.row));

    let mut plan = Plan { new: Vec::new(), covered: Vec::new() };
    let mut missing = Missing::default();
    let mut all: Vec<DotRange> = Vec::new();
    for (replica, _, body, chosen) in rows {
        let header = bodies[body].header(chosen.row, chosen.skip, chosen.count);
        let held = state.graph.version().get(replica);
        let planned = match plan.new.last() {
            Some(last) if last.header.replica == replica => last.header.last().seq,
            _ => held,
        };
        extend(&mut all, &header);
        if header.seq > planned + 1 {
            missing.add(replica, planned + 1, header.seq - 1);
        }
        let known = (planned + 1).saturating_sub(header.seq).min(header.events());
        if !known.is_multiple_of(u64::from(header.change_len)) {
            return Err(equivocation(replica, header.seq));
        }
        let known_changes = (known / u64::from(header.change_len)) as u32;
        if known > 0 {
            let again = Chosen { count: known_changes, ..chosen };
            compare(state, &plan.new, bodies, body, again)?;
        }
        if known_changes < chosen.count {
            let skip = chosen.skip + known_changes;
            plan.new.push(NewRun {
                header: bodies[body].header(chosen.row, skip, chosen.count - known_changes),
                body,
                event: bodies[body].event(chosen.row, skip),
            });
        }
    }

    let mut reached = VersionVector::new();
    for run in &plan.new {
        reached.observe(run.header.replica, run.header.last().seq);
    }
    for parent in plan.new.iter().flat_map(|run| &run.header.parents) {
        let last = reached.get(parent.replica).max(state.graph.version().get(parent.replica));
        if parent.seq > last {
            missing.add(parent.replica, last + 1, parent.seq);
        }
    }
    plan.covered = all;
    missing.none().map(|()| plan)
}

/// Makes sure that changes which are known are the same as those that are held, or as those
/// that another part of the set brings.
fn compare(
    state: &State,
    new: &[NewRun],
    bodies: &[&Body],
    body: usize,
    chosen: Chosen,
) -> Result<(), ImportError> {
    let source = bodies[body];
    let header = source.header(chosen.row, chosen.skip, chosen.count);
    let (replica, mut seq, last) = (header.replica, header.seq, header.last().seq);
    let different = || equivocation(replica, header.seq);

    let mut known = Content::default();
    let held = state.graph.version().get(replica).min(last);
    if seq <= held {
        known.add_held(state, replica, seq, held).ok_or_else(different)?;
        seq = held + 1;
    }
    let first = new.partition_point(|run| run.header.last() < Dot::new(replica, seq));
    for run in &new[first..] {
        if seq > last {
            break;
        }
        let until = last.min(run.header.last().seq);
        known.add_new(bodies, run, seq, until).ok_or_else(different)?;
        seq = until + 1;
    }
    let mut again = Content::default();
    again.add(source, header.clone(), source.event(chosen.row, chosen.skip));
    // A planted bug: a second event under a dot is passed over, as if it were the first.
    let merges = is_planted("merge-both-branches");
    if merges || known.finish() == again.finish() { Ok(()) } else { Err(different()) }
}

const fn equivocation(replica: ReplicaId, seq: u64) -> ImportError {
    ImportError::Equivocation { replica, seq }
}

fn extend(ranges: &mut Vec<DotRange>, header: &ChangeRun) {
    let added = join_ranges(core::iter::once(header));
    match (ranges.last_mut(), added.first()) {
        (Some(last), Some(next)) if last.replica == next.replica && last.last + 1 >= next.first => {
            last.last = last.last.max(next.last);
        }
        _ => ranges.extend(added),
    }
}

/// Events that others build on and that are neither held nor brought.
#[derive(Default)]
struct Missing(OrderedMap<Dot, u64>);

impl Missing {
    fn add(&mut self, replica: ReplicaId, first: u64, last: u64) {
        let end = self.0.entry(Dot::new(replica, first)).or_insert(last);
        *end = (*end).max(last);
    }

    fn none(self) -> Result<(), ImportError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut ranges: Vec<DotRange> = Vec::new();
        for (first, last) in self.0 {
            match ranges.last_mut() {
                Some(held) if held.replica == first.replica && held.last + 1 >= first.seq => {
                    held.last = held.last.max(last);
                }
                _ => ranges.push(DotRange::new(first.replica, first.seq, last)),
            }
        }
        Err(ImportError::Missing(ranges))
    }
}
