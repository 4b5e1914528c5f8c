use core::fmt;

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer};

/// A message authentication code, cut to 16 bytes: a forger hits it once in 2^128 tries.
pub type Mac = [u8; 16];

/// Which of the keys of a realm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "k{}", self.0)
    }
}

impl Encode for KeyId {
    fn encode(&self, out: &mut Writer) {
        out.varint(u64::from(self.0));
    }
}

impl Decode for KeyId {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.varint_u32().map(Self)
    }
}

/// The keys that the servers of a realm share, and the function to use them with.
///
/// There is no cryptography in this crate: give it a keyed hash of a library, HMAC-SHA-256 or keyed
/// BLAKE3, cut to 16 bytes. The messages begin with what they are for, so that the keys may have
/// other uses.
///
/// Keys are turned over by making a new one known to all servers first, then [`newest`](Self::newest)
/// everywhere, and forgetting the former when the tokens that it made are not worth keeping any more:
/// they are refused from then on, and their carriers begin new sessions.
pub trait Authenticator {
    /// The key that new tokens are made with.
    fn newest(&self) -> KeyId;

    /// The code of a message under a key, or `None` if there is no such key (any more).
    fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac>;
}

/// Whether two codes are equal, in a time that does not depend on where they differ.
pub(super) fn are_equal(a: &Mac, b: &Mac) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    core::hint::black_box(difference) == 0
}
