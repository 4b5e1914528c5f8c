use core::fmt;

use crdt_core::codec::DecodeError;

use super::authenticator::KeyId;
use super::realm::Realm;
use crate::cut::Epoch;

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The bytes are not a token.
    Malformed(DecodeError),
    /// A character that is not of base64url, or one too many, at this place.
    NotBase64Url {
        /// The offset in the text, in bytes.
        at: usize,
    },
    /// It is, or would become, longer than [`TOKEN_BYTES_MAX`](super::TOKEN_BYTES_MAX).
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It is of another realm.
    WrongRealm {
        /// The realm of the token.
        token: Realm,
        /// The realm here.
        here: Realm,
    },
    /// It was attested under a key that is not known (any more).
    UnknownKey(KeyId),
    /// No server of the realm attested it: the code does not fit.
    NotAuthentic,
    /// Slots have got other meanings since it was attested. The session has ended: its carrier reads
    /// anew, and rebases what it has not sent.
    EpochExpired {
        /// When it was attested.
        token: Epoch,
        /// The membership here.
        here: Epoch,
    },
    /// It was attested under a membership that this server has not heard of yet.
    EpochUnknown {
        /// When it was attested.
        token: Epoch,
        /// The membership here.
        here: Epoch,
    },
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "the bytes are no session token: {error}"),
            Self::NotBase64Url { at } => write!(f, "the token is not base64url (at byte {at})"),
            Self::TooLong { bytes } => write!(f, "a token of {bytes} bytes is too long"),
            Self::WrongRealm { token, here } => {
                write!(f, "the token is of {token}, this is {here}")
            }
            Self::UnknownKey(key) => write!(f, "the token's key {key} is not known"),
            Self::NotAuthentic => f.write_str("the token was not attested in this realm"),
            Self::EpochExpired { token, here } => {
                write!(f, "the token is of epoch {token}, which ended before {here}")
            }
            Self::EpochUnknown { token, here } => {
                write!(f, "the token is of epoch {token}, which is later than {here}")
            }
        }
    }
}

impl core::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Malformed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DecodeError> for TokenError {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error)
    }
}
