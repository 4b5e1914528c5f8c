use alloc::vec::Vec;
use core::fmt;

use crdt_core::ReplicaId;
use crdt_core::collections::{OrderedSet, sort, sort_by_key};

use super::{CounterView, SetView, TextView, View, exists, is_supported};
use crate::container::MapContent;
use crate::state::State;
use crate::{Kind, Value, ValueMap};

/// A map, for reading. One that was never used is empty.
///
/// A key can hold a plain value and, besides it, one container of each kind: two replicas
/// that put different things under one key at the same time lose neither.
#[derive(Clone, Copy, Debug)]
pub struct MapView<'a> {
    state: &'a State,
    number: Option<u32>,
}

/// What stands under a key: a plain value, or a container.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// A plain value.
    Value(&'a Value),
    /// A container.
    Container(View<'a>),
}

/// One of several things under a key, written at the same time by replicas that did not know
/// of each other.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Conflict<'a> {
    /// A plain value. The first of them is the one that [`MapView::get`] returns.
    Value {
        /// The value.
        value: &'a Value,
        /// Who wrote it.
        by: ReplicaId,
    },
    /// A container.
    Container(View<'a>),
}

/// An untyped read of a key under which more than one thing stands. See
/// [`MapView::conflicts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("more than one kind of thing stands under the key")
    }
}

impl core::error::Error for Ambiguous {}

impl<'a> MapView<'a> {
    pub(crate) const fn new(state: &'a State, number: Option<u32>) -> Self {
        Self { state, number }
    }

    /// The plain value of a key: of concurrent writes the one with the greatest (Lamport
    /// time, replica). O(log keys).
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.content()?.values.winner(key).map(|write| &**write.value)
    }

    /// Whether a plain value or a container stands under a key.
    pub fn contains(&self, key: &str) -> bool {
        self.get(key).is_some() || self.live_children(key).next().is_some()
    }

    /// Whatever stands under a key, if it is only one thing.
    ///
    /// # Errors
    ///
    /// [`Ambiguous`] if a plain value and a container, or two kinds of container do.
    pub fn entry(&self, key: &str) -> Result<Option<Entry<'a>>, Ambiguous> {
        let value = self.get(key).map(Entry::Value);
        let containers = self.live_children(key).map(Entry::Container);
        let mut all = value.into_iter().chain(containers);
        match (all.next(), all.next()) {
            (first, None) => Ok(first),
            _ => Err(Ambiguous),
        }
    }

    /// Everything that stands under a key, if it is more than one thing: the plain values of
    /// concurrent writes, the winner first, then the containers.
    pub fn conflicts(&self, key: &str) -> Vec<Conflict<'a>> {
        let mut all = Vec::new();
        if let Some(map) = self.content() {
            let writes = map.values.winner(key).into_iter().chain(map.values.losers(key));
            all.extend(
                writes.map(|write| Conflict::Value { value: write.value, by: write.dot.replica }),
            );
        }
        all.extend(self.live_children(key).map(Conflict::Container));
        if all.len() > 1 { all } else { Vec::new() }
    }

    /// The plain values, in ascending order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.content().into_iter().flat_map(|map| {
            map.values.keys().filter_map(|key| {
                let write = map.values.winner(&**key)?;
                Some((&**key, &**write.value))
            })
        })
    }

    /// The containers that exist, in ascending order of keys.
    pub fn containers(&self) -> impl Iterator<Item = (&'a str, View<'a>)> + use<'a> {
        let state = self.state;
        let children =
            self.number.into_iter().flat_map(|number| &state.containers[number].children);
        children.flat_map(move |(name, here)| {
            let key = core::str::from_utf8(name).ok();
            here.iter().filter_map(move |&(_, child)| {
                state.containers[child].live.then_some((key?, View::new(state, child)))
            })
        })
    }

    /// The keys under which something stands, in ascending order.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let keys = self.iter().map(|(key, _)| key).chain(self.containers().map(|(key, _)| key));
        keys.collect::<OrderedSet<_>>().into_iter()
    }

    /// How many keys something stands under. O(keys).
    pub fn len(&self) -> usize {
        self.keys().count()
    }

    /// Whether nothing stands in the map.
    pub fn is_empty(&self) -> bool {
        self.content().is_none_or(|map| map.values.is_empty()) && self.containers().next().is_none()
    }

    /// The map at a key.
    pub fn map(&self, key: &str) -> Self {
        Self::new(self.state, self.child(key, Kind::Map))
    }

    /// The set at a key.
    pub fn set(&self, key: &str) -> SetView<'a> {
        SetView::new(self.state, self.child(key, Kind::Set))
    }

    /// The counter at a key.
    pub fn counter(&self, key: &str) -> CounterView<'a> {
        CounterView::new(self.state, self.child(key, Kind::Counter))
    }

    /// The text at a key.
    pub fn text(&self, key: &str) -> TextView<'a> {
        TextView::new(self.state, self.child(key, Kind::Text))
    }

    /// Whether the map has content, or was created explicitly. The root always exists.
    pub fn exists(&self) -> bool {
        exists(self.state, self.number)
    }

    /// Whether this release can read it. One that it cannot reads as if it had no plain
    /// values; its containers are readable on their own.
    pub fn is_supported(&self) -> bool {
        is_supported(self.state, self.number)
    }

    /// The whole map as a plain value, with all that is below it: maps as maps, sets as
    /// lists, counters as numbers, texts as strings.
    ///
    /// Where several things stand under one key, the first of these is taken: map, set,
    /// counter, text, plain value. [`conflicts`](Self::conflicts) has all of them.
    pub fn to_value(&self) -> Value {
        let mut entries: Vec<(&str, Value)> =
            self.iter().map(|(key, value)| (key, value.clone())).collect();
        // Of entries with the same name the last one counts.
        let mut containers: Vec<_> = self.containers().collect();
        sort_by_key(&mut containers, |(_, view)| core::cmp::Reverse(view.kind()));
        entries.extend(containers.into_iter().map(|(key, view)| (key, view.to_value())));
        Value::Map(entries.into_iter().collect::<ValueMap>())
    }

    fn content(&self) -> Option<&'a MapContent> {
        let container = &self.state.containers[self.number?];
        if container.unsupported { None } else { container.map() }
    }

    fn child(&self, key: &str, kind: Kind) -> Option<u32> {
        self.state.containers.child(self.number?, key.as_bytes(), kind)
    }

    fn live_children(&self, key: &str) -> impl Iterator<Item = View<'a>> + use<'a> {
        let state = self.state;
        let here =
            self.number.and_then(|number| state.containers[number].children.get(key.as_bytes()));
        let mut here: Vec<(Kind, u32)> = here.into_iter().flatten().copied().collect();
        sort(&mut here);
        let live = here.into_iter().filter(|&(_, child)| state.containers[child].live);
        live.map(|(_, child)| View::new(state, child))
    }
}
