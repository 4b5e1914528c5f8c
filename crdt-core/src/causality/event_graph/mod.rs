//! The event graph: which events there are, who issued them, and what each had seen.

mod ancestry;
mod base;
mod check;
mod cursor;
mod parents;
mod queue;
mod runs;
mod spans;
#[cfg(test)]
mod tests;
mod tips;
mod truncate;

use crate::collections::{OrderedMap, Place, sort};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use smallvec::SmallVec;

use crate::{Dot, Frontier, ReplicaId, VersionVector};
pub use base::Base;
pub(crate) use cursor::{Chain, ChainCursor};
pub use parents::ParentsError;
use runs::{Run, Runs};
pub use spans::ChangeSpan;
pub use tips::advance_tips;

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
/// The set of events is causally closed: an event is only taken in after its parents. Old events
/// can be trimmed: the graph then begins with a [`Base`], as if it were all that ever happened
/// before.
#[derive(Clone, Debug, Default)]
pub struct EventGraph {
    /// Who issued the events, by number.
    issuers: Vec<Issuer>,
    numbers: OrderedMap<ReplicaId, u32>,
    runs: Runs,
    /// Where changes of another length begin.
    blocks: Vec<ChangeBlock>,
    len: Lv,
    frontier: SmallVec<[Lv; 2]>,
    version: VersionVector,
    /// What the first events stand for, where older ones were trimmed.
    base: Option<Box<Base>>,
}

