#[cfg(feature = "saved")]
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::canary::is_planted;
use crdt_core::causality::Lv;
use crdt_core::{Dot, DotRange, EventGraph, VersionVector};

use crate::chains::Chains;
use crate::container::{Container, Containers, Content};
use crate::journal::Journal;
use crate::op::{Op, OwnedTextOp, Piece};
use crate::owners::Owners;
#[cfg(feature = "saved")]
use crate::saved::Asleep;
use crate::{Kind, Step};

/// The event log of a document, and what is visible in its containers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) graph: EventGraph,
    pub(crate) owners: Owners,
    pub(crate) containers: Containers,
    /// What the history begins with, as bytes, where older events were trimmed.
    pub(crate) base: Option<Arc<[u8]>>,
    /// What tells other events of the same names from those that are held.
    pub(crate) chains: Chains,
    /// The history, where it has not been decoded: until then the rest is as if all of it but what
    /// was written since had been trimmed.
    #[cfg(feature = "saved")]
    pub(crate) asleep: Option<Box<Asleep>>,
}

/// What an event had seen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Past<'a> {
    /// Every event before it in local order, as is the case for a local one.
    All,
    /// Every event before it in local order but for these, in ascending ranges.
    AllBut(&'a [Range<Lv>]),
}

/// The events that an operation belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause<'a> {
    /// The first event's local version.
    pub(crate) lv: Lv,
    /// The first event.
    pub(crate) dot: Dot,
    /// Its Lamport time.
    pub(crate) lamport: u64,
    pub(crate) past: Past<'a>,
}

