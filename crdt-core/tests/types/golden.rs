//! The bytes of each type, frozen: a change of them is a change of the format.
//!
//! `CRDT_BLESS=1` writes the files anew.

use std::path::Path;

use crdt_core::causality::{CausalContext, VersionVector};
use crdt_core::codec::{Decode, Encode};
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{DotMap, Edit};
use crdt_core::map::LatticeStore;
use crdt_core::sequence::SavedHistory;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, Dot, EnableWinsFlag, GCounter, GrowOnlySet, List,
    LwwMap, LwwRegister, MaxRegister, MinRegister, MultiValueRegister, ObservedRemoveMap,
    PnCounter, RedactableRegister, RemoveWinsSet, ReplicaId, Replicated, Text, Tree, TwoPhaseSet,
};

use crate::support::derived::{Everything, EverythingEdit as _, PairEdit as _};
use crate::support::{bytes, parse};

const A: ReplicaId = ReplicaId::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
const B: ReplicaId = ReplicaId::from_u128(0x0000_0000_0000_0000_0000_0000_0000_0002);

/// The value has the bytes of the file, and the file's bytes are the value.
fn golden<T: Encode + Decode + PartialEq + std::fmt::Debug>(name: &str, value: &T) {
    assert_eq!(parse::<T>(&frozen(name, &bytes(value))).as_ref(), Ok(value), "{name}");
}

