use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::collections::OrderedMap;

use crate::Value;

/// What the rows of a log call by number: the keys of a map, or the elements of a set.
#[derive(Clone, Debug, Default)]
pub(super) enum Names {
    #[default]
    None,
    Keys(Box<Table<Arc<str>>>),
    Elements(Box<Table<Arc<Value>>>),
}

/// Names by number and numbers by name, in the order of their first use.
#[derive(Clone, Debug)]
pub(super) struct Table<K> {
    list: Vec<K>,
    numbers: OrderedMap<K, u32>,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: OrderedMap::new() }
    }
}

impl<K: Clone + Ord> Table<K> {
    /// The number of a name, and whether it is new.
    fn number(&mut self, name: &K) -> (u32, bool) {
        if let Some(&number) = self.numbers.get(name) {
            return (number, false);
        }
        // Every name has an event, and those are counted in 32 bits.
        let number = u32::try_from(self.list.len()).expect("fewer than 2^32 names");
        self.list.push(name.clone());
        self.numbers.insert(name.clone(), number);
        (number, true)
    }

    /// Forgets the `count` newest names.
    fn forget(&mut self, count: usize) {
        for name in self.list.drain(self.list.len() - count..) {
            self.numbers.remove(&name);
        }
    }
}

impl Names {
    pub(super) fn key_number(&mut self, key: &Arc<str>) -> (u32, bool) {
        if matches!(self, Self::None) {
            *self = Self::Keys(Box::default());
        }
        match self {
            Self::Keys(keys) => keys.number(key),
            _ => unreachable!("a set has no keys"),
        }
    }

    pub(super) fn element_number(&mut self, element: &Arc<Value>) -> (u32, bool) {
        if matches!(self, Self::None) {
            *self = Self::Elements(Box::default());
        }
        match self {
            Self::Elements(elements) => elements.number(element),
            _ => unreachable!("a map has no elements"),
        }
    }

    pub(super) fn key(&self, number: u32) -> Arc<str> {
        match self {
            Self::Keys(keys) => keys.list[number as usize].clone(),
            _ => unreachable!("a row names keys that were given a number"),
        }
    }

    pub(super) fn element(&self, number: u32) -> Arc<Value> {
        match self {
            Self::Elements(elements) => elements.list[number as usize].clone(),
            _ => unreachable!("a row names elements that were given a number"),
        }
    }

    /// Forgets the `count` newest names.
    pub(super) fn forget(&mut self, count: usize) {
        match self {
            Self::None => {}
            Self::Keys(keys) => keys.forget(count),
            Self::Elements(elements) => elements.forget(count),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Keys(keys) => keys.list.len(),
            Self::Elements(elements) => elements.list.len(),
        }
    }
}
