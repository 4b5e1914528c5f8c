//! The types as subjects of the laws, and what tests have in common.

pub(crate) mod derived;
pub(crate) mod list;
pub(crate) mod nest;
pub(crate) mod subjects;
pub(crate) mod tree;

use crdt_core::codec::{Decode, Encode, Reader, Writer};
pub(crate) use crdt_core::laws::{cases, replica};

/// The value's bytes.
pub(crate) fn bytes(value: &impl Encode) -> Vec<u8> {
    let mut out = Writer::new();
    value.encode(&mut out);
    out.into_bytes()
}

/// The value in the bytes, which have to hold nothing else.
pub(crate) fn parse<T: Decode>(bytes: &[u8]) -> Result<T, crdt_core::codec::DecodeError> {
    let mut input = Reader::new(bytes);
    let value = T::decode(&mut input)?;
    input.finish()?;
    Ok(value)
}

/// The value, saved and loaded.
pub(crate) fn reload<T: Encode + Decode>(value: &T) -> T {
    parse(&bytes(value)).expect("a value's own bytes are valid")
}
