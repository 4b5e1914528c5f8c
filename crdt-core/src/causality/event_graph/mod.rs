//! The event graph: which events there are, who issued them, and what each had seen.

mod ancestry;
mod critical;
mod parents;
mod spans;
#[cfg(test)]
mod tests;

use crate::collections::{OrderedMap, sort};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use smallvec::SmallVec;

use crate::{Dot, Frontier, ReplicaId, SEQ_MAX, VersionVector};
use critical::CriticalHeads;
pub use parents::ParentsError;
pub use spans::ChangeSpan;

/// A *local version*: the index of an event in the order in which this replica learned of
/// the events, which is one of the orders that causality allows. It is short and quick, and
/// it means nothing to any other replica: on the wire an event is its [`Dot`].
pub type Lv = u32;

/// The events that a replica holds, with their causal order.
///
/// Events come in *changes*: contiguous runs of one replica's events that are applied whole.
/// The first event of a change names the *parents* that it follows; every other event follows
/// the one before it. Runs in which nothing but the own predecessor is a parent take constant
/// memory however long they are, so a document typed by one person is one record, and memory
/// is O(merges), not O(events).
///
/// The set of events is causally closed: an event is only taken in after its parents.
#[derive(Clone, Debug, Default)]
pub struct EventGraph {
    replicas: Vec<ReplicaId>,
    numbers: OrderedMap<ReplicaId, u32>,
    runs: Vec<Run>,
    /// For each replica, where its events start in the local order: (sequence, version).
    by_replica: Vec<Vec<(u64, Lv)>>,
    /// Where changes of another length begin.
    blocks: Vec<ChangeBlock>,
    len: Lv,
    frontier: SmallVec<[Lv; 2]>,
    version: VersionVector,
    critical: CriticalHeads,
}

/// Events of one replica, each the only parent of the next.
#[derive(Clone, Debug)]
struct Run {
    start: Lv,
    /// Index into `EventGraph::replicas`.
    replica: u32,
    seq: u64,
    lamport: u64,
    /// The parents of the first event, in ascending order; none is in another's past.
    parents: SmallVec<[Lv; 2]>,
}

impl Run {
    fn lamport_of(&self, lv: Lv) -> u64 {
        self.lamport + u64::from(lv - self.start)
    }
}

/// From `start` to the next block, changes have `change_len` events each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChangeBlock {
    start: Lv,
    change_len: u32,
}

/// Why events cannot be taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// A graph holds at most 2³² − 2 events.
    TooManyEvents,
    /// A replica's sequence numbers end at [`SEQ_MAX`].
    SequenceExhausted {
        /// The replica.
        replica: ReplicaId,
    },
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyEvents => f.write_str("the graph is full: it holds 2^32 - 2 events"),
            Self::SequenceExhausted { replica } => {
                write!(f, "replica {replica} has used up its sequence numbers")
            }
        }
    }
}

impl core::error::Error for GraphError {}

/// The greatest number of events in a graph.
const LEN_MAX: Lv = Lv::MAX - 1;

impl EventGraph {
    /// A graph without events.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `runs` more spans of changes.
    pub fn reserve(&mut self, runs: usize) {
        self.runs.reserve(runs);
    }

