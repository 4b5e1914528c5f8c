use core::fmt;

use hmac_sha256::Hash;

/// The owner of a replica id: the SHA-256 digest of a token.
///
/// The store keeps digests, so that a copy of it does not contain the tokens. Tokens are
/// compared by digest too, which takes the same time wherever they differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner([u8; Self::LEN]);

/// Who is on the other side of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Someone on this machine, where no token file is used.
    Anonymous,
    /// The holder of a token.
    Token(Owner),
}

impl Owner {
    /// The length of a digest in bytes.
    pub const LEN: usize = 32;

    /// The owner that holds `token`.
    pub fn of(token: &str) -> Self {
        Self(Hash::hash(token.as_bytes()))
    }

    /// The owner with this digest.
    pub const fn from_digest(digest: [u8; Self::LEN]) -> Self {
        Self(digest)
    }

    /// The digest.
    pub const fn digest(self) -> [u8; Self::LEN] {
        self.0
    }
}

/// The first four bytes: enough to tell log lines apart.
impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Owner({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}
