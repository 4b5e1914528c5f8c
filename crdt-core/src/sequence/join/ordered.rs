//! Joining changes in the order that costs a merge least, whatever order they come in.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::JoinError;
use super::offer::{Node, Offer};
use crate::codec::Writer;
use crate::sequence::delta::Changes;
use crate::sequence::headers::{Event, Row};
use crate::sequence::ops::OpRuns;
use crate::sequence::run::TextOp;
use crate::sequence::{Text, TextDelta};
use crate::{Dot, DotRange};

/// What of an offer is not known yet.
struct News {
    nodes: Vec<Node>,
    /// Rows that repeat others of the offer: the index, how many of the events, and where those
    /// are in the stream.
    repeated: Vec<(usize, u32, u32)>,
}

impl Text {
    /// Adds changes to the graph and to the log, in an order of its own.
    ///
    /// On an error, they may have been added to the graph, or to both.
    pub(super) fn log_ordered(&mut self, deltas: &[&TextDelta]) -> Result<(), JoinError> {
        let changes = match deltas {
            [delta] => delta.changes(),
            _ => Cow::Owned(Changes::of_all(deltas)?),
        };
        let offer = Offer::new(&changes);
        let News { nodes, repeated } = self.news(&offer)?;
        self.log_nodes(&offer, &offer.cut_at_parents(nodes))?;
        match repeated.iter().find(|&&(row, events, at)| !self.holds(&offer, row, events, at)) {
            Some(&(row, ..)) => Err(JoinError::Equivocation {
                replica: offer.headers.replica(offer.headers.rows()[row].replica),
            }),
            None => Ok(()),
        }
    }

    fn log_nodes(&mut self, offer: &Offer<'_>, nodes: &[Node]) -> Result<(), JoinError> {
        let order = offer.order(nodes)?;
        self.graph.reserve(offer.headers.runs().min(nodes.len()));
        self.store.reserve(offer.ops);
        for &node in &order {
            let node = &nodes[node as usize];
            let lv = self.graph.len();
            self.push_node(offer, node)?;
            let events = node.at..node.at + offer.events(node);
            self.store.log_others(offer.ops, events, lv).map_err(|error| JoinError::Edit {
                event: offer.headers.dot(offer.first(node)),
                error,
            })?;
        }
        Ok(())
    }

    fn push_node(&mut self, offer: &Offer<'_>, node: &Node) -> Result<(), JoinError> {
        let (row, change) = (offer.row(node), offer.headers.dot(offer.first(node)));
        let explicit = offer.parents(node).iter().map(|&event| offer.headers.dot(event));
        let explicit: SmallVec<[Dot; 2]> = explicit.collect();
        let parents = self
            .graph
            .full_parents(change.replica, &explicit)
            .map_err(|error| JoinError::of_parents(change, error))?;
        let pushed = self.graph.push(change.replica, row.change_len, node.count, &parents);
        pushed.map(drop).map_err(JoinError::Full)
    }

    /// The changes of the offer that are not known, after a look at those that are.
    fn news(&self, offer: &Offer<'_>) -> Result<News, JoinError> {
        let headers = offer.headers;
        let rows = headers.rows();
        let known: Vec<u64> =
            headers.replicas().iter().map(|&replica| self.version().get(replica)).collect();
        // How far each replica's events go with the offer.
        let mut reach = known.clone();
        // How many events of each row are known, or in another row.
        let mut old: Vec<u32> = alloc::vec![0; rows.len()];
        let mut missing = Vec::new();
        let mut ascending: Vec<u32> = (0..rows.len() as u32).collect();
        // One delta's rows ascend in each replica, those of several need not.
        ascending.sort_by_key(|&row| (rows[row as usize].replica, rows[row as usize].seq));
        for index in ascending {
            let (index, row) = (index as usize, &rows[index as usize]);
            let reach = &mut reach[row.replica as usize];
            if row.seq > *reach + 1 {
                let replica = headers.replica(row.replica);
                missing.push(DotRange::new(replica, *reach + 1, row.seq - 1));
            }
            old[index] = (*reach + 1).saturating_sub(row.seq).min(row.events()) as u32;
            *reach = (row.end() - 1).max(*reach);
        }
        let (mut nodes, mut repeated) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut at = 0;
        for (index, (row, &old)) in rows.iter().zip(&old).enumerate() {
            let events = row.events() as u32;
            let known = (known[row.replica as usize] + 1).saturating_sub(row.seq);
            let known = known.min(row.events()) as u32;
            if !old.is_multiple_of(row.change_len)
                || known > 0 && !self.holds(offer, index, known, at)
            {
                let replica = headers.replica(row.replica);
                return Err(JoinError::Equivocation { replica });
            }
            if old > known {
                repeated.push((index, old, at));
            }
            if old < events {
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
            return Ok(News { nodes, repeated });
        }
        missing.sort_unstable();
        missing.dedup();
        Err(JoinError::Missing(missing))
    }

    /// Whether the first `events` events of a row are here just as the delta has them.
    pub(super) fn holds(&self, offer: &Offer<'_>, row: usize, events: u32, at: u32) -> bool {
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

fn encoded<'a>(ops: impl Iterator<Item = TextOp<'a>>) -> Vec<u8> {
    let (mut runs, mut out) = (OpRuns::new(), Writer::new());
    ops.for_each(|op| runs.push(op));
    runs.encode(&mut out);
    out.into_bytes()
}
