//! A buffer that is saved, lost and loaded.

use std::collections::BTreeSet;

use crdt_causal::delivery::{CausalBuffer, Event, InsertError, Inserted, Limits, Message, Retry};
use crdt_core::codec::{DecodeErrorKind, seal};
use crdt_core::laws::trials;
use crdt_core::{Dot, DotRange};

use crate::cases;
use crate::history::{Random, history, id, message};

type Buffer = CausalBuffer<Vec<u8>>;

fn load(bytes: &[u8]) -> Result<Buffer, crdt_core::codec::DecodeError> {
    let buffer = Buffer::load(bytes, Limits::default(), Retry::default(), 0)?;
    buffer.check_invariants();
    Ok(buffer)
}

/// Saved and loaded; its bytes are the same again.
fn reborn(buffer: &Buffer) -> Buffer {
    let saved = buffer.save();
    let loaded = load(&saved).expect("just saved");
    assert_eq!(loaded.save(), saved);
    loaded
}

/// Whenever the process dies, each message is polled once, and in causal order: whether what
/// could be polled was or was not.
#[test]
fn everything_comes_once_however_often_it_is_loaded() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let (replicas, len) = (1 + random.below(6), random.below(60) as usize);
        let mut messages = history(&mut random, replicas, len);
        let all: BTreeSet<Dot> = messages.iter().map(|message| message.dot).collect();
        random.shuffle(&mut messages);
        let (mut buffer, mut seen) = (Buffer::new(), BTreeSet::new());
        for message in messages {
            buffer.insert(message, 0).unwrap();
            for _ in 0..random.below(4) {
                let Some(message) = buffer.poll_deliver() else { break };
                let previous = message.dot.previous();
                assert!(previous.iter().chain(&message.parents).all(|dot| seen.contains(dot)));
                assert!(seen.insert(message.dot), "{} came twice", message.dot);
            }
            if random.below(3) == 0 {
                let (pending, version) = (buffer.pending(), buffer.version());
                buffer = reborn(&buffer);
                assert_eq!((buffer.pending(), buffer.version()), (pending, version));
            }
        }
        seen.extend(std::iter::from_fn(|| buffer.poll_deliver()).map(|message| message.dot));
        assert_eq!(seen, all);
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

/// What can happen to a buffer, with what its loaded copy does after it.
#[test]
fn a_loaded_buffer_goes_on_as_the_saved_one() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let replicas = 1 + random.below(4);
        let mut messages = history(&mut random, replicas, 60);
        random.shuffle(&mut messages);
        let later = messages.split_off(30);
        let mut buffer = Buffer::new();
        for mut message in messages {
            if random.below(4) == 0 {
                let twin = message.clone();
                message.payload.push(b'!');
                let _either = buffer.insert(twin, 0);
            }
            let _error_if_forked = buffer.insert(message, 0);
            let range = DotRange::new(id(random.below(replicas)), 1 + random.below(9), 10);
            match random.below(12) {
                0 => drop(buffer.forsake(range)),
                1 => drop(buffer.adopt(range.replica, 0)),
                2 => drop(buffer.poll_event()),
                _ => {}
            }
            if random.below(2) == 0 {
                buffer.poll_deliver();
            }
        }
        let mut loaded = reborn(&buffer);
        // The two are told the same, and do the same.
        let events = |buffer: &mut Buffer| -> BTreeSet<String> {
            let told = std::iter::from_fn(|| buffer.poll_event());
            // Ranges that were passed over are told in other pieces.
            let told = told.flat_map(|event| match event {
                Event::Forsaken(DotRange { replica, first, last }) => {
                    (first..=last).map(|seq| format!("{}", Dot::new(replica, seq))).collect()
                }
                event => vec![format!("{event:?}")],
            });
            told.collect()
        };
        // What was passed over behind a message that was not polled is told again.
        let (told, first) = (events(&mut loaded), events(&mut buffer));
        assert!(first.is_subset(&told), "{told:?} lacks some of {first:?}");
        let forsaken: BTreeSet<String> = buffer
            .forsaken()
            .flat_map(|range| (range.first..=range.last).map(move |seq| (range.replica, seq)))
            .map(|(replica, seq)| format!("{}", Dot::new(replica, seq)))
            .collect();
        assert!(told.difference(&first).all(|event| forsaken.contains(event)));
        for message in later {
            let (one, other) = (buffer.insert(message.clone(), 0), loaded.insert(message, 0));
            assert_eq!(one, other);
        }
        loaded.check_invariants();
        assert_eq!(loaded.version(), buffer.version());
        let forsaken = |buffer: &Buffer| buffer.forsaken().collect::<Vec<_>>();
        assert_eq!(forsaken(&loaded), forsaken(&buffer));
        let polled = |buffer: &mut Buffer| -> BTreeSet<Dot> {
            std::iter::from_fn(|| buffer.poll_deliver()).map(|message| message.dot).collect()
        };
        assert_eq!(polled(&mut loaded), polled(&mut buffer));
        let missing = |buffer: &mut Buffer| -> BTreeSet<DotRange> {
            buffer.missing(1 << 50).into_iter().collect()
        };
        assert_eq!(missing(&mut loaded), missing(&mut buffer));
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

