//! What a delivery buffer takes of memory, as the allocator sees it, beside what it says.

#[path = "delivery/history.rs"]
#[allow(dead_code, reason = "its histories are for other tests")]
mod history;

use allocation_counter::measure;
use crdt_causal::delivery::{
    CausalBuffer, Digest, Event, Limits, Message, Parents, Payload, Retry,
};
use crdt_core::Dot;

use history::{Random, id};

/// A message without a message.
#[derive(Debug)]
struct Nothing;

impl Payload for Nothing {
    fn size_bytes(&self) -> usize {
        0
    }

    fn digest(&self, dot: Dot, parents: &[Dot]) -> Digest {
        Digest::of(dot, parents, &[])
    }
}

fn boundless() -> Limits {
    let mut limits = Limits::default();
    limits.pending_max = usize::MAX;
    limits.pending_bytes_max = usize::MAX;
    limits.replica_pending_max = usize::MAX;
    limits.replica_pending_bytes_max = usize::MAX;
    limits
}

fn numbered(writer: u64, seq: u64) -> Message<[u8; 16]> {
    Message { dot: Dot::new(id(writer), seq), parents: Parents::NONE, payload: [7; 16] }
}

/// All that a pending message takes: itself, its place, its links, and its parent.
#[test]
fn a_pending_message_takes_48_bytes_beside_its_payload() {
    const COUNT: u64 = 500_000;
    for (name, writers, order) in [
        ("1 writer", 1, "as sent"),
        ("1 writer", 1, "in reverse"),
        ("1 writer", 1, "shuffled"),
        ("8 writers that mix", 8, "as sent"),
        ("8 writers that mix", 8, "in reverse"),
        ("8 writers that mix", 8, "shuffled"),
    ] {
        // All follow what does not come: the first message of each writer.
        let mut dots: Vec<(u64, u64)> =
            (0..COUNT).map(|number| (number % writers, number / writers + 2)).collect();
        match order {
            "in reverse" => dots.reverse(),
            "shuffled" => Random(3).shuffle(&mut dots),
            _ => {}
        }
        let mut buffer = CausalBuffer::with_limits(boundless(), Retry::default());
        let held = measure(|| {
            for &(writer, seq) in &dots {
                let parents = if writers > 1 {
                    Dot::new(id((writer + 1) % writers), seq - 1).into()
                } else {
                    Parents::NONE
                };
                let message = Message { dot: Dot::new(id(writer), seq), parents, payload: Nothing };
                buffer.insert(message, 0).unwrap();
            }
        });
        assert_eq!(buffer.pending() as u64, COUNT);
        let each = |bytes: i64| bytes as f64 / COUNT as f64;
        let (allocated, counted) = (held.bytes_current, buffer.pending_bytes() as i64);
        println!(
            "{name}, {order}: {:.2} bytes allocated, {:.2} counted",
            each(allocated),
            each(counted)
        );
        assert!(each(allocated) <= 48.0, "{name}, {order}: {}", each(allocated));
        let error = (counted - allocated) as f64 / allocated as f64;
        assert!(error.abs() <= 0.05, "{name}, {order}: off by {error}");
    }
}

/// Ten million messages behind one that is missing: the bound is kept, as the allocator sees it,
/// what is dropped is asked for again, and everything is delivered once.
#[test]
fn ten_million_messages_behind_one_gap() {
    const COUNT: u64 = 10_000_000;
    let limits = Limits::default();
    let bound = limits.replica_pending_bytes_max;
    let mut buffer = CausalBuffer::with_limits(limits, Retry::default());
    let mut largest = 0;
    let flood = measure(|| {
        for seq in 2..=COUNT {
            buffer.insert(numbered(0, seq), 0).unwrap();
            largest = largest.max(buffer.pending_bytes());
        }
    });
    let percent = |bytes: u64| 100.0 * bytes as f64 / bound as f64;
    println!(
        "{COUNT} messages, bound {bound}: {:.1} % allocated at the peak, {:.1} % counted; {} wait",
        percent(flood.bytes_max),
        percent(largest as u64),
        buffer.pending()
    );
    // What one replica may hold, and the replica.
    assert!(largest <= bound + 512, "{largest} of {bound} counted");
    assert!(flood.bytes_max as f64 <= 1.05 * bound as f64, "{} of {bound}", flood.bytes_max);
    assert!(flood.bytes_max as f64 >= 0.95 * bound as f64, "the room is used");
    let Some(Event::Dropped(dropped)) = buffer.poll_event() else { panic!("nothing was dropped") };
    assert!(dropped.len() + buffer.pending() as u64 >= COUNT - 1, "it is said what was dropped");

    let (mut now, mut delivered) = (0, 0);
    let filled = measure(|| {
        buffer.insert(numbered(0, 1), 0).unwrap();
        let deliver = |buffer: &mut CausalBuffer<[u8; 16]>, delivered: &mut u64| {
            while let Some(message) = buffer.poll_deliver() {
                *delivered += 1;
                assert_eq!(message.dot.seq, *delivered, "in order, once");
            }
        };
        while delivered < COUNT {
            deliver(&mut buffer, &mut delivered);
            now = buffer.poll_timeout().unwrap_or(now);
            for range in buffer.missing(now) {
                for seq in range.first..=range.last {
                    buffer.insert(numbered(0, seq), now).unwrap();
                    deliver(&mut buffer, &mut delivered);
                }
            }
        }
    });
    println!("{:.2} % more while it empties", percent(filled.bytes_max));
    assert!(filled.bytes_max as f64 <= 0.05 * bound as f64, "{} more", filled.bytes_max);
    buffer.check_invariants();
    assert_eq!((buffer.pending(), buffer.pending_bytes()), (0, 0));
    assert_eq!(buffer.poll_deliver().map(|message| message.dot), None);
}

/// The same in the bound for all together: of many writers, with many parents.
#[test]
fn a_flood_of_many_writers_stays_in_the_bound_for_all() {
    let mut limits = Limits::default();
    limits.pending_bytes_max = 8 << 20;
    let bound = limits.pending_bytes_max;
    for parents in [0, 1, 4] {
        let mut buffer = CausalBuffer::with_limits(limits.clone(), Retry::default());
        let mut random = Random(parents);
        let mut largest = 0;
        let flood = measure(|| {
            for number in 0..400_000 {
                let (writer, seq) = (number % 1_000, number / 1_000 + 2);
                let parents = (0..parents)
                    .map(|_| {
                        let other = (writer + 1 + random.below(999)) % 1_000;
                        Dot::new(id(other), 1 + random.below(seq))
                    })
                    .collect();
                let dot = Dot::new(id(writer), seq);
                buffer.insert(Message { dot, parents, payload: [7; 16] }, 0).unwrap();
                largest = largest.max(buffer.pending_bytes());
            }
        });
        let percent = |bytes: u64| 100.0 * bytes as f64 / bound as f64;
        println!(
            "{parents} parents: {:.1} % allocated at the peak, {:.1} % counted",
            percent(flood.bytes_max),
            percent(largest as u64)
        );
        buffer.check_invariants();
        assert!(largest <= bound);
        assert!(flood.bytes_max as f64 <= 1.05 * bound as f64, "{} of {bound}", flood.bytes_max);
        assert!(flood.bytes_max as f64 >= 0.95 * bound as f64, "the room is used");
    }
}
