use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crdt_causal::cut::Slot;
use crdt_core::DotRange;

use crate::store::LogEntry;

/// How far another server has got with what this one has admitted.
///
/// Entries of the admission log come in, in order; each waits until the session of its document
/// says that the other side has it durably. What is before the first that waits, the other server
/// has. Only so many entries wait at a time: the others stay in the log.
///
/// Where the log no longer has what the other server lacks, the collections of both are compared
/// as a whole, and what differs waits by document.
#[derive(Debug)]
pub(super) struct Progress {
    remote: Slot,
    /// The other server has everything up to there.
    base: u64,
    /// The log was read up to there.
    walked: u64,
    /// By last position.
    waiting: BTreeMap<u64, Waiting>,
    documents: BTreeMap<Arc<str>, Work>,
    /// Documents that need a channel, in the order in which they came to.
    due: VecDeque<Arc<str>>,
    /// The collections are being compared; as of this position.
    comparing: Option<u64>,
    /// How many documents wait as a whole.
    wholes: usize,
    /// Whether the comparison has named everything that differs.
    is_listed: bool,
}

#[derive(Debug)]
struct Waiting {
    first: u64,
    document: Arc<str>,
    range: DotRange,
}

/// What waits for one document.
#[derive(Debug, Default)]
struct Work {
    waits: BTreeSet<u64>,
    whole: bool,
    /// Only to be opened, so that the other side can send what it has.
    visit: bool,
    is_due: bool,
    has_channel: bool,
}

/// What a session of a document is to be watched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Everything that the document has now.
    pub(crate) whole: bool,
    /// Events, with the positions to tell when they are durable there.
    pub(crate) ranges: Vec<(u64, DotRange)>,
}

/// How many entries of the log wait at a time.
pub(super) const WAITING_MAX: usize = 4096;

const DUE_SLACK: usize = 16;

impl Progress {
    /// The other server has everything up to `base`.
    pub(super) fn new(remote: Slot, base: u64) -> Self {
        Self {
            remote,
            base,
            walked: base,
            waiting: BTreeMap::new(),
            documents: BTreeMap::new(),
            due: VecDeque::new(),
            comparing: None,
            wholes: 0,
            is_listed: true,
        }
    }

    /// The collections are compared, as of a position; the log is read from there on.
    pub(super) fn compare(&mut self, head: u64) {
        self.comparing = Some(head);
        self.is_listed = false;
        self.walked = self.walked.max(head);
    }

    /// Whether the other server has everything up to this position.
    pub(super) fn acknowledged(&self) -> u64 {
        if self.comparing.is_some() {
            return self.base;
        }
        self.waiting.first_key_value().map_or(self.walked, |(_, first)| first.first - 1)
    }

    /// From where to read the log, and how many entries at most.
    pub(super) fn wants(&self) -> (u64, usize) {
        (self.walked, WAITING_MAX.saturating_sub(self.waiting.len()))
    }

    /// Takes in an entry of the log. Returns the document if it has a channel, which is to be
    /// [watched](Self::watch) for it.
    pub(super) fn enter(&mut self, entry: LogEntry) -> Option<Arc<str>> {
        let (last, first) = (entry.last(), entry.first);
        if last <= self.walked {
            return None;
        }
        self.walked = last;
        // What came from there is there.
        if entry.from == Some(self.remote) {
            return None;
        }
        let LogEntry { document, range, .. } = entry;
        let work = self.documents.entry(Arc::clone(&document)).or_default();
        work.waits.insert(last);
        let watched = work.has_channel.then(|| Arc::clone(&document));
        self.waiting.insert(last, Waiting { first, document: Arc::clone(&document), range });
        self.make_due(&document);
        watched
    }

    /// A document has come out as different, and waits as a whole; `opens`: this side opens it.
    pub(super) fn differs(&mut self, document: &Arc<str>, opens: bool) {
        let work = self.documents.entry(Arc::clone(document)).or_default();
        if !work.whole {
            work.whole = true;
            self.wholes += 1;
        }
        if opens {
            self.make_due(document);
        }
    }

    /// The other side has a document that this one has not.
    pub(super) fn visit(&mut self, document: &Arc<str>) {
        self.documents.entry(Arc::clone(document)).or_default().visit = true;
        self.make_due(document);
    }

    /// Everything that differs was named.
    pub(super) fn listed(&mut self) {
        self.is_listed = true;
        self.settle();
    }

    /// Whether all documents that came out as different are done, and there may be more.
    pub(super) fn is_to_be_compared_again(&self) -> bool {
        self.comparing.is_some() && !self.is_listed && self.wholes == 0 && self.due.is_empty()
    }

