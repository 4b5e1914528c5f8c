//! Taking in a delta: all of it, or nothing.

use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use super::delta::TextDelta;
use super::error::InvalidTextOp;
use super::headers::{Event, Headers, Row};
use super::ops::OpRuns;
use super::patch::{PatchRun, TextPatch};
use super::text::Text;
use crate::causality::order::{branch_order, canonical_order, left_out};
use crate::causality::{GraphError, ParentsError};
use crate::codec::Writer;
use crate::{Dot, DotRange, ReplicaId};

/// Why a delta was not taken in. Nothing was changed.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JoinError {
    /// Changes that the delta's follow are not known here: offer it again when they are.
    Missing(Vec<DotRange>),
    /// A dot of this replica arrived with another content than the one held: two writers use
    /// one id (a restored backup, a cloned profile), or someone forges.
    Equivocation {
        /// The replica.
        replica: ReplicaId,
    },
    /// A change follows itself by a detour.
    Cycle {
        /// The change's first event.
        change: Dot,
    },
    /// A change names parents that cannot be its own.
    Parents {
        /// The change's first event.
        change: Dot,
        /// What is wrong with them.
        error: ParentsError,
    },
    /// An edit cannot be applied at its own version.
    Edit {
        /// The edit's first event.
        event: Dot,
        /// What is wrong with it.
        error: InvalidTextOp,
    },
    /// There is no room for so many events.
    Full(GraphError),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(ranges) => {
                f.write_str("changes are missing:")?;
                ranges.iter().try_for_each(|range| write!(f, " {range}"))
            }
            Self::Equivocation { replica } => {
                write!(f, "replica {replica} has used one dot for two events")
            }
            Self::Cycle { change } => write!(f, "change {change} follows itself"),
            Self::Parents { change, error } => write!(f, "change {change}: {error}"),
            Self::Edit { event, error } => write!(f, "event {event}: {error}"),
            Self::Full(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for JoinError {}

/// Changes of the delta that are not known yet, up to where others follow them.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The row of the delta.
    row: u32,
    /// How many changes of the row come before.
    skip: u32,
    count: u32,
    /// The index of the first event in the delta's stream.
    at: u32,
}

/// A delta as it is joined.
struct Offer<'a> {
    headers: &'a Headers,
    ops: &'a OpRuns,
}

