use alloc::borrow::ToOwned;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use alloc::sync::Arc;
use crdt_core::ReplicaId;
use crdt_core::collections::{OrderedMap, sort_with};
use crdt_core::dot_store::DotStore;
use crdt_core::map::LwwStore;
use crdt_core::sequence::TextPatch;

use crate::container::{Containers, Content};
use crate::journal::{Journal, Touched};
use crate::{Kind, Path, Value};

/// What changed in one container, by one transaction or one import.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Where.
    pub path: Path,
    /// Whether it was a transaction here or an import from elsewhere.
    pub origin: Origin,
    /// The replicas whose changes did it, in ascending order.
    pub by: Vec<ReplicaId>,
    /// What.
    pub change: Change,
}

/// Where a change comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A transaction of this document.
    Local,
    /// An import.
    Remote,
}

/// What changed in a container.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// Keys of a map, in ascending order.
    Map(Vec<MapChange>),
    /// Elements of a set, each list in ascending order.
    Set {
        /// What is in now and was not before.
        added: Vec<Value>,
        /// What was in before and is not now.
        removed: Vec<Value>,
    },
    /// The value of a counter.
    Counter {
        /// Before the change.
        before: i128,
        /// After it.
        after: i128,
    },
    /// Edits of a text, to be applied one after the other.
    Text(Vec<TextChange>),
    /// Something that this release cannot read.
    Unsupported,
    /// So much, without anyone draining the events, that the list was given up: read the
    /// document anew. Stands at the root path and replaces all events before it.
    Everything,
}

/// What changed under a key of a map.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MapChange {
    /// The key has this plain value now; or it has it still, and the values that conflict
    /// with it are others.
    Set {
        /// The key.
        key: String,
        /// Its value.
        value: Value,
        /// Who wrote it.
        by: ReplicaId,
    },
    /// The key has no plain value any more.
    Removed {
        /// The key.
        key: String,
    },
    /// A container has come to exist.
    Appeared {
        /// Its key.
        key: String,
        /// Its kind.
        kind: Kind,
    },
    /// A container has ceased to exist.
    Vanished {
        /// Its key.
        key: String,
        /// Its kind.
        kind: Kind,
    },
}

/// One edit of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextChange {
    /// What to do, in code points and in UTF-16 units.
    pub patch: TextPatch,
    /// Who did it.
    pub by: ReplicaId,
}

impl MapChange {
    /// The key, and under one key the containers by kind, then the plain value.
    fn place(&self) -> (&str, bool, Option<Kind>) {
        match self {
            Self::Set { key, .. } | Self::Removed { key } => (key, true, None),
            Self::Appeared { key, kind } | Self::Vanished { key, kind } => {
                (key, false, Some(*kind))
            }
        }
    }
}

impl TextChange {
    pub(crate) const fn new(patch: TextPatch, by: ReplicaId) -> Self {
        Self { patch, by }
    }
}

/// Events that wait to be drained.
#[derive(Debug)]
pub(crate) struct Events {
    waiting: VecDeque<Event>,
    /// How many single changes the events hold together.
    changes: usize,
    recorded: bool,
}

/// How many single changes wait before the list is given up: what nobody drains must not
/// grow for ever.
const CHANGES_MAX: usize = 1 << 17;

impl Default for Events {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), changes: 0, recorded: true }
    }
}

impl Events {
    pub(crate) fn set_recorded(&mut self, recorded: bool) {
        self.recorded = recorded;
        if !recorded {
            self.drain();
        }
    }

    pub(crate) const fn are_recorded(&self) -> bool {
        self.recorded
    }

