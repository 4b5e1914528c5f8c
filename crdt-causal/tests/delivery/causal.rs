//! Order, completeness and cost of delivery.

use std::collections::BTreeSet;

use crdt_causal::delivery::{CausalBuffer, Inserted, Limits, Message, Parents, Retry};
use crdt_core::laws::trials;
use crdt_core::{Dot, VersionVector};

use crate::history::{Random, history};

type Text = Message<Vec<u8>>;

/// The obvious buffer: looks at everything again after each delivery.
#[derive(Default)]
struct Naive {
    delivered: BTreeSet<Dot>,
    pending: Vec<Text>,
}

impl Naive {
    fn insert(&mut self, message: Text) {
        let known = self.delivered.contains(&message.dot)
            || self.pending.iter().any(|pending| pending.dot == message.dot);
        if known {
            return;
        }
        self.pending.push(message);
        while let Some(index) = self.pending.iter().position(|pending| {
            let previous = pending.dot.previous();
            previous.iter().chain(&pending.parents).all(|dot| self.delivered.contains(dot))
        }) {
            self.delivered.insert(self.pending.remove(index).dot);
        }
    }
}

fn assert_causal(delivered: &[Text]) {
    let mut seen = BTreeSet::new();
    for message in delivered {
        let previous = message.dot.previous();
        for dot in previous.iter().chain(&message.parents) {
            assert!(seen.contains(dot), "{} came before {dot}", message.dot);
        }
        assert!(seen.insert(message.dot), "{} came twice", message.dot);
    }
}

#[test]
fn delivers_what_the_plain_buffer_delivers() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let (replicas, len) = (1 + random.below(6), random.below(60) as usize);
        let mut messages = history(&mut random, replicas, len);
        for _ in 0..random.below(20) {
            if !messages.is_empty() {
                let copy = messages[random.below(messages.len() as u64) as usize].clone();
                messages.push(copy);
            }
        }
        random.shuffle(&mut messages);
        let batched = random.below(2) == 0;

        let mut naive = Naive::default();
        let mut buffer = CausalBuffer::new();
        let mut delivered = Vec::new();
        while !messages.is_empty() {
            let size = (1 + random.below(10) as usize).min(messages.len());
            let arrivals: Vec<Text> = messages.drain(..size).collect();
            arrivals.iter().cloned().for_each(|message| naive.insert(message));
            if batched {
                let batch = buffer.insert_batch(arrivals, 0);
                assert_eq!(batch.refused, []);
                assert_eq!(batch.ready + batch.pending + batch.duplicates, size);
            } else {
                for message in arrivals {
                    buffer.insert(message, 0).unwrap();
                    buffer.check_invariants();
                }
            }
            buffer.check_invariants();
            delivered.extend(std::iter::from_fn(|| buffer.poll_deliver()));
            assert_eq!(buffer.pending(), naive.pending.len());
        }
        assert_causal(&delivered);
        let dots: BTreeSet<Dot> = delivered.iter().map(|message| message.dot).collect();
        assert_eq!(dots, naive.delivered);
        let version: VersionVector = dots.iter().map(|dot| (dot.replica, dot.seq)).collect();
        assert_eq!(buffer.version(), version);
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

#[test]
fn the_order_is_a_function_of_the_arrivals() {
    let mut random = Random(1);
    let mut messages = history(&mut random, 8, 500);
    random.shuffle(&mut messages);
    let run = || {
        let mut buffer = CausalBuffer::new();
        for message in messages.iter().cloned() {
            buffer.insert(message, 0).unwrap();
        }
        std::iter::from_fn(move || buffer.poll_deliver()).collect::<Vec<_>>()
    };
    assert_eq!(run().len(), 500);
    assert_eq!(run(), run());
}

#[test]
fn goes_on_after_what_an_earlier_process_delivered() {
    let mut random = Random(2);
    let messages = history(&mut random, 4, 200);
    let mut first = CausalBuffer::new();
    for message in messages[..100].iter().cloned() {
        first.insert(message, 0).unwrap();
    }
    let version = first.version();
    let mut second = CausalBuffer::starting_from(Limits::default(), Retry::default(), &version);
    let again = second.insert_batch(messages, 0);
    second.check_invariants();
    assert_eq!((again.duplicates, again.ready + again.pending), (100, 100));
    assert_eq!(std::iter::from_fn(|| second.poll_deliver()).count(), 100);
}

#[test]
fn a_message_can_be_empty_handed() {
    let mut buffer = CausalBuffer::new();
    let message = Message {
        dot: Dot::new(crate::history::id(0), 1),
        parents: Parents::NONE,
        payload: vec![],
    };
    assert_eq!(buffer.insert(message.clone(), 0), Ok(Inserted::Ready));
    assert_eq!(buffer.insert(message, 0), Ok(Inserted::Duplicate));
}
