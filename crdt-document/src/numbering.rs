use alloc::vec::Vec;

use crdt_core::collections::OrderedMap;

/// Names by number and numbers by name, in the order of their first use.
#[derive(Clone, Debug)]
pub(crate) struct Numbering<K> {
    list: Vec<K>,
    numbers: OrderedMap<K, u32>,
}

impl<K> Default for Numbering<K> {
    fn default() -> Self {
        Self { list: Vec::new(), numbers: OrderedMap::new() }
    }
}

impl<K: Clone + Ord> Numbering<K> {
    /// The number of a name, and whether it is new.
    pub(crate) fn number(&mut self, name: &K) -> (u32, bool) {
        if let Some(&number) = self.numbers.get(name) {
            return (number, false);
        }
        // Every name has an event, and those are counted in 32 bits.
        let number = u32::try_from(self.list.len()).expect("fewer than 2^32 names");
        self.list.push(name.clone());
        self.numbers.insert(name.clone(), number);
        (number, true)
    }

    /// The name of a number.
    pub(crate) fn name(&self, number: u32) -> &K {
        &self.list[number as usize]
    }

    /// How many names there are.
    pub(crate) const fn len(&self) -> usize {
        self.list.len()
    }

    /// Forgets the `count` newest names.
    pub(crate) fn forget(&mut self, count: usize) {
        for name in self.list.drain(self.list.len() - count..) {
            self.numbers.remove(&name);
        }
    }
}
