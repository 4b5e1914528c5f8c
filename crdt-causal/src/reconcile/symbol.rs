//! One coded symbol: the sum of the entries that fall into it.

use super::salt::{Entry, Salt};

/// The exclusive or of some entries and of their digests, and how many there are: one more for
/// each that is held here alone, one less for each that is held there alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    pub(super) key: u64,
    pub(super) value: u64,
    pub(super) check: u32,
    pub(super) count: i64,
}

impl Symbol {
    /// Adds an entry `times` times, which is once, or minus once.
    pub(super) fn add(&mut self, entry: Entry, digest: u64, times: i64) {
        self.key ^= entry.key;
        self.value ^= entry.value;
        self.check ^= digest as u32;
        self.count = self.count.wrapping_add(times);
    }

    /// Takes another symbol's entries out: those of both cancel each other.
    pub(super) fn subtract(&mut self, other: &Self) {
        self.key ^= other.key;
        self.value ^= other.value;
        self.check ^= other.check;
        self.count = self.count.wrapping_sub(other.count);
    }

    /// The only entry that is left, with its digest.
    pub(super) fn only(&self, salt: Salt) -> Option<(Entry, u64)> {
        if !matches!(self.count, 1 | -1) {
            return None;
        }
        let entry = Entry { key: self.key, value: self.value };
        let digest = salt.digest(entry);
        (digest as u32 == self.check).then_some((entry, digest))
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
