//! What one server tells another, beside the sessions of documents.

use std::sync::Arc;

use crdt_causal::cut::{Cut, Epoch, Slot};
use crdt_causal::session::Realm;
use crdt_causal::stability::Report;
use crdt_server::peer_message::{Greeting, PROTOCOL, PeerMessage, Statement};

use crate::memory::bounded;

/// What is read is written again as the same bytes, except of a greeting in a version of the
/// protocol that is not ours, of which nothing but the version is read.
pub fn run(bytes: &[u8]) {
    match bounded(bytes.len(), || PeerMessage::decode(bytes)) {
        Ok(PeerMessage::Greeting(greeting)) if greeting.protocol != PROTOCOL => {
            assert!(greeting.url.is_empty() && greeting.logs.is_empty());
        }
        Ok(message) => {
            assert_eq!(message.to_bytes(), bytes, "a message has another encoding than this");
        }
        Err(_) => {}
    }
}

/// One message of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let cut = Cut::from_iter([(Slot(0), 7), (Slot(3), 1 << 40)]);
    let name = || Arc::<str>::from("notes/ä");
    let replica = super::replicas()[0];
    [
        PeerMessage::Greeting(Greeting {
            protocol: PROTOCOL,
            realm: Realm(9),
            epoch: Epoch(2),
            slot: Slot(1),
            log_id: u64::MAX,
            applied: cut.clone(),
            logs: vec![(Slot(0), 5), (Slot(3), 6)],
            forgotten: 3,
            horizon_ms: 86_400_000,
            authority: Some(Slot(3)),
            url: "http://b.example".to_owned(),
        }),
        PeerMessage::Refusal { code: 3, text: "no".to_owned() },
        PeerMessage::Report(Statement {
            slot: Slot(3),
            log_id: 1 << 60,
            number: 1 << 33,
            report: Report {
                epoch: Epoch(2),
                applied: cut.clone(),
                floor: Cut::from_iter([(Slot(0), 2)]),
                trusted: [Slot(0), Slot(3)].into(),
            },
        }),
        PeerMessage::Holds(cut),
        PeerMessage::Heads(vec![(Slot(0), 9, 0), (Slot(9), 1, 1000)]),
        PeerMessage::Offer(b"an offer".to_vec()),
        PeerMessage::Answer(Vec::new()),
        PeerMessage::Differing { documents: vec![name(), name()], is_last: true },
        PeerMessage::Owners(vec![(replica, [7; 32])]),
    ]
    .iter()
    .map(PeerMessage::to_bytes)
    .collect()
}
