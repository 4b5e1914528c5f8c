//! How names become entries.

use core::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The key under which one reconciliation hashes.
///
/// Whoever knows it can choose names that make sketches fail, so take a random one for each
/// exchange: then only the peer of that exchange knows it, and that one could as well not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// One element of a set: a named value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The hash of the name.
    pub key: u64,
    /// The value.
    pub value: u64,
}

impl Salt {
    /// The entry of a named value.
    #[must_use]
    pub fn entry(&self, name: &[u8], value: u64) -> Entry {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(name);
        Entry { key: hasher.finish(), value }
    }

    /// What tells an entry from the sum of several.
    pub(super) fn digest(&self, entry: Entry) -> u64 {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&entry.key.to_le_bytes());
        bytes[8..].copy_from_slice(&entry.value.to_le_bytes());
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(&bytes);
        hasher.finish()
    }
}
