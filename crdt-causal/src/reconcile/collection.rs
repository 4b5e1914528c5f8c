//! What is reconciled: named things, each with a fingerprint.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::salt::{Entry, Salt};

/// Names with the fingerprints of what they stand for.
///
/// ```
/// use crdt_causal::reconcile::Collection;
///
/// let documents: Collection = [("minutes", 17), ("budget", 4)].into_iter().collect();
/// assert_eq!(documents.get(b"budget"), Some(4));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    entries: BTreeMap<Vec<u8>, u64>,
}

impl Collection {
    /// Nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// Names a thing, or gives it another fingerprint.
    pub fn insert(&mut self, name: impl Into<Vec<u8>>, fingerprint: u64) {
        self.entries.insert(name.into(), fingerprint);
    }

    /// The fingerprint under a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<u64> {
        self.entries.get(name).copied()
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of it, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> + '_ {
        self.entries.iter().map(|(name, fingerprint)| (&name[..], *fingerprint))
    }

    /// All of it as a set of entries.
    pub(super) fn entries(&self, salt: Salt) -> impl Iterator<Item = Entry> + '_ {
        self.iter().map(move |(name, fingerprint)| salt.entry(name, fingerprint))
    }

    /// The names behind some keys, which ascend, with their places among these.
    pub(super) fn named<'a>(
        &'a self,
        salt: Salt,
        keys: &'a [u64],
    ) -> impl Iterator<Item = (usize, &'a [u8])> + 'a {
        self.iter().filter_map(move |(name, fingerprint)| {
            let place = keys.binary_search(&salt.entry(name, fingerprint).key).ok()?;
            Some((place, name))
        })
    }
}

impl<N: Into<Vec<u8>>> FromIterator<(N, u64)> for Collection {
    fn from_iter<I: IntoIterator<Item = (N, u64)>>(iter: I) -> Self {
        let entries = iter.into_iter().map(|(name, fingerprint)| (name.into(), fingerprint));
        Self { entries: entries.collect() }
    }
}
