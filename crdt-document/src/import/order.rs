use std::collections::BTreeMap;
use std::ops::Range;

use crdt_core::causality::{GraphError, Lv};
use crdt_core::{Dot, ReplicaId};
use smallvec::SmallVec;

use super::plan::NewRun;
use crate::error::ImportError;
use crate::state::State;

/// Changes that follow one another in the local order: part of a new run.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) lvs: Range<Lv>,
    pub(super) first: Dot,
    /// The body that says what the events do, and the place of the first.
    pub(super) body: usize,
    pub(super) event: u32,
}

/// Part of a run, up to where others build on it.
struct Node {
    run: usize,
    /// Changes of the run before it, and in it.
    skip: u32,
    count: u32,
    waits_for: u32,
    then: SmallVec<[u32; 2]>,
}

/// Enters the new changes into the graph, in an order that follows each branch as far as it
/// goes: merging texts is the cheaper the less often the order jumps between branches.
pub(super) fn extend_graph(state: &mut State, new: &[NewRun]) -> Result<Vec<Segment>, ImportError> {
    let before = state.graph.len();
    let entered = enter(state, new);
    if entered.is_err() {
        state.graph.truncate(before);
    }
    entered
}

fn enter(state: &mut State, new: &[NewRun]) -> Result<Vec<Segment>, ImportError> {
    let mut nodes = divide(state, new)?;
    let mut ready: Vec<u32> =
        (0..nodes.len() as u32).rev().filter(|&node| nodes[node as usize].waits_for == 0).collect();
    let mut segments: Vec<Segment> = Vec::with_capacity(nodes.len());
    while let Some(number) = ready.pop() {
        let node = &nodes[number as usize];
        let run = &new[node.run];
        let header = &run.header;
        let first_event = node.skip * header.change_len;
        let first = Dot::new(header.replica, header.seq + u64::from(first_event));
        let explicit = if node.skip == 0 { &header.parents[..] } else { &[] };
        let parents = state
            .graph
            .full_parents(header.replica, explicit)
            .map_err(|_| ImportError::InvalidChange(first))?;
        let lvs = state
            .graph
            .push(header.replica, header.change_len, node.count, &parents)
            .map_err(full)?;
        segments.push(Segment { lvs, first, body: run.body, event: run.event + first_event });
        for next in std::mem::take(&mut nodes[number as usize].then) {
            let waiting = &mut nodes[next as usize].waits_for;
            *waiting -= 1;
            if *waiting == 0 {
                ready.push(next);
            }
        }
    }
    if segments.len() < nodes.len() {
        // The rest wait for each other.
        let stuck = nodes.iter().find(|node| node.waits_for > 0).map_or(0, |node| node.run);
        return Err(ImportError::InvalidChange(new[stuck].header.first()));
    }
    Ok(segments)
}

const fn full(error: GraphError) -> ImportError {
    ImportError::Full(error)
}

/// Cuts the runs where others build on them, and finds who waits for whom.
fn divide(state: &State, new: &[NewRun]) -> Result<Vec<Node>, ImportError> {
    // The runs are sorted, so that the run of a new event is found by its dot.
    let run_of = |dot: Dot| -> Option<usize> {
        let index = new.partition_point(|run| run.header.first() <= dot).checked_sub(1)?;
        let last = new[index].header.last();
        (last.replica == dot.replica && dot.seq <= last.seq).then_some(index)
    };
    // After so many changes of a run there is a cut.
    let mut cuts: BTreeMap<(usize, u32), ()> = BTreeMap::new();
    for (index, run) in new.iter().enumerate() {
        cuts.insert((index, run.header.count), ());
        for &parent in &run.header.parents {
            let invalid = ImportError::InvalidChange(run.header.first());
            match run_of(parent) {
                Some(on) => {
                    let events = parent.seq - new[on].header.seq + 1;
                    let len = u64::from(new[on].header.change_len);
                    if !events.is_multiple_of(len) {
                        return Err(invalid);
                    }
                    cuts.insert((on, (events / len) as u32), ());
                }
                None => {
                    let lv = state.graph.lv_of(parent).expect("what is missing was found before");
                    if !state.graph.is_change_start(lv + 1) {
                        return Err(invalid);
                    }
                }
            }
        }
    }
    let mut nodes: Vec<Node> = Vec::with_capacity(cuts.len());
    let mut ends: Vec<(usize, u32)> = Vec::with_capacity(cuts.len());
    for &(run, end) in cuts.keys() {
        let skip = match ends.last() {
            Some(&(last, end)) if last == run => end,
            _ => 0,
        };
        nodes.push(Node { run, skip, count: end - skip, waits_for: 0, then: SmallVec::new() });
        ends.push((run, end));
    }
    let replica_of = |node: &Node| -> ReplicaId { new[node.run].header.replica };
    for number in 0..nodes.len() {
        let (run, skip) = (nodes[number].run, nodes[number].skip);
        if skip == 0 {
            for &parent in &new[run].header.parents {
                let Some(on) = run_of(parent) else { continue };
                let len = u64::from(new[on].header.change_len);
                let end = ((parent.seq - new[on].header.seq + 1) / len) as u32;
                let node = ends.binary_search(&(on, end)).expect("there is a cut at each parent");
                nodes[node].then.push(number as u32);
                nodes[number].waits_for += 1;
            }
        }
        if number > 0 && replica_of(&nodes[number - 1]) == replica_of(&nodes[number]) {
            nodes[number].waits_for += 1;
        }
    }
    // The replica's own next comes last among those that follow, and so is taken up first.
    for number in 1..nodes.len() {
        if replica_of(&nodes[number - 1]) == replica_of(&nodes[number]) {
            nodes[number - 1].then.push(number as u32);
        }
    }
    Ok(nodes)
}
