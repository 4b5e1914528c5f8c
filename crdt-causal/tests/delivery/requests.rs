//! When a buffer asks for what is missing.

use crdt_causal::delivery::{CausalBuffer, Inserted, Limits, Retry};
use crdt_core::DotRange;

use crate::history::{Random, id, message};

fn range(replica: u64, first: u64, last: u64) -> DotRange {
    DotRange::new(id(replica), first, last)
}

#[test]
fn a_gap_is_asked_for_after_some_patience_and_ever_more_rarely() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 5, &[(1, 3)]), 100).unwrap();
    assert_eq!(buffer.poll_timeout(), Some(120));
    assert_eq!(buffer.missing(119), []);
    let missing = [range(0, 1, 4), range(1, 1, 3)];
    assert_eq!(buffer.missing(120), missing);
    assert_eq!(buffer.missing(120), [], "an answer takes its time");
    let mut waits = Vec::new();
    let mut now = 120;
    for _ in 0..10 {
        let at = buffer.poll_timeout().unwrap();
        assert_eq!(buffer.missing(at - 1), []);
        assert_eq!(buffer.missing(at), missing);
        waits.push(at - now);
        now = at;
    }
    assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
}

#[test]
fn reordering_is_not_asked_about() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 2, &[]), 0).unwrap();
    buffer.insert(message(0, 1, &[]), 10).unwrap();
    assert_eq!(buffer.missing(1_000), []);
    assert_eq!(buffer.poll_timeout(), None);
}

/// What was asked for is not asked for again because something else is found to be missing.
#[test]
fn one_request_for_each_dot_at_a_time() {
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 3, &[]), 0).unwrap();
    assert_eq!(buffer.missing(20), [range(0, 1, 2)]);
    buffer.insert(message(0, 6, &[]), 30).unwrap();
    assert_eq!(buffer.missing(40), []);
    assert_eq!(buffer.missing(50), [range(0, 4, 5)]);
    // The answer begins to come: what is left of it is given time again.
    buffer.insert(message(0, 1, &[]), 100).unwrap();
    assert_eq!(buffer.missing(599), []);
    assert_eq!(buffer.missing(600), [range(0, 2, 2), range(0, 4, 5)]);
}

/// What had no room is asked for, and nothing is held of it meanwhile: the answers are each next in turn when they
/// come, and each of them gives the rest its time again.
#[test]
fn answers_in_turn_are_answers() {
    let mut limits = Limits::default();
    limits.replica_pending_max = 0;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    assert_eq!(buffer.insert(message(0, 1, &[]), 0), Ok(Inserted::Ready));
    assert_eq!(buffer.insert(message(0, 6, &[]), 0), Ok(Inserted::Dropped));
    assert_eq!(buffer.missing(20), [range(0, 2, 6)]);
    for (seq, now) in [(2, 100), (3, 450), (4, 900)] {
        assert_eq!(buffer.insert(message(0, seq, &[]), now), Ok(Inserted::Ready));
    }
    // Nobody has asked in between: that would have had the buffer look at everything again.
    assert_eq!(buffer.missing(1_399), []);
    assert_eq!(buffer.missing(1_400), [range(0, 5, 6)]);
}

#[test]
fn a_request_is_bounded_and_goes_on_where_it_stopped() {
    let mut retry = Retry::default();
    retry.ranges_max = 10;
    let mut buffer = CausalBuffer::with_limits(Limits::default(), retry);
    for seq in 1..=30 {
        buffer.insert(message(0, 2 * seq, &[]), 0).unwrap();
    }
    let mut asked = Vec::new();
    for _ in 0..3 {
        let ranges = buffer.missing(20);
        assert_eq!(ranges.len(), 10);
        asked.extend(ranges);
    }
    assert_eq!(asked, (1..=30).map(|seq| range(0, 2 * seq - 1, 2 * seq - 1)).collect::<Vec<_>>());
    assert_eq!(buffer.missing(20), []);
}

/// Asking until nothing is missing brings everything, however many answers are lost.
#[test]
fn asking_ends() {
    let mut random = Random(11);
    let mut buffer = CausalBuffer::new();
    buffer.insert(message(0, 1_000, &[]), 0).unwrap();
    let mut asked = 0;
    while let Some(now) = buffer.poll_timeout() {
        for range in buffer.missing(now) {
            asked += 1;
            for seq in range.first..=range.last {
                if random.below(3) > 0 {
                    buffer.insert(message(0, seq, &[]), now).unwrap();
                }
            }
        }
        buffer.check_invariants();
    }
    assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count(), 1_000);
    assert!(asked < 1_000);
}