/// The file's bytes, which are these.
fn frozen(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let hex: String = bytes
        .chunks(32)
        .flat_map(|line| line.iter().map(|byte| format!("{byte:02x}")).chain(["\n".into()]))
        .collect();
    if std::env::var_os("CRDT_BLESS").is_some() {
        std::fs::write(&path, &hex).expect("the golden file can be written");
    }
    let frozen = std::fs::read_to_string(&path).expect("the golden file is there");
    assert_eq!(hex, frozen, "{name}");
    let digits: Vec<u8> = frozen.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A saved text, long enough that each of its streams is compressed.
#[test]
fn texts() {
    let mut text = Text::new();
    let (mut anna, mut bela) = (text.writer(A), text.writer(B));
    for line in 0..40 {
        let _kept = text.insert(0, &format!("line {line}, as typed\n"), &mut anna).unwrap();
        let _kept = text.delete(4, 3, &mut bela).unwrap();
    }
    let (parted, mut apart) = (text.version().clone(), text.clone());
    let _kept = text.delete(0, 30, &mut anna).unwrap();
    let theirs = apart.delete(10, 30, &mut bela).unwrap();
    text.join(&theirs).unwrap();
    let bytes = frozen("text_saved.hex", &text.encode().unwrap());
    assert_eq!(Text::import(&bytes).as_ref(), Ok(&text));
    let _kept = frozen("text_empty_saved.hex", &Text::new().encode().unwrap());
    // Without what came before the two parted, and without any history.
    text.trim(&parted, |_| true).unwrap();
    let bytes = frozen("text_trimmed_saved.hex", &text.encode().unwrap());
    assert_eq!(Text::import(&bytes).as_ref(), Ok(&text));
    let state = frozen("text_state_saved.hex", &text.encode_with(SavedHistory::Nothing).unwrap());
    let read = Text::import(&state).unwrap();
    assert_eq!((read.to_string(), read.frontier()), (text.to_string(), text.frontier()));
}

#[test]
fn counters() {
    let mut counter = GCounter::new();
    golden("g_counter_empty.hex", &counter);
    let mut writer = counter.writer(A);
    let delta = counter.increment(300, &mut writer).unwrap();
    counter.apply(B, u64::MAX).unwrap();
    golden("g_counter.hex", &counter);
    golden("g_counter_delta.hex", &delta);

    let mut counter = PnCounter::new();
    let mut writer = counter.writer(A);
    let _kept = counter.increment(5, &mut writer).unwrap();
    let delta = counter.decrement(7, &mut writer).unwrap();
    counter.apply(B, -1).unwrap();
    golden("pn_counter.hex", &counter);
    golden("pn_counter_delta.hex", &delta);

    let mut counter = BoundedCounter::new();
    golden("bounded_counter_empty.hex", &counter);
    let mut writer = counter.writer(A);
    let _kept = counter.increment(300, &mut writer).unwrap();
    golden("bounded_counter_transfer.hex", &counter.transfer(200, B, &mut writer).unwrap());
    let _kept = counter.decrement(7, &mut writer).unwrap();
    golden("bounded_counter.hex", &counter);
}

#[test]
fn registers() {
    let mut register = LwwRegister::<String>::new();
    golden("lww_register_empty.hex", &register);
    let mut writer = register.writer(A);
    let delta = register.set("dark".into(), 42, &mut writer).unwrap();
    golden("lww_register.hex", &register);
    golden("lww_register_delta.hex", &delta);

    let mut register = MultiValueRegister::<String>::new();
    let mut other = register.clone();
    let (mut at_a, mut at_b) = (register.writer(A), other.writer(B));
    let _kept = register.set("Pune".into(), &mut at_a).unwrap();
    let write = register.set("Mumbai".into(), &mut at_a).unwrap();
    let _kept = other.set("Delhi".into(), &mut at_b).unwrap();
    register.join(&other);
    golden("multi_value_register.hex", &register);
    golden("multi_value_register_set.hex", &write);
    golden("multi_value_register_clear.hex", &register.clear(&mut at_a));

    let mut register = RedactableRegister::<String, [u8; 4]>::new();
    let mut other = register.clone();
    let (mut at_a, mut at_b) = (register.writer(A), other.writer(B));
    let _kept = register.set("a secret".into(), &mut at_a).unwrap();
    let _kept = other.set("Delhi".into(), &mut at_b).unwrap();
    golden("redactable_register_redact.hex", &register.redact_all(|_| [1, 2, 3, 4], &mut at_a));
    register.join(&other);
    golden("redactable_register.hex", &register);
    golden("redactable_register_digest.hex", &register.digest());

    let mut register = MaxRegister::<i64>::new();
    golden("max_register_empty.hex", &register);
    let delta = register.raise(-70);
    golden("max_register.hex", &register);
    golden("max_register_delta.hex", &delta);
    let mut register = MinRegister::<String>::new();
    let _kept = register.lower("early".into());
    golden("min_register.hex", &register);
}

#[test]
fn flags() {
    let mut flag = EnableWinsFlag::new();
    let mut other = flag.clone();
    golden("enable_wins_flag_empty.hex", &flag);
    let (mut at_a, mut at_b) = (flag.writer(A), other.writer(B));
    golden("enable_wins_flag_enable.hex", &flag.enable(&mut at_a).unwrap());
    let _kept = other.enable(&mut at_b).unwrap();
    flag.join(&other);
    golden("enable_wins_flag.hex", &flag);
    golden("enable_wins_flag_disable.hex", &flag.disable(&mut at_a));

    let mut flag = DisableWinsFlag::new();
    let mut other = flag.clone();
    let (mut at_a, mut at_b) = (flag.writer(A), other.writer(B));
    let _kept = flag.enable(&mut at_a).unwrap();
    golden("disable_wins_flag_disable.hex", &other.disable(&mut at_b).unwrap());
    flag.join(&other);
    golden("disable_wins_flag.hex", &flag);
}

#[test]
fn sets() {
    let mut set = AddWinsSet::<String>::new();
    golden("add_wins_set_empty.hex", &set);
    let (mut at_a, mut at_b) = (set.writer(A), set.writer(B));
    let mut other = set.clone();
    let _kept = set.add("crdt".into(), &mut at_a).unwrap();
    let lost = set.add("event".into(), &mut at_a).unwrap();
    let _kept = set.add("crdt".into(), &mut at_a).unwrap();
    other.join(lost);
    let _kept = other.add("crdt".into(), &mut at_b).unwrap();
    golden("add_wins_set_gap.hex", &other);
    set.join(&other);
    golden("add_wins_set.hex", &set);
    golden("digest.hex", &set.digest());
    golden("add_wins_set_add.hex", &set.add("graph".into(), &mut at_a).unwrap());
    golden("add_wins_set_remove.hex", &set.remove("crdt", &mut at_a));

    let mut set = RemoveWinsSet::<String>::new();
    let mut other = set.clone();
    let (mut at_a, mut at_b) = (set.writer(A), other.writer(B));
    let _kept = set.add("crdt".into(), &mut at_a).unwrap();
    golden("remove_wins_set_remove.hex", &other.remove("crdt".into(), &mut at_b).unwrap());
    set.join(&other);
    golden("remove_wins_set_add.hex", &set.add("event".into(), &mut at_a).unwrap());
    golden("remove_wins_set.hex", &set);

    let mut set: GrowOnlySet<String> = ["crdt".into(), "event".into()].into_iter().collect();
    golden("grow_only_set.hex", &set);
    golden("grow_only_set_insert.hex", &set.insert("graph".into()));

    let mut set: TwoPhaseSet<String> = ["crdt".into(), "event".into()].into_iter().collect();
    golden("two_phase_set_remove.hex", &set.remove("event".into()));
    golden("two_phase_set.hex", &set);
}

#[test]
fn maps() {
    let mut map = LwwMap::<String, i64>::new();
    let mut other = map.clone();
    let (mut at_a, mut at_b) = (map.writer(A), other.writer(B));
    let write = map.set("size".into(), -3, 7, &mut at_a).unwrap();
    let _kept = other.set("size".into(), 12, 7, &mut at_b).unwrap();
    map.join(&other);
    golden("lww_map.hex", &map);
    golden("lww_map_set.hex", &write);
    golden("lww_map_clear.hex", &map.clear(&mut at_a));

    // Nested twice; one side removes what the other changes.
    type Counters = ObservedRemoveMap<String, DotMap<u8, CounterStore>>;
    let (mut map, mut other) = (Counters::new(), Counters::new());
    let (mut at_a, mut at_b) = (map.writer(A), other.writer(B));
    let views = |map: &mut Edit<'_, DotMap<u8, CounterStore>>| {
        map.update(1, |counter| counter.increment(5));
        map.update(2, |counter| counter.increment(-1));
    };
    other.join(map.update("views".into(), &mut at_a, views).unwrap());
    let removed = map.update("views".into(), &mut at_a, |map| _ = map.remove(&1)).unwrap();
    golden("observed_remove_map_inner_remove.hex", &removed);
    let change = other.update("views".into(), &mut at_b, views).unwrap();
    golden("observed_remove_map_update.hex", &change);
    map.join(change);
    golden("observed_remove_map.hex", &map);
    golden("observed_remove_map_remove.hex", &map.remove("views", &mut at_a));

    let mut map = ObservedRemoveMap::<u8, LatticeStore<MaxRegister<i64>>>::new();
    let mut writer = map.writer(A);
    let _kept = map.update(7, &mut writer, |score| score.update(|max| _ = max.raise(-3))).unwrap();
    golden("observed_remove_map_of_lattices.hex", &map);
}

