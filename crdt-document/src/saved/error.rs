use core::fmt;

use crdt_core::codec::DecodeError;

use crate::ImportError;

/// Why a [saved](crate::Document::save) document, or its history, cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SavedError {
    /// The bytes are damaged, or of another format; the position is one in the part of the file
    /// that was being read.
    Decode(DecodeError),
    /// They are in the format, but the changes in them are not a history.
    Invalid(ImportError),
    /// They are a history, but of another document or of another version than the one that they
    /// were saved with.
    DoesNotFit,
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => write!(f, "the saved document is damaged: {error}"),
            Self::Invalid(error) => write!(f, "the saved history is invalid: {error}"),
            Self::DoesNotFit => f.write_str("the saved history leads to another document"),
        }
    }
}

impl core::error::Error for SavedError {}

impl From<DecodeError> for SavedError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<ImportError> for SavedError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Decode(error) => Self::Decode(error),
            error => Self::Invalid(error),
        }
    }
}
