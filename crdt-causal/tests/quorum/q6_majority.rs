//! Q6: twelve nodes, three in one data centre and nine in another.

use crdt_causal::quorum::{Preset, Quorum, Topology, majority};

use crate::{members_of, subsets};

const NODES: usize = 12;

#[test]
fn q6_of_every_split_one_side_at_most_goes_on() {
    let topology = Topology::new([3, 9]).unwrap();
    assert_eq!(majority(NODES), 7);
    let strong = Preset::Quorum.quorum(&topology, 0).unwrap();
    assert_eq!(strong.total(), 7);
    let (mut one, mut none) = (0, 0);
    for side in subsets(NODES) {
        let goes_on = |side: u32| strong.is_met_by(members_of(side));
        let sides = [side, !side & ((1 << NODES) - 1)].map(goes_on);
        assert_ne!(sides, [true, true], "{side:b}");
        if sides == [false, false] { none += 1 } else { one += 1 }
    }
    // Six against six: C(12, 6) splits.
    assert_eq!((one, none), (4096 - 924, 924));

    // The data centres apart: the one of nine goes on, the one of three does not.
    assert!(strong.is_met_by(3..12) && !strong.is_met_by(0..3));
}

/// Into three parts, some of which a node may be alone in.
#[test]
fn q6_of_every_split_in_three_one_part_at_most_goes_on() {
    let strong = Preset::Quorum.quorum(&Topology::new([3, 9]).unwrap(), 0).unwrap();
    let is_enough: Vec<bool> =
        subsets(NODES).map(|set| strong.is_met_by(members_of(set))).collect();
    for first in subsets(NODES) {
        let rest = !first & ((1 << NODES) - 1);
        // All subsets of the rest.
        let mut second = rest;
        loop {
            let parts = [first, second, rest & !second].map(|part| is_enough[part as usize]);
            assert!(parts.into_iter().filter(|goes_on| *goes_on).count() <= 1);
            if second == 0 {
                break;
            }
            second = (second - 1) & rest;
        }
    }
}

/// With half of the nodes for enough, as the check must find, both sides of some split would go on.
#[test]
fn q6_half_would_not_be_enough() {
    let half = Quorum::of(&Topology::new([3, 9]).unwrap(), NODES / 2).unwrap();
    let both = subsets(NODES).filter(|side| {
        half.is_met_by(members_of(*side)) && half.is_met_by(members_of(!side & 0xfff))
    });
    assert_eq!(both.count(), 924);
}
