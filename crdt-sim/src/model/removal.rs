//! Which items of a document are left, for histories that are long.

use std::collections::BTreeMap;

use crdt_core::Dot;
use crdt_document::Kind;

use super::document::{Do, Op};
use super::{Event, Version, covers};

/// What an event removes at the path where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target<'a> {
    /// What is under a key: values, the containers, and all that is below.
    Key(&'a str),
    /// The plain values under a key.
    Value(&'a str),
    /// What is in the container, and below it.
    All,
    /// An element of a set.
    Element(i64),
    /// One item, by its name: a letter.
    Letter(Dot),
}

/// All removals of a version, by what they remove.
///
/// An event removes what it has seen. Which of some that aim at one target has seen an item does not matter: so of
/// each target it is enough to know what all of them together have seen.
#[derive(Debug, Default)]
pub(super) struct Removals<'a>(BTreeMap<&'a [(String, Kind)], BTreeMap<Target<'a>, Version>>);

impl<'a> Removals<'a> {
    pub(super) fn of(events: impl Iterator<Item = (Dot, &'a Event<Op>)>) -> Self {
        let mut removals = Self::default();
        for (_, Event { past, op: Op { at, what }, .. }) in events {
            let target = match what {
                Do::Remove(key) => Target::Key(key),
                Do::Set(key, _) => Target::Value(key),
                Do::Clear => Target::All,
                Do::Discard(element) => Target::Element(*element),
                Do::Delete(letter) => Target::Letter(*letter),
                Do::Create(..) | Do::Add(_) | Do::Increment(_) | Do::Insert(..) => continue,
            };
            let seen = removals.0.entry(at).or_default().entry(target).or_default();
            for (replica, seq) in past {
                let most = seen.entry(*replica).or_default();
                *most = (*most).max(*seq);
            }
        }
        removals
    }

    /// Whether some removal removes this item.
    pub(super) fn remove(&self, dot: Dot, item: &Op) -> bool {
        let seen = |at: &[(String, Kind)], target: Target<'_>| {
            self.0.get(at).and_then(|here| here.get(&target)).is_some_and(|seen| covers(seen, dot))
        };
        let is_below = |(depth, (key, _)): (usize, &(String, Kind))| {
            let above = &item.at[..depth];
            seen(above, Target::All) || seen(above, Target::Key(key))
        };
        item.at.iter().enumerate().any(is_below)
            || seen(&item.at, Target::All)
            || seen(&item.at, Target::Letter(dot))
            || match &item.what {
                Do::Set(key, _) => {
                    seen(&item.at, Target::Key(key)) || seen(&item.at, Target::Value(key))
                }
                Do::Create(key, _) => seen(&item.at, Target::Key(key)),
                Do::Add(element) => seen(&item.at, Target::Element(*element)),
                _ => false,
            }
    }
}
