//! What a graph begins with where older events were trimmed.

use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::runs::Runs;
use super::{EventGraph, GraphError, LEN_MAX, Lv};
use crate::collections::sort;
use crate::{Dot, Frontier, ReplicaId, VersionVector};

/// A version up to which events were trimmed: what stands for them in an [`EventGraph`].
///
/// The maximal ones of them, the *heads*, stay as events that follow nothing. Every event that
/// is held beside them has all of them in its past, so that the graph answers as it did before
/// whenever it is not asked what lies below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    heads: Frontier,
    lamport: u64,
    writers: VersionVector,
}

impl Base {
    /// The base whose maximal events are `heads`, with the greatest Lamport time of the events in
    /// it. `writers` says of those who are remembered how far their events went; the heads'
    /// own are added.
    ///
    /// # Errors
    ///
    /// [`GraphError::NoBase`] for numbers that no history leads to: no head at all, a writer
    /// that has gone on after its head, a Lamport time below a sequence number or above 2³² − 2.
    pub fn new(
        heads: Frontier,
        lamport: u64,
        mut writers: VersionVector,
    ) -> Result<Self, GraphError> {
        for head in &heads {
            writers.observe(head.replica, head.seq);
        }
        let went_on = heads.iter().any(|head| writers.get(head.replica) != head.seq);
        // A replica's events follow one another, and each is later than the one before.
        let early = writers.iter().any(|(_, seq)| seq > lamport);
        if heads.is_empty() || went_on || early || lamport > u64::from(LEN_MAX) - heads.len() as u64
        {
            return Err(GraphError::NoBase);
        }
        Ok(Self { heads, lamport, writers })
    }

    /// The maximal ones of the events that were trimmed.
    pub const fn heads(&self) -> &Frontier {
        &self.heads
    }

    /// The greatest Lamport time of the events that were trimmed.
    pub const fn lamport(&self) -> u64 {
        self.lamport
    }

    /// Which of the events that were trimmed are remembered: those of the heads' replicas, of those
    /// that went on, and of those that were kept. Every other replica has left the table.
    pub const fn writers(&self) -> &VersionVector {
        &self.writers
    }

    /// Whether a causally closed version has all that was trimmed.
    pub fn is_in(&self, version: &VersionVector) -> bool {
        self.heads.iter().all(|head| version.contains(head))
    }
}

impl EventGraph {
    /// A graph that begins with a base. The heads have the first local versions, in ascending
    /// order of dots.
    pub fn with_base(base: Base) -> Self {
        let mut graph = Self { version: base.writers.clone(), ..Self::default() };
        for head in &base.heads {
            let lv = graph.len;
            let number = graph.number_of(head.replica);
            graph.issuers[number as usize].runs.push(lv);
            graph.runs.push(lv, (number, head.seq as u32), base.lamport as u32, &[]);
            graph.push_block(lv, 1);
            graph.frontier.push(lv);
            graph.len += 1;
        }
        graph.base = Some(Box::new(base));
        graph
    }

    /// What stands for the events that were trimmed, if any were.
    pub fn base(&self) -> Option<&Base> {
        self.base.as_deref()
    }

    /// The local version of the first event of which more is known than that it was: behind the
    /// heads of the base.
    pub fn first(&self) -> Lv {
        self.base().map_or(0, |base| base.heads.len() as Lv)
    }

    /// How many more events there is room for: Lamport times, and sequence numbers with them, stay
    /// within 32 bits, whether something was trimmed or not.
    pub fn room(&self) -> Lv {
        LEN_MAX - self.len - self.base().map_or(0, |base| base.lamport as Lv)
    }

    /// Whether what follows `parents` follows all that was trimmed.
    pub fn follows_base(&self, parents: &[Lv]) -> bool {
        let first = self.first();
        // Whatever is not a head has all of them in its past.
        first == 0 || parents.len() == first as usize || parents.iter().any(|&lv| lv >= first)
    }

    /// Whether an event that is not held otherwise is known to lie in the base.
    pub fn is_trimmed(&self, dot: Dot) -> bool {
        self.base().is_some_and(|base| base.writers.contains(dot) && !base.heads.contains(dot))
    }

