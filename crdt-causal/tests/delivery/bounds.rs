//! What a buffer holds at most, and how it comes back from an overflow.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::delivery::{
    CausalBuffer, Event, InsertError, Inserted, Limits, Message, Parents, Retry,
};
use crdt_core::laws::trials;
use crdt_core::{Dot, DotRange, SEQ_MAX};

use crate::history::{Random, history, id, message};

fn small(random: &mut Random) -> Limits {
    let mut limits = Limits::default();
    limits.pending_max = 1 + random.below(20) as usize;
    limits.replica_pending_max = 1 + random.below(20) as usize;
    limits.pending_bytes_max = 2_000 + random.below(5_000) as usize;
    limits.replica_pending_bytes_max = 1_000 + random.below(3_000) as usize;
    limits
}

/// Overflow loses nothing: what was dropped is asked for again, and comes once.
#[test]
fn everything_comes_once_however_small_the_buffer_is() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let (replicas, len) = (1 + random.below(5), 1 + random.below(80) as usize);
        let mut messages = history(&mut random, replicas, len);
        let everything: BTreeMap<Dot, Message<Vec<u8>>> =
            messages.iter().map(|message| (message.dot, message.clone())).collect();
        let newest: Vec<Message<Vec<u8>>> = messages.clone();
        random.shuffle(&mut messages);
        let limits = small(&mut random);
        let mut buffer = CausalBuffer::with_limits(limits.clone(), Retry::default());
        let mut delivered = BTreeSet::new();
        let mut now = 0;
        let check = |buffer: &mut CausalBuffer<Vec<u8>>, delivered: &mut BTreeSet<Dot>| {
            buffer.check_invariants();
            assert!(buffer.pending() <= limits.pending_max);
            assert!(buffer.pending_bytes() <= limits.pending_bytes_max);
            while let Some(message) = buffer.poll_deliver() {
                assert!(delivered.insert(message.dot), "{} came twice", message.dot);
            }
        };
        for message in messages {
            buffer.insert(message, now).unwrap();
            check(&mut buffer, &mut delivered);
        }
        for _ in 0..10_000 {
            if delivered.len() == everything.len() {
                return true;
            }
            // What nothing held depends on is made known by the newest messages alone.
            match buffer.poll_timeout() {
                Some(at) => now = at.max(now),
                None => {
                    for message in &newest {
                        buffer.insert(message.clone(), now).unwrap();
                        check(&mut buffer, &mut delivered);
                    }
                }
            }
            for range in buffer.missing(now) {
                for seq in range.first..=range.last {
                    let dot = Dot::new(range.replica, seq);
                    assert!(!delivered.contains(&dot), "{dot} is not missing");
                    buffer.insert(everything[&dot].clone(), now).unwrap();
                    check(&mut buffer, &mut delivered);
                }
            }
        }
        panic!("{} of {} came", delivered.len(), everything.len());
    }
    trials().quickcheck(property as fn(_) -> _);
}

/// What is counted here is what the buffer says; what it really takes is counted in
/// `tests/delivery_memory.rs`.
#[test]
fn a_flood_behind_one_gap_stays_in_its_bounds() {
    let mut limits = Limits::default();
    limits.pending_max = 10_000;
    limits.replica_pending_max = 10_000;
    limits.pending_bytes_max = 1 << 20;
    limits.replica_pending_bytes_max = 1 << 20;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    let last = 300_000;
    for seq in 2..=last {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
        assert!(buffer.pending_bytes() <= 1 << 20 && buffer.pending() <= 10_000);
    }
    assert!(buffer.pending() > 9_000 * (1 << 20) / (10_000 * 200), "the room is used");
    let Some(Event::Dropped(dropped)) = buffer.poll_event() else { panic!("nothing was dropped") };
    assert_eq!(dropped.replica, id(0));
    assert!(dropped.len() + buffer.pending() as u64 >= last - 1, "it is said what was dropped");

    buffer.insert(message(0, 1, &[]), 0).unwrap();
    let (mut now, mut count) = (0, 0);
    while count < last {
        while let Some(message) = buffer.poll_deliver() {
            count += 1;
            assert_eq!(message.dot.seq, count, "in order, once");
        }
        now = buffer.poll_timeout().unwrap_or(now);
        for range in buffer.missing(now) {
            for seq in range.first..=range.last {
                buffer.insert(message(0, seq, &[]), now).unwrap();
                assert!(buffer.pending_bytes() <= 1 << 20);
            }
        }
    }
    buffer.check_invariants();
    assert_eq!(buffer.pending_bytes(), 0);
}

/// One replica cannot push out what another one sent.
#[test]
fn a_replica_fills_its_own_share_alone() {
    let mut limits = Limits::default();
    limits.replica_pending_max = 100;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    for seq in 2..=50 {
        assert!(matches!(buffer.insert(message(1, seq, &[]), 0), Ok(Inserted::Pending { .. })));
    }
    for seq in 2..=10_000 {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
        assert!(buffer.pending() <= 149);
    }
    buffer.insert(message(1, 1, &[]), 0).unwrap();
    assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 50);
}

