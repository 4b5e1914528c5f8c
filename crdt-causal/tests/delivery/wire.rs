//! Batches as bytes: what they cost, that they come back, and what is no batch.

use crdt_causal::delivery::{BATCH_MAX, BatchDecoder, BatchEncoder, Limits, Message, Parents};
use crdt_core::codec::{DecodeError, DecodeErrorKind, Encode, Writer};
use crdt_core::laws::trials;
use crdt_core::{Dot, ReplicaId};

use crate::cases;
use crate::history::{Random, history, id, message};

type Text = Message<Vec<u8>>;

fn read(bytes: &[u8]) -> Result<Vec<Text>, DecodeError> {
    BatchDecoder::new(&Limits::default()).decode(bytes)?.collect()
}

/// A replica as applications name them.
fn random_id(number: u64) -> ReplicaId {
    let mut random = Random(number);
    ReplicaId::from_u128(u128::from(random.next()) << 64 | u128::from(random.next()))
}

/// Everything that is not payload, by message: version, counts, names of the replicas, numbers and
/// parents. The payload is what its own encoding writes, with its length.
fn bytes_a_message(messages: &[Text]) -> f64 {
    let bytes = BatchEncoder::new().encode(messages);
    assert_eq!(read(&bytes).as_deref(), Ok(messages));
    let mut payloads = Writer::new();
    messages.iter().for_each(|message| message.payload.encode(&mut payloads));
    (bytes.len() - payloads.len()) as f64 / messages.len() as f64
}

/// One batch of 10,000 messages, which stands alone: the names of replicas are in it.
const BATCH: usize = 10_000;

/// Messages of `replicas`, each of a writer at random that has just seen the last one of another:
/// one parent each, but where there is no such message, or the other is itself.
fn mixing(replicas: u64, len: usize) -> Vec<Text> {
    let mut random = Random(replicas);
    let mut last = vec![0; replicas as usize];
    (0..len)
        .map(|_| {
            let (writer, other) = (random.below(replicas), random.below(replicas));
            let seen = last[other as usize];
            let parents = if other == writer || seen == 0 {
                Parents::NONE
            } else {
                Dot::new(random_id(other), seen).into()
            };
            last[writer as usize] += 1;
            let dot = Dot::new(random_id(writer), last[writer as usize]);
            Message { dot, parents, payload: b"sixteen bytes!!!".to_vec() }
        })
        .collect()
}

/// Two people type in turn, 50 letters each on average: each turn follows the other's last letter.
fn typing(len: usize) -> Vec<Text> {
    let mut random = Random(2);
    let mut last = [0, 0];
    let mut messages = Vec::new();
    for turn in 0.. {
        let (writer, other) = (turn % 2, 1 - turn % 2);
        for letter in 0..1 + random.below(99) {
            if messages.len() == len {
                return messages;
            }
            let parents = if letter == 0 && last[other] > 0 {
                Dot::new(random_id(other as u64), last[other]).into()
            } else {
                Parents::NONE
            };
            last[writer] += 1;
            let dot = Dot::new(random_id(writer as u64), last[writer]);
            messages.push(Message { dot, parents, payload: b"x".to_vec() });
        }
    }
    unreachable!("turns go on until there are enough letters")
}

#[test]
fn what_causality_costs_on_the_wire() {
    for (name, messages, most) in [
        ("one person typing", (1..=BATCH as u64).map(|seq| message(0, seq, &[])).collect(), 0.01),
        ("two people typing in turn", typing(BATCH), 0.2),
        ("8 servers that mix", mixing(8, BATCH), 5.0),
        ("1,000 replicas that mix", mixing(1_000, BATCH), 8.0),
    ] {
        let bytes = bytes_a_message(&messages);
        println!("{name}: {bytes:.3} bytes a message, at most {most}");
        assert!(bytes <= most, "{name}: {bytes} bytes a message");
    }
}

