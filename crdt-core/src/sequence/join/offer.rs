//! A delta's changes, as they are put in an order and joined.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::JoinError;
use crate::causality::order::{branch_order, left_out};
use crate::sequence::delta::Changes;
use crate::sequence::headers::{Event, Headers, Row};
use crate::sequence::ops::OpRuns;

/// Changes of the delta that are not known yet, up to where others follow them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The row of the delta.
    pub(super) row: u32,
    /// How many changes of the row come before.
    pub(super) skip: u32,
    pub(super) count: u32,
    /// The index of the first event in the delta's stream.
    pub(super) at: u32,
}

/// A delta as it is joined.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) headers: &'a Headers,
    pub(super) ops: &'a OpRuns,
}

impl<'a> Offer<'a> {
    pub(super) fn new(changes: &'a Changes) -> Self {
        Self { headers: &changes.headers, ops: &changes.ops }
    }
}

impl Offer<'_> {
    pub(super) fn row(&self, node: &Node) -> &Row {
        &self.headers.rows()[node.row as usize]
    }

    pub(super) fn events(&self, node: &Node) -> u32 {
        node.count * self.row(node).change_len
    }

    pub(super) fn first(&self, node: &Node) -> Event {
        let row = self.row(node);
        (row.replica, row.seq + u64::from(node.skip) * u64::from(row.change_len))
    }

    pub(super) fn last(&self, node: &Node) -> Event {
        let (replica, first) = self.first(node);
        (replica, first + u64::from(self.events(node)) - 1)
    }

    /// The explicit parents of the first change.
    pub(super) fn parents(&self, node: &Node) -> &[Event] {
        if node.skip == 0 { self.headers.parents(node.row as usize) } else { &[] }
    }

    /// Cuts nodes wherever another row follows one in the middle.
    pub(super) fn cut_at_parents(&self, nodes: Vec<Node>) -> Vec<Node> {
        let mut parents = self.headers.all_parents().to_vec();
        parents.sort_unstable();
        parents.dedup();
        if parents.is_empty() {
            return nodes;
        }
        let mut cut = Vec::with_capacity(nodes.len());
        for mut node in nodes {
            let (first, last) = (self.first(&node), self.last(&node));
            let from = parents.partition_point(|&parent| parent < first);
            for &(_, seq) in parents[from..].iter().take_while(|&&parent| parent < last) {
                let row = self.row(&node);
                // A parent that does not end a change is refused when it is resolved.
                let changes = ((seq + 1 - row.seq) / u64::from(row.change_len)) as u32;
                let Some(count) = changes.checked_sub(node.skip).filter(|&count| count > 0) else {
                    continue;
                };
                let front = Node { count, ..node };
                let events = self.events(&front);
                let (skip, count) = (node.skip + count, node.count - count);
                node = Node { skip, count, at: node.at + events, ..node };
                cut.push(front);
            }
            cut.push(node);
        }
        cut
    }

    /// An order for the nodes that merges texts with few detours.
    pub(super) fn order(&self, nodes: &[Node]) -> Result<Vec<u32>, JoinError> {
        if nodes.len() == 1 {
            return Ok(alloc::vec![0]);
        }
        let follows = self.follows(nodes);
        let sizes: Vec<u64> = nodes.iter().map(|node| u64::from(self.events(node))).collect();
        let order = branch_order(&sizes, &follows);
        match left_out(&order, nodes.len()) {
            None => Ok(order),
            Some(node) => {
                let change = self.headers.dot(self.first(&nodes[node as usize]));
                Err(JoinError::Cycle { change })
            }
        }
    }

    /// For each node, those that it follows.
    fn follows(&self, nodes: &[Node]) -> Vec<SmallVec<[u32; 2]>> {
        let mut by_first: Vec<u32> = (0..nodes.len() as u32).collect();
        by_first.sort_unstable_by_key(|&node| self.first(&nodes[node as usize]));
        let holder = |event: Event| {
            let index = by_first.partition_point(|&n| self.first(&nodes[n as usize]) <= event);
            let node = by_first[index.checked_sub(1)?];
            let last = self.last(&nodes[node as usize]);
            (last.0 == event.0 && last >= event).then_some(node)
        };
        let own = |node: &Node| {
            let (replica, seq) = self.first(node);
            (replica, seq - 1)
        };
        nodes
            .iter()
            .map(|node| {
                let parents = self.parents(node).iter().copied();
                parents.chain([own(node)]).filter_map(holder).collect()
            })
            .collect()
    }
}
