//! Random histories of several replicas, and the laws that every type's histories obey.

pub(crate) mod history;
pub(crate) mod laws;
pub(crate) mod rng;
pub(crate) mod subjects;

use crdt_core::ReplicaId;
use crdt_core::codec::{Decode, Encode, Reader, Writer};

/// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
pub(crate) fn cases() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
}

/// The `index`-th replica. Ids are not in the order of the indices, so that a type that
/// confuses the two is found out.
pub(crate) fn replica(index: usize) -> ReplicaId {
    ReplicaId::from_u128([7, 3, 9, 1, 8, 2, 6, 4][index] << 64 | index as u128)
}

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