fn forged(mut message: Message<Vec<u8>>) -> Message<Vec<u8>> {
    message.payload.push(b'!');
    message
}

/// The digest of what was delivered, the proof that was not polled, and the quarantine.
#[test]
fn forks_are_found_and_remembered_over_a_restart() {
    let mut buffer = Buffer::new();
    for seq in 1..=3 {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
        buffer.poll_deliver();
    }
    let mut buffer = reborn(&buffer);
    let Err(InsertError::Equivocation(proof)) = buffer.insert(forged(message(0, 2, &[])), 0) else {
        panic!("a fork is no duplicate, after a restart either")
    };
    assert_eq!(proof.dot, Dot::new(id(0), 2));
    let mut buffer = reborn(&buffer);
    assert_eq!(buffer.poll_event(), Some(Event::Equivocation(proof)));
    let next = Dot::new(id(0), 4);
    let quarantined = InsertError::Quarantined(next);
    assert_eq!(buffer.insert(message(0, 4, &[]), 0), Err(quarantined));
    let mut buffer = reborn(&buffer);
    assert_eq!(buffer.poll_event(), None, "it was polled");
    assert!(buffer.adopt(id(0), 0));
    assert!(buffer.insert(message(0, 4, &[]), 0).is_ok());
}

/// What was given up stays so, and what was dropped is asked for again.
#[test]
fn what_was_given_up_or_dropped_is_not_forgotten() {
    let mut buffer = Buffer::new();
    buffer.insert(message(0, 4, &[]), 0).unwrap();
    buffer.forsake(DotRange::new(id(0), 2, 3));
    let mut buffer = reborn(&buffer);
    assert_eq!(buffer.missing(1_000), [DotRange::new(id(0), 1, 1)]);
    buffer.insert(message(0, 1, &[]), 0).unwrap();
    let mut buffer = reborn(&buffer);
    assert_eq!(buffer.poll_event(), Some(Event::Forsaken(DotRange::new(id(0), 2, 3))));
    assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 2);
    let late = InsertError::Forsaken(Dot::new(id(0), 2));
    assert_eq!(buffer.insert(message(0, 2, &[]), 0), Err(late));

    let mut limits = Limits::default();
    limits.pending_max = 10;
    let mut buffer = Buffer::with_limits(limits.clone(), Retry::default());
    for seq in 2..=50 {
        buffer.insert(message(1, seq, &[]), 0).unwrap();
    }
    let mut buffer = Buffer::load(&buffer.save(), limits, Retry::default(), 0).unwrap();
    let Some(Event::Dropped(dropped)) = buffer.poll_event() else { panic!("it was said") };
    assert_eq!(dropped.last, 50);
    let missing: u64 = buffer.missing(1_000).iter().map(DotRange::len).sum();
    assert_eq!(missing, 50 - buffer.pending() as u64);
}

