//! What is saved: golden bytes, one way to write everything, and nothing taken that is not so.

use crdt_causal::policy::{OfflineLimits, OfflineOp, OfflineQueue, Outbox, Saga};
use crdt_core::codec::{Decode, Encode, Reader, Writer};
use crdt_core::{Dot, ReplicaId};

use crate::random::Random;

fn encoded(value: &impl Encode) -> Vec<u8> {
    let mut out = Writer::new();
    value.encode(&mut out);
    out.into_bytes()
}

fn decoded<T: Decode>(bytes: &[u8]) -> Option<T> {
    let mut input = Reader::new(bytes);
    let value = T::decode(&mut input).ok()?;
    input.is_empty().then_some(value)
}

fn dot(seq: u64) -> Dot {
    Dot::new(ReplicaId::from_u128(0x0102), seq)
}

fn queue() -> OfflineQueue<u64> {
    let mut queue = OfflineQueue::new(OfflineLimits::default());
    let op = |seq, register: Option<&[u8]>, payload| OfflineOp {
        id: dot(seq),
        register: register.map(<[u8]>::to_vec),
        payload,
    };
    queue.push_critical(op(1, None, 5)).unwrap();
    queue.push(op(2, Some(b"a"), 6)).unwrap();
    queue.push(op(3, Some(b"b"), 7)).unwrap();
    queue.push(op(4, None, 8)).unwrap();
    queue
}

fn outbox() -> Outbox<u64> {
    let mut outbox = Outbox::new(100, 10);
    outbox.prepare(dot(1), [5, 6]).unwrap();
    outbox.prepare(dot(2), [7]).unwrap();
    outbox.prepare(dot(3), []).unwrap();
    outbox.committed(dot(1), 300).unwrap();
    outbox
}

const ID: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2];

#[test]
fn golden_bytes() {
    let op = |rest: &[u8]| [&ID[..], rest].concat();
    let expected = [
        vec![0, 1],
        op(&[1, 0, 5]),
        vec![2, 2],
        op(&[2, 1, 1, b'a', 6]),
        op(&[3, 1, 1, b'b', 7]),
        vec![1],
        op(&[4, 0, 8]),
    ];
    assert_eq!(encoded(&queue()), expected.concat());
    let expected =
        [vec![3], op(&[1, 0xad, 2, 2, 0, 5, 1, 6]), op(&[2, 0, 1, 0, 7]), op(&[3, 0, 0])];
    assert_eq!(encoded(&outbox()), expected.concat());
    let mut saga = Saga::new(0x0102, 4, 10);
    assert_eq!(encoded(&saga), op(&[4, 0, 0]));
    assert!(saga.abort());
    assert_eq!(encoded(&saga), op(&[4, 1, 0]));
    saga.reply(0, crdt_causal::policy::SagaReply::Done);
    assert_eq!(encoded(&saga), op(&[4, 3]));
}

/// Whatever is accepted is the one way to write it.
#[test]
fn bytes_are_canonical() {
    let seeds = [encoded(&queue()), encoded(&outbox()), encoded(&Saga::new(5, 3, 1))];
    let (mut accepted, mut refused) = (0, 0);
    for case in 0..crate::cases() * 3 {
        let mut random = Random(case);
        let mut bytes = seeds[case as usize % 3].clone();
        for _ in 0..=random.below(2) {
            let at = random.pick(bytes.len());
            match random.below(5) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes.insert(at, random.below(4) as u8),
                2 => drop((bytes.len() > 1).then(|| bytes.remove(at))),
                _ => bytes[at] = random.below(9) as u8,
            }
        }
        let again = match case % 3 {
            0 => decoded::<OfflineQueue<u64>>(&bytes).map(|queue| encoded(&queue)),
            1 => decoded::<Outbox<u64>>(&bytes).map(|outbox| {
                outbox.check_invariants();
                encoded(&outbox)
            }),
            _ => Saga::from_saved(&bytes, 1).ok().map(|saga| encoded(&saga)),
        };
        match again {
            Some(again) => {
                assert_eq!(again, bytes);
                accepted += 1;
            }
            None => refused += 1,
        }
    }
    println!("{accepted} accepted, {refused} refused");
    assert!(accepted > crate::cases() / 4 && refused > crate::cases() / 4);
}

#[test]
fn what_is_no_queue_is_refused() {
    let queue = |bytes: &[u8]| decoded::<OfflineQueue<u64>>(bytes).is_some();
    assert!(queue(&[0, 0, 0]));
    assert!(!queue(&[1, 0, 0]), "nothing was refused");
    assert!(!queue(&[0, 0, 1, 0]), "an empty run");
    assert!(!queue(&[0, 200, 1]), "a count that is longer than the rest");
    let op = |register: &[u8]| [&ID[..], &[1], register, &[5]].concat();
    let run = |ops: &[Vec<u8>]| [vec![0, 0, 1, ops.len() as u8], ops.concat()].concat();
    assert!(queue(&run(&[op(&[1, 1, 7]), op(&[1, 1, 8])])));
    assert!(!queue(&run(&[op(&[1, 1, 7]), op(&[1, 1, 7])])), "one register twice");
    assert!(!queue(&run(&[op(&[0]), op(&[1, 1, 7])])), "a run is of registers alone");
    let outbox = |bytes: &[u8]| decoded::<Outbox<u64>>(bytes).is_some();
    assert!(!outbox(&[&[1][..], &ID, &[1, 5, 0]].concat()), "committed, and without effects");
    assert!(!outbox(&[&[2][..], &ID, &[2, 0, 0], &ID, &[1, 0, 0]].concat()), "out of order");
}
