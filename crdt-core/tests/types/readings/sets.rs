use std::collections::BTreeSet;

use crdt_core::set::{AddWinsSetDelta, RemoveWinsSetDelta};
use crdt_core::{AddWinsSet, Dot, GrowOnlySet, RemoveWinsSet, TwoPhaseSet, WriteError};

use super::{DELHI, MUMBAI, passes};

#[test]
fn an_add_wins_set() -> Result<(), WriteError> {
    let mut set = AddWinsSet::new();
    assert_eq!((set.is_empty(), set.len()), (true, 0));
    assert!(format!("{set:?}") == "{}");
    let mut writer = set.writer(MUMBAI);
    let mut deltas = AddWinsSetDelta::default();
    assert!(deltas.is_empty());
    for element in ["c", "a", "b"] {
        let delta = set.add(element, &mut writer)?;
        assert!(!delta.is_empty());
        deltas.join(&delta);
    }
    assert!(!set.is_empty() && set.len() == 3);
    assert_eq!(format!("{set:?}"), r#"{"a", "b", "c"}"#);
    passes(set.iter(), &[&"a", &"b", &"c"]);
    assert!((&set).into_iter().eq(["a", "b", "c"].iter()));
    let mut taken = set.clone().into_iter();
    assert_eq!((taken.len(), taken.next_back(), taken.next()), (3, Some("c"), Some("a")));
    assert_eq!((taken.size_hint(), taken.next_back()), ((1, Some(1)), Some("b")));
    assert_eq!(BTreeSet::from(set.clone()), BTreeSet::from(["a", "b", "c"]));

    assert_eq!(set.dots("a"), [Dot::new(MUMBAI, 2)]);
    assert_eq!(set.dots("d"), []);
    assert_eq!(set.context().last_seq(MUMBAI), 3);
    assert_eq!(set.store().len(), 3);
    assert_eq!(AddWinsSetDelta::from(&set), deltas);
    assert_eq!(AddWinsSetDelta::from(set.clone()), deltas);
    assert_eq!(set.missing_from(&AddWinsSet::<&str>::new().digest()), deltas);
    assert!(set.missing_from(&set.digest()).is_empty());
    Ok(())
}

#[test]
fn a_remove_wins_set() -> Result<(), WriteError> {
    let mut set = RemoveWinsSet::new();
    assert_eq!((set.is_empty(), set.len()), (true, 0));
    assert!(format!("{set:?}") == "{}");
    let mut writer = set.writer(MUMBAI);
    for element in ["c", "a", "b"] {
        let _delta = set.add(element, &mut writer)?;
    }
    let _delta = set.remove("b", &mut writer)?;
    assert!(!set.is_empty() && set.len() == 2);
    assert_eq!(format!("{set:?}"), r#"{"a", "c"}"#);
    assert!(set.iter().eq(["a", "c"].iter()) && set.iter().rev().eq(["c", "a"].iter()));
    assert!(set.removed().eq(["b"].iter()));
    assert!(set.contains("a") && !set.contains("b"));
    assert_eq!((set.context().last_seq(MUMBAI), set.store().len()), (4, 3));
    assert!(set.store().present().eq(["a", "c"].iter()));

    // Of what two decided at once about one element, the addition is overruled.
    let mut other = set.clone();
    let mut there = other.writer(DELHI);
    let _delta = other.remove("a", &mut there)?;
    let _delta = set.add("a", &mut writer)?;
    set.join(&other);
    assert!(!set.contains("a"));
    assert_eq!(set.conflicts("a").collect::<Vec<_>>(), [Dot::new(MUMBAI, 5)]);
    assert_eq!(set.conflicts("c").count(), 0);

    let all = RemoveWinsSetDelta::from(&set);
    assert_eq!(RemoveWinsSetDelta::from(set.clone()), all);
    assert_eq!(set.missing_from(&RemoveWinsSet::<&str>::new().digest()), all);
    assert!(!all.is_empty() && set.missing_from(&set.digest()).is_empty());
    let _delta = set.clear(&mut writer)?;
    assert_eq!((set.is_empty(), set.len()), (true, 0));
    assert!(set.removed().eq(["a", "b", "c"].iter()));
    Ok(())
}

#[test]
fn a_grow_only_set() {
    let mut set = GrowOnlySet::new();
    assert_eq!((set.is_empty(), set.len()), (true, 0));
    assert!(format!("{set:?}") == "{}");
    let delta = set.insert("b");
    assert!(!delta.is_empty() && set.insert("b").is_empty());
    assert_eq!(delta.into_inner(), set);
    assert_eq!(set.insert("b").into_inner(), GrowOnlySet::new());
    assert!(
        set.join(GrowOnlySet::from_iter(["b", "a"])) && !set.join(GrowOnlySet::from_iter(["a"]))
    );
    assert!(!set.is_empty() && set.len() == 2 && set.contains("a") && !set.contains("c"));
    assert_eq!(format!("{set:?}"), r#"{"a", "b"}"#);
    passes(set.iter(), &[&"a", &"b"]);
    assert!((&set).into_iter().eq(["a", "b"].iter()) && set.into_iter().eq(["a", "b"]));
    assert_eq!(GrowOnlySet::<u8>::default(), GrowOnlySet::new());
}

#[test]
fn a_two_phase_set() {
    let mut set = TwoPhaseSet::from_iter(["c", "a", "b"]);
    assert!(!set.is_empty() && set.len() == 3);
    let delta = set.remove("b");
    assert_eq!((delta.into_inner().removed().count(), set.len()), (1, 2));
    assert!(!set.contains("b") && set.contains("a") && !set.contains("d"));
    assert!(set.iter().eq(["a", "c"].iter()) && set.iter().rev().eq(["c", "a"].iter()));
    assert!(set.removed().eq(["b"].iter()));
    assert_eq!(format!("{set:?}"), r#"{"a", "c"}"#);

    // What was out stays out, and changes nothing.
    assert_eq!(set.add("b").into_inner(), TwoPhaseSet::new());
    assert_eq!(set.add("a").into_inner(), TwoPhaseSet::new());
    assert_eq!(set.remove("b").into_inner(), TwoPhaseSet::new());
    let mut other = TwoPhaseSet::default();
    assert_eq!((other.is_empty(), other.len()), (true, 0));
    assert!(other.join(set.clone()) && !other.join(set.clone()));
    assert_eq!((other.len(), &other), (2, &set));
    let _delta = other.remove("a");
    assert!(set.join(other.clone()) && !other.join(set.clone()));
    assert_eq!((set.len(), &set), (1, &other));
    set.check_invariants();
}
