//! The document's meaning, written from the table of what removes what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crdt_core::{Dot, ReplicaId};
use crdt_document::Kind;

use super::text::{Place, Tree};
use super::{Event, History, Version, covers};

/// Key and kind, step by step from the root.
pub type At = Vec<(String, Kind)>;

/// What one event does to the container at a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Where.
    pub at: At,
    /// What.
    pub what: Do,
}

/// What is done there.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    /// Puts a plain value under a key.
    Set(String, i64),
    /// Takes away what is under a key.
    Remove(String),
    /// Makes a container under a key.
    Create(String, Kind),
    /// Empties the container.
    Clear,
    /// Adds an element to a set.
    Add(i64),
    /// Takes one out.
    Discard(i64),
    /// Adds to a counter.
    Increment(i64),
    /// Types a character.
    Insert(char, Place),
    /// Deletes one.
    Delete(Dot),
}

/// The kinds, in the order of their numbers.
pub const KINDS: [Kind; 4] = [Kind::Map, Kind::Set, Kind::Counter, Kind::Text];

type Visible<'a> = Vec<(Dot, &'a Event<Op>)>;

/// The items of a version that nothing in it removes.
#[must_use]
pub fn visible<'a>(history: &'a History<Op>, version: &'a Version) -> Visible<'a> {
    let removers: Visible<'_> =
        history.known(version).filter(|(_, event)| may_remove(&event.op.what)).collect();
    let removed = |dot: Dot, item: &Op| {
        removers.iter().any(|(_, by)| covers(&by.past, dot) && removes(&by.op, dot, item))
    };
    history
        .known(version)
        .filter(|(dot, event)| is_item(&event.op.what) && !removed(*dot, &event.op))
        .collect()
}

/// The characters of the text at a path that are visible in a version, in order, and the tree
/// of all that were ever typed there.
#[must_use]
pub fn text(history: &History<Op>, version: &Version, at: &At) -> (Vec<(Dot, char)>, Tree) {
    text_of(history, version, &visible(history, version), at)
}

fn text_of(
    history: &History<Op>,
    version: &Version,
    visible: &Visible<'_>,
    at: &At,
) -> (Vec<(Dot, char)>, Tree) {
    let mut typed: Vec<(u64, Dot, Place)> = Vec::new();
    for (dot, event) in history.known(version) {
        if let (Do::Insert(_, place), true) = (&event.op.what, event.op.at == *at) {
            typed.push((event.lamport, dot, *place));
        }
    }
    // Lamport times are an order that causality allows.
    typed.sort_by_key(|(lamport, dot, _)| (*lamport, *dot));
    let tree = Tree::of(typed.into_iter().map(|(_, dot, place)| (dot, place)));
    let here: BTreeMap<Dot, char> = visible
        .iter()
        .filter(|(_, event)| event.op.at == *at)
        .filter_map(|(dot, event)| match event.op.what {
            Do::Insert(letter, _) => Some((*dot, letter)),
            _ => None,
        })
        .collect();
    let shown = tree.order().into_iter().filter_map(|dot| Some((dot, *here.get(&dot)?))).collect();
    (shown, tree)
}

fn is_item(what: &Do) -> bool {
    !matches!(what, Do::Remove(_) | Do::Clear | Do::Discard(_) | Do::Delete(_))
}

fn may_remove(what: &Do) -> bool {
    !matches!(what, Do::Create(..) | Do::Add(_) | Do::Increment(_) | Do::Insert(..))
}

/// Whether `by`, which has seen the item, removes it.
fn removes(by: &Op, dot: Dot, item: &Op) -> bool {
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
        Do::Delete(letter) => dot == *letter,
        Do::Create(..) | Do::Add(_) | Do::Increment(_) | Do::Insert(..) => false,
    }
}

/// The path of a container below another one.
#[must_use]
pub fn child(at: &At, key: &str, kind: Kind) -> At {
    let mut child = at.clone();
    child.push((key.into(), kind));
    child
}

/// Whether there is anything under a key.
#[must_use]
pub fn contains(visible: &[(Dot, &Event<Op>)], at: &At, key: &str) -> bool {
    let is_value = |op: &Op| op.at == *at && matches!(&op.what, Do::Set(k, _) if k == key);
    visible.iter().any(|(_, item)| is_value(&item.op))
        || KINDS.iter().any(|&kind| exists(visible, &child(at, key, kind)))
}

fn exists(visible: &[(Dot, &Event<Op>)], at: &At) -> bool {
    let Some(((key, kind), above)) = at.split_last() else { return true };
    let create = Do::Create(key.clone(), *kind);
    visible.iter().any(|(_, item)| {
        item.op.at.starts_with(at) || (item.op.at == above && item.op.what == create)
    })
}

/// Everything that can be read of a version.
#[must_use]
pub fn dump(history: &History<Op>, version: &Version) -> String {
    let visible = visible(history, version);
    let mut out = String::new();
    dump_map(history, version, &visible, &Vec::new(), &mut out);
    out
}

fn dump_map(
    history: &History<Op>,
    version: &Version,
    visible: &Visible<'_>,
    at: &At,
    out: &mut String,
) {
    // Keys with their plain values, winner first.
    let mut keys: BTreeMap<&str, Vec<(u64, ReplicaId, i64)>> = BTreeMap::new();
    for (dot, item) in visible {
        if item.op.at == *at {
            match &item.op.what {
                Do::Set(key, value) => {
                    let write = (item.lamport, dot.replica, *value);
                    keys.entry(key).or_default().push(write);
                }
                Do::Create(key, _) => drop(keys.entry(key).or_default()),
                _ => {}
            }
        } else if item.op.at.starts_with(at) {
            keys.entry(&item.op.at[at.len()].0).or_default();
        }
    }
    out.push('{');
    for (key, mut writes) in keys {
        let _ = write!(out, "{key}:");
        writes.sort_unstable();
        for (_, _, value) in writes.iter().rev() {
            let _ = write!(out, "={value}");
        }
        for kind in KINDS {
            let here = child(at, key, kind);
            if exists(visible, &here) {
                dump_container(history, version, visible, kind, &here, out);
            }
        }
        out.push(';');
    }
    out.push('}');
}

fn dump_container(
    history: &History<Op>,
    version: &Version,
    visible: &Visible<'_>,
    kind: Kind,
    at: &At,
    out: &mut String,
) {
    let inside =
        visible.iter().filter(|(_, item)| item.op.at == *at).map(|(_, item)| &item.op.what);
    let _ = match kind {
        Kind::Map => {
            dump_map(history, version, visible, at, out);
            Ok(())
        }
        Kind::Set => {
            let added = |what: &Do| if let Do::Add(element) = what { Some(*element) } else { None };
            let elements: BTreeSet<i64> = inside.filter_map(added).collect();
            let elements: Vec<String> = elements.iter().map(i64::to_string).collect();
            write!(out, "[{}]", elements.join(","))
        }
        Kind::Counter => {
            let by = |what: &Do| if let Do::Increment(by) = what { *by } else { 0 };
            write!(out, "#{}", inside.map(by).sum::<i64>())
        }
        _ => {
            let (letters, _) = text_of(history, version, visible, at);
            let text: String = letters.into_iter().map(|(_, letter)| letter).collect();
            write!(out, "{text:?}")
        }
    };
}
