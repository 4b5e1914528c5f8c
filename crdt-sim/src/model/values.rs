//! What values of many types should be, written from the tables of their pages: which event
//! overrules which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crdt_core::Dot;

use super::letters::Letters;
use super::text::{Place, Tree};
use super::{Draft, Event, History, Version, covers};

/// What one event does.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// An add-wins set: adds an element.
    Add(u8),
    /// Takes one out.
    Remove(u8),
    /// A remove-wins set: adds an element.
    AddHere(u8),
    /// Takes one out, there or not.
    RemoveHere(u8),
    /// A multi-value register: writes a value.
    Write(u8),
    /// Empties it.
    Erase,
    /// A map of add-wins sets: adds an element to the set of a key.
    Put(u8, u8),
    /// Takes out a key.
    Drop(u8),
    /// A counter: counts up or down.
    Count(i64),
    /// A flag that enabling wins, and one that disabling wins: switches both.
    Switch(bool),
    /// A list: puts in an element.
    Insert(u8, Place),
    /// Takes one out, if there is any.
    Take(Option<Dot>),
    /// A text: types characters, each at its place.
    Type(Vec<(char, Place)>),
    /// Deletes some.
    Delete(Vec<Dot>),
    /// Registers of which the last writer is shown: writes a value into one.
    Keep(u8, u64),
}

/// The name of the n-th character that an event types.
#[must_use]
pub fn letter(event: Dot, index: usize) -> Dot {
    Dot::new(event.replica, event.seq * 8 + index as u64)
}

/// The list as somebody sees it.
#[must_use]
pub fn list(history: &History<Op>, version: &Version) -> Letters<u8> {
    let taken: BTreeSet<Dot> = history
        .known(version)
        .filter_map(|(_, event)| if let Op::Take(dot) = &event.op { *dot } else { None })
        .collect();
    let inserted = |dot: Dot, op: &Op| match op {
        Op::Insert(element, place) => vec![(dot, *element, *place)],
        _ => Vec::new(),
    };
    ordered(history, version, &taken, inserted)
}

/// The text as somebody sees it.
#[must_use]
pub fn text(history: &History<Op>, version: &Version) -> Letters<char> {
    let mut deleted: BTreeSet<Dot> = BTreeSet::new();
    for (_, event) in history.known(version) {
        if let Op::Delete(dots) = &event.op {
            deleted.extend(dots);
        }
    }
    let typed = |dot: Dot, op: &Op| match op {
        Op::Type(typed) => {
            let named = typed.iter().enumerate();
            named.map(|(index, (char, place))| (letter(dot, index), *char, *place)).collect()
        }
        _ => Vec::new(),
    };
    ordered(history, version, &deleted, typed)
}

fn ordered<T: Copy>(
    history: &History<Op>,
    version: &Version,
    gone: &BTreeSet<Dot>,
    inserted: impl Fn(Dot, &Op) -> Vec<(Dot, T, Place)>,
) -> Letters<T> {
    let mut events: Vec<(u64, Dot, &Event<Op>)> =
        history.known(version).map(|(dot, event)| (event.lamport, dot, event)).collect();
    // Lamport times are an order that causality allows.
    events.sort_by_key(|(lamport, dot, _)| (*lamport, *dot));
    let all: Vec<(Dot, T, Place)> =
        events.into_iter().flat_map(|(_, dot, event)| inserted(dot, &event.op)).collect();
    let tree = Tree::of(all.iter().map(|(dot, _, place)| (*dot, *place)));
    let left = all.iter().filter(|(dot, ..)| !gone.contains(dot));
    Letters::new(tree, &left.map(|(dot, item, _)| (*dot, *item)).collect())
}

/// The sequences as somebody sees them who writes in them, kept up as long as nobody else's writes come.
#[derive(Debug, Default)]
pub struct Sight {
    version: Version,
    list: Option<Letters<u8>>,
    text: Option<Letters<char>>,
}

impl Sight {
    /// What was seen at another version is of no use.
    fn go_to(&mut self, version: &Version) {
        if self.version != *version {
            *self = Self { version: version.clone(), ..Self::default() };
        }
    }

    /// The list at the draft's version.
    pub fn list(&mut self, draft: &Draft<'_, Op>) -> &mut Letters<u8> {
        self.go_to(draft.known());
        self.list.get_or_insert_with(|| list(draft.history(), draft.known()))
    }

    /// The text at the draft's version.
    pub fn text(&mut self, draft: &Draft<'_, Op>) -> &mut Letters<char> {
        self.go_to(draft.known());
        self.text.get_or_insert_with(|| text(draft.history(), draft.known()))
    }

