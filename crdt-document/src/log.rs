//! The document as one side of a sync session.

use alloc::vec::Vec;
use core::ops::Range;

use crdt_causal::sync::{ChainHash, ChangeLog, ReceiveTables, Refusal, SendTables};
use crdt_core::canary::is_planted;
use crdt_core::causality::{ChangeRun, Lv};
use crdt_core::codec::{Reader, Writer};
use crdt_core::sequence::TextOp;
use crdt_core::{Dot, DotRange, Frontier, VersionVector};

use crate::codec::body;
use crate::error::ImportError;
use crate::history;
use crate::import::held_ranges;
use crate::op::Piece;
use crate::state::State;
use crate::{ChangeSet, Document};

impl ChangeLog for Document {
    type Error = ImportError;

    fn genesis(&self) -> [u8; 16] {
        *Self::genesis(self).as_bytes()
    }

    fn version(&self) -> &VersionVector {
        Self::version(self)
    }

    fn frontier(&self) -> Frontier {
        self.state.graph.frontier_dots()
    }

    fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
        let graph = &self.state.awake().graph;
        if version == graph.version() {
            return Some(graph.frontier_dots());
        }
        let dots = version.iter().map(|(replica, seq)| Dot::new(replica, seq));
        let dots = dots.filter(|&dot| !graph.is_trimmed(dot));
        let tips: Option<Vec<Lv>> = dots.map(|dot| graph.lv_of(dot)).collect();
        let tips = graph.maximal(&tips?);
        (graph.follows_base(&tips) && graph.version_vector(&tips) == *version)
            .then(|| graph.dots(&tips))
    }

    fn knows(&self, frontier: &Frontier) -> bool {
        frontier.iter().all(|dot| dot.seq <= self.state.last_of(dot.replica))
    }

    fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
        Self::version_of(self, frontier)
    }

    fn closed(&self, claimed: VersionVector) -> VersionVector {
        self.state.awake().graph.closed(&claimed)
    }

    fn serves(&self, known: &VersionVector) -> bool {
        let state = self.state.awake();
        // Whoever has nothing of its own begins anew with the base: a newcomer, or one that has
        // only what the document begins with everywhere.
        let has_nothing_of_its_own = || {
            let base = state.graph.base();
            base.is_some_and(|base| base.writers().dominates(known))
        };
        known.is_empty() || state.serves(known) || has_nothing_of_its_own()
    }

    fn chain(&self, dot: Dot) -> Option<ChainHash> {
        let state = self.state.awake();
        state.chains.at(state, dot)
    }

    fn follows(&self, ranges: &[DotRange]) -> Vec<Dot> {
        let state = self.state.awake();
        let graph = &state.graph;
        let mut follows = Vec::new();
        for &DotRange { replica, first, last } in ranges {
            // What a base stands for has nothing before it.
            let trimmed = graph.base().map_or(0, |base| base.writers().get(replica));
            let first = first.max(trimmed + 1);
            if first > last {
                continue;
            }
            follows.extend(Dot::new(replica, first).previous());
            for range in held_ranges(state, replica, first, last) {
                for (lvs, _) in graph.chains(range) {
                    follows.extend(graph.explicit_parents(lvs.start));
                }
            }
        }
        follows
    }

    fn encode_changes(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
        bytes_max: usize,
        tables: &mut SendTables,
        out: &mut Writer,
    ) -> Vec<DotRange> {
        let state = self.state.awake();
        let base = state.base.as_deref().filter(|_| !state.serves(known));
        let missing = history::missing(state, known, upto);
        let left = bytes_max.saturating_sub(base.map_or(0, <[u8]>::len));
        let ranges = first_bytes(state, missing, left);
        if ranges.is_empty() && base.is_none() {
            return Vec::new();
        }
        body::write(state, base, &ranges, tables, out);
        let mut covered: Vec<DotRange> = Vec::new();
        if let Some(base) = self.base().filter(|_| base.is_some()) {
            let writers = base.writers().iter();
            covered.extend(writers.map(|(replica, last)| DotRange::new(replica, 1, last)));
        }
        for run in body::runs(state, &ranges) {
            covered.push(DotRange::new(run.replica, run.seq, run.last().seq));
        }
        covered
    }

    fn import_changes(
        &mut self,
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<DotRange>, ImportError> {
        self.import_changes_if(input, tables, &mut |_| true)
    }

    fn refusal(error: &ImportError) -> Refusal {
        match error {
            ImportError::UnrelatedGenesis { .. } => Refusal::UnrelatedGenesis,
            ImportError::Equivocation { replica, .. } => {
                Refusal::Equivocation { replica: *replica }
            }
            ImportError::BeforeTrim(_) | ImportError::HistoryNeeded(_) => Refusal::Trimmed,
            ImportError::NotAdmitted { replica } => Refusal::ForeignReplica { replica: *replica },
            ImportError::Full(_) | ImportError::TransactionOpen => Refusal::Overloaded,
            _ => Refusal::InvalidChanges,
        }
    }
}

impl Document {
    /// Imports what one side of a connection has encoded for the other, if `admit` allows
    /// every run of changes that is not held yet; returns the dots that it covers, new or
    /// held before. For servers that decide who may write under which id.
    ///
    /// # Errors
    ///
    /// [`ImportError`], [`ImportError::NotAdmitted`] in particular; the document is as it was.
    pub fn import_changes_if(
        &mut self,
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
        admit: &mut dyn FnMut(&ChangeRun) -> bool,
    ) -> Result<Vec<DotRange>, ImportError> {
        let changes = ChangeSet::read(input, tables)?;
        self.apply_if(changes, admit).map(|imported| imported.covered)
    }
}

/// The changes at the front of `ranges` that take about so many bytes, at least one.
fn first_bytes(state: &State, ranges: Vec<Range<Lv>>, bytes_max: usize) -> Vec<Range<Lv>> {
    // One change at least: a body that is never begun would never end.
    let mut left = bytes_max.max(1);
    let mut taken: Vec<Range<Lv>> = Vec::new();
    for range in ranges {
        let mut start = range.start;
        let mut end = range.start;
        for span in state.graph.changes(range.clone()) {
            while end < span.lvs.end && left > 0 {
                // Long runs of short changes are measured in steps, the shorter the less is left.
                let step = ((left / 8) as u32).clamp(1, STEP_EVENTS) / span.change_len;
                // A planted bug: a body may end in the middle of a change.
                let change_len = if is_planted("cut-a-change") { 1 } else { span.change_len };
                let until = span.lvs.end.min(end.saturating_add(step.max(1) * change_len));
                left = left.saturating_sub(estimate(state, end..until));
                end = until;
            }
            if left == 0 {
                break;
            }
        }
        if end > start {
            taken.push(core::mem::replace(&mut start, end)..end);
        }
        if left == 0 {
            break;
        }
    }
    taken
}

/// How many events are measured at once, at most.
const STEP_EVENTS: u32 = 256;

/// How many bytes events take, rather more than less.
fn estimate(state: &State, lvs: Range<Lv>) -> usize {
    let mut bytes = 8;
    state.for_each_piece(lvs, |_, _, _, piece| {
        bytes += match piece {
            Piece::Text(TextOp::Insert { content, .. }) => 4 + content.len(),
            Piece::Text(_) => 4,
            Piece::Op { op, .. } => op.size(),
        };
    });
    bytes
}
