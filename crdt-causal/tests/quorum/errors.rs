//! What the talks' own code gets wrong about quorums: errors 20 to 25 of their list.

use crdt_causal::quorum::{
    Preset, Promise, Quorum, QuorumSpec, ReadRepair, Topology, Write, WriteOutcome,
};
use crdt_core::GrowOnlySet;

fn of(topology: &Topology, replicas: usize) -> Quorum {
    Quorum::of(topology, replicas).unwrap()
}

/// The code stops after W answers and never sends to the other replicas, one after the other; so a write
/// takes the sum of W round trips, and N − W replicas never hear of it.
#[test]
fn error_20_a_write_goes_to_all_replicas_at_once() {
    let round_trips_ms = [30_u64, 10, 20, 50, 40];
    let mut write = Write::new(of(&Topology::new([5]).unwrap(), 3), 1_000);
    assert_eq!(write.send_to(), 0..5);
    let mut answers: Vec<_> = write.send_to().map(|to| (round_trips_ms[to], to)).collect();
    answers.sort_unstable();
    let mut over_at = None;
    for (at, replica) in answers {
        write.acknowledged(replica);
        if write.outcome(at) == WriteOutcome::Met && over_at.is_none() {
            over_at = Some(at);
        }
    }
    assert_eq!(over_at, Some(30), "the third of five, not 10 + 230");
}

/// The code says "failed" when there are too few answers, though some replicas have the write; later it
/// becomes visible after all.
#[test]
fn error_21_too_few_answers_are_no_failure() {
    let topology = Topology::new([3]).unwrap();
    let mut write = Write::new(of(&topology, 2), 1_000);
    write.acknowledged(1);
    let unknown = WriteOutcome::Indeterminate { acknowledged: 1, hinted: 0 };
    assert_eq!(write.outcome(1_000), unknown);
    // It is seen by the first read that meets replica 1.
    let mut read = ReadRepair::new(of(&topology, 2));
    read.reply(0, GrowOnlySet::<u8>::default());
    read.reply(1, GrowOnlySet::from_iter([7]));
    assert!(read.value().is_some_and(|value| value.contains(&7)));

    // Only if all have refused it is certain that it will not be.
    let mut write = Write::new(of(&topology, 2), 1_000);
    (0..2).for_each(|replica| write.refused(replica));
    assert_eq!(write.outcome(0), WriteOutcome::Indeterminate { acknowledged: 0, hinted: 0 });
    write.refused(2);
    assert_eq!(write.outcome(0), WriteOutcome::NotWritten);
    // A hint will be delivered some day.
    write.hinted(2);
    assert_eq!(write.outcome(0), WriteOutcome::Indeterminate { acknowledged: 0, hinted: 1 });
}

/// LOCAL_QUORUM is 3 where a data centre has 3 replicas, which is all of them and ends with one node;
/// QUORUM stays 3 where there are 9; and pairs of presets are taken for safe that do not intersect.
#[test]
fn error_22_constants_are_wrong_in_another_topology() {
    let nine = Topology::new([3, 3, 3]).unwrap();
    let local = Preset::LocalQuorum.quorum(&nine, 0).unwrap();
    assert_eq!((local.total(), local.failures_max()), (2, 1));
    let three = of(&nine, 3).with_local(0, 3).unwrap();
    assert_eq!(three.failures_max(), 0, "as in the talk: it dies with one node");

    let three = of(&nine, 3);
    assert!(!three.intersects(&three), "3 + 3 <= 9");
    let quorum = Preset::Quorum.quorum(&nine, 0).unwrap();
    assert!(quorum.total() == 5 && quorum.intersects(&quorum));

    let five = Topology::new([5]).unwrap();
    assert!(!of(&five, 1).intersects(&of(&five, 2)), "R 1 + W 2 <= 5");
    for (read, write) in [(Preset::LocalOne, Preset::LocalQuorum), (Preset::One, Preset::Quorum)] {
        let spec = QuorumSpec::of_presets(read, write, &nine, 0).unwrap();
        assert!(!spec.intersects(), "{read:?} after {write:?} may not see it");
        assert_eq!(spec.promise(true), Promise::Eventual);
    }
}

/// Some of the presets are unreachable: using them raises an error.
#[test]
fn error_23_every_preset_works_in_every_topology() {
    for sizes in [vec![1], vec![2], vec![5], vec![1, 1], vec![3, 9], vec![3, 3, 3], vec![1, 7, 2]] {
        let topology = Topology::new(sizes).unwrap();
        for local in 0..topology.data_centres() {
            for preset in Preset::ALL {
                let quorum = preset.quorum(&topology, local).unwrap();
                assert!(quorum.is_met_by(0..topology.replicas()), "{preset:?}");
                assert!(!quorum.is_met_by([]), "{preset:?}");
            }
        }
    }
}

/// A read takes the reply with the greatest version and drops what was written beside it.
#[test]
fn error_24_a_read_drops_nothing_that_was_written_at_once() {
    let topology = Topology::new([3]).unwrap();
    let mut read = ReadRepair::new(of(&topology, 2));
    let (here, there) = (GrowOnlySet::from_iter(["rice"]), GrowOnlySet::from_iter(["dal", "salt"]));
    read.reply(0, here.clone());
    read.reply(1, there.clone());
    let mut both = here;
    both.join(there);
    assert_eq!(read.value(), Some(&both));
}

/// R + W > N is taken for linearizable. What that promises, and what it lacks, is in `q1_register.rs`.
#[test]
fn error_25_intersecting_quorums_are_regular() {
    let topology = Topology::new([3]).unwrap();
    let spec = QuorumSpec { read: of(&topology, 2), write: of(&topology, 2) };
    assert_eq!(spec.promise(false), Promise::Regular);
    assert_eq!(spec.promise(true), Promise::Linearizable);
    let narrow = QuorumSpec { read: of(&topology, 3), write: of(&topology, 1) };
    assert!(narrow.intersects() && !narrow.write_conflict_free());
}
