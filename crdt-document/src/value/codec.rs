//! One encoding for each value.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::{Value, ValueMap, float_bits};

pub(super) mod tag {
    pub(in crate::value) const NULL: u8 = 0;
    pub(in crate::value) const FALSE: u8 = 1;
    pub(in crate::value) const TRUE: u8 = 2;
    pub(in crate::value) const INT: u8 = 3;
    pub(in crate::value) const FLOAT: u8 = 4;
    pub(in crate::value) const STRING: u8 = 5;
    pub(in crate::value) const BYTES: u8 = 6;
    pub(in crate::value) const LIST: u8 = 7;
    pub(in crate::value) const MAP: u8 = 8;
}

impl Encode for Value {
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Null => out.u8(tag::NULL),
            Self::Bool(false) => out.u8(tag::FALSE),
            Self::Bool(true) => out.u8(tag::TRUE),
            Self::Int(value) => {
                out.u8(tag::INT);
                out.signed(*value);
            }
            Self::Float(value) => {
                out.u8(tag::FLOAT);
                out.raw(&float_bits(*value).to_le_bytes());
            }
            Self::String(value) => {
                out.u8(tag::STRING);
                out.string(value);
            }
            Self::Bytes(value) => {
                out.u8(tag::BYTES);
                out.bytes(value);
            }
            Self::List(items) => {
                out.u8(tag::LIST);
                out.count(items.len());
                items.iter().for_each(|item| item.encode(out));
            }
            Self::Map(map) => {
                out.u8(tag::MAP);
                out.count(map.len());
                for (key, value) in map.iter() {
                    out.string(key);
                    value.encode(out);
                }
            }
        }
    }
}

impl Value {
    /// Reads over a value, checking that it is well formed. Allocates nothing.
    pub(crate) fn skip(input: &mut Reader<'_>) -> Result<(), DecodeError> {
        let at = input.position();
        match input.u8()? {
            tag::NULL | tag::FALSE | tag::TRUE => Ok(()),
            tag::INT => input.signed().map(drop),
            tag::FLOAT => {
                let value = f64::from_le_bytes(input.array()?);
                let canonical = value.to_bits() == float_bits(value);
                if canonical { Ok(()) } else { Err(DecodeErrorKind::NotCanonical.at(at)) }
            }
            tag::STRING => input.string().map(drop),
            tag::BYTES => input.bytes().map(drop),
            tag::LIST => input.nested(|input| {
                let count = input.count(Self::BYTES_MIN)?;
                (0..count).try_for_each(|_| Self::skip(input))
            }),
            tag::MAP => input.nested(|input| {
                let mut last = None;
                for _ in 0..input.count(2)? {
                    let at = input.position();
                    let key = input.string()?;
                    if last.is_some_and(|last| last >= key) {
                        return Err(DecodeErrorKind::NotAscending.at(at));
                    }
                    last = Some(key);
                    Self::skip(input)?;
                }
                Ok(())
            }),
            _ => Err(DecodeErrorKind::UnknownTag.at(at)),
        }
    }

    /// Builds a value that [`skip`](Self::skip) has read over, with exact reservations.
    fn build(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match input.u8()? {
            tag::NULL => Self::Null,
            tag::FALSE => Self::Bool(false),
            tag::TRUE => Self::Bool(true),
            tag::INT => Self::Int(input.signed()?),
            tag::FLOAT => Self::Float(f64::from_le_bytes(input.array()?)),
            tag::STRING => Self::String(input.string()?.into()),
            tag::BYTES => Self::Bytes(input.bytes()?.into()),
            tag::LIST => {
                let count = input.count(Self::BYTES_MIN)?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(Self::build(input)?);
                }
                Self::List(items.into())
            }
            _ => {
                let count = input.count(2)?;
                let mut entries: Vec<(Box<str>, Self)> = Vec::with_capacity(count);
                for _ in 0..count {
                    entries.push((input.string()?.into(), Self::build(input)?));
                }
                Self::Map(ValueMap(entries.into()))
            }
        })
    }
}

impl Decode for Value {
    const BYTES_MIN: usize = 1;

    // Twice over the bytes: what a nested count declares is believed only after everything
    // that it counts has been seen, since declarations can be nested 32 deep.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::skip(&mut input.clone())?;
        Self::build(input)
    }
}