    /// How many events there are; also the local version that the next one will have.
    pub fn len(&self) -> Lv {
        self.len
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The maximal events, in ascending local order.
    pub fn frontier(&self) -> &[Lv] {
        &self.frontier
    }

    /// The maximal events, by their dots.
    pub fn frontier_dots(&self) -> Frontier {
        self.dots(&self.frontier)
    }

    /// The version vector of all events held.
    pub fn version(&self) -> &VersionVector {
        &self.version
    }

    /// Takes in `count` consecutive changes of `replica`, of `change_len` events each, and
    /// returns their local versions. The first change follows `parents`, the frontier at its
    /// start (empty for the very first event); every other follows the one before it. Costs
    /// O(log replicas), plus a walk over what is concurrent where `parents` are not the tip.
    ///
    /// # Errors
    ///
    /// See [`GraphError`]; the graph is unchanged.
    ///
    /// # Panics
    ///
    /// If there is nothing to take in, or a parent is not held. `parents` must be maximal
    /// (none in another's past) and cover the replica's own last event, as
    /// [`full_parents`](Self::full_parents) sees to it.
    pub fn push(
        &mut self,
        replica: ReplicaId,
        change_len: u32,
        count: u32,
        parents: &[Lv],
    ) -> Result<Range<Lv>, GraphError> {
        assert!(change_len > 0 && count > 0, "a change holds at least one event");
        assert!(parents.iter().all(|&parent| parent < self.len), "parents are held");
        let total = change_len
            .checked_mul(count)
            .filter(|&total| total <= LEN_MAX - self.len)
            .ok_or(GraphError::TooManyEvents)?;
        let start = self.len;
        if parents.len() == 1
            && self.frontier[..] == *parents
            && parents[0] + 1 == start
            && self.runs.last().is_some_and(|run| self.replicas[run.replica as usize] == replica)
        {
            return self.go_on(replica, change_len, total);
        }
        let last = self.version.get(replica);
        if u64::from(total) > SEQ_MAX - last {
            return Err(GraphError::SequenceExhausted { replica });
        }

        let mut parents: SmallVec<[Lv; 2]> = SmallVec::from_slice(parents);
        sort(&mut parents);
        let end = start + total;
        let covers_all = parents == self.frontier;
        if !covers_all {
            self.uncover_critical(&parents, start);
        }

        let number = self.number_of(replica);
        let continues = start > 0
            && parents[..] == [start - 1]
            && self.runs.last().is_some_and(|run| run.replica == number);
        if continues {
            // The newest event is always maximal, and the frontier ascends.
            *self.frontier.last_mut().expect("a graph with events has a frontier") = end - 1;
        } else {
            let lamport = 1 + parents.iter().map(|&parent| self.lamport(parent)).max().unwrap_or(0);
            self.by_replica[number as usize].push((last + 1, start));
            self.frontier.retain(|tip| !parents.contains(tip));
            self.frontier.push(end - 1);
            self.runs.push(Run { start, replica: number, seq: last + 1, lamport, parents });
        }
        self.push_block(start, change_len);
        self.version.observe(replica, last + u64::from(total));
        self.len = end;
        if self.frontier.len() == 1 {
            self.critical.push(start..end);
        }
        Ok(start..end)
    }

    /// The short way of [`push`](Self::push) for what is typed: the writer of the newest event,
    /// which is the only tip, goes on.
    fn go_on(
        &mut self,
        replica: ReplicaId,
        change_len: u32,
        total: u32,
    ) -> Result<Range<Lv>, GraphError> {
        let (start, end) = (self.len, self.len + total);
        let run = self.runs.last().expect("there is a newest event");
        let last = run.seq + u64::from(start - 1 - run.start);
        if u64::from(total) > SEQ_MAX - last {
            return Err(GraphError::SequenceExhausted { replica });
        }
        self.frontier[0] = end - 1;
        self.push_block(start, change_len);
        self.version.observe(replica, last + u64::from(total));
        self.len = end;
        self.critical.push(start..end);
        Ok(start..end)
    }

    /// Forgets every event from local version `len` on, as if it had never been learned.
    ///
    /// # Panics
    ///
    /// If `len` is beyond the end or inside a change.
    pub fn truncate(&mut self, len: Lv) {
        assert!(len <= self.len, "only held events can be forgotten");
        if len == self.len {
            return;
        }
        assert!(len == 0 || self.is_change_start(len), "a change is forgotten whole");
        let mut tips: SmallVec<[Lv; 4]> =
            self.frontier.iter().copied().filter(|&tip| tip < len).collect();
        while let Some(run) = self.runs.last() {
            let (number, replica) = (run.replica as usize, self.replicas[run.replica as usize]);
            if run.start < len {
                let kept = run.seq + u64::from(len - 1 - run.start);
                if kept < self.version.get(replica) {
                    self.version.set(replica, kept);
                }
                tips.push(len - 1);
                break;
            }
            tips.extend(run.parents.iter().copied().filter(|&parent| parent < len));
            self.version.set(replica, run.seq - 1);
            self.by_replica[number].pop();
            self.runs.pop();
        }
        while self.blocks.last().is_some_and(|block| block.start >= len) {
            self.blocks.pop();
        }
        self.len = len;
        self.forget_unused_replicas();
        self.frontier = self.maximal(&tips);
        self.recover_critical();
    }

    /// The local version of an event, or `None` if it is not held. O(log).
    pub fn lv_of(&self, dot: Dot) -> Option<Lv> {
        if dot.seq == 0 || !self.version.contains(dot) {
            return None;
        }
        let &number = self.numbers.get(&dot.replica)?;
        let starts = &self.by_replica[number as usize];
        let index = starts.partition_point(|&(seq, _)| seq <= dot.seq) - 1;
        let (seq, lv) = starts[index];
        Some(lv + (dot.seq - seq) as Lv)
    }

    /// The local versions of an event and of those of its replica that directly follow it, in
    /// local order and in causal order alike; `None` if it is not held. O(log).
    pub fn run_from(&self, dot: Dot) -> Option<Range<Lv>> {
        let lv = self.lv_of(dot)?;
        Some(lv..self.run_end(self.run_index(lv)))
    }

    /// The event at a local version. O(log).
    ///
    /// # Panics
    ///
    /// If `lv` is not held; so do the other methods that take a local version.
    pub fn dot_of(&self, lv: Lv) -> Dot {
        let run = self.run_of(lv);
        Dot::new(self.replicas[run.replica as usize], run.seq + u64::from(lv - run.start))
    }

    /// Who issued the event. O(log).
    pub fn replica_of(&self, lv: Lv) -> ReplicaId {
        self.replicas[self.run_of(lv).replica as usize]
    }

    /// The events that `lv` directly follows, in ascending local order. O(log).
    pub fn parents_of(&self, lv: Lv) -> SmallVec<[Lv; 2]> {
        let run = self.run_of(lv);
        if lv > run.start { SmallVec::from_slice(&[lv - 1]) } else { run.parents.clone() }
    }

    /// The event's Lamport time: 1 + the greatest of its parents', 1 without parents. It is
    /// derived from the graph, so that no peer can push it.
    pub fn lamport(&self, lv: Lv) -> u64 {
        self.run_of(lv).lamport_of(lv)
    }

    /// The dots of local versions, as a frontier.
    pub fn dots(&self, lvs: &[Lv]) -> Frontier {
        lvs.iter().map(|&lv| self.dot_of(lv)).collect()
    }

    /// The local versions of a frontier's events, in ascending order.
    ///
    /// # Errors
    ///
    /// The first dot that is not held.
    pub fn local(&self, frontier: &Frontier) -> Result<SmallVec<[Lv; 2]>, Dot> {
        let mut lvs: SmallVec<[Lv; 2]> =
            frontier.iter().map(|dot| self.lv_of(dot).ok_or(dot)).collect::<Result<_, _>>()?;
        sort(&mut lvs);
        Ok(lvs)
    }

    fn run_index(&self, lv: Lv) -> usize {
        assert!(lv < self.len, "the event is held");
        self.runs.partition_point(|run| run.start <= lv) - 1
    }

    fn run_of(&self, lv: Lv) -> &Run {
        &self.runs[self.run_index(lv)]
    }

    fn run_end(&self, index: usize) -> Lv {
        self.runs.get(index + 1).map_or(self.len, |next| next.start)
    }

    fn number_of(&mut self, replica: ReplicaId) -> u32 {
        *self.numbers.entry(replica).or_insert_with(|| {
            self.replicas.push(replica);
            self.by_replica.push(Vec::new());
            // There are fewer replicas than events, and those are counted in 32 bits.
            (self.replicas.len() - 1) as u32
        })
    }

    fn forget_unused_replicas(&mut self) {
        while self.by_replica.last().is_some_and(Vec::is_empty) {
            self.by_replica.pop();
            let replica = self.replicas.pop().expect("one list for each replica");
            self.numbers.remove(&replica);
        }
    }

    /// Panics if the parts of the graph contradict each other. For tests: O(events).
    pub fn check_invariants(&self) {
        assert_eq!(self.replicas.len(), self.numbers.len());
        assert_eq!(self.replicas.len(), self.by_replica.len());
        let mut version = VersionVector::new();
        let mut tips: Vec<Lv> = Vec::new();
        for (index, run) in self.runs.iter().enumerate() {
            let end = self.run_end(index);
            assert!(run.start < end, "runs are not empty and ascend");
            let replica = self.replicas[run.replica as usize];
            assert_eq!(run.seq, version.get(replica) + 1, "sequences have no gap");
            version.observe(replica, run.seq + u64::from(end - 1 - run.start));
            assert!(run.parents.is_sorted() && run.parents.iter().all(|&p| p < run.start));
            assert_eq!(self.maximal(&run.parents), run.parents, "parents are maximal");
            let lamport = run.parents.iter().map(|&p| self.lamport(p)).max().unwrap_or(0);
            assert_eq!(run.lamport, lamport + 1);
            let own = Dot::new(replica, run.seq).previous().and_then(|dot| self.lv_of(dot));
            assert!(own.is_none_or(|own| self.contains(&run.parents, own)), "own past is covered");
            tips.retain(|tip| !run.parents.contains(tip));
            tips.push(end - 1);
            assert_eq!(self.lv_of(self.dot_of(run.start)), Some(run.start));
            assert_eq!(self.lv_of(self.dot_of(end - 1)), Some(end - 1));
        }
        sort(&mut tips);
        assert_eq!(tips[..], self.frontier[..]);
        assert_eq!(version, self.version);
        assert!(self.blocks.is_sorted_by_key(|block| block.start));
        let mut afresh = self.clone();
        afresh.recover_critical();
        assert_eq!(afresh.critical.last_below(self.len), self.critical.last_below(self.len));
    }
}

/// Graphs are equal when they hold the same events in the same causal order, whatever the
/// order in which the two replicas learned of them.
impl PartialEq for EventGraph {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
            && self.changes(0..self.len).all(|span| {
                let first = Dot::new(span.replica, span.seq);
                let Some(theirs) = other.lv_of(first) else { return false };
                self.dots(&span.parents) == other.dots(&other.parents_of(theirs))
                    && other.is_change_start(theirs)
            })
    }
}

impl Eq for EventGraph {}
