//! Values out of any bytes are values: in normal form, and their encoding is read back.

use std::fmt::Debug;

use crdt_core::arbitrary::{Arbitrary, Unstructured};
use crdt_core::causality::{CausalContext, Frontier, VersionVector};
use crdt_core::codec::{Decode, Encode};
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{Delta, Digest, DotMap};
use crdt_core::laws::trials;
use crdt_core::sequence::ListStore;
use crdt_core::set::AddWinsStore;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, EnableWinsFlag, GCounter, GrowOnlySet, List,
    LwwMap, LwwRegister, MaxRegister, MultiValueRegister, ObservedRemoveMap, PnCounter,
    RedactableRegister, RemoveWinsSet, Replicated, Tree, TwoPhaseSet,
};

use crate::support::derived::{Everything, Pair};
use crate::support::reload;

fn value<T: for<'a> Arbitrary<'a> + Encode + Decode + PartialEq + Debug>(bytes: &[u8]) -> T {
    let mut input = Unstructured::new(bytes);
    let value = T::arbitrary(&mut input).expect("bytes that end are zeros");
    assert_eq!(reload(&value), value);
    value
}

#[test]
fn values_out_of_any_bytes_are_values() {
    fn law(bytes: Vec<u8>) -> bool {
        // Longer than what is usual for a list.
        let bytes = bytes.repeat(4);
        let bytes = &bytes[..];
        value::<CausalContext>(bytes).check_invariants();
        value::<VersionVector>(bytes);
        value::<Frontier>(bytes);
        value::<Digest>(bytes);
        value::<AddWinsSet<u8>>(bytes).check_invariants();
        value::<RemoveWinsSet<u8>>(bytes).check_invariants();
        value::<MultiValueRegister<u8>>(bytes).check_invariants();
        value::<RedactableRegister<u8, u8>>(bytes).check_invariants();
        value::<LwwMap<u8, u8, u8>>(bytes).check_invariants();
        value::<ObservedRemoveMap<u8, DotMap<u8, CounterStore>>>(bytes).check_invariants();
        value::<List<u8>>(bytes).check_invariants();
        value::<Tree<u8>>(bytes).check_invariants();
        value::<ObservedRemoveMap<u8, ListStore<u8>>>(bytes).check_invariants();
        value::<EnableWinsFlag>(bytes).check_invariants();
        value::<DisableWinsFlag>(bytes).check_invariants();
        value::<GCounter>(bytes).check_invariants();
        value::<PnCounter>(bytes).check_invariants();
        value::<BoundedCounter>(bytes).check_invariants();
        value::<LwwRegister<u8, u8>>(bytes);
        value::<MaxRegister<u8>>(bytes);
        value::<GrowOnlySet<u8>>(bytes);
        value::<TwoPhaseSet<u8>>(bytes).check_invariants();
        let mut root = value::<Replicated<Everything>>(bytes);
        root.check_invariants();
        let delta = value::<Delta<Everything>>(&bytes[bytes.len() / 2..]);
        delta.check_invariants();
        // They stem from different histories of the same replicas, which joins bear.
        root.join(delta);
        root.check_invariants();
        true
    }
    trials().quickcheck(law as fn(_) -> _);
}

/// What the bytes say is what is made: not always the same, nor nothing.
#[test]
fn different_bytes_make_different_values() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..64_u8 {
        let bytes: Vec<u8> =
            (0..96_u8).map(|at| at.wrapping_mul(37) ^ seed.wrapping_mul(91)).collect();
        let root = value::<Replicated<Pair<AddWinsStore<u8>, CounterStore>>>(&bytes);
        seen.insert(crate::support::bytes(&root));
    }
    assert!(seen.len() > 16, "{} values", seen.len());
}

/// Every operation of a list and of a tree is among what bytes say.
#[test]
pub(crate) fn lists_and_trees_are_moved_and_removed() {
    let mut counts = [0; 4];
    for seed in 0..256_u32 {
        let bytes: Vec<u8> = (0..256_u32)
            .map(|at| {
                (at.wrapping_mul(0x9e37_79b1) ^ seed.wrapping_mul(0x85eb_ca6b)).to_be_bytes()[1]
            })
            .collect();
        let list = serde_json::to_string(&value::<List<u8>>(&bytes)).unwrap();
        let tree = value::<Tree<u8>>(&bytes);
        let is_deep = tree.iter().any(|(depth, _)| depth > 1);
        let tree = serde_json::to_string(&tree).unwrap();
        let seen = [
            list.contains("\"spent\""),
            list.contains("\"move\""),
            tree.contains("\"removed\":true"),
            is_deep,
        ];
        (0..4).for_each(|at| counts[at] += usize::from(seen[at]));
    }
    assert!(counts.iter().all(|&count| count > 16), "of 256: {counts:?}");
}
