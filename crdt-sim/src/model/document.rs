//! The document's meaning, written from the table of what removes what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crdt_core::{Dot, ReplicaId};
use crdt_document::Kind;

use super::letters::Letters;
use super::removal::Removals;
use super::text::{Place, Tree};
use super::{Event, History, Version};

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

/// Items with their names.
type Visible<'a> = Vec<(Dot, &'a Event<Op>)>;

/// The items of a version that nothing in it removes.
#[must_use]
pub fn visible<'a>(history: &'a History<Op>, version: &'a Version) -> Visible<'a> {
    let removals = Removals::of(history.known(version));
    history
        .known(version)
        .filter(|(dot, event)| is_item(&event.op.what) && !removals.remove(*dot, &event.op))
        .collect()
}

/// The text at a path, of whose characters some are visible, with the tree of all that were ever
/// typed there.
pub(super) fn text(
    history: &History<Op>,
    version: &Version,
    at: &At,
    shown: &BTreeMap<Dot, char>,
) -> Letters<char> {
    let mut typed: Vec<(u64, Dot, Place)> = Vec::new();
    for (dot, event) in history.known(version) {
        if let (Do::Insert(_, place), true) = (&event.op.what, event.op.at == *at) {
            typed.push((event.lamport, dot, *place));
        }
    }
    // Lamport times are an order that causality allows.
    typed.sort_by_key(|(lamport, dot, _)| (*lamport, *dot));
    Letters::new(Tree::of(typed.into_iter().map(|(_, dot, place)| (dot, place))), shown)
}

/// Whether an event puts something there.
pub(super) fn is_item(what: &Do) -> bool {
    !matches!(what, Do::Remove(_) | Do::Clear | Do::Discard(_) | Do::Delete(_))
}

/// Whether `by`, which has seen the item, removes it.
pub(super) fn removes(by: &Op, dot: Dot, at: &At, item: &Do) -> bool {
    // All that is visible below a path goes with the key it stands under, or with the map.
    let below = at.len() > by.at.len() && at.starts_with(&by.at);
    match &by.what {
        Do::Remove(key) if below => at[by.at.len()].0 == *key,
        Do::Clear if below => true,
        _ if *at != by.at => false,
        Do::Clear => true,
        Do::Remove(key) => matches!(item, Do::Set(k, _) | Do::Create(k, _) if k == key),
        Do::Set(key, _) => matches!(item, Do::Set(k, _) if k == key),
        Do::Discard(element) => *item == Do::Add(*element),
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
            let here = visible.iter().filter(|(_, item)| item.op.at == *at);
            let shown = here.filter_map(|(dot, item)| match item.op.what {
                Do::Insert(letter, _) => Some((*dot, letter)),
                _ => None,
            });
            let letters = text(history, version, at, &shown.collect());
            let text: String = letters.shown().map(|(_, letter)| letter).collect();
            write!(out, "{text:?}")
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::covers;
    use crate::random::Random;

    fn op(random: &mut Random, dots: &[Dot]) -> Op {
        let key = |random: &mut Random| ["a", "b"][random.below(2) as usize].to_owned();
        let mut at = At::new();
        for _ in 0..random.below(3) {
            let kind = KINDS[random.below(4) as usize];
            at = child(&at, &key(random), kind);
        }
        let number = random.below(3) as i64;
        let place =
            Place { parent: None, side: crate::model::text::Side::Right, right_origin: None };
        let what = match random.below(9) {
            0 => Do::Set(key(random), number),
            1 => Do::Remove(key(random)),
            2 => Do::Create(key(random), KINDS[random.below(4) as usize]),
            3 if random.permille(300) => Do::Clear,
            4 => Do::Add(number),
            5 => Do::Discard(number),
            6 if !dots.is_empty() => Do::Delete(*random.pick(dots)),
            7 => Do::Increment(number),
            _ => Do::Insert('x', place),
        };
        Op { at, what }
    }

    /// What is visible is what no event that has seen it removes, event by event.
    #[test]
    fn what_is_left_is_what_no_single_event_removes() {
        let (mut removed, mut left) = (0, 0);
        for seed in 0..400 {
            let random = &mut Random::new(seed, 41);
            let mut history: History<Op> = History::default();
            let mut known = vec![Version::new(); 3];
            let mut dots: Vec<Dot> = Vec::new();
            for _ in 0..random.between(5, 60) {
                let here = random.below(3) as usize;
                if random.permille(300) {
                    let other = known[random.below(3) as usize].clone();
                    for (id, seq) in other {
                        let held = known[here].entry(id).or_default();
                        *held = (*held).max(seq);
                    }
                }
                let id = ReplicaId::from_u128(here as u128 + 1);
                let mut draft = history.draft(id, known[here].clone());
                dots.push(draft.next_dot());
                draft.push(op(random, &dots));
                known[here] = draft.commit();
            }
            for version in &known {
                let all: Visible<'_> = history.known(version).collect();
                let is_left = |dot: Dot, item: &Op| {
                    let by_one = |(_, by): &(Dot, &Event<Op>)| {
                        covers(&by.past, dot) && removes(&by.op, dot, &item.at, &item.what)
                    };
                    is_item(&item.what) && !all.iter().any(by_one)
                };
                let by_definition = all.iter().filter(|(dot, event)| is_left(*dot, &event.op));
                let by_definition: Vec<Dot> = by_definition.map(|(dot, _)| *dot).collect();
                let visible: Vec<Dot> =
                    visible(&history, version).iter().map(|(dot, _)| *dot).collect();
                assert_eq!(visible, by_definition, "seed {seed}");
                left += visible.len();
                removed += all.len() - visible.len();
            }
        }
        assert!(removed > 1_000 && left > 1_000, "{removed} and {left}");
    }
}
