//! Taking in only what has seen a certain past.

use alloc::vec::Vec;

use crdt_causal::sync::ReceiveTables;
use crdt_core::canary::is_planted;
use crdt_core::causality::{ChangeRun, Lv};
use crdt_core::codec::Reader;
use crdt_core::{Dot, DotRange, EventGraph, Frontier, VersionVector};

use crate::error::ImportError;
use crate::import;
use crate::{ChangeSet, Document};

impl Document {
    /// The maximal ones of the events in `version` that are held and were not
    /// [trimmed](Self::trim). O(R log R), and O(runs) between them and the tip.
    pub fn heads_within(&self, version: &VersionVector) -> Frontier {
        let graph = &self.state.awake().graph;
        let last = version.iter().filter_map(|(replica, seq)| {
            graph.lv_of(Dot::new(replica, seq.min(graph.version().get(replica))))
        });
        graph.dots(&graph.maximal(&last.collect::<Vec<Lv>>()))
    }

    /// As [`import_changes_if`](Self::import_changes_if), of changes that have all seen the
    /// events in `floor`: what a server will soon trim, and so lets nobody write beside any more.
    /// An event of the floor that is not held, or no longer, has no part in it.
    ///
    /// Costs, beside the import, a search for each row of new changes: O(runs) between what it
    /// follows and the floor.
    ///
    /// # Errors
    ///
    /// [`ImportError::BeforeTrim`] for a change that has not, else as there; the document is as it
    /// was.
    pub fn import_changes_after(
        &mut self,
        floor: &Frontier,
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
        admit: &mut dyn FnMut(&ChangeRun) -> bool,
    ) -> Result<Vec<DotRange>, ImportError> {
        let changes = ChangeSet::read(input, tables)?;
        // What begins with a base takes the place of what is here only if it has seen all of that.
        if changes.base().is_none() {
            self.check_seen(floor, &changes)?;
        }
        self.apply_if(changes, admit).map(|imported| imported.covered)
    }

    fn check_seen(&self, floor: &Frontier, changes: &ChangeSet) -> Result<(), ImportError> {
        let graph = &self.state.awake().graph;
        let heads: Vec<Lv> = floor.iter().filter_map(|dot| graph.lv_of(dot)).collect();
        // A planted bug: whoever comes too late is let in as long as nothing was trimmed.
        if heads.is_empty() || is_planted("admit-below-the-floor") {
            return Ok(());
        }
        let below = graph.base().map(|base| import::below(changes, base)).unwrap_or_default();
        for row in changes.headers() {
            let held = graph.version().get(row.replica);
            let last = row.last();
            if last.seq > held && !below.contains(last) && !has_seen(graph, &heads, &row, &below) {
                return Err(ImportError::BeforeTrim(Dot::new(
                    row.replica,
                    row.seq.max(held.saturating_add(1)),
                )));
            }
        }
        Ok(())
    }
}

/// Whether all heads are in the past of a row, as far as it can be told from the row alone: what
/// follows another new row has seen what that one has.
fn has_seen(graph: &EventGraph, heads: &[Lv], row: &ChangeRun, below: &VersionVector) -> bool {
    let held = graph.version().get(row.replica);
    let first = Dot::new(row.replica, row.seq.max(held.saturating_add(1)));
    let parents = row.parents.iter().copied().chain(first.previous());
    let mut tips: Vec<Lv> = Vec::new();
    for parent in parents {
        match graph.lv_of(parent) {
            Some(lv) => tips.push(lv),
            None if graph.is_trimmed(parent) || below.contains(parent) => {}
            // It is new itself, or missing: then the import says so.
            None => return true,
        }
    }
    heads.iter().all(|&head| graph.contains(&tips, head))
}
