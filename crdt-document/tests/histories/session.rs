//! The document in a sync session, and what a typed character costs there.

use crdt_causal::sync::{ChangeLog, Config, ReceiveTables, SendTables, Session};
use crdt_core::VersionVector;
use crdt_core::codec::{Reader, Writer};
use crdt_core::laws::trials;
use crdt_document::{Document, ReplicaId};

use crate::cases;
use crate::script::{Script, World, id};

/// One direction of an established connection, without a session around it.
#[derive(Default)]
struct Wire {
    send: SendTables,
    receive: ReceiveTables,
}

impl Wire {
    /// Brings everything that `to` lacks over, and returns the bytes of the bodies.
    fn bring(&mut self, from: &Document, to: &mut Document, bytes_max: usize) -> usize {
        let mut bytes = 0;
        loop {
            let known = to.version().clone();
            let mut body = Writer::new();
            let sent =
                from.encode_changes(&known, from.version(), bytes_max, &mut self.send, &mut body);
            if sent.is_empty() {
                assert!(body.is_empty());
                return bytes;
            }
            bytes += body.len();
            let mut input = Reader::new(body.as_bytes());
            let taken = to.import_changes(&mut input, &mut self.receive).expect("own bytes");
            input.finish().expect("all is read");
            let all = |ranges: &[crdt_core::DotRange]| -> VersionVector {
                ranges.iter().map(|range| (range.replica, range.last)).collect()
            };
            assert_eq!(all(&taken), all(&sent));
        }
    }
}

#[test]
fn a_typed_character_is_small() {
    let mut typist = Document::new(ReplicaId::from_u128(u128::MAX / 3));
    let mut friend = Document::new(ReplicaId::from_u128(u128::MAX / 5));
    let (mut there, mut back) = (Wire::default(), Wire::default());
    // A long text, so that positions and sequence numbers are not small.
    let page = "lorem ipsum dolor sit amet ".repeat(1200);
    typist.transact(|tx| tx.text("body").insert(0, &page).map(drop)).unwrap();
    there.bring(&typist, &mut friend, usize::MAX);
    friend.transact(|tx| tx.text("body").insert(9, &page).map(drop)).unwrap();
    back.bring(&friend, &mut typist, usize::MAX);

    let mut worst = 0;
    for place in 0..100 {
        let at = 30_000 + place;
        typist.transact(|tx| tx.text("body").insert(at, "x").map(drop)).unwrap();
        let bytes = there.bring(&typist, &mut friend, usize::MAX);
        if place > 0 {
            worst = worst.max(bytes);
        }
    }
    println!("RESULT typed_bytes={worst}");
    assert!(worst <= 10, "{worst} bytes");

    // Taking turns, each character after the other's.
    let mut worst = 0;
    for place in 0..100 {
        let at = 30_000 + 2 * place;
        typist.transact(|tx| tx.text("body").insert(at, "x").map(drop)).unwrap();
        let first = there.bring(&typist, &mut friend, usize::MAX);
        friend.transact(|tx| tx.text("body").insert(at + 1, "y").map(drop)).unwrap();
        let second = back.bring(&friend, &mut typist, usize::MAX);
        // The first turn names what the other has typed before.
        if place > 0 {
            worst = worst.max(first).max(second);
        }
    }
    println!("RESULT turn_bytes={worst}");
    assert!(worst <= 13, "{worst} bytes");
    assert_eq!(typist.encode(), friend.encode());
}

/// Whatever two replicas hold, bodies of any size bring them together.
#[test]
fn bodies_of_any_size_bring_everything() {
    fn law(script: Script, bytes_max: u8) -> bool {
        let mut world = World::new();
        for step in &script.0 {
            world.step(step);
        }
        let mut docs = world.docs.into_iter();
        let (mut left, mut right) = (docs.next().unwrap(), docs.next().unwrap());
        let (mut there, mut back) = (Wire::default(), Wire::default());
        there.bring(&left, &mut right, usize::from(bytes_max));
        back.bring(&right, &mut left, usize::from(bytes_max));
        assert_eq!(left.encode(), right.encode());
        let frontier = left.frontier();
        assert_eq!(left.version_of(&frontier).as_ref(), Some(right.version()));
        assert_eq!(left.frontier_of(right.version()), Some(frontier));
        true
    }
    trials().quickcheck(law as fn(_, _) -> _);
}

/// Two sessions over a network that loses nothing: one round trip, then quiet.
#[test]
fn sessions_bring_documents_together() {
    fn law(script: Script) -> bool {
        let mut world = World::new();
        for step in &script.0 {
            world.step(step);
        }
        let mut docs: Vec<Document> = world.docs.into_iter().take(2).collect();
        let mut sessions: Vec<Session> =
            (0..2).map(|side| Session::new(Config::default(), 7 + side as u64, 0)).collect();
        for side in 0..2 {
            sessions[side].set_durable(docs[side].version());
            sessions[side].claim_writer(id(side));
        }
        for now in 0..50 {
            let mut quiet = true;
            for side in 0..2 {
                while let Some(message) = sessions[side].poll_transmit(&docs[side], now) {
                    quiet = false;
                    let other = 1 - side;
                    sessions[other].handle(&message, &mut docs[other], now).expect("honest");
                    sessions[other].set_durable(docs[other].version());
                }
            }
            if quiet && now > 0 {
                break;
            }
        }
        assert_eq!(docs[0].encode(), docs[1].encode());
        docs[0].version() == docs[1].version()
    }
    trials().tests(cases() / 4).quickcheck(law as fn(_) -> _);
}