    pub(crate) fn drain(&mut self) -> VecDeque<Event> {
        self.changes = 0;
        core::mem::take(&mut self.waiting)
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Event> {
        self.waiting.iter()
    }

    /// Replaces all events by the one that says that everything may be another.
    pub(crate) fn give_up(&mut self, origin: Origin) {
        if self.recorded {
            let change = Change::Everything;
            self.drain();
            self.waiting.push_back(Event { path: Path::root(), origin, by: Vec::new(), change });
        }
    }

    /// Adds what a transaction or an import changed.
    pub(crate) fn record(&mut self, containers: &Containers, journal: Journal, origin: Origin) {
        if !self.recorded {
            return;
        }
        let mut map_changes = children_changes(containers, &journal);
        for (number, touched) in journal.touched {
            let of_children = map_changes.remove(&number).unwrap_or_default();
            let by: Vec<ReplicaId> = touched.by.iter().copied().collect();
            let Some(change) = change_of(containers, number, touched, of_children) else {
                continue;
            };
            self.changes += count(&change);
            self.waiting.push_back(Event { path: containers.path(number), origin, by, change });
        }
        if self.changes > CHANGES_MAX {
            self.give_up(origin);
        }
    }
}

type ByMap = OrderedMap<u32, Vec<MapChange>>;

/// Which children have come and gone, by the map above them. Every map whose children have
/// is itself touched, if only for its own liveness.
fn children_changes(containers: &Containers, journal: &Journal) -> ByMap {
    let mut changes = ByMap::new();
    for (&number, touched) in &journal.touched {
        let container = &containers[number];
        let Some(step) = container.step.as_ref().filter(|_| container.live != touched.live) else {
            continue;
        };
        let Some(key) = step.key().map(String::from) else { continue };
        let kind = step.kind();
        let change = match container.live {
            true => MapChange::Appeared { key, kind },
            false => MapChange::Vanished { key, kind },
        };
        changes.entry(container.parent).or_default().push(change);
    }
    changes
}

fn change_of(
    containers: &Containers,
    number: u32,
    touched: Touched,
    of_children: Vec<MapChange>,
) -> Option<Change> {
    let container = &containers[number];
    if container.unsupported {
        return Some(Change::Unsupported);
    }
    match &container.content {
        Content::Map(map) => {
            let mut changes = of_children;
            for (key, before) in touched.values {
                let after = map.values.get(&*key);
                if after.map_or(before.is_empty(), |after| *after == before) {
                    continue;
                }
                changes.push(value_change(&map.values, &key));
            }
            sort_with(&mut changes, |a, b| a.place() < b.place());
            (!changes.is_empty()).then_some(Change::Map(changes))
        }
        Content::Set(set) => {
            let (mut added, mut removed) = (Vec::new(), Vec::new());
            for (element, before) in touched.elements {
                match (before.is_empty(), set.contains_key(&element)) {
                    (true, true) => added.push(Value::clone(&element)),
                    (false, false) => removed.push(Value::clone(&element)),
                    _ => {}
                }
            }
            let changed = !added.is_empty() || !removed.is_empty();
            changed.then_some(Change::Set { added, removed })
        }
        Content::Counter(counter) => {
            let (before, after) = (touched.counter?.value(), counter.value());
            (before != after).then_some(Change::Counter { before, after })
        }
        Content::Text(_) => (!touched.text.is_empty()).then_some(Change::Text(touched.text)),
        Content::Unknown => Some(Change::Unsupported),
    }
}

fn value_change(values: &LwwStore<Arc<str>, Arc<Value>, u64>, key: &str) -> MapChange {
    let key = key.to_owned();
    match values.winner(&*key) {
        Some(write) => {
            let (value, by) = (Value::clone(write.value), write.dot.replica);
            MapChange::Set { key, value, by }
        }
        None => MapChange::Removed { key },
    }
}

fn count(change: &Change) -> usize {
    match change {
        Change::Map(changes) => changes.len(),
        Change::Set { added, removed } => added.len() + removed.len(),
        Change::Text(changes) => changes.len(),
        Change::Counter { .. } | Change::Unsupported | Change::Everything => 1,
    }
}
