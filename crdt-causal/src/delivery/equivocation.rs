//! Telling a duplicate from an equivocation.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::Dot;

/// Names the content of a message: its dot, its parents and its payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// A quick hash, 128 bits wide, of a message's dot, parents and payload bytes.
    ///
    /// It tells apart what differs by accident: the messages of a cloned profile, or of a
    /// backup that was restored and written to again. Whoever forges messages can make two
    /// collide; where that matters, a [`Payload`] brings a cryptographic digest.
    #[must_use]
    pub fn of(dot: Dot, parents: &[Dot], payload: &[u8]) -> Self {
        let mut lanes = Lanes::new();
        for dot in core::iter::once(&dot).chain(parents) {
            let id = dot.replica.as_bytes();
            lanes.update(&id[..8]);
            lanes.update(&id[8..]);
            lanes.word(dot.seq);
        }
        lanes.word(parents.len() as u64);
        payload.chunks(8).for_each(|chunk| lanes.update(chunk));
        lanes.word(payload.len() as u64);
        lanes.finish()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What a [`CausalBuffer`](super::CausalBuffer) has to know about a payload.
pub trait Payload {
    /// The memory that the payload holds on the heap, in bytes, for the bounds of the buffer; what
    /// it takes in place is counted without that.
    fn size_bytes(&self) -> usize;

    /// The digest of the whole message.
    ///
    /// Two messages with one dot are the same message exactly if their digests are equal.
    fn digest(&self, dot: Dot, parents: &[Dot]) -> Digest;
}

impl Payload for Vec<u8> {
    fn size_bytes(&self) -> usize {
        self.capacity()
    }

    fn digest(&self, dot: Dot, parents: &[Dot]) -> Digest {
        Digest::of(dot, parents, self)
    }
}

impl<const N: usize> Payload for [u8; N] {
    fn size_bytes(&self) -> usize {
        0
    }

    fn digest(&self, dot: Dot, parents: &[Dot]) -> Digest {
        Digest::of(dot, parents, self)
    }
}

impl Payload for String {
    fn size_bytes(&self) -> usize {
        self.capacity()
    }

    fn digest(&self, dot: Dot, parents: &[Dot]) -> Digest {
        Digest::of(dot, parents, self.as_bytes())
    }
}

/// The proof that a replica used one dot for two messages.
///
/// A restored backup, a cloned profile, or malice: the two branches are never merged under one
/// dot, for that is a divergence which no version vector shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Equivocation {
    /// The dot that was used twice.
    pub dot: Dot,
    /// The content that is held, or was delivered.
    pub held: Digest,
    /// The content that came later.
    pub offered: Digest,
}

impl fmt::Display for Equivocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dot, held, offered } = self;
        write!(
            f,
            "replica {} used sequence number {} for two messages, {held} and {offered}",
            dot.replica, dot.seq
        )
    }
}

impl core::error::Error for Equivocation {}

/// Two sums of products that run side by side, so that neither waits for the other.
struct Lanes(u64, u64);

impl Lanes {
    const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142, 0x62b8_2175_6295_c58d)
    }

    /// Takes in eight bytes at most.
    fn update(&mut self, bytes: &[u8]) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        self.word(u64::from_le_bytes(word));
    }

    fn word(&mut self, word: u64) {
        // Each step is a bijection of its lane for each word.
        let a = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let b = (self.1 ^ word).wrapping_mul(0xda94_2042_e4dd_58b5);
        *self = Self(a ^ (a >> 32), b ^ (b >> 29));
    }

    fn finish(self) -> Digest {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.0.to_le_bytes());
        bytes[8..].copy_from_slice(&self.1.to_le_bytes());
        Digest(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec;
    use crdt_core::ReplicaId;

    #[test]
    fn every_part_of_a_message_counts() {
        let [a, b] = [1, 1 << 64].map(ReplicaId::from_u128);
        let mut seen = BTreeSet::new();
        for replica in [a, b] {
            for seq in [1, 2, 1 << 40] {
                for parents in [vec![], vec![Dot::new(a, 1)], vec![Dot::new(a, 1), Dot::new(b, 1)]]
                {
                    for payload in [&b""[..], b"\0", b"\0\0", b"12345678", b"123456780", b"x"] {
                        let digest = Digest::of(Dot::new(replica, seq), &parents, payload);
                        assert!(seen.insert(digest), "{replica} {seq} {parents:?} {payload:?}");
                    }
                }
            }
        }
        // Halves that are equal would be one lane, not two.
        assert!(seen.iter().all(|digest| digest.0[..8] != digest.0[8..]));
    }
}
