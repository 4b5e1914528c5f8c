use crdt_core::{DotRange, ReplicaId, VersionVector};
use hmac_sha256::Hash;

/// A digest of which events of a document are held.
///
/// The sum, modulo 2^128, of a hash of the last event of each replica: it follows a change of a
/// few replicas without looking at the others, however many there are. Equal versions have equal
/// digests. Versions that differ have different ones, save for a chance of 2^-128, or the work of
/// somebody who chooses replica ids for it and has only his own document to gain: sums
/// are no protection from that. Servers compare digests to find the documents in which they
/// differ; whether a document's events are held is never concluded from a digest alone once it
/// is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionDigest(u128);

impl VersionDigest {
    /// The length in bytes.
    pub const LEN: usize = 16;

    /// The digest of a version. O(replicas).
    pub fn of(version: &VersionVector) -> Self {
        let mut digest = Self::default();
        for (replica, last) in version.iter() {
            digest.0 = digest.0.wrapping_add(hash(replica, last));
        }
        digest
    }

    /// Follows the version as it takes in a range that comes right after what it holds.
    pub fn extend(&mut self, range: DotRange) {
        if range.first > 1 {
            self.0 = self.0.wrapping_sub(hash(range.replica, range.first - 1));
        }
        self.0 = self.0.wrapping_add(hash(range.replica, range.last));
    }

    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The bytes.
    pub const fn to_bytes(self) -> [u8; Self::LEN] {
        self.0.to_le_bytes()
    }
}

fn hash(replica: ReplicaId, last: u64) -> u128 {
    let mut hash = Hash::new();
    hash.update(replica.to_bytes());
    hash.update(last.to_le_bytes());
    let [bytes @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = hash.finalize();
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn following_is_as_good_as_computing() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (mut version, mut digest) = (VersionVector::new(), VersionDigest::default());
        let mut seen = vec![digest];
        for _ in 0..2000 {
            let replica = ReplicaId::from_u128(rng.u128(..20));
            let first = version.get(replica) + 1;
            let range = DotRange::new(replica, first, first + rng.u64(..5));
            version.observe(replica, range.last);
            digest.extend(range);
            assert_eq!(digest, VersionDigest::of(&version));
            assert!(!seen.contains(&digest), "two versions with one digest");
            seen.push(digest);
        }
        assert_eq!(VersionDigest::from_bytes(digest.to_bytes()), digest);
    }
}
