//! Taking in changes from elsewhere, all or nothing.
//!
//! 1. `plan`: which changes are new, and whether those that are not are what is held;
//! 2. `order`: an order that causality allows and that follows branches;
//! 3. `apply`: what can fail comes first, edits of texts and sums of counters; then
//!    everything takes effect.

mod apply;
mod below;
mod content;
mod order;
mod plan;
#[cfg(test)]
mod tests;

pub(crate) use content::held_ranges;

use alloc::vec::Vec;

pub(crate) use self::below::below;

use crdt_core::causality::ChangeRun;
use crdt_core::{DotRange, ReplicaId};

use crate::change_set::ChangeSet;
use crate::error::ImportError;
use crate::journal::Journal;
use crate::state::State;

/// Fewer rows at once are not worth the while.
pub(crate) const PIECE_ROWS_MIN: u32 = 128;

/// What an import has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The events that were not held before.
    pub new: Vec<DotRange>,
    /// All events that the changes consist of, new or held before.
    pub covered: Vec<DotRange>,
    /// Whether events came under this document's own replica id that it did not issue: the
    /// id is in use elsewhere. Take another one before writing again.
    pub own_id_is_used_elsewhere: bool,
}

/// Takes in the changes of a set; what was there before goes to the journal.
pub(crate) fn import(
    state: &mut State,
    set: &ChangeSet,
    admit: &mut dyn FnMut(&ChangeRun) -> bool,
    own: Option<ReplicaId>,
    journal: Option<&mut Journal>,
) -> Result<Imported, ImportError> {
    let (below, rest) = match state.graph.base() {
        None => (None, None),
        Some(base) => {
            let trimmed = below(set, base);
            let (below, rest) = set.clone().split_at(&trimmed);
            (Some(below), Some(rest))
        }
    };
    let set = rest.as_ref().unwrap_or(set);
    let bodies: Vec<_> = set.bodies().collect();
    let mut plan = plan::plan(state, set, &bodies)?;
    plan.covered.extend(
        below
            .iter()
            .flat_map(ChangeSet::headers)
            .map(|run| DotRange::new(run.replica, run.seq, run.last().seq)),
    );
    if let Some(run) = plan.new.iter().find(|run| !admit(&run.header)) {
        return Err(ImportError::NotAdmitted { replica: run.header.replica });
    }
    let imported = Imported {
        new: join_ranges(plan.new.iter().map(|run| &run.header)),
        own_id_is_used_elsewhere: plan.new.iter().any(|run| Some(run.header.replica) == own),
        covered: plan.covered,
    };
    if plan.new.is_empty() {
        return Ok(imported);
    }
    let tips = state.graph.frontier().to_vec();
    let segments = order::extend_graph(state, &plan.new)?;
    apply::apply(state, &bodies, &tips, &segments, journal)?;
    for range in &imported.new {
        state.extend_chain(range);
    }
    Ok(imported)
}

/// The dots of runs in ascending order, neighbours joined.
fn join_ranges<'a>(runs: impl Iterator<Item = &'a ChangeRun>) -> Vec<DotRange> {
    let mut ranges: Vec<DotRange> = Vec::new();
    for run in runs {
        match ranges.last_mut() {
            Some(last) if last.replica == run.replica && last.last + 1 >= run.seq => {
                last.last = last.last.max(run.last().seq);
            }
            _ => ranges.push(DotRange::new(run.replica, run.seq, run.last().seq)),
        }
    }
    ranges
}
