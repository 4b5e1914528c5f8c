//! Q3: three data centres of three replicas, 40, 50 and 45 ms apart.

use crdt_causal::quorum::{Preset, Topology, Write, WriteOutcome};

use crate::Random;

/// Round trips between the data centres, and within one.
const ROUND_TRIP_MS: [[u64; 3]; 3] = [[2, 40, 50], [40, 2, 45], [50, 45, 2]];

/// When a write from `local` is over, with so much jitter at most.
fn duration(preset: Preset, local: usize, random: &mut Random, jitter_ms: u64) -> u64 {
    let topology = Topology::new([3, 3, 3]).unwrap();
    let mut write = Write::new(preset.quorum(&topology, local).unwrap(), u64::MAX);
    let mut answers: Vec<(u64, usize)> = write
        .send_to()
        .map(|replica| {
            let there = topology.data_centre_of(replica).unwrap();
            (ROUND_TRIP_MS[local][there] + random.below(jitter_ms + 1), replica)
        })
        .collect();
    answers.sort_unstable();
    for (at, replica) in answers {
        write.acknowledged(replica);
        if write.outcome(at) == WriteOutcome::Met {
            return at;
        }
    }
    panic!("all have answered");
}

#[test]
fn q3_counts_follow_from_the_topology() {
    for (sizes, counts) in [
        (vec![3, 3, 3], [1, 5, 9, 1, 2, 6]),
        (vec![5], [1, 3, 5, 1, 3, 3]),
        (vec![3, 3, 4], [1, 6, 10, 1, 2, 7]),
        (vec![4, 1], [1, 3, 5, 1, 3, 4]),
    ] {
        let topology = Topology::new(sizes).unwrap();
        let total = |preset: Preset| preset.quorum(&topology, 0).unwrap().total();
        assert_eq!(Preset::ALL.map(total), counts, "{topology:?}");
    }
}

/// Each level is as slow as the farthest replica that it has to wait for: the maximum of the way, not
/// the sum of all.
#[test]
fn q3_latency_follows_the_matrix() {
    let mut random = Random(1);
    // Per data centre: ONE, QUORUM, ALL, LOCAL_ONE, LOCAL_QUORUM, EACH_QUORUM.
    let expected = [[2, 40, 50, 2, 2, 50], [2, 40, 45, 2, 2, 45], [2, 45, 50, 2, 2, 50]];
    for (local, expected) in expected.into_iter().enumerate() {
        let exact = Preset::ALL.map(|preset| duration(preset, local, &mut random, 0));
        assert_eq!(exact, expected, "from {local}");
    }
    for (local, expected) in expected.into_iter().enumerate() {
        let medians = Preset::ALL.map(|preset| {
            let mut all: Vec<u64> =
                (0..1_001).map(|_| duration(preset, local, &mut random, 10)).collect();
            all.sort_unstable();
            all[500]
        });
        println!("p50 from {local}: {medians:?} ms");
        for (median, expected) in medians.into_iter().zip(expected) {
            assert!((expected..=expected + 10).contains(&median));
        }
        let [one, quorum, all, local_one, local_quorum, each] = medians;
        assert!(one <= local_one && local_one <= local_quorum && local_quorum < quorum);
        assert!(quorum <= each && each <= all);
    }
}
