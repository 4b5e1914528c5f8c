//! The messages of a sync session.

use crdt_causal::sync::{
    Acknowledgement, ChainHash, Content, Hello, Last, Limits, Message, Reconciling, Refusal,
    RelativeVector, Summary,
};
use crdt_core::{Dot, Frontier};

use super::replicas;
use crate::memory::bounded;

/// Decodes a message. What decodes has one encoding, unless it is what this release steps over.
pub fn run(bytes: &[u8]) {
    let Ok(message) = bounded(bytes.len(), || Message::decode(bytes)) else { return };
    match message {
        Message::OtherProtocol { .. } | Message::Refuse(Refusal::Unknown { .. }) => {}
        message => assert_eq!(message.to_bytes(), bytes, "{message:?}"),
    }
}

/// One of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let [a, b, c] = replicas();
    let frontier: Frontier = [Dot::new(a, 7), Dot::new(b, 1_000)].into_iter().collect();
    let hello = Hello {
        genesis: [3; 16],
        nonce: 0x0123_4567_89ab_cdef,
        echo: Some(5),
        limits: Limits::default(),
        holds: Summary {
            frontier: Some(frontier.clone()),
            chains: vec![ChainHash(1), ChainHash(u64::MAX)],
            vector: Some(RelativeVector {
                base: frontier.clone(),
                chains: vec![ChainHash(2), ChainHash(3)],
                beyond: [(a, 9), (c, 1 << 40)].into_iter().collect(),
            }),
        },
        wants_vector: true,
        writers: vec![a, b],
        reconciling: Reconciling {
            answers: true,
            sketch: Some(vec![1, 2, 3]),
            difference: Some(vec![]),
        },
    };
    let short = Hello {
        echo: None,
        holds: Summary::default(),
        writers: vec![],
        reconciling: Reconciling::default(),
        ..hello.clone()
    };
    let fragment = |last| Content::Fragment { bytes: b"body", last };
    let numbered = |number, content| Message::Numbered { number, content };
    [
        Message::Hello(hello.into()),
        Message::Hello(short.into()),
        Message::OtherProtocol { protocol: 0 },
        numbered(1, fragment(Last::Yes)),
        numbered(200, fragment(Last::YesFreshTables)),
        numbered(1 << 30, fragment(Last::No)),
        numbered(2, Content::Claim(a)),
        numbered(3, Content::Check { dots: frontier, chains: vec![ChainHash(4), ChainHash(5)] }),
        Message::Acknowledge(Acknowledgement { received: 300, durable: 200, gap: false }),
        Message::Acknowledge(Acknowledgement { received: 1, durable: 0, gap: true }),
        Message::RequestAcknowledgement,
        Message::Presence(b"cursor"),
        Message::Refuse(Refusal::ForeignReplica { replica: c }),
        Message::Refuse(Refusal::MessageTooLarge { bytes_max: 1 << 20 }),
        Message::Refuse(Refusal::Trimmed),
    ]
    .iter()
    .map(Message::to_bytes)
    .collect()
}
