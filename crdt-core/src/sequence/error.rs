//! What can be wrong with an edit of a text.

use core::fmt;

/// A local edit that the text as it is does not allow. Nothing was changed.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextError {
    /// The position, or the end of the range, is greater than the length, both in the
    /// units of the call.
    OutOfBounds {
        /// The position asked for.
        position: u32,
        /// The length of the text.
        length: u32,
    },
    /// The UTF-16 or UTF-8 offset lies inside of a code point.
    InsideCodePoint {
        /// The offset asked for.
        position: u32,
    },
    /// The text, or its history, would grow above 2³⁰ events or 2³⁰ bytes.
    TooLong,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { position, length } => {
                write!(f, "position {position} is beyond the text's length of {length}")
            }
            Self::InsideCodePoint { position } => {
                write!(f, "offset {position} lies inside of a code point")
            }
            Self::TooLong => f.write_str("the text or its history would be too long"),
        }
    }
}

impl core::error::Error for TextError {}

/// A foreign edit that no honest replica makes: it cannot be applied at its own version.
///
/// Whether an edit is valid depends on it and its causal past alone, so that all replicas
/// judge it alike.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidTextOp {
    /// An edit of no event.
    Empty,
    /// The edit reaches beyond the end of the text as it was at the edit's version.
    BeyondEnd {
        /// Where the edit ends.
        end: u32,
        /// How long the text was.
        length: u32,
    },
    /// The text, or its history, would grow above 2³⁰ events or 2³⁰ bytes.
    TooLong,
}

impl fmt::Display for InvalidTextOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an edit without an event"),
            Self::BeyondEnd { end, length } => {
                write!(f, "an edit reaches {end} in a text of {length} code points")
            }
            Self::TooLong => f.write_str("the text or its history would be too long"),
        }
    }
}

impl core::error::Error for InvalidTextOp {}
