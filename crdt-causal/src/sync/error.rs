//! Why a session is over.

use core::fmt;

use crdt_core::Dot;
use crdt_core::codec::DecodeError;

/// What a peer did that ends a session, with `E` the error of the log.
///
/// The log holds what it held before the message, and whatever earlier messages brought. A new
/// session, over a new connection, goes on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError<E> {
    /// The session was over before.
    Over,
    /// The message is longer than announced as acceptable.
    MessageTooLarge {
        /// Its length.
        bytes: usize,
        /// The longest one that is accepted.
        bytes_max: u64,
    },
    /// The message cannot be read.
    Decode(DecodeError),
    /// The peer speaks another version of the protocol.
    ProtocolVersion {
        /// The version that it speaks.
        theirs: u64,
    },
    /// The peer's log has another beginning.
    UnrelatedGenesis {
        /// The peer's genesis.
        theirs: [u8; 16],
    },
    /// The peer began anew on the same connection: it has forgotten this session.
    PeerRestarted,
    /// The peer holds other events than this log under the names of one replica, up to this dot:
    /// the replica was cloned, or restored from a backup and written to again. Nothing of it was
    /// taken in.
    Fork(Dot),
    /// The peer has more on its way than announced as acceptable.
    WindowExceeded,
    /// The peer sends one body that is longer than announced as acceptable.
    BodyTooLarge {
        /// The longest one that is accepted.
        bytes_max: u64,
    },
    /// The peer goes on with tables that it should have emptied.
    TablesExceeded,
    /// The peer acknowledges what was never sent.
    NeverSent,
    /// The peer claims more writers than one may.
    TooManyWriters,
    /// The peer lacks history that was trimmed here.
    Trimmed,
    /// The log refuses the changes.
    Import(E),
}

impl<E: fmt::Display> fmt::Display for SessionError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over => f.write_str("the session is over"),
            Self::MessageTooLarge { bytes, bytes_max } => {
                write!(f, "a message of {bytes} bytes is longer than {bytes_max}")
            }
            Self::Decode(error) => write!(f, "a message cannot be read: {error}"),
            Self::ProtocolVersion { theirs } => {
                write!(f, "the peer speaks version {theirs} of the protocol")
            }
            Self::UnrelatedGenesis { .. } => {
                f.write_str("the peer's document has another beginning")
            }
            Self::PeerRestarted => f.write_str("the peer has begun a new session"),
            Self::Fork(dot) => {
                write!(
                    f,
                    "the peer holds other events of replica {} up to {}",
                    dot.replica, dot.seq
                )
            }
            Self::WindowExceeded => {
                f.write_str("the peer sent too much without an acknowledgement")
            }
            Self::BodyTooLarge { bytes_max } => {
                write!(f, "the peer sent a body of more than {bytes_max} bytes")
            }
            Self::TablesExceeded => f.write_str("the peer introduced too many names"),
            Self::NeverSent => f.write_str("the peer acknowledges what was never sent"),
            Self::TooManyWriters => f.write_str("the peer claims too many writers"),
            Self::Trimmed => f.write_str("the peer lacks history that was trimmed here"),
            Self::Import(error) => write!(f, "changes were refused: {error}"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for SessionError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            Self::Import(error) => Some(error),
            _ => None,
        }
    }
}