#[test]
fn what_is_nearest_to_delivery_stays() {
    let mut limits = Limits::default();
    limits.pending_max = 16;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    for seq in (2..=100).rev() {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    buffer.insert(message(0, 1, &[]), 0).unwrap();
    assert!(std::iter::from_fn(|| buffer.poll_deliver()).count() >= 15);
}

#[test]
fn a_hostile_number_reserves_nothing() {
    let mut limits = Limits::default();
    limits.gap_max = u64::MAX;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    buffer.insert(message(0, 1 << 60, &[(1, 1 << 60), (2, 1 << 59)]), 0).unwrap();
    assert!(buffer.pending_bytes() < 2_000, "{} bytes", buffer.pending_bytes());
    buffer.check_invariants();
    let ranges = buffer.missing(1_000);
    assert_eq!(ranges[0], DotRange::new(id(0), 1, (1 << 60) - 1), "one range, however long");

    let mut buffer = CausalBuffer::new();
    let far = Dot::new(id(0), 1 << 60);
    assert_eq!(buffer.insert(message(0, 1 << 60, &[]), 0), Err(InsertError::TooFar(far)));
    assert_eq!(buffer.insert(message(1, 1, &[(0, 1 << 60)]), 0), Err(InsertError::TooFar(far)));
    assert_eq!((buffer.pending(), buffer.pending_bytes()), (0, 0));
    assert_eq!(buffer.poll_timeout(), None);
}

#[test]
fn replicas_without_a_message_are_bounded_and_forgotten() {
    let mut limits = Limits::default();
    limits.replicas_max = 100;
    limits.pending_max = 40;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    let mut refused = 0;
    for number in 0..10_000 {
        match buffer.insert(message(1_000 + number, 2, &[(50_000 + number, 1)]), 0) {
            Ok(_) => {}
            Err(InsertError::TooManyReplicas) => refused += 1,
            Err(error) => panic!("{error}"),
        }
        buffer.check_invariants();
    }
    assert!(refused < 9_000, "{refused} refused: room comes back");
    for seq in 1..=10 {
        assert_eq!(buffer.insert(message(0, seq, &[]), 0), Ok(Inserted::Ready), "an honest one");
    }
}

/// Found by fuzzing: of a message that names more replicas than there is room for, some stayed behind, and
/// counted against the bound of what is held.
#[test]
fn a_message_that_is_refused_leaves_no_names_behind() {
    let mut limits = Limits::default();
    limits.replicas_max = 4;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    buffer.insert(message(0, 2, &[(1, 1)]), 0).unwrap();
    let before = buffer.pending_bytes();
    for number in 0..100 {
        let first = 10 + 3 * number;
        let refused = buffer.insert(message(first, 2, &[(first + 1, 1), (first + 2, 1)]), 0);
        assert_eq!(refused, Err(InsertError::TooManyReplicas));
        assert_eq!(buffer.pending_bytes(), before, "after {number}");
        buffer.check_invariants();
    }
    // There is room for two still, and those that wait have kept their names.
    assert!(buffer.insert(message(8, 2, &[(9, 1)]), 0).is_ok());
    let refused = buffer.insert(message(0, 4, &[(7, 1)]), 0);
    assert_eq!(refused, Err(InsertError::TooManyReplicas));
    assert_eq!(buffer.insert(message(1, 1, &[]), 0), Ok(Inserted::Ready));
    assert_eq!(buffer.insert(message(0, 1, &[]), 0), Ok(Inserted::Ready));
    let delivered: Vec<Dot> =
        core::iter::from_fn(|| buffer.poll_deliver()).map(|m| m.dot).collect();
    assert_eq!(delivered, [Dot::new(id(1), 1), Dot::new(id(0), 1), Dot::new(id(0), 2)]);
    buffer.check_invariants();
}

#[test]
fn what_has_no_meaning_is_refused() {
    let mut limits = Limits::default();
    limits.parents_max = 2;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    let mut insert = |message| buffer.insert(message, 0).unwrap_err();
    let dot = |replica, seq| Dot::new(id(replica), seq);
    assert_eq!(insert(message(0, 0, &[])), InsertError::InvalidDot(dot(0, 0)));
    let beyond = SEQ_MAX + 1;
    assert_eq!(insert(message(0, beyond, &[])), InsertError::InvalidDot(dot(0, beyond)));
    assert_eq!(insert(message(0, 1, &[(1, 0)])), InsertError::InvalidDot(dot(1, 0)));
    assert_eq!(insert(message(0, 5, &[(0, 5)])), InsertError::Cyclic(dot(0, 5)));
    let many = insert(message(0, 1, &[(1, 1), (2, 1), (3, 1)]));
    assert_eq!(many, InsertError::TooManyParents { parents: 3 });
    let large = Message { dot: dot(0, 2), parents: Parents::NONE, payload: vec![0; 32 << 20] };
    assert!(matches!(insert(large), InsertError::TooLarge { bytes } if bytes > 32 << 20));
    assert_eq!((buffer.pending(), buffer.pending_bytes()), (0, 0));
}

/// Two messages that wait for each other: they wait for ever, within the bounds.
#[test]
fn a_cycle_only_waits() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 1, &[(1, 1)]), 0).unwrap();
    buffer.insert(message(1, 1, &[(0, 1)]), 0).unwrap();
    buffer.check_invariants();
    assert_eq!((buffer.poll_deliver(), buffer.pending()), (None, 2));
    assert_eq!(buffer.missing(1_000), [], "both are here");
}
