//! Taking in a delta: all of it, or nothing.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use super::delta::TextDelta;
use super::error::InvalidTextOp;
use super::ops::OpRuns;
use super::patch::TextPatch;
use super::text::Text;
use crate::causality::order::{branch_order, left_out};
use crate::causality::{ChangeRun, GraphError, Lv, ParentsError};
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

/// Changes of the delta that are not known yet.
#[derive(Clone, Debug)]
struct News {
    run: ChangeRun,
    /// The index of the first event in the delta's stream.
    at: u32,
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
        let news = self.news(delta)?;
        let nodes = cut_at_parents(news);
        let follows = follows(&nodes);
        let sizes: Vec<u64> = nodes.iter().map(|node| node.run.events()).collect();
        let order = branch_order(&sizes, &follows);
        if let Some(node) = left_out(&order, nodes.len()) {
            return Err(JoinError::Cycle { change: nodes[node as usize].run.first() });
        }
        let before = self.graph.len();
        let pushed = self.push_all(order.iter().map(|&node| &nodes[node as usize]));
        let staged = pushed.and_then(|placed| {
            let ops = placed.iter().flat_map(|&(lv, node)| {
                let range = node.at..node.at + node.run.events() as u32;
                delta.ops.pieces(range).map(move |(at, op)| (lv + (at - node.at), op))
            });
            self.store
                .stage(&self.graph, ops)
                .map_err(|(lv, error)| JoinError::Edit { event: self.graph.dot_of(lv), error })
        });
        match staged {
            Ok(patches) => Ok(self.store.commit_patches(&patches)),
            Err(error) => {
                self.graph.truncate(before);
                Err(error)
            }
        }
    }

    fn push_all<'a>(
        &mut self,
        nodes: impl Iterator<Item = &'a News>,
    ) -> Result<Vec<(Lv, &'a News)>, JoinError> {
        let mut placed = Vec::new();
        for node in nodes {
            let ChangeRun { replica, change_len, count, ref parents, .. } = node.run;
            let change = node.run.first();
            let parents = self
                .graph
                .full_parents(replica, parents)
                .map_err(|error| JoinError::Parents { change, error })?;
            let pushed = self.graph.push(replica, change_len, count, &parents);
            placed.push((pushed.map_err(JoinError::Full)?.start, node));
        }
        Ok(placed)
    }

    /// The changes of the delta that are not known, after a look at those that are.
    fn news(&self, delta: &TextDelta) -> Result<Vec<News>, JoinError> {
        let (mut news, mut missing) = (Vec::new(), Vec::new());
        // From where to where the delta goes, for each replica in it.
        let mut spans: BTreeMap<ReplicaId, (u64, u64)> = BTreeMap::new();
        for run in &delta.runs {
            spans.entry(run.replica).or_insert((run.seq, 0)).1 = run.last().seq;
        }
        for (&replica, &(first, _)) in &spans {
            let known = self.graph.version().get(replica);
            if first > known + 1 {
                missing.push(DotRange::new(replica, known + 1, first - 1));
            }
        }
        let mut at = 0;
        for run in &delta.runs {
            let known = self.graph.version().get(run.replica);
            let events = run.events() as u32;
            let old = known.saturating_sub(run.seq - 1).min(run.events()) as u32;
            if old > 0 && !self.holds(run, old, at, &delta.ops) {
                return Err(JoinError::Equivocation { replica: run.replica });
            }
            if old < events {
                let mut rest = run.clone();
                if old > 0 {
                    // `holds` has seen that what is known ends with a change.
                    rest.parents.clear();
                    rest.seq += u64::from(old);
                    rest.count -= old / rest.change_len;
                }
                for parent in &rest.parents {
                    let known = self.graph.version().get(parent.replica);
                    let here =
                        spans.get(&parent.replica).map_or(known, |&(_, last)| known.max(last));
                    if parent.seq > here {
                        missing.push(DotRange::new(parent.replica, here + 1, parent.seq));
                    }
                }
                news.push(News { run: rest, at: at + old });
            }
            at += events;
        }
        if missing.is_empty() {
            return Ok(news);
        }
        missing.sort_unstable();
        missing.dedup();
        Err(JoinError::Missing(missing))
    }

    /// Whether the first `events` events of a run are here just as the delta has them.
    fn holds(&self, run: &ChangeRun, events: u32, at: u32, ops: &OpRuns) -> bool {
        if !events.is_multiple_of(run.change_len) {
            return false;
        }
        let mut done = 0;
        while done < events {
            let first = Dot::new(run.replica, run.seq + u64::from(done));
            let lv = self.graph.lv_of(first).expect("the event is known");
            let (chain, _) = self.graph.chains(lv..self.graph.len()).next().expect("not empty");
            let end = chain.end.min(lv + (events - done));
            if !self.graph.is_change_start(lv) || !self.graph.is_change_start(end) {
                return false;
            }
            for span in self.graph.changes(lv..end) {
                let explicit = self.graph.explicit_parents(span.lvs.start);
                let expected: &[Dot] = if span.seq == run.seq { &run.parents } else { &[] };
                if span.change_len != run.change_len || explicit[..] != *expected {
                    return false;
                }
            }
            let theirs = ops.pieces(at + done..at + done + (end - lv)).map(|(_, op)| op);
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

/// Cuts runs of changes wherever another of them follows one in the middle.
fn cut_at_parents(news: Vec<News>) -> Vec<News> {
    let mut parents: Vec<Dot> =
        news.iter().flat_map(|node| node.run.parents.iter().copied()).collect();
    parents.sort_unstable();
    parents.dedup();
    let mut nodes = Vec::with_capacity(news.len());
    for mut node in news {
        let first = parents.partition_point(|&parent| parent < node.run.first());
        let last = node.run.last();
        for parent in parents[first..].iter().take_while(|&&parent| parent < last) {
            // A parent that does not end a change is refused when it is resolved.
            let changes = ((parent.seq + 1).saturating_sub(node.run.seq)
                / u64::from(node.run.change_len)) as u32;
            if changes == 0 {
                continue;
            }
            let mut front = node.clone();
            front.run.count = changes;
            let events = front.run.events() as u32;
            node.run.seq += u64::from(events);
            node.run.count -= changes;
            node.run.parents.clear();
            node.at += events;
            nodes.push(front);
        }
        nodes.push(node);
    }
    nodes
}

/// For each node, those that it follows.
fn follows(nodes: &[News]) -> Vec<SmallVec<[u32; 2]>> {
    let by_first: BTreeMap<Dot, u32> =
        nodes.iter().enumerate().map(|(index, node)| (node.run.first(), index as u32)).collect();
    let holder = |dot: Dot| {
        let (first, &index) = by_first.range(..=dot).next_back()?;
        (first.replica == dot.replica && nodes[index as usize].run.last() >= dot).then_some(index)
    };
    let own = |node: &News| node.run.first().previous();
    nodes
        .iter()
        .map(|node| node.run.parents.iter().copied().chain(own(node)).filter_map(holder).collect())
        .collect()
}
