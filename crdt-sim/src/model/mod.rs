//! What replicas should show, computed from what was done and nothing else.
//!
//! A model knows every event with its whole past, as plain sets, and computes a value anew each
//! time. It shares no code and no idea of representation with what it is compared with.

pub mod document;
pub mod letters;
mod removal;
pub mod sight;
pub mod text;
pub mod values;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crdt_core::{Dot, ReplicaId, VersionVector};

/// Which events are known: how many of each replica.
pub type Version = BTreeMap<ReplicaId, u64>;

/// The same, as the libraries have it.
#[must_use]
pub fn version(vector: &VersionVector) -> Version {
    vector.iter().collect()
}

/// Whether an event is among the known ones.
#[must_use]
pub fn covers(version: &Version, dot: Dot) -> bool {
    version.get(&dot.replica).is_some_and(|seq| dot.seq <= *seq)
}

/// Whether everything in `part` is in `whole`.
#[must_use]
pub fn includes(whole: &Version, part: &Version) -> bool {
    part.iter().all(|(replica, seq)| *seq == 0 || covers(whole, Dot::new(*replica, *seq)))
}

/// One event, as whoever made it meant it.
#[derive(Clone, Debug)]
pub struct Event<O> {
    /// What was known where it was made.
    pub past: Version,
    /// 1 + the greatest of its past.
    pub lamport: u64,
    /// The number of the last event of its change, which is applied whole.
    pub change_last: u64,
    /// What it does.
    pub op: O,
}

/// Every event that was ever made, but those that a crash took before anyone else could know.
#[derive(Clone, Debug)]
pub struct History<O> {
    events: BTreeMap<Dot, Event<O>>,
    forked: BTreeSet<ReplicaId>,
    /// What was computed last, as long as nothing was done since: in the end all replicas ask for the same.
    computed: RefCell<Option<(Version, Rc<str>)>>,
}

impl<O> Default for History<O> {
    fn default() -> Self {
        Self { events: BTreeMap::new(), forked: BTreeSet::new(), computed: RefCell::default() }
    }
}

impl<O> History<O> {
    /// What is known of an event.
    #[must_use]
    pub fn get(&self, dot: Dot) -> Option<&Event<O>> {
        self.events.get(&dot)
    }

    /// The events of a version.
    pub fn known<'a>(&'a self, version: &'a Version) -> impl Iterator<Item = (Dot, &'a Event<O>)> {
        version.iter().flat_map(|(replica, seq)| {
            let all = Dot::new(*replica, 1)..=Dot::new(*replica, *seq);
            self.events.range(all).map(|(dot, event)| (*dot, event))
        })
    }

    /// What `compute` makes of a version, or has just made of it.
    pub fn computed(&self, version: &Version, compute: impl FnOnce() -> String) -> Rc<str> {
        if let Some((of, text)) = &*self.computed.borrow()
            && of == version
        {
            return Rc::clone(text);
        }
        let text: Rc<str> = compute().into();
        *self.computed.borrow_mut() = Some((version.clone(), Rc::clone(&text)));
        text
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing was ever done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// A crash took what `replica` had done after `seq`, and nobody else knew of it.
    pub fn forget(&mut self, replica: ReplicaId, seq: u64) {
        self.computed.take();
        self.events.retain(|dot, _| dot.replica != replica || dot.seq <= seq);
    }

    /// The replicas under whose id two events have one number.
    #[must_use]
    pub fn forked(&self) -> &BTreeSet<ReplicaId> {
        &self.forked
    }

    /// Someone outside has done something, knowing nothing.
    pub fn insert(&mut self, dot: Dot, op: O) {
        self.computed.take();
        let event = Event { past: Version::new(), lamport: 1, change_last: dot.seq, op };
        self.events.insert(dot, event);
    }

    /// Begins a change of `replica`, which knows `known`.
    pub fn draft(&mut self, replica: ReplicaId, known: Version) -> Draft<'_, O> {
        self.computed.take();
        let first = known.get(&replica).copied().unwrap_or(0) + 1;
        Draft { history: self, replica, known, first, dots: Vec::new(), replaced: Vec::new() }
    }
}

/// A change that is being made.
#[derive(Debug)]
pub struct Draft<'a, O> {
    history: &'a mut History<O>,
    replica: ReplicaId,
    known: Version,
    first: u64,
    dots: Vec<Dot>,
    /// What others had done under these dots.
    replaced: Vec<(Dot, Event<O>)>,
}

impl<O> Draft<'_, O> {
    /// What its maker knows, what it has done so far included.
    #[must_use]
    pub fn known(&self) -> &Version {
        &self.known
    }

    /// All that was ever done.
    #[must_use]
    pub fn history(&self) -> &History<O> {
        self.history
    }

    /// The dot of what is done next.
    #[must_use]
    pub fn next_dot(&self) -> Dot {
        Dot::new(self.replica, self.first + self.dots.len() as u64)
    }

    /// Whether the run has a fork somewhere, so that nothing can be said about values.
    #[must_use]
    pub fn is_blind(&self) -> bool {
        !self.history.forked.is_empty()
    }

    /// The Lamport time of what is done next.
    #[must_use]
    pub fn next_lamport(&self) -> u64 {
        // Of each replica the last event that is known has the greatest.
        let last = self.known.iter().filter_map(|(id, seq)| self.history.get(Dot::new(*id, *seq)));
        1 + last.map(|event| event.lamport).max().unwrap_or(0)
    }

    /// One more event.
    pub fn push(&mut self, op: O) {
        let dot = self.next_dot();
        let lamport = self.next_lamport();
        let past = self.known.clone();
        let event = Event { past, lamport, change_last: dot.seq, op };
        self.replaced.extend(self.history.events.insert(dot, event).map(|event| (dot, event)));
        self.known.insert(dot.replica, dot.seq);
        self.dots.push(dot);
    }

    /// Nothing of it happens.
    pub fn give_up(self) {
        for dot in &self.dots {
            self.history.events.remove(dot);
        }
        self.history.events.extend(self.replaced);
    }

    /// Whether somebody has issued an event of that name, in another place or before a crash.
    #[must_use]
    pub fn is_taken(&self, dot: Dot) -> bool {
        self.history.events.contains_key(&dot)
    }

    /// An event was refused where it was made, since its name was taken.
    pub fn note_fork(&mut self) {
        self.history.forked.insert(self.replica);
    }

    /// It happened, each event by itself.
    pub fn commit_each(self) {
        if !self.replaced.is_empty() {
            self.history.forked.insert(self.replica);
        }
    }

    /// It happened, as one change. Returns what its maker knows now.
    #[must_use]
    pub fn commit(self) -> Version {
        for dot in &self.dots {
            let event = self.history.events.get_mut(dot).expect("it was put there");
            event.change_last = self.dots.last().expect("there is one").seq;
        }
        if !self.replaced.is_empty() {
            self.history.forked.insert(self.replica);
        }
        self.known
    }
}
