//! Q2: five replicas, and three times three. Each preset's predicted overlap is what all schedules show.

use crdt_causal::quorum::{Preset, Quorum, QuorumSpec, ReadRepair, Topology, Write, WriteOutcome};
use crdt_core::GrowOnlySet;

use crate::{least_sets, members_of};

type Value = GrowOnlySet<&'static str>;

/// Whether some schedule lets a read miss a write that was over: over all sets of replicas that take in
/// the write before it is over, and all that answer the read first.
fn can_be_stale(spec: &QuorumSpec) -> bool {
    let replicas = spec.write.topology().replicas();
    least_sets(&spec.write).into_iter().any(|written| {
        let mut held = vec![Value::default(); replicas];
        let mut write = Write::new(spec.write.clone(), u64::MAX);
        for replica in members_of(written) {
            assert_eq!(write.outcome(0), WriteOutcome::Pending);
            held[replica] = Value::from_iter(["written"]);
            write.acknowledged(replica);
        }
        assert_eq!(write.outcome(0), WriteOutcome::Met);
        least_sets(&spec.read).into_iter().any(|asked| {
            let mut read = ReadRepair::new(spec.read.clone());
            for replica in members_of(asked) {
                assert!(read.value().is_none());
                read.reply(replica, held[replica].clone());
            }
            !read.value().expect("enough have replied").contains("written")
        })
    })
}

#[test]
fn q2_predicted_overlap_is_observed_for_every_pair_of_presets() {
    let five = Topology::new([5]).unwrap();
    let nine = Topology::new([3, 3, 3]).unwrap();
    let (mut fresh, mut stale) = (0, 0);
    for topology in [five, nine] {
        for reader in 0..topology.data_centres() {
            for read in Preset::ALL {
                for write in Preset::ALL {
                    // The writer is in the first data centre, the reader in any.
                    let spec = QuorumSpec {
                        read: read.quorum(&topology, reader).unwrap(),
                        write: write.quorum(&topology, 0).unwrap(),
                    };
                    let is_stale = can_be_stale(&spec);
                    assert_eq!(spec.intersects(), !is_stale, "{read:?} {write:?} from {reader}");
                    if is_stale { stale += 1 } else { fresh += 1 }
                }
            }
        }
    }
    println!("{fresh} pairs always see the write, {stale} may miss it");
    assert!(fresh > 40 && stale > 40);
}

/// The rows of the talk for five replicas: reads, writes, and whether a read sees the last write.
#[test]
fn q2_the_presets_for_five_replicas() {
    let topology = Topology::new([5]).unwrap();
    let rows = [
        ("ONE", 1, 1, 0, false),
        ("QUORUM", 3, 3, 1, true),
        ("ALL", 5, 5, 5, true),
        ("MUMBAI_FINANCIAL", 3, 3, 1, true),
        ("MUMBAI_SOCIAL", 1, 2, 0, false),
        ("MUMBAI_ANALYTICS", 1, 1, 0, false),
    ];
    for (name, read, write, overlap, sees_it) in rows {
        let of = |replicas| Quorum::of(&topology, replicas).unwrap();
        let spec = QuorumSpec { read: of(read), write: of(write) };
        assert_eq!((spec.overlap_min(), spec.intersects()), (overlap, sees_it), "{name}");
        assert_eq!(can_be_stale(&spec), !sees_it, "{name}");
    }
    let total = |preset: Preset| preset.quorum(&topology, 0).unwrap().total();
    assert_eq!(Preset::ALL.map(total), [1, 3, 5, 1, 3, 3]);
}

/// Two writes at once, each at a majority: the read is their join, wherever it asks, and repairs tell each
/// replica exactly what it lacks.
#[test]
fn q2_a_read_is_the_join_of_its_replies() {
    let topology = Topology::new([5]).unwrap();
    let majority = Preset::Quorum.quorum(&topology, 0).unwrap();
    for first in least_sets(&majority) {
        for second in least_sets(&majority) {
            let mut held = vec![Value::default(); 5];
            for (written, item) in [(first, "tea"), (second, "milk")] {
                members_of(written).for_each(|replica| drop(held[replica].insert(item)));
            }
            for asked in least_sets(&majority) {
                let mut read = ReadRepair::new(majority.clone());
                for replica in members_of(asked) {
                    read.reply(replica, held[replica].clone());
                }
                let both = Value::from_iter(["milk", "tea"]);
                assert_eq!(read.value(), Some(&both));
                for (replica, held) in held.iter().enumerate() {
                    let lacking = read.lacking(replica).map(|lacking| lacking.into_inner());
                    let lacks: Value =
                        both.iter().filter(|item| !held.contains(*item)).copied().collect();
                    let replied = asked >> replica & 1 == 1;
                    assert_eq!(lacking, (replied && !lacks.is_empty()).then_some(lacks));
                }
            }
        }
    }
}

/// After one repaired read each replica that was asked has the value, and a repair that comes twice, or
/// after a newer write, changes nothing.
#[test]
fn q2_read_repair_is_harmless_however_often() {
    let majority = Preset::Quorum.quorum(&Topology::new([3]).unwrap(), 0).unwrap();
    let mut held = [Value::from_iter(["a"]), Value::default(), Value::from_iter(["b"])];
    let mut read = ReadRepair::new(majority);
    read.reply(0, held[0].clone());
    read.reply(1, held[1].clone());
    // A reply that comes late does not change what was read.
    read.reply(2, held[2].clone());
    assert_eq!(read.value(), Some(&Value::from_iter(["a"])));
    let repairs: Vec<_> = (0..3).filter_map(|to| Some((to, read.lacking(to)?))).collect();
    assert_eq!(repairs.iter().map(|(to, _)| *to).collect::<Vec<_>>(), [1, 2]);
    drop(held[1].insert("newer"));
    for (to, repair) in repairs.iter().chain(&repairs) {
        crdt_core::Lattice::join(&mut held[*to], repair.clone());
    }
    assert_eq!(held[1], Value::from_iter(["a", "newer"]));
    assert_eq!(held[2], Value::from_iter(["a", "b"]));
}