    /// The next document that needs a channel.
    pub(super) fn next_due(&mut self) -> Option<Arc<str>> {
        while let Some(document) = self.due.pop_front() {
            let Some(work) = self.documents.get_mut(&document) else { continue };
            work.is_due = false;
            if !work.has_channel && work.is_wanted() {
                return Some(document);
            }
        }
        None
    }

    /// The document is due again, after a channel could not be had.
    pub(super) fn postpone(&mut self, document: &Arc<str>) {
        self.make_due(document);
    }

    /// The document has a channel. What to watch it for.
    pub(super) fn opened(&mut self, document: &Arc<str>) -> Watch {
        let work = self.documents.entry(Arc::clone(document)).or_default();
        work.has_channel = true;
        work.visit = false;
        let whole = work.whole;
        Watch { whole, ..self.watch(document, 0) }
    }

    /// What of the document waits with positions beyond `after`.
    pub(super) fn watch(&self, document: &Arc<str>, after: u64) -> Watch {
        let Some(work) = self.documents.get(document) else { return Watch::default() };
        let waits = work.waits.range(after + 1..);
        let ranges = waits.map(|position| (*position, self.waiting[position].range)).collect();
        Watch { whole: false, ranges }
    }

    /// The document has no channel any more.
    pub(super) fn closed(&mut self, document: &Arc<str>) {
        let Some(work) = self.documents.get_mut(document) else { return };
        work.has_channel = false;
        if work.is_wanted() {
            self.make_due(document);
        } else {
            self.documents.remove(document);
        }
    }

    /// An entry that waited is durable there.
    pub(super) fn done(&mut self, position: u64) {
        let Some(waiting) = self.waiting.remove(&position) else { return };
        if let Some(work) = self.documents.get_mut(&waiting.document) {
            work.waits.remove(&position);
            if !work.has_channel && !work.is_wanted() {
                self.documents.remove(&waiting.document);
            }
        }
    }

    /// Everything of a document is durable there.
    pub(super) fn whole_done(&mut self, document: &Arc<str>) {
        if let Some(work) = self.documents.get_mut(document)
            && std::mem::take(&mut work.whole)
        {
            self.wholes -= 1;
            if !work.has_channel && !work.is_wanted() {
                self.documents.remove(document);
            }
        }
        self.settle();
    }

    /// The document cannot be kept in step: it is left out.
    pub(super) fn give_up(&mut self, document: &Arc<str>) {
        let Some(work) = self.documents.get_mut(document) else { return };
        for position in std::mem::take(&mut work.waits) {
            self.waiting.remove(&position);
        }
        work.visit = false;
        self.whole_done(document);
    }

    /// Whether anything waits for the document.
    pub(super) fn is_wanted(&self, document: &Arc<str>) -> bool {
        self.documents.get(document).is_some_and(Work::is_wanted)
    }

    fn settle(&mut self) {
        if let Some(head) = self.comparing.filter(|_| self.is_listed && self.wholes == 0) {
            self.comparing = None;
            self.base = head;
        }
    }

    fn make_due(&mut self, document: &Arc<str>) {
        if let Some(work) = self.documents.get_mut(document)
            && !work.has_channel
            && !work.is_due
        {
            work.is_due = true;
            self.due.push_back(Arc::clone(document));
            // What was done before its turn came is still in there.
            if self.due.len() > 2 * self.documents.len() + DUE_SLACK {
                let documents = &self.documents;
                let mut seen = BTreeSet::new();
                self.due.retain(|name| {
                    documents.get(name).is_some_and(|work| work.is_due)
                        && seen.insert(Arc::clone(name))
                });
            }
        }
    }

    /// Panics if the parts contradict each other.
    #[cfg(test)]
    fn check_invariants(&self) {
        for (position, waiting) in &self.waiting {
            assert!(self.documents[&waiting.document].waits.contains(position));
            assert!(waiting.first <= *position && *position <= self.walked);
        }
        let waits: usize = self.documents.values().map(|work| work.waits.len()).sum();
        assert_eq!(waits, self.waiting.len());
        let wholes = self.documents.values().filter(|work| work.whole).count();
        assert_eq!(wholes, self.wholes);
        for (name, work) in &self.documents {
            assert!(work.has_channel || work.is_wanted(), "{name} is remembered for nothing");
            assert!(!work.is_due || self.due.contains(name), "{name} is forgotten");
        }
        assert!(self.due.len() <= 2 * self.documents.len() + DUE_SLACK);
    }
}

