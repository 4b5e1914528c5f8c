use core::fmt;

/// What is wrong with foreign bytes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The sender's mistake.
    pub kind: DecodeErrorKind,
    /// The offset in the input, in bytes, at which it was noticed.
    pub at: usize,
}

/// The mistakes that a decoder can find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends inside a value.
    UnexpectedEnd,
    /// Bytes are left over after the last value.
    TrailingBytes,
    /// An integer is written longer than it has to be.
    VarintNotCanonical,
    /// An integer does not fit its type.
    IntegerTooLarge,
    /// A count or length says more than the rest of the input can hold.
    CountTooLarge,
    /// Text is not UTF-8.
    NotUtf8,
    /// The input does not start with the format's magic bytes.
    WrongMagic,
    /// The format's version is not one that this release reads.
    UnknownVersion,
    /// The checksum does not match: the bytes were damaged.
    ChecksumMismatch,
    /// A tag has no meaning here.
    UnknownTag,
    /// Values that must come in strictly ascending order do not.
    NotAscending,
    /// The same value is written in another way than the canonical one.
    NotCanonical,
    /// A number is outside the range that the format allows.
    OutOfRange,
    /// A small number refers to no entry of its table.
    UnknownTableEntry,
    /// The input is longer than the limit.
    InputTooLong,
    /// Values are nested deeper than the limit.
    TooDeep,
    /// A compressed part is damaged, or as long as it should not be.
    NotCompressed,
}

impl DecodeErrorKind {
    /// This mistake, noticed at byte `at`.
    pub const fn at(self, at: usize) -> DecodeError {
        DecodeError { kind: self, at }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::UnexpectedEnd => "the input ends inside a value",
            Self::TrailingBytes => "bytes are left over after the last value",
            Self::VarintNotCanonical => "an integer is longer than it has to be",
            Self::IntegerTooLarge => "an integer does not fit its type",
            Self::CountTooLarge => "a count exceeds what the input can hold",
            Self::NotUtf8 => "text is not UTF-8",
            Self::WrongMagic => "the magic bytes are missing",
            Self::UnknownVersion => "the format version is unknown",
            Self::ChecksumMismatch => "the checksum does not match",
            Self::UnknownTag => "a tag has no meaning here",
            Self::NotAscending => "values are not in strictly ascending order",
            Self::NotCanonical => "a value is not in its canonical form",
            Self::OutOfRange => "a number is out of range",
            Self::UnknownTableEntry => "a number refers to no table entry",
            Self::InputTooLong => "the input is longer than the limit",
            Self::TooDeep => "values are nested too deep",
            Self::NotCompressed => "a compressed part is damaged",
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind, self.at)
    }
}

impl core::error::Error for DecodeError {}
