//! Replicas that use one dot twice.

use crdt_causal::delivery::{
    CausalBuffer, Digest, Event, InsertError, Inserted, Limits, Message, Parents, Payload, Retry,
};
use crdt_core::{Dot, DotRange};

use crate::history::{id, message};

fn forged(mut message: Message<Vec<u8>>) -> Message<Vec<u8>> {
    message.payload.push(b'!');
    message
}

#[test]
fn a_fork_among_what_waits_is_reported_with_proof() {
    let mut buffer = CausalBuffer::new();
    for seq in [2, 3, 4] {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    let (held, offered) = (message(0, 3, &[]), forged(message(0, 3, &[])));
    let Err(InsertError::Equivocation(proof)) = buffer.insert(offered.clone(), 0) else {
        panic!("a fork is no duplicate")
    };
    buffer.check_invariants();
    assert_eq!(proof.dot, Dot::new(id(0), 3));
    assert_eq!(proof.held, held.payload.digest(held.dot, &held.parents));
    assert_eq!(proof.offered, offered.payload.digest(offered.dot, &offered.parents));
    assert_eq!(buffer.poll_event(), Some(Event::Equivocation(proof)));

    // What came before the fork is delivered, what comes after it is not, on either branch.
    buffer.insert(message(0, 1, &[]), 0).unwrap();
    assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 2);
    for seq in [3, 4, 5] {
        let error = InsertError::Quarantined(Dot::new(id(0), seq));
        assert_eq!(buffer.insert(message(0, seq, &[]), 0), Err(error));
    }
    assert_eq!((buffer.pending(), buffer.missing(1_000)), (0, vec![]));
    assert_eq!((buffer.poll_timeout(), buffer.poll_event()), (None, None));

    // Whoever decides for a branch gets it.
    assert!(buffer.adopt(id(0), 2_000) && !buffer.adopt(id(0), 2_000));
    assert_eq!(buffer.missing(3_000), [DotRange::new(id(0), 3, 4)]);
    assert_eq!(buffer.insert(message(0, 3, &[]), 3_000), Ok(Inserted::Ready));
    buffer.check_invariants();
}

#[test]
fn a_fork_of_what_was_delivered_is_found_for_a_while() {
    let mut limits = Limits::default();
    limits.digests_max = 10;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    for seq in 1..=100 {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    assert_eq!(buffer.insert(message(0, 95, &[]), 0), Ok(Inserted::Duplicate));
    let old = buffer.insert(forged(message(0, 90, &[])), 0);
    assert_eq!(old, Ok(Inserted::Duplicate), "its digest was forgotten");
    let recent = buffer.insert(forged(message(0, 91, &[])), 0);
    assert!(matches!(recent, Err(InsertError::Equivocation(proof)) if proof.dot.seq == 91));
    let next = InsertError::Quarantined(Dot::new(id(0), 101));
    assert_eq!(buffer.insert(message(0, 101, &[]), 0), Err(next));
    buffer.check_invariants();
}

/// Who waits for a quarantined message waits on, and everybody else is served.
#[test]
fn others_go_on_beside_a_quarantine() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 2, &[]), 0).unwrap();
    buffer.insert(forged(message(0, 2, &[])), 0).unwrap_err();
    buffer.insert(message(1, 1, &[(0, 2)]), 0).unwrap();
    buffer.insert(message(2, 1, &[]), 0).unwrap();
    buffer.check_invariants();
    assert_eq!(buffer.poll_deliver().map(|message| message.dot), Some(Dot::new(id(2), 1)));
    assert_eq!(buffer.missing(1_000), [DotRange::new(id(0), 1, 1)], "before the fork");
}

/// The same payload after other parents is another message.
#[test]
fn parents_belong_to_the_content() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 2, &[(1, 1)]), 0).unwrap();
    let other = buffer.insert(message(0, 2, &[(1, 2)]), 0);
    assert!(matches!(other, Err(InsertError::Equivocation(_))));
}

/// A message that brings its own digest, from a hash that nobody can collide.
#[derive(Debug)]
struct Hashed(Digest);

impl Payload for Hashed {
    fn size_bytes(&self) -> usize {
        0
    }

    fn digest(&self, _: Dot, _: &[Dot]) -> Digest {
        self.0
    }
}

#[test]
fn the_digest_is_the_word_of_the_payload() {
    let mut buffer = CausalBuffer::new();
    let message = |digest| Message {
        dot: Dot::new(id(0), 1),
        parents: Parents::NONE,
        payload: Hashed(Digest([digest; 16])),
    };
    assert_eq!(buffer.insert(message(1), 0), Ok(Inserted::Ready));
    assert_eq!(buffer.insert(message(1), 0), Ok(Inserted::Duplicate));
    assert!(matches!(buffer.insert(message(2), 0), Err(InsertError::Equivocation(_))));
}
