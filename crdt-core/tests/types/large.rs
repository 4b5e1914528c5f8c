//! Values so large that a join looks up what a delta names, and does not pass through all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crdt_core::dot_store::{DotMap, Edit};
use crdt_core::laws::trials;
use crdt_core::map::ObservedRemoveMapDelta;
use crdt_core::set::AddWinsStore;
use crdt_core::undo::Undo as _;
use crdt_core::{ObservedRemoveMap, ReplicaId, Writer};

/// So many keys at each of the upper levels that one of them is looked up.
const KEYS: u8 = 16;

type Inner = DotMap<u8, AddWinsStore<u8>>;
type Outer = ObservedRemoveMap<u8, Inner>;
type Delta = ObservedRemoveMapDelta<u8, Inner>;
/// What kind of change it is, and where.
type Change = (u8, u8, u8, u8);

/// The content without its events.
fn read(map: &Outer) -> BTreeMap<u8, BTreeMap<u8, BTreeSet<u8>>> {
    let elements = |(key, set): (&u8, &AddWinsStore<u8>)| (*key, set.keys().copied().collect());
    map.iter().map(|(key, inner)| (*key, inner.iter().map(elements).collect())).collect()
}

/// Made once: that takes longer than to try changes on it.
static FULL: LazyLock<Outer> = LazyLock::new(|| {
    let mut map = Outer::new();
    let mut writer = map.writer(ReplicaId::from_u128(1));
    for key in 0..KEYS {
        let fill = |inner: &mut Edit<'_, Inner>| {
            for below in 0..KEYS {
                inner.update(below, |set| set.add(0));
            }
        };
        let _told_nobody = map.update(key, &mut writer, fill).expect("numbers are left");
    }
    map
});

fn change(map: &mut Outer, writer: &mut Writer, (kind, key, below, element): Change) -> Delta {
    let (key, below, element) = (key % KEYS, below % KEYS, element % 2);
    if kind % 6 == 0 {
        return map.remove(&key, writer);
    }
    let changed = map.update(key, writer, |inner| match kind % 6 {
        1 => inner.clear(),
        2 => _ = inner.remove(&below),
        3 => inner.update(below, |set| set.clear()),
        4 => inner.update(below, |set| _ = set.remove(&element)),
        _ => inner.update(below, |set| set.add(element)),
    });
    changed.expect("numbers are left")
}

#[test]
fn a_small_change_of_a_large_map_is_joined_as_the_whole_is() {
    fn law(changes: Vec<(bool, Change)>) -> bool {
        let mut maps = [FULL.clone(), FULL.clone()];
        let mut writers = [2, 3].map(ReplicaId::from_u128).map(|id| maps[0].writer(id));
        let mut told: [Vec<Delta>; 2] = Default::default();
        for &(side, step) in changes.iter().take(6) {
            let side = usize::from(side);
            told[side].push(change(&mut maps[side], &mut writers[side], step));
        }
        let mut whole = maps[0].clone();
        whole.join(&maps[1]);
        let [one, other] = &mut maps;
        told[1].iter().for_each(|delta| _ = one.join(delta));
        told[0].iter().for_each(|delta| _ = other.join(delta));
        one.check_invariants();
        read(one) == read(&whole) && *one == whole && *other == whole
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn a_small_change_of_a_large_map_is_taken_back() {
    fn law(changes: Vec<Change>, last: Change) -> bool {
        let mut map = FULL.clone();
        let mut writer = map.writer(ReplicaId::from_u128(2));
        for &step in changes.iter().take(2) {
            let _told_nobody = change(&mut map, &mut writer, step);
        }
        let before = map.clone();
        let delta = change(&mut map, &mut writer, last);
        let after = map.clone();
        let inverse = before.inverse(&delta);
        let undo = map.undo(&inverse, &mut writer).expect("numbers are left");
        let redo = after.inverse(&undo);
        let was = read(&map);
        let _told_nobody = map.undo(&redo, &mut writer).expect("numbers are left");
        was == read(&before) && read(&map) == read(&after)
    }
    trials().quickcheck(law as fn(_, _) -> _);
}
