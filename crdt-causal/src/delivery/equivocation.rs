//! Telling a duplicate from an equivocation.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::Dot;

/// Names the content of a message: its dot, its parents and its payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The FNV-1a hash, 128 bits wide, of a message's dot, parents and payload bytes.
    ///
    /// It tells apart what differs by accident: the messages of a cloned profile, or of a
    /// backup that was restored and written to again. Whoever forges messages can make two
    /// collide; where that matters, a [`Payload`] brings a cryptographic digest.
    #[must_use]
    pub fn of(dot: Dot, parents: &[Dot], payload: &[u8]) -> Self {
        let mut hash = Fnv::new();
        for dot in core::iter::once(&dot).chain(parents) {
            hash.update(dot.replica.as_bytes());
            hash.update(&dot.seq.to_le_bytes());
        }
        hash.update(&(parents.len() as u64).to_le_bytes());
        hash.update(payload);
        Self(hash.0.to_le_bytes())
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
    /// The memory that the payload holds, in bytes, for the bounds of the buffer.
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

/// FNV-1a with 128 bits (Fowler, Noll, Vo; RFC 9923).
struct Fnv(u128);

impl Fnv {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_hold() {
        let hash = |bytes: &[u8]| {
            let mut hash = Fnv::new();
            hash.update(bytes);
            hash.0
        };
        assert_eq!(hash(b""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(hash(b"a"), 0xd228cb696f1a8caf78912b704e4a8964);
        assert_eq!(hash(b"foobar"), 0x343e1662793c64bf6f0d3597ba446f18);
    }
}
