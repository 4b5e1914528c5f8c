use std::collections::BTreeMap;

use super::index::Index;
use super::visible::Past;

/// What is visible where monotonic writes do not hold, and so of no session a prefix: of each key and session the
/// last visible writer, which is all that matters of them.
#[derive(Debug)]
pub(super) struct Latest(BTreeMap<(u32, u32), u32>);

impl Past for Latest {
    fn new(_index: &Index<'_>) -> Self {
        Self(BTreeMap::new())
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn add(&mut self, index: &Index<'_>, transaction: u32) {
        let session = index.session(transaction);
        for &key in index.writes(transaction) {
            let last = self.0.entry((key, session)).or_insert(transaction);
            *last = (*last).max(transaction);
        }
    }

    fn join(&mut self, other: &Self) {
        for (place, writer) in &other.0 {
            let last = self.0.entry(*place).or_insert(*writer);
            *last = (*last).max(*writer);
        }
    }

    fn size_bytes(&self) -> usize {
        // Entries of a B-tree that is two thirds full.
        self.0.len() * 20
    }

    fn covers(&self, index: &Index<'_>, key: u32, writer: u32) -> bool {
        // If a later one of the session is visible, this one comes before that by their session.
        self.0.get(&(key, index.session(writer))).is_some_and(|&last| writer <= last)
    }

    fn last_writers(&self, _index: &Index<'_>, key: u32, mut found: impl FnMut(u32)) {
        for (_, &writer) in self.0.range((key, 0)..=(key, u32::MAX)) {
            found(writer);
        }
    }
}