/// A connection names a replica once: message by message, the second batch on.
#[test]
fn what_a_single_message_costs_on_a_connection() {
    let messages = mixing(8, 1_000);
    let mut encoder = BatchEncoder::new();
    let mut decoder = BatchDecoder::new(&Limits::default());
    let (mut sent, mut payloads) = (0, 0);
    for (number, message) in messages.iter().enumerate() {
        let bytes = encoder.encode(std::slice::from_ref(message));
        let come: Result<Vec<Text>, _> = decoder.decode(&bytes).unwrap().collect();
        assert_eq!(come.as_deref(), Ok(std::slice::from_ref(message)));
        if number >= 100 {
            sent += bytes.len();
            payloads += message.payload.len() + 1;
        }
    }
    let each = (sent - payloads) as f64 / 900.0;
    println!("{each:.3} bytes a message");
    assert!(each <= 6.5, "{each} bytes a message: three of them are the head of the batch");
}

/// Any messages, in any order: also such as a buffer would refuse for what they follow.
fn any_messages(random: &mut Random) -> Vec<Text> {
    let (replicas, len) = (1 + random.below(5), random.below(40) as usize);
    let mut messages = history(random, replicas, len);
    match random.below(3) {
        0 => {}
        1 => random.shuffle(&mut messages),
        _ => messages.sort_by_key(|message| message.dot),
    }
    for message in &mut messages {
        match random.below(12) {
            0 => message.dot.seq = 1 + (random.next() >> (2 + random.below(60))),
            1 => message.parents.push(Dot::new(id(9), 1 + (random.next() >> 3))),
            2 => message.parents.push(message.dot),
            3 => message.payload.clear(),
            _ => {}
        }
    }
    messages
}

#[test]
fn batches_come_back_one_after_the_other() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let mut encoder = BatchEncoder::new();
        let mut decoder = BatchDecoder::new(&Limits::default());
        for _ in 0..3 {
            let messages = any_messages(&mut random);
            let bytes = encoder.encode(&messages);
            let come: Result<Vec<Text>, _> = decoder.decode(&bytes).unwrap().collect();
            assert_eq!(come, Ok(messages));
        }
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

/// What is accepted is what an encoder writes for it.
#[test]
fn there_is_one_encoding() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let mut bytes = BatchEncoder::new().encode(&any_messages(&mut random));
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 => bytes[at] = random.below(8) as u8,
                1 => bytes[at] ^= 1 << random.below(8),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                break;
            }
        }
        match read(&bytes) {
            Ok(messages) => assert_eq!(BatchEncoder::new().encode(&messages), bytes),
            Err(error) => assert!(error.at <= bytes.len(), "{error} of {}", bytes.len()),
        }
        true
    }
    trials().tests(4 * cases()).quickcheck(property as fn(_) -> _);
}

/// The bytes of version 0.
#[test]
fn golden_bytes() {
    let text = |replica, seq, parents: &[(u64, u64)], text: &str| Message {
        payload: text.as_bytes().to_vec(),
        ..message(replica, seq, parents)
    };
    let messages = [
        text(1, 1, &[], "a"),
        text(1, 2, &[], "b"),
        text(1, 3, &[], ""),
        text(2, 7, &[(1, 3), (3, 200)], "c"),
        text(1, 4, &[(2, 7)], "d"),
        text(3, 201, &[], "e"),
        text(3, 5, &[], "f"),
    ];
    let name = |number: u8| [vec![0; 15], vec![number + 1]].concat();
    let rows = [
        // Replica 0, its name, three messages.
        vec![4],
        name(1),
        vec![1],
        // Replica 1 elsewhere (6 after 1) with parents: replica 0 at the probable number and one
        // more, replica 2 at 200.
        vec![1 << 3 | 3],
        name(2),
        vec![12, 1, 0, 2 << 1],
        name(3),
        vec![0x90, 3],
        // Replica 0 with a parent: replica 1 at the probable number.
        vec![2, 1 << 1, 0],
        // Replica 2 next, and elsewhere (197 before 202).
        vec![2 << 3, 2 << 3 | 1, 0x89, 3],
    ]
    .concat();
    let head = vec![0, 7, rows.len() as u8];
    let payloads = b"\x01a\x01b\0\x01c\x01d\x01e\x01f".to_vec();
    let bytes = [head, rows, payloads].concat();
    assert_eq!(BatchEncoder::new().encode(&messages), bytes);
    assert_eq!(read(&bytes).as_deref(), Ok(&messages[..]));
    for len in 0..bytes.len() {
        let error = read(&bytes[..len]).expect_err("it is cut off");
        assert!(error.at <= len, "{error} of {len}");
    }
}

