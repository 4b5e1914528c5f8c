//! Giving up on messages that will not come.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::delivery::{
    CausalBuffer, Event, InsertError, Inserted, Limits, Message, Parents, Retry,
};
use crdt_core::laws::trials;
use crdt_core::{Dot, DotRange};

use crate::history::{Random, history, id, message};

type Text = Message<Vec<u8>>;

/// The obvious buffer that gives up: sets, looked through after each step.
#[derive(Default)]
struct Naive {
    delivered: BTreeSet<Dot>,
    passed: BTreeSet<Dot>,
    given_up: BTreeSet<Dot>,
    pending: BTreeMap<Dot, Parents>,
    /// What messages bore or named.
    known: BTreeSet<Dot>,
}

impl Naive {
    fn is_settled(&self, dot: Dot) -> bool {
        self.delivered.contains(&dot) || self.passed.contains(&dot)
    }

    /// Whether it is taken.
    fn insert(&mut self, message: &Text) -> bool {
        let Message { dot, parents, .. } = message;
        if self.passed.contains(dot) {
            return false;
        }
        self.known.extend(parents.iter().chain([dot]));
        if !self.delivered.contains(dot) {
            self.given_up.remove(dot);
            self.pending.insert(*dot, parents.clone());
        }
        self.settle();
        true
    }

    fn forsake(&mut self, range: DotRange) -> BTreeSet<Dot> {
        let greatest =
            self.known.iter().filter(|dot| dot.replica == range.replica).map(|dot| dot.seq).max();
        let last = range.last.min(greatest.unwrap_or(0));
        let missing: BTreeSet<Dot> = (range.first..=last)
            .map(|seq| Dot::new(range.replica, seq))
            .filter(|dot| !self.is_settled(*dot) && !self.given_up.contains(dot))
            .filter(|dot| !self.pending.contains_key(dot))
            .collect();
        self.given_up.extend(&missing);
        self.settle();
        missing
    }

    fn settle(&mut self) {
        loop {
            let is_next = |dot: &Dot| dot.previous().is_none_or(|dot| self.is_settled(dot));
            if let Some(dot) = self.given_up.iter().copied().find(is_next) {
                self.given_up.remove(&dot);
                self.passed.insert(dot);
                continue;
            }
            let ready = self.pending.iter().find(|(dot, parents)| {
                is_next(dot) && parents.iter().all(|parent| self.is_settled(*parent))
            });
            let Some((&dot, _)) = ready else { return };
            self.pending.remove(&dot);
            self.delivered.insert(dot);
        }
    }
}

fn dots(ranges: impl IntoIterator<Item = DotRange>) -> BTreeSet<Dot> {
    let seqs =
        |range: DotRange| (range.first..=range.last).map(move |seq| Dot::new(range.replica, seq));
    ranges.into_iter().flat_map(seqs).collect()
}

#[test]
fn gives_up_what_the_plain_buffer_gives_up() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let (replicas, len) = (1 + random.below(4), 1 + random.below(50) as usize);
        let mut messages = history(&mut random, replicas, len);
        random.shuffle(&mut messages);
        let (mut buffer, mut naive) = (CausalBuffer::new(), Naive::default());
        let (mut order, mut passed) = (Vec::new(), BTreeSet::new());
        for message in messages {
            // Some are lost, for a while or for ever.
            if random.below(4) > 0 {
                let taken = buffer.insert(message.clone(), 0);
                let dot = message.dot;
                assert_eq!(taken.is_ok(), naive.insert(&message));
                if let Err(error) = taken {
                    assert_eq!(error, InsertError::Forsaken(dot));
                }
                buffer.check_invariants();
            }
            if random.below(4) == 0 {
                let first = 1 + random.below(12);
                let range =
                    DotRange::new(id(random.below(replicas)), first, first + random.below(9));
                assert_eq!(dots(buffer.forsake(range)), naive.forsake(range));
                buffer.check_invariants();
            }
            while let Some(event) = buffer.poll_event() {
                let Event::Forsaken(range) = event else { panic!("{event:?}") };
                assert!(dots([range]).into_iter().all(|dot| passed.insert(dot)), "told once");
            }
            order.extend(std::iter::from_fn(|| buffer.poll_deliver()));
            assert_eq!(passed, naive.passed);
            let forsaken: BTreeSet<Dot> = naive.passed.union(&naive.given_up).copied().collect();
            assert_eq!(dots(buffer.forsaken()), forsaken);
            assert!(forsaken.iter().all(|dot| buffer.is_forsaken(*dot)));
            let missing = dots(buffer.missing(1 << 40));
            assert!(missing.is_disjoint(&forsaken), "what was given up is not asked for");
        }
        // What was delivered is in causal order, but for what was given up.
        let mut seen = passed;
        for message in &order {
            let previous = message.dot.previous();
            assert!(previous.iter().chain(&message.parents).all(|dot| seen.contains(dot)));
            assert!(seen.insert(message.dot), "{} came twice", message.dot);
        }
        let delivered: BTreeSet<Dot> = order.iter().map(|message| message.dot).collect();
        assert_eq!(delivered, naive.delivered);
        assert!(delivered.iter().all(|dot| buffer.is_delivered(*dot)));
        assert!(naive.passed.iter().all(|dot| !buffer.is_delivered(*dot)));
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

