//! C1: clocks say what happened before what, as the graph does.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crdt_causal::clock::{DottedVersionVector, HybridClock, HybridTime, VersionVector};
use crdt_core::{Dot, ReplicaId};

use crate::random::Random;

fn replica(number: usize) -> ReplicaId {
    ReplicaId::from_u128(number as u128 + 1)
}

/// Sets of small numbers.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn contains(&self, index: usize) -> bool {
        self.0[index / 64] >> (index % 64) & 1 == 1
    }

    fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= other);
    }
}

const EVENTS: usize = 1_000;

/// A graph of events, each with what it can be reached from, by the edges alone.
struct Graph {
    reached: Vec<Bits>,
    vectors: Vec<VersionVector>,
    stamps: Vec<HybridTime>,
}

/// Each event follows its replica's last one, and some others.
fn graph(seed: u64) -> Graph {
    let mut random = Random(seed);
    let replicas = 2 + random.pick(30);
    let chattiness = 2 + random.below(6);
    let mut last: Vec<Option<usize>> = vec![None; replicas];
    let mut clocks = vec![HybridClock::new(1 << 40); replicas];
    let mut graph = Graph { reached: Vec::new(), vectors: Vec::new(), stamps: Vec::new() };
    for event in 0..EVENTS {
        let writer = random.pick(replicas);
        let mut parents: Vec<usize> = last[writer].into_iter().collect();
        while event > 0 && random.below(chattiness) == 0 {
            parents.push(random.pick(event));
        }
        // Reachability follows edges; a vector is joined along them, and counts.
        let mut reached = Bits(vec![0; EVENTS.div_ceil(64)]);
        let mut vector = VersionVector::new();
        let now = 1_000_000 + random.below(1_000);
        for &parent in &parents {
            reached.insert(parent);
            reached.extend(&graph.reached[parent]);
            vector.join(&graph.vectors[parent]);
            clocks[writer].observe(graph.stamps[parent], now).expect("close enough");
        }
        vector.observe(replica(writer), vector.get(replica(writer)) + 1);
        graph.stamps.push(clocks[writer].stamp(now).expect("far from the end"));
        graph.reached.push(reached);
        graph.vectors.push(vector);
        last[writer] = Some(event);
    }
    graph
}

#[test]
fn vectors_agree_with_reachability_on_a_million_pairs() {
    let (mut pairs, mut concurrent, mut ordered) = (0u64, 0u64, 0u64);
    let mut random = Random(7);
    for seed in 0..100 {
        let graph = graph(seed);
        for _ in 0..10_000 {
            let (a, b) = (random.pick(EVENTS), random.pick(EVENTS));
            let expected = if a == b {
                Some(Ordering::Equal)
            } else if graph.reached[b].contains(a) {
                Some(Ordering::Less)
            } else if graph.reached[a].contains(b) {
                Some(Ordering::Greater)
            } else {
                None
            };
            let found = graph.vectors[a].partial_cmp(&graph.vectors[b]);
            assert_eq!(found, expected, "seed {seed}: {a} and {b}");
            if expected == Some(Ordering::Less) {
                assert!(graph.stamps[a] < graph.stamps[b], "seed {seed}: {a} and {b}");
            }
            pairs += 1;
            match expected {
                None => concurrent += 1,
                Some(_) => ordered += 1,
            }
        }
    }
    println!("C1 {pairs} pairs: {ordered} ordered, {concurrent} concurrent, all as reachability");
    assert!(pairs == 1_000_000 && concurrent > 100_000 && ordered > 100_000);
}

/// A server's copy of one key: the writes that it knows of, and those beside each other.
#[derive(Clone, Default)]
struct Copy {
    known: BTreeSet<usize>,
    version: VersionVector,
}

/// Clients read a key at one server and write it at another, later, with what they have read:
/// beside what was written since, at the same server too.
#[test]
fn dotted_vectors_agree_with_what_clients_had_read() {
    let (mut pairs, mut gaps) = (0u64, 0u64);
    for seed in 0..500 {
        let mut random = Random(seed);
        let servers = 1 + random.pick(4);
        let mut copies = vec![Copy::default(); servers];
        let mut counters = vec![0u64; servers];
        let mut contexts: Vec<Copy> = vec![Copy::default(); 6];
        let mut clocks: Vec<DottedVersionVector> = Vec::new();
        // By the definition: all writes that a write's client had read, and what those had.
        let mut pasts: Vec<BTreeSet<usize>> = Vec::new();
        for _ in 0..60 {
            let (client, server) = (random.pick(6), random.pick(servers));
            match random.below(4) {
                0 => contexts[client] = copies[server].clone(),
                1 => {
                    let other = copies[random.pick(servers)].clone();
                    copies[server].known.extend(&other.known);
                    copies[server].version.join(&other.version);
                }
                _ => {
                    counters[server] += 1;
                    let dot = Dot::new(replica(server), counters[server]);
                    let Copy { known, version } = contexts[client].clone();
                    gaps += u64::from(version.get(dot.replica) + 1 < dot.seq);
                    clocks.push(DottedVersionVector::new(dot, version));
                    pasts.push(known);
                    copies[server].known.insert(pasts.len() - 1);
                    copies[server].version.observe(dot.replica, dot.seq);
                }
            }
        }
        for a in 0..clocks.len() {
            for b in 0..clocks.len() {
                let expected = match (a == b, pasts[b].contains(&a), pasts[a].contains(&b)) {
                    (true, ..) => Some(Ordering::Equal),
                    (_, true, _) => Some(Ordering::Less),
                    (_, _, true) => Some(Ordering::Greater),
                    _ => None,
                };
                assert_eq!(clocks[a].partial_cmp(&clocks[b]), expected, "seed {seed}: {a}, {b}");
                pairs += 1;
            }
        }
    }
    println!("C1 {pairs} pairs of dotted vectors, {gaps} writes behind a gap");
    assert!(gaps > 1_000);
}
