//! The history as the graph tells it: which changes there were, and in which orders they can
//! be written.

use alloc::vec::Vec;

use core::ops::Range;
use crdt_core::collections::{sort, sort_by_key};

use crdt_core::causality::{Lv, order};
use crdt_core::{Dot, DotRange, EventGraph, Frontier, ReplicaId, VersionVector};
use smallvec::SmallVec;

use crate::state::State;

/// What is known of one change, without what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangeInfo {
    /// Its events.
    pub dots: DotRange,
    /// The version that it was made at.
    pub parents: Frontier,
    /// The Lamport time of its first event.
    pub lamport: u64,
}

impl ChangeInfo {
    /// Who made it.
    pub const fn replica(&self) -> ReplicaId {
        self.dots.replica
    }

    /// Its last event: the name of the version with it.
    pub const fn last(&self) -> Dot {
        Dot::new(self.dots.replica, self.dots.last)
    }
}

/// Every change, in an order that causality allows.
pub(crate) fn changes(graph: &EventGraph) -> impl Iterator<Item = ChangeInfo> + '_ {
    graph.changes(graph.first()..graph.len()).flat_map(move |span| {
        (0..span.count).map(move |index| {
            let lv = span.lvs.start + index * span.change_len;
            let first = span.seq + u64::from(index) * u64::from(span.change_len);
            let last = first + u64::from(span.change_len) - 1;
            ChangeInfo {
                dots: DotRange::new(span.replica, first, last),
                parents: graph.dots(&graph.parents_of(lv)),
                lamport: graph.lamport(lv),
            }
        })
    })
}

/// The one order in which equal sets of events are written alike: of the changes that are
/// ready, the one with the smallest (replica, sequence) is next. O(n log n) for n spans of
/// changes.
pub(crate) fn canonical_order(graph: &EventGraph) -> Vec<Range<Lv>> {
    let begin = graph.first();
    let spans: Vec<_> = graph.changes(begin..graph.len()).collect();
    // Spans are cut where others build on them: in between nothing else becomes ready.
    let parents = spans.iter().flat_map(|span| span.parents.iter().map(|&lv| lv + 1));
    let parents = parents.filter(|&end| end > begin);
    let mut ends: Vec<Lv> = parents.chain(spans.iter().map(|span| span.lvs.end)).collect();
    sort(&mut ends);
    ends.dedup();

    let starts = core::iter::once(begin).chain(ends.iter().copied());
    let nodes: Vec<Range<Lv>> = starts.zip(&ends).map(|(start, &end)| start..end).collect();
    let keys: Vec<Dot> = nodes.iter().map(|lvs| graph.dot_of(lvs.start)).collect();
    let follows: Vec<SmallVec<[u32; 2]>> = nodes
        .iter()
        .zip(&keys)
        .map(|(lvs, first)| {
            let mut before: SmallVec<[Lv; 2]> = graph.parents_of(lvs.start);
            // Where the own predecessor is no parent it is in the past of one.
            before.extend(first.previous().and_then(|own| graph.lv_of(own)));
            before.retain(|lv| *lv >= begin);
            before.iter().map(|&lv| ends.partition_point(|&end| end <= lv) as u32).collect()
        })
        .collect();
    let mut order: Vec<Range<Lv>> = Vec::with_capacity(nodes.len());
    for number in order::canonical_order(&keys, &follows) {
        let lvs = &nodes[number as usize];
        match order.last_mut() {
            Some(last) if last.end == lvs.start => last.end = lvs.end,
            _ => order.push(lvs.clone()),
        }
    }
    order
}

/// The events that `upto` has and `known` has not, in local order, widened to whole changes.
/// Both may be any vectors at all. Trimmed events are left out.
pub(crate) fn missing(
    state: &State,
    known: &VersionVector,
    upto: &VersionVector,
) -> Vec<Range<Lv>> {
    let graph = &state.graph;
    let mut ranges: Vec<Range<Lv>> = Vec::new();
    for DotRange { replica, first, last } in upto.missing_from(known) {
        let trimmed = graph.base().map_or(0, |base| base.writers().get(replica));
        let last = last.min(graph.version().get(replica));
        let mut seq = first.max(trimmed + 1);
        while seq <= last {
            let dot = Dot::new(replica, seq);
            let mut run = graph.run_from(dot).expect("the event is held");
            let left = last - seq + 1;
            if (run.len() as u64) > left {
                run.end = run.start + left as Lv;
            }
            seq += run.len() as u64;
            run.start = graph.change_of(run.start).start;
            ranges.push(run);
        }
    }
    sort_by_key(&mut ranges, |range| range.start);
    let mut joined: Vec<Range<Lv>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    // A version that cuts a change has less than the whole of it.
    for range in &mut joined {
        let last = graph.change_of(range.end - 1);
        if last.end > range.end {
            range.end = last.start.max(range.start);
        }
    }
    joined.retain(|range| !range.is_empty());
    joined
}
