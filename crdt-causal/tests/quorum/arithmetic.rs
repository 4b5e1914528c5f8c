//! What is computed of quorums against going through all sets of replicas.

use crdt_causal::quorum::{Preset, Quorum, Topology, TopologyError, majority};

use crate::{least_sets, members_of, subsets};

/// All quorums that count in a topology, up to a number in each data centre.
fn quorums(topology: &Topology) -> Vec<Quorum> {
    let mut found: Vec<Quorum> = Vec::new();
    for local in 0..topology.data_centres() {
        found.extend(Preset::ALL.map(|preset| preset.quorum(topology, local).unwrap()));
    }
    for total in 1..=topology.replicas() {
        let quorum = Quorum::of(topology, total).unwrap();
        for data_centre in 0..topology.data_centres() {
            for local in 0..=topology.replicas_in(data_centre).unwrap() {
                found.push(quorum.clone().with_local(data_centre, local).unwrap());
            }
        }
    }
    found.sort_by_key(|quorum| format!("{quorum:?}"));
    found.dedup();
    found
}

#[test]
fn overlaps_are_those_of_all_pairs_of_sets() {
    for sizes in [vec![1], vec![5], vec![2, 1], vec![3, 3], vec![1, 2, 3], vec![4, 2]] {
        let topology = Topology::new(sizes).unwrap();
        let quorums = quorums(&topology);
        let sets: Vec<Vec<u32>> = quorums.iter().map(least_sets).collect();
        for (a, sets_a) in quorums.iter().zip(&sets) {
            for (b, sets_b) in quorums.iter().zip(&sets) {
                let pairs = sets_a.iter().flat_map(|a| sets_b.iter().map(move |b| a & b));
                let least = pairs.map(u32::count_ones).min().expect("a quorum can be met") as usize;
                assert_eq!(a.overlap_min(b), least, "{a:?} {b:?}");
                assert_eq!(a.intersects(b), least > 0);
            }
        }
    }
}

#[test]
fn failures_are_those_of_all_sets_that_can_fail() {
    for sizes in [vec![1], vec![5], vec![3, 3], vec![1, 2, 3]] {
        let topology = Topology::new(sizes).unwrap();
        let replicas = topology.replicas();
        for quorum in quorums(&topology) {
            let survives =
                |failed: u32| quorum.is_met_by(members_of(!failed & ((1 << replicas) - 1)));
            let most = (0..=replicas)
                .take_while(|failures| {
                    let all = subsets(replicas);
                    all.filter(|set| set.count_ones() as usize == *failures).all(survives)
                })
                .last();
            assert_eq!(Some(quorum.failures_max()), most, "{quorum:?}");
        }
    }
}

#[test]
fn a_replica_counts_once_and_only_if_it_exists() {
    let topology = Topology::new([3]).unwrap();
    let two = Quorum::of(&topology, 2).unwrap();
    assert!(!two.is_met_by([1, 1, 1]) && !two.is_met_by([1, 3, 77]) && two.is_met_by([2, 0]));
    assert_eq!(topology.data_centre_of(3), None);
}

#[test]
fn what_does_not_exist_is_an_error() {
    assert_eq!(Topology::new([]), Err(TopologyError::Empty));
    assert_eq!(Topology::new([3, 0]), Err(TopologyError::EmptyDataCentre { data_centre: 1 }));
    assert_eq!(Topology::new([u16::MAX, 1]), Err(TopologyError::TooManyReplicas));
    let topology = Topology::new([3, 2]).unwrap();
    let none = TopologyError::NoDataCentre { data_centre: 2 };
    assert_eq!(Preset::LocalQuorum.quorum(&topology, 2), Err(none));
    assert_eq!(Quorum::of(&topology, 0), Err(TopologyError::EmptyQuorum));
    let six = TopologyError::Unsatisfiable { asked: 6, replicas: 5 };
    assert_eq!(Quorum::of(&topology, 6), Err(six));
    let three = TopologyError::Unsatisfiable { asked: 3, replicas: 2 };
    assert_eq!(Quorum::of(&topology, 5).unwrap().with_local(1, 3), Err(three));
    let elsewhere = Quorum::of(&Topology::new([5]).unwrap(), 5).unwrap();
    assert!(!Quorum::of(&topology, 5).unwrap().intersects(&elsewhere), "other replicas");
}

#[test]
fn two_majorities_meet() {
    for members in 1..=64 {
        assert!(2 * majority(members) > members && 2 * (majority(members) - 1) <= members);
    }
}