impl Cause<'_> {
    /// Whether the operation had seen another event that is held.
    fn seen(&self, graph: &EventGraph, dot: Dot) -> bool {
        match self.past {
            Past::All => true,
            // A bug that the laws must find: a removal takes what it has not seen.
            Past::AllBut(_) if cfg!(canary) || is_planted("remove-the-unseen") => true,
            Past::AllBut(unseen) => {
                let Some(lv) = graph.lv_of(dot) else {
                    assert!(graph.base().is_some(), "what is visible is in the graph, or trimmed");
                    return true;
                };
                let after = unseen.partition_point(|range| range.end <= lv);
                unseen.get(after).is_none_or(|range| lv < range.start)
            }
        }
    }
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            graph: EventGraph::new(),
            owners: Owners::default(),
            containers: Containers::new(),
            base: None,
            chains: Chains::default(),
            #[cfg(feature = "saved")]
            asleep: None,
        }
    }

    /// Applies an operation that is not an edit of a text, by `len` events, and logs it.
    /// Texts below what it removes are left alone: see [`texts_below`](Self::texts_below).
    pub(crate) fn apply(
        &mut self,
        number: u32,
        op: &Op,
        len: u32,
        cause: &Cause<'_>,
        journal: &mut Journal,
    ) {
        let Self { graph, containers, .. } = self;
        let seen = |dot: Dot| cause.seen(graph, dot);
        journal.touch(containers, number, cause.dot.replica);
        let Container { content, log, unsupported, .. } = &mut containers[number];
        match (content, op) {
            (Content::Map(map), Op::Set { key, value }) => {
                journal.value(number, key, map);
                let (key, value) = (key.clone(), value.clone());
                // A planted bug: the order of arrival decides which of two values is shown.
                let by_arrival = is_planted("stamp-by-arrival");
                let stamp = if by_arrival { cause.lv.into() } else { cause.lamport };
                map.values.apply_set(key, cause.dot, stamp, value, seen);
            }
            (Content::Map(map), Op::Remove { key }) => {
                journal.value(number, key, map);
                map.values.apply_remove(&**key, seen);
            }
            (Content::Map(map), Op::Create { key, kind }) => {
                let child = (key.clone(), *kind);
                journal.creation(number, &child, map);
                map.created.apply_add(child, cause.dot, seen);
            }
            (Content::Set(set), Op::Add { element }) => {
                journal.element(number, element, set);
                set.apply_add(element.clone(), cause.dot, seen);
            }
            (Content::Set(set), Op::Discard { element }) => {
                journal.element(number, element, set);
                set.apply_remove(element, seen);
            }
            (Content::Counter(counter), Op::Increment { amount }) => {
                journal.counter(number, counter);
                let counted = counter.increment(cause.dot.replica, *amount, len);
                counted.expect("overflow was looked for before");
            }
            (_, Op::Clear) => {}
            (_, Op::Extension(_) | Op::Text(_)) => *unsupported = true,
            _ => unreachable!("operations were matched with their container's kind before"),
        }
        log.push(cause.lv, len, op);
        match op {
            Op::Clear => self.clear(number, cause, journal),
            Op::Remove { key } => {
                for child in self.children(number, key) {
                    self.clear(child, cause, journal);
                    self.remove_creation(number, key, child, cause, journal);
                }
                self.refresh(number, cause, journal);
            }
            Op::Create { key, kind } => {
                let child = self.containers.enter_child(number, &Step::new(key.clone(), *kind));
                self.refresh(child, cause, journal);
            }
            _ => self.refresh(number, cause, journal),
        }
    }

    /// Takes out what is visible in a container and below it, but for texts.
    fn clear(&mut self, number: u32, cause: &Cause<'_>, journal: &mut Journal) {
        let Self { graph, containers, .. } = self;
        let seen = |dot: Dot| cause.seen(graph, dot);
        let creates = containers[number].map().is_some_and(|map| !map.created.is_empty());
        if creates || containers[number].has_content() {
            journal.touch(containers, number, cause.dot.replica);
        }
        let Container { content, log, .. } = &mut containers[number];
        match content {
            Content::Map(map) if creates || !map.values.is_empty() => {
                journal.whole_map(number, map);
                map.values.apply_clear(seen);
                map.created.apply_clear(seen);
            }
            Content::Set(set) if !set.is_empty() => {
                journal.whole_set(number, set);
                set.apply_clear(seen);
            }
            Content::Counter(counter) if counter.has_content() => {
                journal.counter(number, counter);
                match cause.past {
                    Past::All => counter.reset(),
                    Past::AllBut(unseen) => counter.reset_before(graph, log, unseen),
                }
            }
            _ => {}
        }
        let children: Vec<u32> =
            containers[number].children.values().flatten().map(|&(_, child)| child).collect();
        for child in children {
            self.clear(child, cause, journal);
        }
        self.refresh(number, cause, journal);
    }

    fn remove_creation(
        &mut self,
        number: u32,
        key: &Arc<str>,
        child: u32,
        cause: &Cause<'_>,
        journal: &mut Journal,
    ) {
        let Self { graph, containers, .. } = self;
        let created = (key.clone(), containers[child].kind());
        if let Content::Map(map) = &mut containers[number].content {
            journal.creation(number, &created, map);
            map.created.apply_remove(&created, |dot| cause.seen(graph, dot));
        }
        self.refresh(child, cause, journal);
    }

    /// The containers at a key of a map.
    fn children(&self, number: u32, key: &str) -> Vec<u32> {
        let children = self.containers[number].children.get(key.as_bytes());
        children.into_iter().flatten().map(|&(_, child)| child).collect()
    }

    /// Appends an edit of a text that is not to be applied, because it follows what this
    /// release does not know.
    pub(crate) fn log_text(&mut self, number: u32, lv: Lv, edit: OwnedTextOp, len: u32) {
        self.containers[number].log.push(lv, len, &Op::Text(Arc::new(edit)));
    }

    /// The texts that an operation of a map clears: all below it, or all below a key.
    pub(crate) fn texts_below(&self, number: u32, op: &Op, found: &mut Vec<u32>) {
        match op {
            Op::Clear => self.gather_texts(number, found),
            Op::Remove { key } => {
                for child in self.children(number, key) {
                    self.gather_texts(child, found);
                }
            }
            _ => {}
        }
    }

    fn gather_texts(&self, number: u32, found: &mut Vec<u32>) {
        let container = &self.containers[number];
        if matches!(container.content, Content::Text(_)) && !container.unsupported {
            found.push(number);
        }
        for &(_, child) in container.children.values().flatten() {
            self.gather_texts(child, found);
        }
    }

    /// Brings a container's liveness, and that of those above it, up to date.
    pub(crate) fn refresh(&mut self, number: u32, cause: &Cause<'_>, journal: &mut Journal) {
        let mut at = number;
        loop {
            let live = self.containers.is_live(at);
            if self.containers[at].live == live {
                return;
            }
            journal.touch(&self.containers, at, cause.dot.replica);
            self.containers[at].live = live;
            let parent = self.containers[at].parent;
            let siblings = &mut self.containers[parent].live_children;
            *siblings = if live { *siblings + 1 } else { *siblings - 1 };
            // The map above is told of it, whether its own liveness changes or not.
            journal.touch(&self.containers, parent, cause.dot.replica);
            at = parent;
        }
    }

    /// Whether whoever holds these events can be brought up to date by later ones alone.
    pub(crate) fn serves(&self, known: &VersionVector) -> bool {
        self.graph.base().is_none_or(|base| base.is_in(known))
    }

    /// Calls `found` with what the events in `lvs` did, container by container.
    pub(crate) fn for_each_piece(
        &self,
        lvs: Range<Lv>,
        mut found: impl FnMut(u32, Kind, Lv, Piece<'_>),
    ) {
        for (number, lvs) in self.owners.runs(lvs) {
            let container = &self.containers[number];
            let kind = container.kind();
            container.for_each_piece(lvs, &mut |lv, piece| found(number, kind, lv, piece));
        }
    }

    /// To be called when there are new events, and they have taken effect.
    pub(crate) fn extend_chain(&mut self, new: &DotRange) {
        if Chains::grows_by(new) {
            let mut chains = core::mem::take(&mut self.chains);
            chains.extend(self, new.replica);
            self.chains = chains;
        }
    }

    /// Panics if the parts contradict each other. For tests.
    pub(crate) fn check_invariants(&self) {
        self.graph.check_invariants();
        self.containers.check_invariants();
        assert_eq!(self.owners.len(), self.graph.len(), "every event belongs to a container");
    }
}