impl Work {
    fn is_wanted(&self) -> bool {
        self.whole || self.visit || !self.waits.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::ReplicaId;

    fn entry(first: u64, len: u64, document: &str, from: Option<Slot>) -> LogEntry {
        let range = DotRange::new(ReplicaId::from_u128(1), first, first + len - 1);
        LogEntry { first, document: document.into(), range, from, admitted_at: 0 }
    }

    /// Against a plain list of positions and whether each is there.
    #[test]
    fn acknowledges_what_is_before_the_first_that_waits() {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let base = rng.u64(..3);
            let mut progress = Progress::new(Slot(1), base);
            let mut there: Vec<(u64, u64, Arc<str>, bool)> = Vec::new();
            let mut next = base + 1;
            let mut open: BTreeSet<Arc<str>> = BTreeSet::new();
            for _ in 0..100 {
                match rng.u8(..6) {
                    0..=2 => {
                        let len = rng.u64(1..4);
                        let name = ["a", "b", "c"][rng.usize(..3)];
                        let from = (rng.u8(..4) == 0).then_some(Slot(rng.u16(1..3)));
                        let entry = entry(next, len, name, from);
                        let is_there = from == Some(Slot(1));
                        there.push((next, entry.last(), name.into(), is_there));
                        next += len;
                        let watched = progress.enter(entry);
                        assert_eq!(watched.is_some(), !is_there && open.contains(name));
                    }
                    3 => {
                        let waits = there.iter().filter(|(.., is_there)| !is_there).count();
                        if waits > 0 {
                            let index = rng.usize(..waits);
                            let mut waiting = there.iter_mut().filter(|(.., is_there)| !is_there);
                            let entry = waiting.nth(index).expect("counted");
                            entry.3 = true;
                            progress.done(entry.1);
                        }
                    }
                    4 => {
                        if let Some(document) = progress.next_due() {
                            assert!(!open.contains(&document), "opened twice");
                            let watch = progress.opened(&document);
                            let expected = there
                                .iter()
                                .filter(|(.., name, is_there)| !is_there && *name == document);
                            let expected: Vec<u64> = expected.map(|(_, last, ..)| *last).collect();
                            let watched: Vec<u64> =
                                watch.ranges.iter().map(|(at, _)| *at).collect();
                            assert_eq!(watched, expected);
                            open.insert(document);
                        }
                    }
                    _ => {
                        if let Some(document) = open.pop_first() {
                            progress.closed(&document);
                        }
                    }
                }
                progress.check_invariants();
                let first = there.iter().find(|(.., is_there)| !is_there);
                let expected = first.map_or(next - 1, |(first, ..)| first - 1);
                assert_eq!(progress.acknowledged(), expected);
            }
        }
    }

    #[test]
    fn a_comparison_counts_once_all_that_differs_is_there() {
        let mut progress = Progress::new(Slot(1), 5);
        progress.compare(100);
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        progress.enter(entry(101, 2, "a", None));
        progress.differs(&a, true);
        progress.differs(&b, false);
        progress.visit(&"c".into());
        progress.check_invariants();
        let due: Vec<_> = core::iter::from_fn(|| progress.next_due()).collect();
        assert_eq!(due.iter().map(|name| &**name).collect::<Vec<_>>(), ["a", "c"]);
        assert!(progress.opened(&a).whole && progress.opened(&b).whole);
        assert!(!progress.opened(&due[1]).whole);
        progress.whole_done(&a);
        assert_eq!(progress.acknowledged(), 5, "b is not there");
        progress.whole_done(&b);
        assert_eq!(progress.acknowledged(), 5, "there may be more");
        progress.listed();
        assert_eq!(progress.acknowledged(), 100, "101 waits");
        progress.done(102);
        assert_eq!(progress.acknowledged(), 102);
        progress.check_invariants();
    }

    #[test]
    fn a_document_that_is_given_up_holds_nothing_back() {
        let mut progress = Progress::new(Slot(1), 0);
        progress.compare(0);
        progress.listed();
        progress.enter(entry(1, 1, "a", None));
        progress.enter(entry(2, 1, "b", None));
        progress.opened(&"a".into());
        progress.give_up(&"a".into());
        assert_eq!(progress.acknowledged(), 1);
        progress.closed(&"a".into());
        progress.check_invariants();
        progress.done(2);
        assert_eq!(progress.acknowledged(), 2);
        assert_eq!(progress.next_due().as_deref(), None, "b is there, by another channel");
    }
}
