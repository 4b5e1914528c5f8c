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
    #[inline]
    pub fn of(dot: Dot, parents: &[Dot], payload: &[u8]) -> Self {
        let mut lanes = Lanes::new();
        lanes.pair(parents.len() as u64, payload.len() as u64);
        lanes.dot(dot);
        parents.iter().for_each(|parent| lanes.dot(*parent));
        let (chunks, rest) = payload.as_chunks();
        for chunk in chunks {
            let (low, high) = halves(chunk);
            lanes.pair(low, high);
        }
        if !rest.is_empty() {
            let mut chunk = [0; 16];
            chunk[..rest.len()].copy_from_slice(rest);
            let (low, high) = halves(&chunk);
            lanes.pair(low, high);
        }
        lanes.finish()
    }
}

/// Sixteen bytes as two words.
fn halves(bytes: &[u8; 16]) -> (u64, u64) {
    let number = u128::from_le_bytes(*bytes);
    (number as u64, (number >> 64) as u64)
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

/// Two sums of products, of two words each: their lower halves and their upper ones.
///
/// What is multiplied depends on the words and their place alone, and not on what came before, so that
/// the processor multiplies several pairs at once. The sums turn between two terms, so that
/// differences in two of them do not cancel. The idea is that of Wang Yi's *wyhash*.
struct Lanes {
    low: u64,
    high: u64,
    /// Differs from place to place.
    key: u64,
}

impl Lanes {
    const fn new() -> Self {
        Self { low: 0x6c62_272e_07bb_0142, high: 0x62b8_2175_6295_c58d, key: 0xda94_2042_e4dd_58b5 }
    }

    #[inline]
    fn pair(&mut self, a: u64, b: u64) {
        self.key = self.key.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let product = u128::from(a ^ self.key) * u128::from(b ^ self.key.rotate_left(32));
        self.low = self.low.rotate_left(23).wrapping_add(product as u64);
        self.high = self.high.rotate_left(41).wrapping_add((product >> 64) as u64);
    }

    #[inline]
    fn dot(&mut self, dot: Dot) {
        let (low, high) = halves(&dot.replica.to_bytes());
        self.pair(low, high);
        self.pair(dot.seq, 0);
    }

    fn finish(self) -> Digest {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.low.to_le_bytes());
        bytes[8..].copy_from_slice(&self.high.to_le_bytes());
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