/// After everything missing was given up, nothing waits: whatever was lost.
#[test]
fn giving_up_everything_ends_the_waiting() {
    fn property(seed: u64) -> bool {
        let mut random = Random(seed);
        let replicas = 1 + random.below(5);
        let mut messages = history(&mut random, replicas, 80);
        random.shuffle(&mut messages);
        messages.truncate(40);
        let mut buffer = CausalBuffer::new();
        assert_eq!(buffer.insert_batch(messages, 0).refused, []);
        for range in buffer.missing(1 << 40) {
            buffer.forsake(range);
        }
        buffer.check_invariants();
        assert_eq!((buffer.pending(), buffer.missing(1 << 50)), (0, vec![]));
        assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 40);
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

#[test]
fn what_comes_before_its_turn_is_taken_after_all() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 4, &[]), 0).unwrap();
    assert_eq!(buffer.forsake(DotRange::new(id(0), 2, 3)), [DotRange::new(id(0), 2, 3)]);
    assert_eq!(buffer.poll_event(), None, "it is not their turn: the first may come");
    assert!(matches!(buffer.insert(message(0, 3, &[]), 0), Ok(Inserted::Pending { .. })));
    buffer.check_invariants();
    buffer.insert(message(0, 1, &[]), 0).unwrap();
    buffer.check_invariants();
    let order: Vec<u64> = std::iter::from_fn(|| buffer.poll_deliver()).map(|m| m.dot.seq).collect();
    assert_eq!(order, [1, 3, 4]);
    let passed = DotRange::new(id(0), 2, 2);
    assert_eq!(buffer.poll_event(), Some(Event::Forsaken(passed)));
    let late = Dot::new(id(0), 2);
    assert_eq!(buffer.insert(message(0, 2, &[]), 0), Err(InsertError::Forsaken(late)));
    assert_eq!(buffer.forsaken().collect::<Vec<_>>(), [passed]);
}

/// Only what is known to exist can be given up, and a range may be as long as numbers are.
#[test]
fn a_range_costs_what_is_in_it() {
    let mut limits = Limits::default();
    limits.gap_max = u64::MAX;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    assert_eq!(buffer.forsake(DotRange::new(id(0), 1, 5)), [], "nobody has named it");
    let far = 1 << 60;
    buffer.insert(message(0, far, &[]), 0).unwrap();
    buffer.insert(message(1, 1, &[(0, 1 << 59)]), 0).unwrap();
    let given_up = buffer.forsake(DotRange::new(id(0), 1, u64::MAX));
    assert_eq!(given_up, [DotRange::new(id(0), 1, far - 1)]);
    buffer.check_invariants();
    assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 2);
    assert_eq!(buffer.insert(message(0, far + 1, &[]), 0), Ok(Inserted::Ready));
}

/// A fork behind what was given up: nothing is passed over beyond it until somebody decides.
#[test]
fn a_fork_is_not_passed_over() {
    let mut buffer = CausalBuffer::new();
    for seq in [3, 6] {
        buffer.insert(message(0, seq, &[]), 0).unwrap();
    }
    assert_eq!(buffer.forsake(DotRange::new(id(0), 4, 5)).len(), 1);
    let mut forged = message(0, 3, &[]);
    forged.payload.push(b'!');
    buffer.insert(forged, 0).unwrap_err();
    buffer.check_invariants();
    assert_eq!(buffer.forsake(DotRange::new(id(0), 1, 9)), [DotRange::new(id(0), 1, 2)]);
    buffer.check_invariants();
    assert_eq!(buffer.version().get(id(0)), 2);
    assert!(buffer.adopt(id(0), 0));
    buffer.check_invariants();
    buffer.insert(message(0, 3, &[]), 0).unwrap();
    buffer.check_invariants();
    assert_eq!(buffer.version().get(id(0)), 5, "3 has come, 4 and 5 were given up");
}
