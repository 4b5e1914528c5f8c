//! Peers that jump, and peers that boast.

use std::collections::BTreeSet;

use crdt_causal::clock::{HybridClock, HybridTime};
use crdt_causal::delivery::{BatchDecoder, CausalBuffer, Limits, Message, Parents, Retry};
use crdt_core::codec::{DecodeErrorKind, Writer};
use crdt_core::laws::trials;
use crdt_core::{Dot, SEQ_MAX};

use crate::cases;
use crate::history::{Random, id};

/// A number as someone would choose it who wants to break something.
fn number(random: &mut Random) -> u64 {
    match random.below(6) {
        0 => SEQ_MAX - random.below(4),
        1 => SEQ_MAX + 1 + random.below(4),
        2 => u64::MAX - random.below(4),
        3 => 1 << random.below(64),
        _ => random.below(8),
    }
}

fn anything(random: &mut Random) -> Message<Vec<u8>> {
    let parents =
        (0..random.below(3)).map(|_| Dot::new(id(random.below(4)), number(random))).collect();
    Message { dot: Dot::new(id(random.below(4)), number(random)), parents, payload: vec![1] }
}

/// Whatever a peer sends, under bounds as wide as they go: what is known here is what was received
/// and taken, no number that is reached is near the greatest, and who writes honestly goes on.
#[test]
fn a_peer_that_jumps_and_boasts_moves_nothing_but_what_it_sends() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let mut limits = Limits::default();
        if random.below(2) == 0 {
            limits.gap_max = u64::MAX;
        }
        let mut buffer = CausalBuffer::with_limits(limits.clone(), Retry::default());
        let mut received = BTreeSet::new();
        let mut polled = BTreeSet::new();
        let mut own = 0;
        for step in 0..60 {
            let message = anything(&mut random);
            let dot = message.dot;
            if buffer.insert(message, step).is_ok() {
                received.insert(dot);
            }
            own += 1;
            let mine = Dot::new(id(9), own);
            let message = Message { dot: mine, parents: Parents::NONE, payload: vec![2] };
            buffer.insert(message, step).expect("an honest writer goes on");
            received.insert(mine);
            polled.extend(std::iter::from_fn(|| buffer.poll_deliver()).map(|message| message.dot));
            buffer.check_invariants();

            // Knowledge is what was received: each message of it, one by one.
            let version = buffer.version();
            let known: BTreeSet<Dot> = version
                .iter()
                .flat_map(|(replica, seq)| {
                    assert!(seq <= 60, "more than was ever sent");
                    (1..=seq).map(move |seq| Dot::new(replica, seq))
                })
                .collect();
            assert_eq!(known, polled);
            assert!(known.is_subset(&received));
            // What is asked for is what a peer named, and far below the end of numbers.
            for range in buffer.missing(1 << 40) {
                assert!(range.last < SEQ_MAX - (1 << 32), "{range} is near the end");
            }
            // Nor does what is saved hold more.
            let saved = buffer.save();
            let loaded = CausalBuffer::<Vec<u8>>::load(&saved, limits.clone(), Retry::default(), 0);
            assert_eq!(loaded.expect("just saved").version(), version);
        }
        true
    }
    trials().tests(cases() / 8).quickcheck(property as fn(_) -> _);
}

/// On the wire a number is a distance, and distances add up: they end where numbers do.
#[test]
fn distances_on_the_wire_do_not_pass_the_end_of_numbers() {
    let bytes = |distance: i64| {
        let mut row = Writer::new();
        row.varint(1);
        row.raw(&id(0).to_bytes());
        row.signed(distance);
        let mut out = Writer::new();
        out.raw(&[0, 1]);
        out.bytes(row.as_bytes());
        out.u8(7);
        out.into_bytes()
    };
    let read = |bytes: &[u8]| -> Result<Vec<Message<[u8; 1]>>, _> {
        BatchDecoder::new(&Limits::default()).decode(bytes)?.collect()
    };
    // The first number that is probable is 1.
    let last = read(&bytes(SEQ_MAX as i64 - 1)).unwrap();
    assert_eq!(last[0].dot.seq, SEQ_MAX);
    for beyond in [SEQ_MAX as i64, i64::MAX, -1, i64::MIN] {
        let error = DecodeErrorKind::OutOfRange.at(3 + 1 + 16);
        assert_eq!(read(&bytes(beyond)), Err(error), "{beyond}");
    }
}

/// A peer whose clock is as far ahead as is allowed, and whose counter is as far as it goes, again
/// and again: the own clock stays below the bound, and can still be read.
#[test]
fn a_clock_that_is_driven_stays_within_the_drift() {
    const DRIFT_MS: u64 = 1_000;
    let mut clock = HybridClock::new(DRIFT_MS);
    let mut random = Random(4);
    let mut now = 1_790_000_000_000;
    let (mut last, mut given) = (None, 0);
    for _ in 0..100_000 {
        now += random.below(3);
        let ahead = random.below(3 * DRIFT_MS);
        let counter = if random.below(2) == 0 { u16::MAX } else { 0 };
        let stamp = HybridTime::new(now + ahead, counter).expect("this century");
        assert_eq!(clock.observe(stamp, now).is_ok(), ahead <= DRIFT_MS);
        if let Ok(time) = clock.stamp(now) {
            given += 1;
            assert!(time.ms() <= now + DRIFT_MS, "{} ahead", time.ms() - now);
            assert!(last.replace(time).is_none_or(|last| last < time));
        }
    }
    assert!(given > 10_000, "{given} stamps: it cannot be stopped either");
}
