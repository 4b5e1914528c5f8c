use core::fmt;

use crdt_causal::sync::{Refusal, SessionError};
use tokio_tungstenite::tungstenite;

use crate::frame::CloseReason;

/// Why a connection could not be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is not one of a WebSocket.
    InvalidUrl(Box<tungstenite::Error>),
    /// The token cannot be sent in a header.
    InvalidToken,
    /// The server answers, and does not let this client in: 401 without a valid token, 403
    /// from a foreign origin, 429 or 503 when it is busy.
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// The server cannot be reached, or does not speak WebSocket.
    Unreachable(Box<tungstenite::Error>),
}

/// Why a channel came to its end, with `E` the error of the log.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChannelError<E> {
    /// The connection is lost: connect again.
    Disconnected,
    /// The server closed the channel.
    Closed {
        /// Why.
        reason: CloseReason,
        /// Why, in the server's words.
        text: String,
    },
    /// The server refuses to go on.
    Refused(Refusal),
    /// The server sent what this side does not accept.
    Session(SessionError<E>),
    /// All numbers that a connection has for channels were used: connect again.
    NoMoreChannels,
}

impl ConnectError {
    /// Whether trying again later, unchanged, may succeed.
    pub const fn is_worth_a_retry(&self) -> bool {
        match self {
            Self::InvalidUrl(_) | Self::InvalidToken => false,
            Self::Refused { status } => matches!(*status, 429 | 500..=599),
            Self::Unreachable(_) => true,
        }
    }
}

impl<E> ChannelError<E> {
    /// Whether connecting again later, unchanged, may succeed.
    pub fn is_worth_a_retry(&self) -> bool {
        match self {
            Self::Disconnected | Self::NoMoreChannels => true,
            Self::Closed { reason, .. } => reason.is_worth_a_retry(),
            Self::Refused(refusal) => refusal.is_temporary(),
            Self::Session(_) => false,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidUrl(error) => write!(f, "the address is invalid: {error}"),
            Self::InvalidToken => f.write_str("the token cannot be sent in a header"),
            Self::Refused { status } => write!(f, "the server refused with status {status}"),
            Self::Unreachable(error) => write!(f, "the server cannot be reached: {error}"),
        }
    }
}

impl core::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::InvalidUrl(error) | Self::Unreachable(error) => Some(error),
            Self::InvalidToken | Self::Refused { .. } => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for ChannelError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnected => f.write_str("the connection is lost"),
            Self::Closed { reason, text } if text.is_empty() => {
                write!(f, "the server closed the channel: {reason}")
            }
            Self::Closed { reason, text } => {
                write!(f, "the server closed the channel: {reason} ({text})")
            }
            Self::Refused(refusal) => write!(f, "the server refuses: {refusal}"),
            Self::Session(error) => error.fmt(f),
            Self::NoMoreChannels => f.write_str("the connection has no more channels"),
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for ChannelError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::Session(error) => Some(error),
            Self::Disconnected | Self::Closed { .. } | Self::NoMoreChannels => None,
        }
    }
}