    /// Where the graph can be cut: the greatest number of events that come first in every local
    /// order, lie within `stable`, and are in the past of all others. Everything before it can be
    /// trimmed. It is never below [`first`](Self::first), and changes are not cut.
    ///
    /// O(runs · log runs).
    pub fn trim_point(&self, stable: &VersionVector) -> Lv {
        let limit = self.first_beyond(stable);
        let forks = Forks::new(&self.runs);
        let mut best = self.first();
        // The maximal ones of the events before a run.
        let mut tips: SmallVec<[Lv; 4]> = SmallVec::new();
        for index in 0..self.runs.len() {
            let (start, end) = (self.runs[index].start, self.run_end(index));
            if start >= limit {
                break;
            }
            tips.retain(|tip| !self.runs.parents(index).contains(tip));
            if tips.is_empty() {
                // Inside of the run only the event before the cut is maximal. What matters is
                // the first one that something else builds on.
                let fork = forks.lowest_after(index);
                for cut in [fork, fork.saturating_add(1), limit.min(end)] {
                    let cut = self.change_end(cut.min(limit).min(end).max(start));
                    if cut > best.max(start) && forks.allow(index, cut, &[cut - 1]) {
                        best = cut;
                    }
                }
            }
            tips.push(end - 1);
            sort(&mut tips);
            if end <= limit && end > best && forks.allow(index, end, &tips) {
                best = end;
            }
        }
        best
    }

    /// The first event in local order that `version` does not have, or the end.
    fn first_beyond(&self, version: &VersionVector) -> Lv {
        let lacks = |index: usize| {
            let run = &self.runs[index];
            let last = version.get(self.issuers[run.replica as usize].id);
            let first = run.seq_of(run.start);
            let held = (last + 1).saturating_sub(first);
            let end = self.run_end(index);
            (held < u64::from(end - run.start)).then(|| run.start + held as Lv)
        };
        (0..self.runs.len()).find_map(lacks).unwrap_or(self.len)
    }

    /// Where the last change ends that does not go beyond `lv`.
    fn change_end(&self, lv: Lv) -> Lv {
        if self.is_change_start(lv) { lv } else { self.change_of(lv).start }
    }

    /// What stands for the events before `lv`, a [`trim_point`](Self::trim_point). The writers
    /// that `keep` chooses stay in the table, beside those of the heads and those who have gone
    /// on since.
    ///
    /// # Panics
    ///
    /// If nothing lies before it.
    pub fn base_before(&self, lv: Lv, keep: impl Fn(ReplicaId) -> bool) -> Base {
        let mut before = self.clone();
        before.truncate(lv);
        let lamport = before.frontier.iter().map(|&tip| before.lamport(tip)).max();
        let stays =
            |&(replica, seq): &(ReplicaId, u64)| self.version.get(replica) > seq || keep(replica);
        let writers = before.version.iter().filter(stays).collect();
        Base::new(before.frontier_dots(), lamport.unwrap_or(0), writers)
            .expect("what is held is a history")
    }
}

/// The events that runs begin after: where the graph forks and joins.
struct Forks<'a> {
    runs: &'a Runs,
    /// The lowest parent of the runs after each.
    lowest: Vec<Lv>,
    /// The lowest parent of each run, and the run, in ascending order.
    by_parent: Vec<(Lv, u32)>,
}

impl<'a> Forks<'a> {
    fn new(runs: &'a Runs) -> Self {
        let mut lowest = alloc::vec![Lv::MAX; runs.len()];
        let mut by_parent = Vec::with_capacity(runs.len());
        for index in (1..runs.len()).rev() {
            // What follows nothing lets nothing be cut off before it.
            let parent = runs.parents(index).first().copied().unwrap_or(0);
            by_parent.push((parent, index as u32));
            lowest[index - 1] = lowest[index].min(parent);
        }
        sort(&mut by_parent);
        Self { runs, lowest, by_parent }
    }

    /// The lowest event that a run after `index` follows.
    fn lowest_after(&self, index: usize) -> Lv {
        self.lowest[index]
    }

    /// Whether `cut`, in run `index` or at its end, can be one: `tips`, the maximal events before
    /// it, are in the past of whatever comes after. Of the runs after it that is so if each has
    /// nothing before the cut among its parents, or exactly the tips.
    fn allow(&self, index: usize, cut: Lv, tips: &[Lv]) -> bool {
        let lowest = self.lowest[index];
        if lowest >= cut || lowest < tips[0] {
            return lowest >= cut;
        }
        // No run before the cut follows a tip, so that the first one that does decides nearly
        // always, and few are looked at in vain.
        let from = self.by_parent.partition_point(|&(parent, _)| parent < tips[0]);
        self.by_parent[from..].iter().take_while(|&&(parent, _)| parent < cut).all(|&(_, run)| {
            self.runs[run as usize].start < cut || self.runs.parents(run as usize) == tips
        })
    }
}