/// Smaller bounds than when it was saved: the rest is dropped, and asked for again.
#[test]
fn bounds_hold_while_loading() {
    let mut buffer = Buffer::new();
    for seq in (1..=100).chain(102..=200) {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    let saved = buffer.save();
    let mut limits = Limits::default();
    limits.pending_max = 10;
    let mut small = Buffer::load(&saved, limits.clone(), Retry::default(), 0).unwrap();
    small.check_invariants();
    assert!(small.pending() <= 10);
    let mut delivered = 0;
    for _ in 0..1_000 {
        while let Some(message) = small.poll_deliver() {
            delivered += 1;
            assert_eq!(message.dot.seq, delivered, "nothing is lost, and nothing twice");
        }
        let Some(now) = small.poll_timeout() else { break };
        for range in small.missing(now) {
            for seq in range.first..=range.last {
                small.insert(message(0, seq, &[]), now).unwrap();
            }
        }
    }
    assert_eq!(delivered, 200);
    limits.replicas_max = 1;
    buffer.insert(message(1, 1, &[]), 0).unwrap();
    let many = Buffer::load(&buffer.save(), limits, Retry::default(), 0).unwrap_err();
    assert_eq!(many.kind, DecodeErrorKind::OutOfRange);
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let mut buffer = Buffer::new();
    for seq in [1, 2, 5] {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    buffer.insert(message(1, 1, &[(0, 5), (2, 1)]), 0).unwrap();
    buffer.forsake(DotRange::new(id(0), 3, 3));
    let saved = buffer.save();
    for at in 0..saved.len() {
        for bit in 0..8 {
            let mut damaged = saved.clone();
            damaged[at] ^= 1 << bit;
            assert!(load(&damaged).is_err(), "byte {at}, bit {bit}");
        }
        assert!(load(&saved[..at]).is_err(), "cut off after {at}");
    }
    assert_eq!(load(b"no file").unwrap_err().kind, DecodeErrorKind::WrongMagic);
    assert_eq!(load(&seal(*b"CRDq", &[2])).unwrap_err(), DecodeErrorKind::UnknownVersion.at(4));
}

/// Whoever can make checksums may write what they like: no panic, and what is loaded is sound.
#[test]
fn anything_under_a_good_checksum_is_read_or_refused() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let mut buffer = Buffer::new();
        let mut messages = history(&mut random, 3, 20);
        random.shuffle(&mut messages);
        for message in messages {
            buffer.insert(message, 0).unwrap();
        }
        buffer.forsake(DotRange::new(id(0), 1, 3));
        let saved = buffer.save();
        let mut body = saved[4..saved.len() - 4].to_vec();
        for _ in 0..1 + random.below(3) {
            let at = random.below(body.len() as u64) as usize;
            match random.below(3) {
                0 => body[at] = random.below(6) as u8,
                1 => body[at] ^= 1 << random.below(8),
                _ => drop(body.remove(at)),
            }
        }
        if let Ok(mut loaded) = load(&seal(*b"CRDq", &body)) {
            // What it saves is what it loads.
            let again = reborn(&loaded);
            assert_eq!(again.pending(), loaded.pending());
            // Of a replica whose name three damaged bytes do not make of another's.
            loaded.insert(message(u64::MAX - 1, 1, &[]), 0).unwrap();
            loaded.check_invariants();
        }
        true
    }
    trials().tests(4 * cases()).quickcheck(property as fn(_) -> _);
}

/// The bytes of version 1, and of version 0.
#[test]
fn golden_bytes() {
    let mut buffer = Buffer::new();
    for seq in [1, 2, 5] {
        buffer.insert(Message { payload: b"x".to_vec(), ..message(0, seq, &[]) }, 0).unwrap();
    }
    buffer.poll_deliver();
    buffer.forsake(DotRange::new(id(0), 4, 4));
    let saved = buffer.save();
    let name = [vec![0; 15], vec![1]].concat();
    let x = b"\x01x";
    let digest = crdt_causal::delivery::Digest::of(Dot::new(id(0), 1), &[], b"x");
    assert_eq!(
        digest.to_string(),
        "40fd527752b3b47ba681b17a089d13cd",
        "digests are compared with saved ones"
    );
    // The second can be polled, the fifth waits: a row each, the second elsewhere (1 after 1, and
    // 2 after 3).
    let rows = [vec![1], name.clone(), vec![2, 1, 4]].concat();
    let batch = [vec![0, 2, rows.len() as u8], rows, x.to_vec(), x.to_vec()].concat();
    let body = [
        // Version; one replica: 1 was polled, 5 exists, no quarantine, one hole from 4 to 4, one
        // digest.
        vec![1, 1],
        name,
        vec![1, 4, 0, 1, 4, 0, 1],
        digest.0.to_vec(),
        // No equivocation, nothing passed over, nothing dropped.
        vec![0, 0, 0],
        vec![batch.len() as u8],
        batch,
        vec![0],
    ]
    .concat();
    assert_eq!(saved, seal(*b"CRDq", &body));

    // Before, digests were others: one that was saved then accuses nobody, and is not saved again.
    let mut other = body.clone();
    other[0] = 0;
    let at = body.windows(16).position(|bytes| bytes == digest.0).unwrap();
    other[at] ^= 1;
    let mut loaded = load(&seal(*b"CRDq", &other)).unwrap();
    let first = Message { payload: b"x".to_vec(), ..message(0, 1, &[]) };
    assert_eq!(loaded.insert(first.clone(), 0), Ok(Inserted::Duplicate));
    loaded.check_invariants();
    assert_eq!(loaded.save().len(), saved.len() - 16);
    // In version 1 it does.
    other[0] = 1;
    let equivocation = load(&seal(*b"CRDq", &other)).unwrap().insert(first, 0);
    assert!(matches!(equivocation, Err(InsertError::Equivocation(_))));
}
