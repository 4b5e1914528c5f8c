//! Batches of messages, as a peer sends them.

use crdt_causal::delivery::{BatchDecoder, BatchEncoder, Limits, Message};
use crdt_core::{Dot, ReplicaId};

use crate::memory::bounded;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.parents_max = 64;
    limits
}

/// Reads a batch message by message, keeping none. What is accepted has one encoding.
pub fn run(bytes: &[u8]) {
    let is_sound = bounded(bytes.len(), || {
        let mut decoder = BatchDecoder::new(&limits());
        let messages = decoder.decode::<Vec<u8>>(bytes);
        messages.is_ok_and(|mut messages| messages.all(|message| message.is_ok()))
    });
    if is_sound {
        let mut decoder = BatchDecoder::new(&limits());
        let messages = decoder.decode::<Vec<u8>>(bytes).expect("it was sound before");
        let messages: Result<Vec<Message<Vec<u8>>>, _> = messages.collect();
        let messages = messages.expect("it was sound before");
        assert_eq!(BatchEncoder::new().encode(&messages), bytes, "one form for one batch");
    }
}

/// A run, messages that mix, and what was asked for again.
pub fn seeds() -> Vec<Vec<u8>> {
    let dot = |replica: u128, seq| Dot::new(ReplicaId::from_u128(replica), seq);
    let message = |dot, parents: &[Dot]| Message { dot, parents: parents.into(), payload: vec![7] };
    let run: Vec<_> = (1..=9).map(|seq| message(dot(1, seq), &[])).collect();
    let mixing = [
        message(dot(1, 1), &[]),
        message(dot(2, 1), &[dot(1, 1)]),
        message(dot(1, 2), &[dot(2, 1), dot(3, 1 << 40)]),
        message(dot(2, 2), &[]),
    ];
    let again = [message(dot(1, 900), &[]), message(dot(1, 7), &[dot(2, 3)])];
    [&run[..], &mixing, &again, &[]].map(|batch| BatchEncoder::new().encode(batch)).to_vec()
}
