//! The values as other formats have them, by `serde`.
//!
//! For people (`is_human_readable`, such as JSON) ids and dots are text, and what has keys of any type
//! is a list of pairs. Formats of bytes get numbers instead of text, and contexts as their canonical
//! encoding. What is read is checked as strictly as by the decoder: in order, without repetition,
//! and with every invariant; the one thing more that is allowed is any order of the members of an
//! object, which JSON leaves open.

mod causality;
mod hex;
mod ids;
mod kernel;
mod lattices;
mod list;
mod roots;
mod text;
mod tree;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use ::serde::de::{Error, MapAccess, SeqAccess, Visitor};
use ::serde::{Deserialize, Deserializer, Serializer};

use crate::ReplicaId;
use crate::codec::{Decode, Encode, Reader, Writer};

/// Writes the canonical encoding.
fn write_bytes<S: Serializer>(value: &impl Encode, to: S) -> Result<S::Ok, S::Error> {
    let mut out = Writer::new();
    value.encode(&mut out);
    to.serialize_bytes(out.as_bytes())
}

/// Reads the canonical encoding.
fn read_bytes<'de, T: Decode, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let bytes = from.deserialize_byte_buf(Bytes)?;
    let mut input = Reader::new(&bytes);
    let value = T::decode(&mut input).map_err(Error::custom)?;
    input.finish().map_err(Error::custom)?;
    Ok(value)
}

/// Bytes, in whichever way a format has them.
struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<u8>, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = from.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes)
    }
}

/// Members of an object whose keys are replicas, in whatever order, none of them twice.
fn by_replica<'de, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(ReplicaId, V)>, D::Error> {
    struct ByReplica<V>(PhantomData<V>);

    impl<'de, V: Deserialize<'de>> Visitor<'de> for ByReplica<V> {
        type Value = Vec<(ReplicaId, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object whose keys are replica ids")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = from.next_entry()? {
                entries.push(entry);
            }
            Ok(entries)
        }
    }

    let mut entries = from.deserialize_map(ByReplica(PhantomData))?;
    entries.sort_by_key(|&(replica, _)| replica);
    ascending::<_, D::Error>(entries, |a, b| a.0 < b.0, "a replica stands twice")
}

/// The elements, if they are in order.
fn ascending<T, E: Error>(
    elements: Vec<T>,
    is_before: fn(&T, &T) -> bool,
    otherwise: &'static str,
) -> Result<Vec<T>, E> {
    if elements.is_sorted_by(is_before) { Ok(elements) } else { Err(E::custom(otherwise)) }
}

/// Elements in ascending order.
fn elements<'de, T: Deserialize<'de> + Ord, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    ascending::<_, D::Error>(Vec::deserialize(from)?, |a, b| a < b, "elements ascend")
}

/// Pairs in ascending order of their keys.
fn pairs<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<(K, V)>, D::Error> {
    ascending::<_, D::Error>(Vec::deserialize(from)?, |a, b| a.0 < b.0, "keys ascend")
}