    /// Its owner goes on by the next event of the draft, which the two know of if it is about them.
    pub fn go_on(&mut self, draft: &Draft<'_, Op>) {
        self.go_to(draft.known());
        let Dot { replica, seq } = draft.next_dot();
        self.version.insert(replica, seq);
    }
}

/// Everything that can be read of a version.
#[must_use]
pub fn dump(history: &History<Op>, version: &Version) -> String {
    let all: Vec<(Dot, &Event<Op>)> = history.known(version).collect();
    let mut out = String::new();

    // What all together have seen that remove some value: no matter which of them has seen it.
    let seen_by = |of: &dyn Fn(&Op) -> bool| {
        let mut seen = Version::new();
        for (_, by) in all.iter().filter(|(_, by)| of(&by.op)) {
            for (replica, seq) in &by.past {
                let most = seen.entry(*replica).or_default();
                *most = (*most).max(*seq);
            }
        }
        seen
    };
    // Items that no event which has seen them removes.
    let left = |item: &dyn Fn(&Op) -> Option<u8>, removes: &dyn Fn(&Op, u8) -> bool| {
        let mut removers: BTreeMap<u8, Version> = BTreeMap::new();
        let items = all.iter().filter_map(|(dot, event)| Some((*dot, item(&event.op)?)));
        let mut stays = |dot: Dot, value: u8| {
            let seen = removers.entry(value).or_insert_with(|| seen_by(&|by| removes(by, value)));
            !covers(seen, dot)
        };
        let mut stay = Vec::new();
        for (dot, value) in items {
            if stays(dot, value) {
                stay.push(value);
            }
        }
        stay
    };
    // Whether something was switched on, and whoever switched it off was seen by one who did.
    let on = |on: &dyn Fn(&Op) -> bool, off: &dyn Fn(&Op) -> bool| {
        let overruled = seen_by(on);
        all.iter().any(|(_, event)| on(&event.op))
            && all.iter().all(|(dot, event)| !off(&event.op) || covers(&overruled, *dot))
    };

    let added: BTreeSet<u8> = left(
        &|op| if let Op::Add(element) = op { Some(*element) } else { None },
        &|op, element| *op == Op::Remove(element),
    )
    .into_iter()
    .collect();
    let _ = write!(out, "set {added:?}");
    let here: Vec<u8> = (0..4)
        .filter(|element| {
            on(&|op| *op == Op::AddHere(*element), &|op| *op == Op::RemoveHere(*element))
        })
        .collect();
    let _ = write!(out, " remove-wins {here:?}");
    let mut written =
        left(&|op| if let Op::Write(value) = op { Some(*value) } else { None }, &|op, _| {
            matches!(op, Op::Write(_) | Op::Erase)
        });
    written.sort_unstable();
    let _ = write!(out, " register {written:?}");
    for key in 0..3 {
        let elements: BTreeSet<u8> = left(
            &|op| {
                if let Op::Put(at, element) = op { (*at == key).then_some(*element) } else { None }
            },
            &|op, _| *op == Op::Drop(key),
        )
        .into_iter()
        .collect();
        let _ = write!(out, " key {elements:?}");
    }
    let by = |op: &Op| if let Op::Count(by) = op { *by } else { 0 };
    let _ = write!(out, " counter {}", all.iter().map(|(_, event)| by(&event.op)).sum::<i64>());
    let enabled =
        left(&|op| (*op == Op::Switch(true)).then_some(1), &|op, _| *op == Op::Switch(false));
    let _ = write!(out, " flags {}", !enabled.is_empty());
    let both = on(&|op| *op == Op::Switch(true), &|op| *op == Op::Switch(false));
    let _ = write!(out, " {both}");
    let elements: Vec<u8> = list(history, version).shown().map(|(_, item)| item).collect();
    let _ = write!(out, " list {elements:?}");
    let letters: String = text(history, version).shown().map(|(_, item)| item).collect();
    let _ = write!(out, " text {letters:?}");
    let mut registers: BTreeMap<u8, (u64, Dot, u64)> = BTreeMap::new();
    for (dot, event) in &all {
        if let Op::Keep(register, value) = event.op {
            let written = (event.lamport, *dot, value);
            let last = registers.entry(register).or_insert(written);
            *last = (*last).max(written);
        }
    }
    let registers: Vec<(u8, u64)> =
        registers.into_iter().map(|(key, last)| (key, last.2)).collect();
    let _ = write!(out, " registers {registers:?}");
    out
}
