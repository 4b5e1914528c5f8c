//! The rows: order of arrival by history, ours and others.

use benches::timed;
use crdt_causal::delivery::{CausalBuffer, Limits, Message, Retry};

use super::history::{Payload, Random, history, jostle};
use super::rescanning::Rescanning;

/// More messages would take it minutes.
const RESCANNED_MAX: usize = 16_000;
const BATCH: usize = 64 << 10;

/// Runs of each row, of which the one in the middle is printed.
const RUNS: usize = 5;

/// An order of arrival, and how messages are handed over.
struct Arrival {
    name: &'static str,
    arrange: fn(&mut Vec<Message<Payload>>),
    batched: bool,
}

const ARRIVALS: &[Arrival] = &[
    Arrival { name: "in order", arrange: |_| {}, batched: false },
    Arrival { name: "in order, batches", arrange: |_| {}, batched: true },
    Arrival { name: "reverse", arrange: |messages| messages.reverse(), batched: false },
    Arrival { name: "reverse, batches", arrange: |messages| messages.reverse(), batched: true },
    Arrival {
        name: "jostled in 1,000",
        arrange: |messages| jostle(messages, 1_000),
        batched: false,
    },
    Arrival { name: "shuffled", arrange: |messages| Random(5).shuffle(messages), batched: false },
    Arrival {
        name: "shuffled, batches",
        arrange: |messages| Random(5).shuffle(messages),
        batched: true,
    },
];

fn boundless() -> Limits {
    let mut limits = Limits::default();
    limits.pending_max = 1 << 31;
    limits.replica_pending_max = 1 << 31;
    limits.pending_bytes_max = 1 << 40;
    limits.replica_pending_bytes_max = 1 << 40;
    limits.gap_max = 1 << 31;
    limits
}

/// Delivers everything; returns how many messages a second, and looks for each message.
fn ours(messages: Vec<Message<Payload>>, batched: bool) -> (f64, f64) {
    let count = messages.len();
    let mut buffer = CausalBuffer::with_limits(boundless(), Retry::default());
    let mut batches: Vec<Vec<Message<Payload>>> = Vec::new();
    let mut single = Vec::new();
    if batched {
        let mut rest = messages;
        while !rest.is_empty() {
            let tail = rest.split_off(rest.len().min(BATCH));
            batches.push(core::mem::replace(&mut rest, tail));
        }
    } else {
        single = messages;
    }
    let (ms, delivered) = timed(|| {
        let mut delivered = 0usize;
        for message in single {
            buffer.insert(message, 0).expect("it is sound");
            while let Some(message) = buffer.poll_deliver() {
                delivered += usize::from(message.payload[15] == 0);
            }
        }
        for batch in batches {
            buffer.insert_batch(batch, 0);
            while let Some(message) = buffer.poll_deliver() {
                delivered += usize::from(message.payload[15] == 0);
            }
        }
        delivered
    });
    assert_eq!(delivered, count, "everything is delivered once");
    (count as f64 / ms / 1e3, buffer.examined() as f64 / count as f64)
}

fn rescanning(messages: Vec<Message<Payload>>) -> (f64, f64) {
    let count = messages.len();
    let mut buffer = Rescanning::default();
    let (ms, delivered) = timed(|| {
        let mut delivered = 0;
        for message in messages {
            buffer.insert(message, &mut |_| delivered += 1);
        }
        delivered
    });
    assert_eq!(delivered, count, "everything is delivered once");
    (count as f64 / ms / 1e3, buffer.examined as f64 / count as f64)
}

/// Prints all rows.
pub(crate) fn print() {
    let count = std::env::var("CRDT_MESSAGES").ok().and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(1_000_000);
    println!(
        "{count} messages of 16 bytes; a plain buffer gets {RESCANNED_MAX} where it has to look again"
    );
    println!(
        "{:<22} {:<20} {:>10} {:>10} {:>14} {:>14}",
        "history", "arrival", "M/s", "looks each", "plain M/s", "plain looks"
    );
    for (name, replicas, mixed) in [
        ("1 writer", 1, 0),
        ("8 writers, apart", 8, 0),
        ("8 writers, mixing", 8, 100),
        ("1,000 writers, mixing", 1_000, 100),
    ] {
        let told = history(count, replicas, mixed);
        let fewer = history(RESCANNED_MAX.min(count), replicas, mixed);
        for arrival in ARRIVALS {
            let arranged = |history: &[Message<Payload>]| {
                let mut messages = history.to_vec();
                (arrival.arrange)(&mut messages);
                messages
            };
            let mut runs: Vec<_> =
                (0..RUNS).map(|_| ours(arranged(&told), arrival.batched)).collect();
            runs.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (speed, looks) = runs[RUNS / 2];
            let (plain, plain_looks) = rescanning(arranged(&fewer));
            println!(
                "{name:<22} {:<20} {speed:>10.2} {looks:>10.3} {plain:>14.3} {plain_looks:>14.1}",
                arrival.name
            );
        }
    }
}
