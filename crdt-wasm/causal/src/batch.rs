//! A batch as it crosses the border: numbers, and the contents of all payloads one after another.
//!
//! Each message is `replica sequence handle size parents (replica sequence)*`.

use alloc::vec::Vec;

use crdt_causal::delivery::{Digest, Message, Parents};
use crdt_core::{Dot, ReplicaId};

use crate::held::{Held, Released};

/// Reads a batch. It was written by the scripts of the same package: if it is cut off, that is a
/// bug of theirs, and a panic.
pub(crate) fn messages(
    numbers: &[f64],
    contents: &[u8],
    released: &Released,
) -> Vec<Message<Held>> {
    let (mut numbers, mut contents) = (numbers.iter().copied(), contents);
    let mut messages = Vec::new();
    while let Some(replica) = numbers.next() {
        let mut number = || numbers.next().expect("a message has all its numbers");
        let dot = Dot::new(replica_id(replica), number() as u64);
        let (handle, size_bytes, count) = (number() as u32, number() as u32, number() as usize);
        let parents: Parents =
            (0..count).map(|_| Dot::new(replica_id(number()), number() as u64)).collect();
        let (content, rest) = contents.split_at(size_bytes as usize);
        contents = rest;
        let digest = Digest::of(dot, &parents, content);
        let payload = Held { handle, size_bytes, digest, released: released.clone() };
        messages.push(Message { dot, parents, payload });
    }
    messages
}

/// The id that stands for a name here. Names are the application's; nothing of this leaves.
pub(crate) fn replica_id(number: f64) -> ReplicaId {
    ReplicaId::from_u128(number as u128)
}

/// The number of a replica.
pub(crate) fn replica_number(replica: ReplicaId) -> f64 {
    replica.as_u128() as u64 as f64
}