#[test]
fn contexts() {
    golden("version_vector.hex", &VersionVector::from_iter([(A, 3), (B, 1_000_000)]));
    let dots = [1, 2, 5, 6, 7, 300].map(|seq| Dot::new(A, seq));
    golden(
        "causal_context.hex",
        &CausalContext::from_iter(dots.into_iter().chain([Dot::new(B, 2)])),
    );
}

#[test]
fn derived_structs() {
    let mut root = Replicated::<Everything>::new();
    golden("derived_empty.hex", &root);
    let mut writer = root.writer(A);
    let change = root.edit(&mut writer, |it| {
        it.tags().add(1);
        it.bans().discard(2);
        it.name().set(3);
        it.settings().set(4, 5, 6);
        it.starred().enable();
        it.public().disable();
        it.views().increment(-7);
        it.seen_by().update(|set| _ = set.insert(8));
        it.carts().update(9, |cart| cart.add(10));
        it.limits().one().increment(11);
        it.limits().other().update(12, |counter| counter.increment(13));
        it.notes().update(14, |note| note.one().enable());
    });
    golden("derived.hex", &root);
    golden("derived_change.hex", &change.unwrap());
    let removal = root.edit(&mut writer, |it| {
        it.views().reset();
        it.carts().update(9, |cart| _ = cart.remove(&10));
        it.notes().remove(&14);
        it.limits().other().update(12, |counter| counter.reset());
    });
    golden("derived_removal.hex", &removal.unwrap());
    golden("derived_gap.hex", &root);
}

#[test]
fn lists() {
    let mut list = List::<String>::new();
    golden("list_empty.hex", &list);
    let (mut at_a, mut at_b) = (list.writer(A), list.writer(B));
    let words = ["one", "two", "three"].map(String::from);
    golden("list_extend.hex", &list.extend(words, &mut at_a).unwrap());
    let mut other = list.clone();
    golden("list_insert.hex", &list.insert(1, "between".into(), &mut at_a).unwrap());
    let _kept = other.insert(1, "beside".into(), &mut at_b).unwrap();
    let _kept = other.move_to(3, 0, &mut at_b).unwrap();
    let _kept = list.move_to(3, 1, &mut at_a).unwrap();
    list.join(&other);
    golden("list_remove.hex", &list.remove(1, &mut at_a));
    golden("list.hex", &list);
    golden("list_digest.hex", &list.digest());
    golden("list_move.hex", &list.move_to(0, 2, &mut at_a).unwrap());
    golden("list_clear.hex", &list.clear(&mut at_a));
}

#[test]
fn trees() {
    let mut tree = Tree::<String>::new();
    golden("tree_empty.hex", &tree);
    let (mut at_a, mut at_b) = (tree.writer(A), tree.writer(B));
    let (docs, delta) = tree.create(None, 0, "docs".into(), &mut at_a).unwrap();
    golden("tree_create.hex", &delta);
    let (old, _) = tree.create(None, 1, "old".into(), &mut at_a).unwrap();
    let (new, _) = tree.create(Some(docs), 0, "new".into(), &mut at_a).unwrap();
    let mut other = tree.clone();
    golden("tree_move.hex", &tree.move_to(docs, Some(old), 0, &mut at_a).unwrap());
    let _kept = other.move_to(old, Some(docs), 1, &mut at_b).unwrap();
    let _kept = other.set_value(old, "older".into(), &mut at_b).unwrap();
    tree.join(&other);
    golden("tree_set_value.hex", &tree.set_value(docs, "papers".into(), &mut at_a).unwrap());
    golden("tree_remove.hex", &tree.remove(new, &mut at_a).unwrap());
    golden("tree.hex", &tree);
    let stable = tree.context().vector().clone();
    golden("tree_compact.hex", &tree.compact(&stable, &mut at_a));
    golden("tree_digest.hex", &tree.digest());
    golden("tree_clear.hex", &tree.clear(&mut at_a));
}