impl Offer<'_> {
    fn row(&self, node: &Node) -> &Row {
        &self.headers.rows()[node.row as usize]
    }

    fn events(&self, node: &Node) -> u32 {
        node.count * self.row(node).change_len
    }

    fn first(&self, node: &Node) -> Event {
        let row = self.row(node);
        (row.replica, row.seq + u64::from(node.skip) * u64::from(row.change_len))
    }

    fn last(&self, node: &Node) -> Event {
        let (replica, first) = self.first(node);
        (replica, first + u64::from(self.events(node)) - 1)
    }

    /// The explicit parents of the first change.
    fn parents(&self, node: &Node) -> &[Event] {
        if node.skip == 0 { self.headers.parents(node.row as usize) } else { &[] }
    }

    /// Cuts nodes wherever another row follows one in the middle.
    fn cut_at_parents(&self, nodes: Vec<Node>) -> Vec<Node> {
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
    fn order(&self, nodes: &[Node]) -> Result<Vec<u32>, JoinError> {
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

    /// Whether the rows are as long as they can be, and in canonical order.
    fn is_canonical(&self, nodes: &[Node]) -> bool {
        let replicas = self.headers.replicas();
        let mut by_id: Vec<u32> = (0..replicas.len() as u32).collect();
        by_id.sort_unstable_by_key(|&number| replicas[number as usize]);
        let mut ranks = alloc::vec![0u32; replicas.len()];
        for (rank, &number) in (0..).zip(&by_id) {
            ranks[number as usize] = rank;
        }
        let key = |node| {
            let (replica, seq) = self.first(node);
            (ranks[replica as usize], seq)
        };
        let keys: Vec<(u32, u64)> = nodes.iter().map(key).collect();
        let order = canonical_order(&keys, &self.follows(nodes));
        order.into_iter().eq(0..nodes.len() as u32) && !self.headers.has_joinable_rows()
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

impl Text {
    /// Takes in a delta and returns what it changed in the text, in the order in which an
    /// editor applies it. Changes that are known already change nothing.
    ///
    /// O(log n) for each run of edits that is concurrent to nothing; otherwise see
    /// [`TextStore`](super::TextStore).
    ///
    /// # Errors
    ///
    /// See [`JoinError`]; nothing is changed.
    pub fn join(&mut self, delta: &TextDelta) -> Result<Vec<TextPatch>, JoinError> {
        let staged = self.stage(delta)?;
        Ok(self.store.commit_patches(&staged))
    }

    /// The text whose whole history is a delta, and whether the delta's headers are those
    /// of [`Text::encode`].
    pub(super) fn of_history(delta: &TextDelta) -> Result<(Self, bool), JoinError> {
        let mut text = Self::new();
        let offer = Offer { headers: &delta.headers, ops: &delta.ops };
        let nodes = offer.cut_at_parents(text.news(&offer)?);
        let canonical = offer.is_canonical(&nodes);
        let staged = text.stage_nodes(&offer, &nodes)?;
        text.store.commit(&staged);
        Ok((text, canonical))
    }

    fn stage(&mut self, delta: &TextDelta) -> Result<Vec<PatchRun>, JoinError> {
        let offer = Offer { headers: &delta.headers, ops: &delta.ops };
        let nodes = offer.cut_at_parents(self.news(&offer)?);
        self.stage_nodes(&offer, &nodes)
    }

    fn stage_nodes(
        &mut self,
        offer: &Offer<'_>,
        nodes: &[Node],
    ) -> Result<Vec<PatchRun>, JoinError> {
        let order = offer.order(nodes)?;
        let before = self.graph.len();
        // Changes of one replica that follow each other are one run of the graph.
        let follows_on = |pair: &[Node]| {
            pair[0].row + 1 == pair[1].row
                && offer.row(&pair[0]).replica == offer.row(&pair[1]).replica
                && offer.parents(&pair[1]).is_empty()
        };
        self.graph.reserve(nodes.len() - nodes.windows(2).filter(|pair| follows_on(pair)).count());
        let placed = self.push_all(offer, order.iter().map(|&node| &nodes[node as usize]));
        let staged = placed.and_then(|()| {
            self.store.reserve(offer.ops);
            let mut lv = before;
            let ops = order.iter().flat_map(|&node| {
                let node = &nodes[node as usize];
                let events = offer.events(node);
                let start = lv;
                lv += events;
                let pieces = offer.ops.pieces(node.at..node.at + events);
                pieces.map(move |(at, op)| (start + (at - node.at), op))
            });
            self.store
                .stage(&self.graph, ops)
                .map_err(|(lv, error)| JoinError::Edit { event: self.graph.dot_of(lv), error })
        });
        if staged.is_err() {
            self.graph.truncate(before);
        }
        staged
    }

    fn push_all<'a>(
        &mut self,
        offer: &Offer<'_>,
        nodes: impl Iterator<Item = &'a Node>,
    ) -> Result<(), JoinError> {
        for node in nodes {
            let (row, change) = (offer.row(node), offer.headers.dot(offer.first(node)));
            let explicit = offer.parents(node).iter().map(|&event| offer.headers.dot(event));
            let explicit: SmallVec<[Dot; 2]> = explicit.collect();
            let parents = self
                .graph
                .full_parents(change.replica, &explicit)
                .map_err(|error| JoinError::Parents { change, error })?;
            let pushed = self.graph.push(change.replica, row.change_len, node.count, &parents);
            pushed.map_err(JoinError::Full)?;
        }
        Ok(())
    }

    /// The changes of the delta that are not known, after a look at those that are.
    fn news(&self, offer: &Offer<'_>) -> Result<Vec<Node>, JoinError> {
        let headers = offer.headers;
        let known: Vec<u64> =
            headers.replicas().iter().map(|&replica| self.version().get(replica)).collect();
        // How far each replica's events go with the delta.
        let mut reach = known.clone();
        let mut missing = Vec::new();
        for row in headers.rows() {
            let (reach, known) = (&mut reach[row.replica as usize], known[row.replica as usize]);
            if *reach == known && row.seq > known + 1 {
                let replica = headers.replica(row.replica);
                missing.push(DotRange::new(replica, known + 1, row.seq - 1));
            }
            *reach = row.end().saturating_sub(1).max(*reach);
        }
        let mut nodes = Vec::with_capacity(headers.rows().len());
        let mut at = 0;
        for (index, row) in headers.rows().iter().enumerate() {
            let events = row.events() as u32;
            let old = (known[row.replica as usize] + 1).saturating_sub(row.seq).min(row.events());
            let old = old as u32;
            if old > 0 && !self.holds(offer, index, old, at) {
                let replica = headers.replica(row.replica);
                return Err(JoinError::Equivocation { replica });
            }
            if old < events {
                // `holds` has seen that what is known ends with a change.
                let skip = old / row.change_len;
                let node = Node { row: index as u32, skip, count: row.count - skip, at: at + old };
                for &(replica, seq) in offer.parents(&node) {
                    let reach = reach[replica as usize];
                    if seq > reach {
                        let replica = headers.replica(replica);
                        missing.push(DotRange::new(replica, reach + 1, seq));
                    }
                }
                nodes.push(node);
            }
            at += events;
        }
        if missing.is_empty() {
            return Ok(nodes);
        }
        missing.sort_unstable();
        missing.dedup();
        Err(JoinError::Missing(missing))
    }

    /// Whether the first `events` events of a row are here just as the delta has them.
    fn holds(&self, offer: &Offer<'_>, row: usize, events: u32, at: u32) -> bool {
        let Row { seq, change_len, replica, .. } = offer.headers.rows()[row];
        if !events.is_multiple_of(change_len) {
            return false;
        }
        let theirs = offer.headers.parents(row);
        let mut done = 0;
        while done < events {
            let first = offer.headers.dot((replica, seq + u64::from(done)));
            let lv = self.graph.lv_of(first).expect("the event is known");
            let (chain, _) = self.graph.chains(lv..self.graph.len()).next().expect("not empty");
            let end = chain.end.min(lv + (events - done));
            if !self.graph.is_change_start(lv) || !self.graph.is_change_start(end) {
                return false;
            }
            for span in self.graph.changes(lv..end) {
                let ours = self.graph.explicit_parents(span.lvs.start);
                let expected: &[Event] = if span.seq == seq { theirs } else { &[] };
                let expected = expected.iter().map(|&event| offer.headers.dot(event));
                if span.change_len != change_len || !ours.iter().copied().eq(expected) {
                    return false;
                }
            }
            let theirs = offer.ops.pieces(at + done..at + done + (end - lv)).map(|(_, op)| op);
            if encoded(self.store.ops(lv..end).map(|(_, op)| op)) != encoded(theirs) {
                return false;
            }
            done += end - lv;
        }
        true
    }
}

fn encoded<'a>(ops: impl Iterator<Item = super::TextOp<'a>>) -> Vec<u8> {
    let (mut runs, mut out) = (OpRuns::new(), Writer::new());
    ops.for_each(|op| runs.push(op));
    runs.encode(&mut out);
    out.into_bytes()
}