#[test]
fn what_is_no_batch_is_told_with_its_place() {
    use DecodeErrorKind::{
        CountTooLarge, NotCanonical, OutOfRange, TrailingBytes, UnexpectedEnd, UnknownTableEntry,
        UnknownVersion,
    };
    let name = [9; 16];
    let batch = |count: &[u8], rows: &[&[u8]], payloads: &[u8]| {
        let rows = rows.concat();
        [&[0], count, &[rows.len() as u8], &rows[..], payloads].concat()
    };
    let honest = batch(&[2], &[&[0], &name, &[1, 2]], b"\0\0");
    assert_eq!(read(&honest).map(|messages| messages[1].dot.seq), Ok(3));
    for (bytes, error) in [
        (vec![], UnexpectedEnd.at(0)),
        (vec![1, 0, 0], UnknownVersion.at(0)),
        (batch(&[0], &[], b"x"), TrailingBytes.at(3)),
        // More messages than any batch has, and than the payloads can hold.
        (batch(&[0x81, 0x80, 4], &[], b""), OutOfRange.at(1)),
        (batch(&[100], &[&[4], &name, &[98]], b"\0\0"), CountTooLarge.at(1)),
        // A run of three where two are left.
        (batch(&[2], &[&[4], &name, &[1]], b"\0\0"), OutOfRange.at(20)),
        // A replica that was not introduced, and one that was introduced twice.
        (batch(&[1], &[&[8], &name], b"\0"), UnknownTableEntry.at(3)),
        (batch(&[2], &[&[0], &name, &[8], &name], b"\0\0"), NotCanonical.at(21)),
        // "Elsewhere", and then where it would be anyway.
        (batch(&[1], &[&[1], &name, &[0]], b"\0"), NotCanonical.at(20)),
        // Two rows that are one.
        (batch(&[2], &[&[0], &name, &[0]], b"\0\0"), NotCanonical.at(20)),
        // A parent with the number 0.
        (batch(&[1], &[&[2], &name, &[2], &[8; 16], &[0]], b"\0"), OutOfRange.at(37)),
        // Rows that are left over.
        (batch(&[1], &[&[0], &name, &[0]], b"\0"), TrailingBytes.at(20)),
        // A payload that is cut off.
        (batch(&[1], &[&[0], &name], b"\x05"), CountTooLarge.at(20)),
    ] {
        assert_eq!(read(&bytes), Err(error), "{bytes:?}");
    }
    let mut limits = Limits::default();
    limits.parents_max = 1;
    let many = BatchEncoder::new().encode(&[message(0, 1, &[(1, 1), (2, 1)])]);
    let mut decoder = BatchDecoder::new(&limits);
    let come: Result<Vec<Text>, _> = decoder.decode(&many).unwrap().collect();
    assert!(matches!(come, Err(error) if error.kind == OutOfRange));
}

/// What was read before an error is given out, and nothing after it.
#[test]
fn an_error_is_the_last_thing_that_comes() {
    let messages = [message(0, 1, &[]), message(0, 2, &[])];
    let mut bytes = BatchEncoder::new().encode(&messages);
    bytes.pop();
    let mut decoder = BatchDecoder::new(&Limits::default());
    let mut come = decoder.decode::<Vec<u8>>(&bytes).unwrap();
    assert_eq!(come.next(), Some(Ok(messages[0].clone())));
    assert!(matches!(come.next(), Some(Err(_))));
    assert_eq!((come.next(), come.next()), (None, None));
}

/// A run is as long as it says, and no message is made before it is asked for.
#[test]
fn a_long_run_takes_no_room_until_it_is_read() {
    let messages: Vec<Message<[u8; 0]>> = (1..=BATCH_MAX as u64)
        .map(|seq| Message { dot: Dot::new(id(0), seq), parents: Parents::NONE, payload: [] })
        .collect();
    let bytes = BatchEncoder::new().encode(&messages);
    assert_eq!(bytes.len(), 1 + 3 + 1 + 1 + 16 + 3);
    let mut decoder = BatchDecoder::new(&Limits::default());
    assert_eq!(decoder.decode::<[u8; 0]>(&bytes).unwrap().count(), BATCH_MAX);
}
