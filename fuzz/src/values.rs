//! The promises of a decoder of values, for any type.

use std::fmt::Debug;

use crdt_core::Lattice;
use crdt_core::codec::{Decode, Encode, Reader, Writer};

use crate::memory::bounded;

/// Decodes a value from the front of `bytes`, within the bound of memory. What decodes has
/// one encoding, which is the bytes it came from. Returns the value and the bytes behind it.
///
/// # Panics
///
/// If the decoder or the encoder breaks its promise.
pub fn decode<T: Decode + Encode + PartialEq + Debug>(bytes: &[u8]) -> Option<(T, &[u8])> {
    let mut input = Reader::new(bytes);
    let value = bounded(bytes.len(), || T::decode(&mut input)).ok()?;
    let (taken, rest) = bytes.split_at(input.position());
    assert!(std::ptr::eq(rest, input.rest()), "a reader's position is where it stands");
    assert_eq!(encode(&value), taken, "{value:?} has another encoding than the one accepted");
    Some((value, rest))
}

/// The encoding of a value.
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    let mut out = Writer::new();
    value.encode(&mut out);
    out.into_bytes()
}

/// Decodes two values, and joins one with itself and with the other. What a stranger sends
/// need not converge (two contents under one dot), but it joins without a panic, a repeated
/// join changes nothing, and the result is a value like any other.
///
/// # Panics
///
/// If one of the promises is broken.
pub fn join<T>(bytes: &[u8], check: fn(&T))
where
    T: Lattice + Decode + Encode + Clone + PartialEq + Debug,
    T::Delta: Decode + Encode + Clone + PartialEq + Debug,
{
    // The first byte chooses what the second value is: a whole state, or a delta.
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let Some((mut value, rest)) = decode::<T>(bytes) else {
        decode::<T::Delta>(bytes);
        return;
    };
    check(&value);
    let before = value.clone();
    assert!(!value.join(before.clone()), "joining a value with itself told of news");
    assert_eq!(value, before, "joining a value with itself changed it");
    let delta = if choice & 1 == 0 {
        decode::<T>(rest).map(|(other, _)| T::Delta::from(other))
    } else {
        decode::<T::Delta>(rest).map(|(delta, _)| delta)
    };
    let Some(delta) = delta else { return };
    value.join(delta.clone());
    check(&value);
    let joined = value.clone();
    assert!(!value.join(delta), "a delta told of news twice");
    assert_eq!(value, joined, "a delta changed something twice");
    let bytes = encode(&value);
    let mut input = Reader::new(&bytes);
    assert_eq!(T::decode(&mut input).as_ref(), Ok(&value), "a joined value does not load");
    assert!(input.is_empty());
}
