use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::Dot;
use crdt_core::causality::{Lv, ParentsError, order};
use crdt_core::collections::OrderedSet;
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
}

/// The parts that a part follows.
type Follows = SmallVec<[u32; 2]>;

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
    let (nodes, follows) = divide(new)?;
    let size = |node: &Node| u64::from(node.count) * u64::from(new[node.run].header.change_len);
    let sizes: Vec<u64> = nodes.iter().map(size).collect();
    let order = order::branch_order(&sizes, &follows);
    if let Some(left_out) = order::left_out(&order, nodes.len()) {
        // Those that were left out wait for each other.
        let stuck = nodes[left_out as usize].run;
        return Err(ImportError::InvalidChange(new[stuck].header.first()));
    }
    let mut segments: Vec<Segment> = Vec::with_capacity(nodes.len());
    for number in order {
        let node = &nodes[number as usize];
        let run = &new[node.run];
        let header = &run.header;
        let first_event = node.skip * header.change_len;
        let first = Dot::new(header.replica, header.seq + u64::from(first_event));
        let explicit = if node.skip == 0 { &header.parents[..] } else { &[] };
        let parents =
            state.graph.full_parents(header.replica, explicit).map_err(|error| match error {
                ParentsError::BeforeTrim(_) => ImportError::BeforeTrim(first),
                ParentsError::Missing(_) if state.graph.base().is_some() => {
                    ImportError::BeforeTrim(first)
                }
                _ => ImportError::InvalidChange(first),
            })?;
        let lvs = state
            .graph
            .push(header.replica, header.change_len, node.count, &parents)
            .map_err(ImportError::Full)?;
        segments.push(Segment { lvs, first, body: run.body, event: run.event + first_event });
    }
    Ok(segments)
}

/// Cuts the runs where others build on them, and finds who follows whom.
fn divide(new: &[NewRun]) -> Result<(Vec<Node>, Vec<Follows>), ImportError> {
    // The runs are sorted, so that the run of a new event is found by its dot; one that is
    // held has none.
    let run_of = |dot: Dot| -> Option<usize> {
        let index = new.partition_point(|run| run.header.first() <= dot).checked_sub(1)?;
        let last = new[index].header.last();
        (last.replica == dot.replica && dot.seq <= last.seq).then_some(index)
    };
    // How many changes of its run go up to an event, if it ends one.
    let changes_to = |dot: Dot, run: usize| -> Option<u32> {
        let (events, len) =
            (dot.seq - new[run].header.seq + 1, u64::from(new[run].header.change_len));
        events.is_multiple_of(len).then_some((events / len) as u32)
    };
    // After so many changes of a run there is a cut.
    let mut cuts: OrderedSet<(usize, u32)> = OrderedSet::new();
    for (index, run) in new.iter().enumerate() {
        cuts.insert((index, run.header.count));
        for &parent in &run.header.parents {
            let Some(on) = run_of(parent) else { continue };
            let Some(changes) = changes_to(parent, on) else {
                return Err(ImportError::InvalidChange(run.header.first()));
            };
            cuts.insert((on, changes));
        }
    }
    let ends: Vec<(usize, u32)> = cuts.into_iter().collect();
    let mut nodes: Vec<Node> = Vec::with_capacity(ends.len());
    let mut follows: Vec<Follows> = Vec::with_capacity(ends.len());
    for (number, &(run, end)) in ends.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| ends[before]);
        let skip = before.filter(|&(held, _)| held == run).map_or(0, |(_, end)| end);
        let mut after: Follows = SmallVec::new();
        for &parent in if skip == 0 { &new[run].header.parents[..] } else { &[] } {
            let Some(on) = run_of(parent) else { continue };
            let end = changes_to(parent, on).expect("it was looked at before");
            after.push(ends.binary_search(&(on, end)).expect("there is a cut") as u32);
        }
        let replica = new[run].header.replica;
        if before.is_some_and(|(held, _)| new[held].header.replica == replica) {
            after.push(number as u32 - 1);
        }
        nodes.push(Node { run, skip, count: end - skip });
        follows.push(after);
    }
    Ok((nodes, follows))
}