/// A replica of which there are events.
#[derive(Clone, Debug)]
struct Issuer {
    id: ReplicaId,
    /// The indices of the runs of its events.
    runs: Vec<u32>,
    /// Where it was found in the version.
    place: Place,
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
    /// No history can have been trimmed to such a [`Base`].
    NoBase,
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyEvents => f.write_str("the graph is full: it holds 2^32 - 2 events"),
            Self::NoBase => f.write_str("no history can have been trimmed to this"),
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
    /// If there is nothing to take in, a parent is not held, or not all of a [`Base`] is in the past. `parents` must be maximal
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
        assert!(self.follows_base(parents), "nothing is concurrent to what was trimmed");
        assert!(parents.iter().all(|&parent| parent < self.len), "parents are held");
        let total = change_len
            .checked_mul(count)
            .filter(|&total| total <= self.room())
            .ok_or(GraphError::TooManyEvents)?;
        let start = self.len;
        // The newest event is always among the tips.
        if let [_] = *parents
            && self.frontier[..] == *parents
            && let Some(run) = self.runs.last()
            && self.issuers[run.replica as usize].id == replica
        {
            return Ok(self.go_on(*run, change_len, total));
        }
        let last = self.last_of(replica);
        let mut parents: SmallVec<[Lv; 2]> = SmallVec::from_slice(parents);
        sort(&mut parents);
        let end = start + total;
        let number = self.number_of(replica);
        let continues = start > 0
            && parents[..] == [start - 1]
            && self.runs.last().is_some_and(|run| run.replica == number);
        if continues {
            // The newest event is always maximal, and the frontier ascends.
            *self.frontier.last_mut().expect("a graph with events has a frontier") = end - 1;
        } else {
            let lamport = |&parent: &Lv| self.run_of(parent).lamport_of(parent);
            let lamport = 1 + parents.iter().map(lamport).max().unwrap_or(0);
            self.issuers[number as usize].runs.push(self.runs.len() as u32);
            advance_tips(&mut self.frontier, &parents, end - 1);
            self.runs.push(start, (number, last as u32 + 1), lamport, &parents);
        }
        self.arrive(number, last + u64::from(total), change_len, end);
        Ok(start..end)
    }

    /// As [`push`](Self::push), for one change of `change_len` events that follows everything
    /// held. Returns its first event, by its local version and its sequence number.
    ///
    /// # Errors
    ///
    /// See [`GraphError`]; the graph is unchanged.
    pub fn push_at_tip(
        &mut self,
        replica: ReplicaId,
        change_len: u32,
    ) -> Result<(Lv, u64), GraphError> {
        let start = self.len;
        if let [_] = self.frontier[..]
            && let Some(&run) = self.runs.last()
            && self.issuers[run.replica as usize].id == replica
            && change_len <= self.room()
        {
            self.go_on(run, change_len, change_len);
            return Ok((start, run.seq_of(start)));
        }
        let seq = self.last_of(replica) + 1;
        let tips = self.frontier.clone();
        self.push(replica, change_len, 1, &tips)?;
        Ok((start, seq))
    }

    /// The short way of [`push`](Self::push) for what is typed: the writer of the newest event,
    /// which is the only tip, goes on.
    fn go_on(&mut self, run: Run, change_len: u32, total: u32) -> Range<Lv> {
        let (start, end) = (self.len, self.len + total);
        self.frontier[0] = end - 1;
        self.arrive(run.replica, run.seq_of(end - 1), change_len, end);
        start..end
    }

    /// Notes that a replica's events go on to `seq`, and all events to `end`.
    fn arrive(&mut self, number: u32, seq: u64, change_len: u32, end: Lv) {
        self.push_block(self.len, change_len);
        let Issuer { id, place, .. } = &mut self.issuers[number as usize];
        self.version.observe_near(*id, seq, place);
        self.len = end;
    }

    /// The sequence number of a replica's last event, 0 if it has none. O(log replicas), and
    /// O(1) for the one that issued the newest event.
    #[inline]
    pub fn last_of(&self, replica: ReplicaId) -> u64 {
        match self.runs.last() {
            Some(run) if self.issuers[run.replica as usize].id == replica => {
                run.seq_of(self.len - 1)
            }
            _ => self.version.get(replica),
        }
    }

    /// The local version of an event, or `None` if it is not held. O(log).
    pub fn lv_of(&self, dot: Dot) -> Option<Lv> {
        self.numbers.get(&dot.replica).and_then(|&number| self.lv_of_numbered(number, dot.seq))
    }

    fn lv_of_numbered(&self, number: u32, seq: u64) -> Option<Lv> {
        let seq = u32::try_from(seq).ok().filter(|&seq| seq > 0)?;
        let runs = &self.issuers[number as usize].runs;
        let mut index = *runs.last()? as usize;
        if self.runs[index].seq > seq {
            let next = runs.partition_point(|&index| self.runs[index as usize].seq <= seq);
            index = *runs.get(next.checked_sub(1)?)? as usize;
        }
        let run = &self.runs[index];
        run.start.checked_add(seq - run.seq).filter(|&lv| lv < self.run_end(index))
    }

    /// The local version of a replica's last event.
    fn last_lv_of_numbered(&self, number: u32) -> Option<Lv> {
        let &index = self.issuers[number as usize].runs.last()?;
        Some(self.run_end(index as usize) - 1)
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
        Dot::new(self.issuers[run.replica as usize].id, run.seq_of(lv))
    }

    /// Who issued the event. O(log).
    pub fn replica_of(&self, lv: Lv) -> ReplicaId {
        self.issuers[self.run_of(lv).replica as usize].id
    }

    /// The events that `lv` directly follows, in ascending local order. O(log).
    pub fn parents_of(&self, lv: Lv) -> SmallVec<[Lv; 2]> {
        self.parents_in(self.run_index(lv), lv)
    }

    /// The event's Lamport time: 1 + the greatest of its parents', 1 without parents. It is
    /// derived from the graph, so that no peer can push it.
    pub fn lamport(&self, lv: Lv) -> u64 {
        u64::from(self.run_of(lv).lamport_of(lv))
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

    /// The parents of an event of run `index`.
    fn parents_in(&self, index: usize, lv: Lv) -> SmallVec<[Lv; 2]> {
        if lv > self.runs[index].start {
            SmallVec::from_slice(&[lv - 1])
        } else {
            SmallVec::from_slice(self.runs.parents(index))
        }
    }

    fn run_index(&self, lv: Lv) -> usize {
        assert!(lv < self.len, "the event is held");
        self.runs.index_of(lv, self.runs.len())
    }

    fn run_of(&self, lv: Lv) -> &Run {
        &self.runs[self.run_index(lv)]
    }

    fn run_end(&self, index: usize) -> Lv {
        self.runs.get(index + 1).map_or(self.len, |next| next.start)
    }

    fn number_of(&mut self, replica: ReplicaId) -> u32 {
        *self.numbers.entry(replica).or_insert_with(|| {
            self.issuers.push(Issuer { id: replica, runs: Vec::new(), place: Place::START });
            // There are fewer replicas than events, and those are counted in 32 bits.
            (self.issuers.len() - 1) as u32
        })
    }
}
