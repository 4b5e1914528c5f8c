//! The two messages of an exchange and their bytes.

use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::salt::{Entry, Salt};
use super::sketch::{Sketch, TooShort};

/// What one side holds, in short or at length.
///
/// | bytes | |
/// |---|---|
/// | version | 0 |
/// | kind | 0 for a sketch, 1 for all entries |
/// | salt | 16 bytes |
/// | sketch; or entries | the last key that they are about, the count, then key and value of each, 8 bytes all, in ascending order |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offer {
    /// A sketch of it.
    Sketch(Salt, Sketch),
    /// All of its entries, where that is shorter.
    Whole {
        /// The salt of the keys.
        salt: Salt,
        /// The entries, in ascending order.
        entries: Vec<Entry>,
        /// These are all up to this key; of greater ones nothing is said.
        upto: u64,
    },
}

/// What the other side makes of an [`Offer`].
///
/// | bytes | |
/// |---|---|
/// | version | 0 |
/// | kind | 0 where the sketch is too short, 1 and 2 for a difference, 2 if names were left out |
/// | about how many entries differ | where the sketch is too short |
/// | names | count, then length and bytes of each, in ascending order |
/// | unknown keys | count, then 8 bytes each, in ascending order |
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The sketch has too few symbols.
    TooShort(TooShort),
    /// How the two differ.
    Difference {
        /// What the answering side holds alone, or under another fingerprint.
        names: Vec<Vec<u8>>,
        /// Of entries that the answering side holds under no name at all.
        unknown: Vec<u64>,
        /// Whether these are all; where they would not fit the message, some are left out.
        complete: bool,
    },
}

const VERSION: u64 = 0;
const SKETCH: u8 = 0;
const WHOLE: u8 = 1;
const TOO_SHORT: u8 = 0;
const COMPLETE: u8 = 1;
const PARTIAL: u8 = 2;

impl Offer {
    /// The offer as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.varint(VERSION);
        match self {
            Self::Sketch(salt, sketch) => {
                out.u8(SKETCH);
                out.raw(&salt.0);
                sketch.encode(&mut out);
            }
            Self::Whole { salt, entries, upto } => {
                out.u8(WHOLE);
                out.raw(&salt.0);
                out.raw(&upto.to_le_bytes());
                out.count(entries.len());
                for entry in entries {
                    out.raw(&entry.key.to_le_bytes());
                    out.raw(&entry.value.to_le_bytes());
                }
            }
        }
        out.into_bytes()
    }

    /// Reads an offer that fills `bytes`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (mut input, kind) = begin(bytes)?;
        let at = input.position();
        let salt = |input: &mut Reader<'_>| input.array().map(Salt);
        let offer = match kind {
            SKETCH => Self::Sketch(salt(&mut input)?, Sketch::decode(&mut input)?),
            WHOLE => {
                let salt = salt(&mut input)?;
                let upto = u64::from_le_bytes(input.array()?);
                let count = input.count(16)?;
                let mut entries: Vec<Entry> = Vec::with_capacity(count);
                for _ in 0..count {
                    let at = input.position();
                    let entry = Entry {
                        key: u64::from_le_bytes(input.array()?),
                        value: u64::from_le_bytes(input.array()?),
                    };
                    if entries.last().is_some_and(|last| *last >= entry) {
                        return Err(DecodeErrorKind::NotAscending.at(at));
                    }
                    if entry.key > upto {
                        return Err(DecodeErrorKind::OutOfRange.at(at));
                    }
                    entries.push(entry);
                }
                Self::Whole { salt, entries, upto }
            }
            _ => return Err(DecodeErrorKind::UnknownTag.at(at - 1)),
        };
        input.finish()?;
        Ok(offer)
    }
}

impl Answer {
    /// The answer as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.varint(VERSION);
        match self {
            Self::TooShort(TooShort { apart }) => {
                out.u8(TOO_SHORT);
                out.varint(*apart);
            }
            Self::Difference { names, unknown, complete } => {
                out.u8(if *complete { COMPLETE } else { PARTIAL });
                out.count(names.len());
                names.iter().for_each(|name| out.bytes(name));
                out.count(unknown.len());
                unknown.iter().for_each(|key| out.raw(&key.to_le_bytes()));
            }
        }
        out.into_bytes()
    }

    /// Reads an answer that fills `bytes`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (mut input, kind) = begin(bytes)?;
        let at = input.position();
        let answer = match kind {
            TOO_SHORT => Self::TooShort(TooShort { apart: input.varint()? }),
            COMPLETE | PARTIAL => {
                let count = input.count(1)?;
                let mut names: Vec<Vec<u8>> =
                    Vec::with_capacity(input.capacity(count, size_of::<Vec<u8>>()));
                for _ in 0..count {
                    let at = input.position();
                    let name = input.bytes()?;
                    if names.last().is_some_and(|last| &last[..] >= name) {
                        return Err(DecodeErrorKind::NotAscending.at(at));
                    }
                    names.push(name.to_vec());
                }
                let count = input.count(8)?;
                let mut unknown: Vec<u64> = Vec::with_capacity(count);
                for _ in 0..count {
                    let at = input.position();
                    let key = u64::from_le_bytes(input.array()?);
                    if unknown.last().is_some_and(|last| *last >= key) {
                        return Err(DecodeErrorKind::NotAscending.at(at));
                    }
                    unknown.push(key);
                }
                Self::Difference { names, unknown, complete: kind == COMPLETE }
            }
            _ => return Err(DecodeErrorKind::UnknownTag.at(at - 1)),
        };
        input.finish()?;
        Ok(answer)
    }
}

fn begin(bytes: &[u8]) -> Result<(Reader<'_>, u8), DecodeError> {
    let mut input = Reader::new(bytes);
    if input.varint()? != VERSION {
        return Err(DecodeErrorKind::UnknownTag.at(0));
    }
    let kind = input.u8()?;
    Ok((input, kind))
}
