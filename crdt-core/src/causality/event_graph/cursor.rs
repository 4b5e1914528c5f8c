//! Going through the graph in local order, without a search for each step.

use core::ops::Range;

use super::{EventGraph, Lv};

/// Events of one replica, each the only parent of the next.
#[derive(Clone, Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) lvs: Range<Lv>,
    /// The replica, by a number that it has in this graph for as long as it has events there.
    pub(crate) replica: u32,
    /// What the first event follows.
    parents: &'a [Lv],
    own: [Lv; 1],
}

impl Chain<'_> {
    /// The parents of the first event.
    pub(crate) fn parents(&self) -> &[Lv] {
        if self.own[0] == Lv::MAX { self.parents } else { &self.own }
    }

    /// Whether the first event directly follows `lv`, and nothing else.
    pub(crate) fn goes_on_from(&self, lv: Lv) -> bool {
        self.parents() == [lv]
    }
}

/// A place in the graph, from which those that are near are found at once.
#[derive(Clone, Debug)]
pub(crate) struct ChainCursor<'a> {
    graph: &'a EventGraph,
    /// The run where it stands.
    index: usize,
}

impl<'a> ChainCursor<'a> {
    pub(crate) fn new(graph: &'a EventGraph) -> Self {
        Self { graph, index: 0 }
    }

    /// The chain of the events from `start` on, at most up to `end`. O(1) where it is the next,
    /// else O(log).
    pub(crate) fn chain(&mut self, start: Lv, end: Lv) -> Chain<'a> {
        let Self { graph, index } = self;
        let is_in = |index: usize| {
            let run = graph.runs.get(index);
            run.is_some_and(|run| run.start <= start) && start < graph.run_end(index)
        };
        if !is_in(*index) {
            *index = if is_in(*index + 1) { *index + 1 } else { graph.run_index(start) };
        }
        let run = &graph.runs[*index];
        let lvs = start..end.min(graph.run_end(*index));
        let (parents, own) = if start > run.start {
            (&[][..], start - 1)
        } else {
            (graph.runs.parents(*index), Lv::MAX)
        };
        Chain { lvs, replica: run.replica, parents, own: [own] }
    }
}
