//! How often messages are looked at: a count, and so it can be asserted.

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Parents, Retry};
use crdt_core::Dot;

use crate::history::{Random, id};

/// What a message says of itself, in few bytes: there may be ten million.
#[derive(Clone, Copy)]
struct Told {
    writer: u32,
    seq: u32,
    /// The last message of another writer, if it follows one: its number is not 0.
    parent: (u32, u32),
}

impl Told {
    fn message(self) -> Message<[u8; 1]> {
        let dot = |writer: u32, seq: u32| Dot::new(id(u64::from(writer)), u64::from(seq));
        let (other, last) = self.parent;
        let parents = if last > 0 { dot(other, last).into() } else { Parents::NONE };
        Message { dot: dot(self.writer, self.seq), parents, payload: [0] }
    }

    fn dependencies(self) -> u64 {
        u64::from(self.seq > 1) + u64::from(self.parent.1 > 0)
    }
}

/// Messages in a causal order: each of a writer at random follows the last one of another.
fn history(writers: u32, len: u32) -> Vec<Told> {
    let mut random = Random(u64::from(len));
    let mut last = vec![0; writers as usize];
    (0..len)
        .map(|_| {
            let mut draw = || random.below(u64::from(writers)) as u32;
            let (writer, other) = (draw(), draw());
            let parent = if other == writer { (0, 0) } else { (other, last[other as usize]) };
            last[writer as usize] += 1;
            Told { writer, seq: last[writer as usize], parent }
        })
        .collect()
}

fn boundless() -> Limits {
    let mut limits = Limits::default();
    limits.pending_max = usize::MAX;
    limits.pending_bytes_max = usize::MAX;
    limits.replica_pending_max = usize::MAX;
    limits.replica_pending_bytes_max = usize::MAX;
    limits.digests_max = 0;
    limits
}

/// The slope of a line through points, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    above / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

/// Looks at each message once on arrival, and once for each dependency that was missing then.
fn looks(told: &[Told], order: &[u32]) -> u64 {
    let mut buffer = CausalBuffer::with_limits(boundless(), Retry::default());
    let mut delivered = 0;
    for at in order {
        buffer.insert(told[*at as usize].message(), 0).unwrap();
        while buffer.poll_deliver().is_some() {
            delivered += 1;
        }
    }
    assert_eq!((delivered, buffer.pending()), (told.len(), 0), "everything is delivered once");
    buffer.examined()
}

/// A thousand messages to a million, or to as many as `CRDT_MESSAGES` says: ten million take
/// minutes.
#[test]
fn a_message_is_looked_at_once_for_each_dependency() {
    let most: u32 = std::env::var("CRDT_MESSAGES")
        .map_or(1_000_000, |most| most.parse().expect("a number of messages"));
    let lens: Vec<u32> =
        (3..).map(|power| 10u32.pow(power)).take_while(|len| *len <= most).collect();
    for writers in [1, 8] {
        for arrival in ["in order", "in reverse", "shuffled"] {
            let mut points = Vec::new();
            for len in &lens {
                let told = history(writers, *len);
                let mut order: Vec<u32> = (0..*len).collect();
                match arrival {
                    "in reverse" => order.reverse(),
                    "shuffled" => Random(5).shuffle(&mut order),
                    _ => {}
                }
                let looks = looks(&told, &order);
                let dependencies: u64 = told.iter().map(|told| told.dependencies()).sum();
                let bound = u64::from(*len) + dependencies;
                println!(
                    "{writers} writers, {arrival}, {len}: {:.3} looks a message, at most {:.3}",
                    looks as f64 / f64::from(*len),
                    bound as f64 / f64::from(*len)
                );
                assert!(looks <= bound, "{looks} looks, above {bound}");
                if arrival == "in order" {
                    assert_eq!(looks, u64::from(*len));
                }
                points.push((f64::from(*len).ln(), (looks as f64).ln()));
            }
            let exponent = slope(&points);
            println!("{writers} writers, {arrival}: grows with exponent {exponent:.4}");
            assert!((exponent - 1.0).abs() <= 0.01, "{arrival}: exponent {exponent}");
            for pair in points.windows(2) {
                let exponent = slope(pair);
                assert!((exponent - 1.0).abs() <= 0.02, "{arrival}: exponent {exponent}");
            }
        }
    }
}

/// The bound is one for each message, not only on average: with d dependencies that come one by
/// one, each the one that is waited for, it is looked at 1 + d times.
#[test]
fn the_bound_holds_for_each_message_and_is_reached() {
    for parents in [1, 2, 10, 1_000] {
        let parents_of_it: Vec<(u64, u64)> = (1..=parents).map(|other| (other, 1)).collect();
        let mut buffer = CausalBuffer::new();
        buffer.insert(crate::history::message(0, 2, &parents_of_it), 0).unwrap();
        let mut looks = buffer.examined();
        for writer in 0..=parents {
            buffer.insert(crate::history::message(writer, 1, &[]), 0).unwrap();
            // The one that came, and the one that waited for it.
            assert_eq!(buffer.examined() - looks, 2);
            looks = buffer.examined();
        }
        let d = parents + 1;
        assert_eq!(buffer.examined(), (1 + d) + (parents + 1), "its own, and those of the others");
        assert_eq!(std::iter::from_fn(|| buffer.poll_deliver()).count() as u64, parents + 2);
    }
}
