//! Why a history cannot be had.

use core::fmt;

use crate::Dot;
use crate::codec::DecodeError;
use crate::sequence::{AnchorError, JoinError};

/// Why a question about the past of a text has no answer: it is not held here, or the history of a
/// text that was loaded is broken. Nothing was changed: the text itself, and writing on it, do not
/// need its history.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HistoryError {
    /// An event of the version asked about is not known here.
    Missing(Dot),
    /// What was asked about was trimmed: it lacks this event, or lies in its past.
    BeforeTrim(Dot),
    /// An anchor has no place here.
    Anchor(AnchorError),
    /// The bytes of the history are not in the format; the position is one in the part of it
    /// that was being read.
    Decode(DecodeError),
    /// They are, but the changes in them are not a history.
    Invalid(JoinError),
    /// They are a history, but of another text or of another version than the one they were
    /// saved with.
    DoesNotFit,
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(dot) => write!(f, "event {dot} is not known here"),
            Self::BeforeTrim(dot) => write!(f, "the history up to event {dot} was trimmed here"),
            Self::Anchor(error) => error.fmt(f),
            Self::Decode(error) => write!(f, "the saved history is damaged: {error}"),
            Self::Invalid(error) => write!(f, "the saved history is invalid: {error}"),
            Self::DoesNotFit => f.write_str("the saved history leads to another text"),
        }
    }
}

impl core::error::Error for HistoryError {}

impl From<DecodeError> for HistoryError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<JoinError> for HistoryError {
    fn from(error: JoinError) -> Self {
        Self::Invalid(error)
    }
}

impl From<Dot> for HistoryError {
    fn from(dot: Dot) -> Self {
        Self::Missing(dot)
    }
}

impl From<AnchorError> for HistoryError {
    fn from(error: AnchorError) -> Self {
        Self::Anchor(error)
    }
}
