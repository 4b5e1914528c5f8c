//! The document's meaning, written from the table of what removes what: events with their
//! whole pasts as plain sets, and a value that is computed anew from nothing else. It shares
//! no code and no idea of representation with the implementation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crdt_document::{Kind, ReplicaId};

use crate::KINDS;
use crate::script::id;

/// Key and kind, step by step from the root.
pub(crate) type At = Vec<(String, Kind)>;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Do {
    Set(String, i64),
    Remove(String),
    Create(String, Kind),
    Clear,
    Add(i64),
    Discard(i64),
    Increment(i64),
    Insert(char),
    Delete(char),
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) replica: usize,
    pub(crate) lamport: u64,
    pub(crate) past: BTreeSet<usize>,
    pub(crate) at: At,
    pub(crate) what: Do,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) events: Vec<Event>,
    /// Which events each replica knows.
    pub(crate) known: Vec<BTreeSet<usize>>,
}

impl Model {
    pub(crate) fn new(replicas: usize) -> Self {
        Self { events: Vec::new(), known: vec![BTreeSet::new(); replicas] }
    }

    /// A replica makes an event.
    pub(crate) fn make(&mut self, replica: usize, at: At, what: Do) {
        let past = self.known[replica].clone();
        let lamport = 1 + past.iter().map(|&event| self.events[event].lamport).max().unwrap_or(0);
        self.known[replica].insert(self.events.len());
        self.events.push(Event { replica, lamport, past, at, what });
    }

    /// The items that a replica sees.
    pub(crate) fn visible(&self, replica: usize) -> Vec<&Event> {
        let known = &self.known[replica];
        let is_item =
            |what: &Do| !matches!(what, Do::Remove(_) | Do::Clear | Do::Discard(_) | Do::Delete(_));
        known
            .iter()
            .filter(|&&item| is_item(&self.events[item].what))
            .filter(|&&item| {
                !known.iter().any(|&by| {
                    self.events[by].past.contains(&item)
                        && removes(&self.events[by], &self.events[item])
                })
            })
            .map(|&item| &self.events[item])
            .collect()
    }

    /// Whether anything is visible under a key.
    pub(crate) fn contains(&self, replica: usize, at: &At, key: &str) -> bool {
        let visible = self.visible(replica);
        visible.iter().any(|item| item.at == *at && matches!(&item.what, Do::Set(k, _) if k == key))
            || KINDS.iter().any(|&kind| exists(&visible, &child(at, key, kind)))
    }

    /// Everything that can be read at a replica, as `crate::dump` writes it.
    pub(crate) fn dump(&self, replica: usize) -> String {
        let mut out = String::new();
        dump_map(&self.visible(replica), &Vec::new(), &mut out);
        out
    }
}

/// Whether `by`, which has seen `item`, removes it.
fn removes(by: &Event, item: &Event) -> bool {
    // All that is visible below a path goes with the key it stands under, or with the map.
    let below = item.at.len() > by.at.len() && item.at.starts_with(&by.at);
    match &by.what {
        Do::Remove(key) if below => item.at[by.at.len()].0 == *key,
        Do::Clear if below => true,
        _ if item.at != by.at => false,
        Do::Clear => true,
        Do::Remove(key) => matches!(&item.what, Do::Set(k, _) | Do::Create(k, _) if k == key),
        Do::Set(key, _) => matches!(&item.what, Do::Set(k, _) if k == key),
        Do::Discard(element) => item.what == Do::Add(*element),
        Do::Delete(char) => item.what == Do::Insert(*char),
        Do::Create(..) | Do::Add(_) | Do::Increment(_) | Do::Insert(_) => false,
    }
}

pub(crate) fn child(at: &At, key: &str, kind: Kind) -> At {
    let mut child = at.clone();
    child.push((key.into(), kind));
    child
}

fn exists(visible: &[&Event], at: &At) -> bool {
    let Some(((key, kind), above)) = at.split_last() else { return true };
    visible.iter().any(|item| {
        item.at.starts_with(at) || (item.at == above && item.what == Do::Create(key.clone(), *kind))
    })
}

fn dump_map(visible: &[&Event], at: &At, out: &mut String) {
    // Keys with their plain values, winner first.
    let mut keys: BTreeMap<&str, Vec<(u64, ReplicaId, i64)>> = BTreeMap::new();
    for item in visible {
        if item.at == *at {
            match &item.what {
                Do::Set(key, value) => {
                    let write = (item.lamport, id(item.replica), *value);
                    keys.entry(key).or_default().push(write);
                }
                Do::Create(key, _) => drop(keys.entry(key).or_default()),
                _ => {}
            }
        } else if item.at.starts_with(at) {
            keys.entry(&item.at[at.len()].0).or_default();
        }
    }
    out.push('{');
    for (key, mut values) in keys {
        write!(out, "{key}:").unwrap();
        values.sort_unstable();
        for (_, _, value) in values.iter().rev() {
            write!(out, "={value}").unwrap();
        }
        for kind in KINDS {
            let here = child(at, key, kind);
            if !exists(visible, &here) {
                continue;
            }
            let inside = visible.iter().filter(|item| item.at == here).map(|item| &item.what);
            match kind {
                Kind::Map => dump_map(visible, &here, out),
                Kind::Set => {
                    let elements: BTreeSet<i64> = inside
                        .map(|what| if let Do::Add(e) = what { *e } else { panic!() })
                        .collect();
                    let elements: Vec<String> = elements.iter().map(i64::to_string).collect();
                    write!(out, "[{}]", elements.join(",")).unwrap();
                }
                Kind::Counter => {
                    let sum: i64 = inside
                        .map(|what| if let Do::Increment(n) = what { *n } else { panic!() })
                        .sum();
                    write!(out, "#{sum}").unwrap();
                }
                _ => {
                    let chars: BTreeSet<char> = inside
                        .map(|what| if let Do::Insert(c) = what { *c } else { panic!() })
                        .collect();
                    write!(out, "{:?}", chars.into_iter().collect::<String>()).unwrap();
                }
            }
        }
        out.push(';');
    }
    out.push('}');
}
