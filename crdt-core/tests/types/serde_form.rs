//! The values in the formats of `serde`: JSON for people, and one of bytes.

use std::fmt::Debug;

use crdt_core::causality::{CausalContext, Frontier, VersionVector};
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{Delta, Digest, DotMap};
use crdt_core::lattice::Part;
use crdt_core::laws::trials;
use crdt_core::laws::{Arrival, History, Step, Subject};
use crdt_core::set::AddWinsStore;
use crdt_core::{
    AddWinsSet, BoundedCounter, DisableWinsFlag, Dot, DotRange, EnableWinsFlag, GCounter,
    GrowOnlySet, List, LwwMap, LwwRegister, MaxRegister, MinRegister, MultiValueRegister,
    ObservedRemoveMap, PnCounter, RemoveWinsSet, ReplicaId, Text, TextDelta, Tree, TwoPhaseSet,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::support::cases;
use crate::support::derived::{EverythingAt, RootOf};
use crate::support::list::{ListAt, Lists};
use crate::support::nest::{CounterAt, LatticeAt, MapOf, RemoveWinsAt, RootMap};
use crate::support::subjects::{
    DisableWins, EnableWins, Greatest, GrowOnly, GrowOnlyElements, Least, Map, Redacting, Register,
    RemoveWins, Set, Siblings, Stock, TwoPhase, UpAndDown,
};
use crate::support::tree::{TreeAt, Trees};

const A: ReplicaId = ReplicaId::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
const B: ReplicaId = ReplicaId::from_u128(2);

fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it can be written as JSON");
    let read: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(read, *value, "{text}");
    // Also by way of a tree, whose objects have another order.
    let tree = serde_json::to_value(value).expect("it can be written as a tree");
    assert_eq!(serde_json::from_value::<T>(tree).expect("a tree can be read"), *value);
    let bytes = postcard::to_allocvec(value).expect("it can be written as bytes");
    assert_eq!(postcard::from_bytes::<T>(&bytes).as_ref(), Ok(value));
    // Some end of the bytes is missing: an error, not a panic.
    for len in (0..bytes.len()).step_by(1 + bytes.len() / 8) {
        let _ = postcard::from_bytes::<T>(&bytes[..len]);
    }
}

fn law<S>(steps: Vec<Step<S::Op>>) -> bool
where
    S: Subject<Root: Serialize + DeserializeOwned, Delta: Serialize + DeserializeOwned>,
{
    let history = History::<S>::play(&steps, Arrival::Any);
    history.states.iter().for_each(there_and_back);
    history.deltas.iter().for_each(there_and_back);
    let mut group = S::Delta::default();
    for delta in history.deltas {
        crdt_core::Lattice::join(&mut group, delta);
    }
    there_and_back(&group);
    true
}

pub(crate) fn check<S>()
where
    S: Subject<Root: Serialize + DeserializeOwned, Delta: Serialize + DeserializeOwned>,
{
    trials().quickcheck(law::<S> as fn(_) -> _);
}

#[test]
fn sets() {
    check::<Set>();
    check::<RemoveWins>();
    check::<GrowOnlyElements>();
    check::<TwoPhase>();
}

#[test]
fn counters() {
    check::<GrowOnly>();
    check::<UpAndDown>();
    check::<Stock>();
}

#[test]
fn registers_and_flags() {
    check::<Register>();
    check::<Siblings>();
    check::<Redacting>();
    check::<Greatest>();
    check::<Least>();
    check::<EnableWins>();
    check::<DisableWins>();
}

#[test]
fn maps() {
    check::<Map>();
    check::<RootMap<MapOf<CounterAt>>>();
    check::<RootMap<RemoveWinsAt>>();
    check::<RootMap<LatticeAt>>();
}

#[test]
fn lists_and_trees() {
    check::<Lists>();
    check::<RootMap<ListAt>>();
    check::<Trees>();
    check::<RootMap<TreeAt>>();
}

#[test]
fn derived_structs() {
    check::<RootOf<EverythingAt>>();
}

#[test]
fn contexts() {
    fn law(dots: Vec<(u8, u8)>) -> bool {
        let dot = |&(id, seq): &(u8, u8)| {
            Dot::new(ReplicaId::from_u128(id as u128 % 4), 1 + u64::from(seq % 16))
        };
        let dots: Vec<Dot> = dots.iter().map(dot).collect();
        let context: CausalContext = dots.iter().copied().collect();
        there_and_back(&context);
        let vector: VersionVector = dots.iter().map(|dot| (dot.replica, dot.seq)).collect();
        there_and_back(&vector);
        there_and_back(&vector.iter().map(|(by, seq)| Dot::new(by, seq)).collect::<Frontier>());
        dots.iter().for_each(there_and_back);
        context.ranges().collect::<Vec<DotRange>>().iter().for_each(there_and_back);
        let mut set = AddWinsSet::new();
        for dot in &dots {
            let mut writer = set.writer(dot.replica);
            let _kept = set.add(dot.seq, &mut writer).unwrap();
            let _kept = set.remove(&(dot.seq / 2), &mut writer);
        }
        there_and_back(&set.digest());
        true
    }
    trials().quickcheck(law as fn(_) -> _);
}

#[test]
fn texts() {
    fn law(edits: Vec<(u8, char)>) -> bool {
        let mut text = Text::new();
        let mut writer = text.writer(A);
        for (at, letter) in edits {
            let at = u32::from(at) % (text.len_chars() + 1);
            let delta = text.insert(at, letter.encode_utf8(&mut [0; 4]), &mut writer).unwrap();
            let read: TextDelta =
                serde_json::from_str(&serde_json::to_string(&delta).unwrap()).unwrap();
            assert_eq!(read.encode(), delta.encode());
            let read: TextDelta =
                postcard::from_bytes(&postcard::to_allocvec(&delta).unwrap()).unwrap();
            assert_eq!(read.encode(), delta.encode());
        }
        there_and_back(&text);
        true
    }
    trials().tests(cases() / 8).quickcheck(law as fn(_) -> _);
}

/// What a person reads.
#[test]
fn json_looks_as_one_would_expect() {
    let mut set = AddWinsSet::new();
    let mut writer = set.writer(B);
    let _kept = set.add("crdt".to_owned(), &mut writer).unwrap();
    let delta = set.add("event".to_owned(), &mut writer).unwrap();
    let removal = set.remove("crdt", &mut writer);
    let mut counter = PnCounter::new();
    counter.apply(A, 5).unwrap();
    counter.apply(A, -7).unwrap();
    let mut register = LwwRegister::<String>::new();
    let _kept = register.set("dark".into(), 42, &mut register.writer(B)).unwrap();
    let mut max = MaxRegister::new();
    let unwritten = max;
    let _kept = max.raise(None::<u8>);
    let two_phase: TwoPhaseSet<u8> = [1, 2].into_iter().collect();
    let mut map = ObservedRemoveMap::<(u8, bool), CounterStore>::new();
    let mut on_map = map.writer(B);
    let _kept = map.update((1, true), &mut on_map, |views| views.increment(-3)).unwrap();
    let mut text = Text::new();
    let _kept = text.insert(0, "hi", &mut text.writer(B)).unwrap();
    let history: String = text.encode().unwrap().iter().map(|byte| format!("{byte:02x}")).collect();

    let mut list = List::new();
    let mut writer = list.writer(B);
    let _kept = list.extend(["tea", "milk"], &mut writer).unwrap();
    let _kept = list.move_to(1, 0, &mut writer).unwrap();
    let _kept = list.remove(1, &mut writer);
    let mut tree = Tree::new();
    let mut writer = tree.writer(B);
    let (docs, _) = tree.create(None, 0, "docs", &mut writer).unwrap();
    let (old, _) = tree.create(Some(docs), 0, "old", &mut writer).unwrap();
    let _kept = tree.remove(old, &mut writer).unwrap();

    let b = "00000000-0000-0000-0000-000000000002";
    let json = |value: &dyn erased::Json| value.json();
    for (value, expected) in [
        (json(&set), r#"{"context":["B:1-2"],"store":[["event",["B:2"]]]}"#.to_owned()),
        (json(&delta), r#"{"context":["B:2-2"],"store":[["event",["B:2"]]],"touched":[]}"#.into()),
        (json(&removal), r#"{"context":["B:1-1"],"store":[],"touched":[["crdt",null]]}"#.into()),
        (json(&GCounter::from_iter([(B, 3)])), r#"{"B":3}"#.into()),
        (json(&counter), r#"{"67e55044-10b1-426f-9247-bb680e5fe0c8":[5,7]}"#.into()),
        (json(&register), r#"{"value":"dark","stamp":42,"dot":"B:1"}"#.into()),
        (json(&LwwRegister::<u8>::new()), "null".into()),
        (json(&max), r#"{"value":null}"#.into()),
        (json(&unwritten), "{}".into()),
        (json(&GrowOnlySet::from_iter([2, 1])), "[1,2]".into()),
        (json(&two_phase), "[[1,false],[2,false]]".into()),
        (json(&map), r#"{"context":["B:1-1"],"store":[[[1,true],[["B:1",-3]]]]}"#.into()),
        (json(&VersionVector::from_iter([(B, 7)])), r#"{"B":7}"#.into()),
        (
            json(&list),
            r#"{"context":["B:1-3"],"store":[{"first":"B:1","place":{"behind":[null,null]},"#
                .to_owned()
                + r#""nodes":["spent",{"value":"milk"}]},"#
                + r#"{"first":"B:3","place":{"before":"B:1"},"nodes":[{"move":"B:2"}]}]}"#,
        ),
        (
            json(&tree),
            r#"{"context":["B:1-4"],"store":{"moves":["#.to_owned()
                + r#"{"stamp":1,"dot":"B:1","node":"B:1","parent":null,"key":"01","removed":false},"#
                + r#"{"stamp":2,"dot":"B:3","node":"B:3","parent":"B:1","key":"01","removed":true}],"#
                + r#""values":[["B:2",["B:1","docs"]]]}}"#,
        ),
        (json(&text), format!(r#"{{"text":"hi","history":"{history}"}}"#)),
    ] {
        assert_eq!(value, expected.replace('B', b));
    }
}

mod erased {
    pub(super) trait Json {
        fn json(&self) -> String;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> String {
            serde_json::to_string(self).expect("it can be written as JSON")
        }
    }
}

fn refused<T: DeserializeOwned + Debug>(json: &str, words: &str) {
    let json = json.replace("A:", "00000000-0000-0000-0000-000000000001:");
    let json = json.replace("\"A\"", "\"00000000-0000-0000-0000-000000000001\"");
    let error = serde_json::from_str::<T>(&json).expect_err(&json).to_string();
    assert!(error.contains(words), "{json}: {error}");
}

#[test]
fn what_is_wrong_is_refused_in_words() {
    refused::<ReplicaId>(r#""67e5504410b1426f9247bb680e5fe0c8""#, "32 hexadecimal digits");
    refused::<ReplicaId>(r#""67E55044-10b1-426f-9247-bb680e5fe0c8""#, "32 hexadecimal digits");
    refused::<Dot>(r#""A:0""#, "a dot is");
    refused::<Dot>(r#""A:01""#, "a dot is");
    refused::<Dot>(r#""A:+1""#, "a dot is");
    refused::<Dot>(r#""A:4611686018427387905""#, "a dot is");
    refused::<DotRange>(r#""A:3-2""#, "a range is");
    refused::<VersionVector>(r#"{"A":0}"#, "sequence numbers");
    refused::<VersionVector>(r#"{"A":1,"A":2}"#, "stands twice");
    refused::<Frontier>(r#"["A:1","A:2"]"#, "ascend");
    refused::<CausalContext>(r#"["A:1-2","A:3-4"]"#, "gaps");
    refused::<CausalContext>(r#"["A:5-6","A:1-2"]"#, "ascend");
    refused::<Digest>(r#"{"seen":["A:1-2"],"live":["A:3-3"],"redacted":[]}"#, "was seen");
    refused::<GCounter>(r#"{"A":0}"#, "left out");
    refused::<GCounter>(r#"{"A":-1}"#, "invalid value");
    refused::<PnCounter>(r#"{"A":[0,0]}"#, "left out");
    refused::<BoundedCounter>(r#"{"moved":[[["A","A"],0]],"consumed":[]}"#, "left out");
    refused::<BoundedCounter>(r#"{"moved":[[["A","A"],1],[["A","A"],2]],"consumed":[]}"#, "ascend");
    refused::<GrowOnlySet<u8>>("[2,1]", "ascend");
    refused::<TwoPhaseSet<u8>>("[[1,true],[1,false]]", "ascend");
    refused::<MinRegister<u8>>(r#"{"valeu":1}"#, "unknown field");
    refused::<LwwRegister<u8>>(r#"{"value":1,"stamp":1}"#, "missing field");

    type Tags = AddWinsSet<u8>;
    refused::<Tags>(r#"{"context":[],"store":[[1,["A:1"]]]}"#, "the context covers");
    refused::<Tags>(r#"{"context":["A:1-1"],"store":[[1,["A:1"]],[2,["A:1"]]]}"#, "one place");
    refused::<Tags>(r#"{"context":["A:1-1"],"store":[[1,[]]]}"#, "under every key");
    refused::<Tags>(r#"{"context":["A:1-2"],"store":[[2,["A:1"]],[1,["A:2"]]]}"#, "keys ascend");
    refused::<Tags>(r#"{"context":["A:1-2"],"store":[[1,["A:2","A:1"]]]}"#, "elements ascend");
    refused::<Tags>(r#"{"context":[],"store":[],"more":1}"#, "unknown field");
    refused::<Delta<AddWinsStore<u8>>>(
        r#"{"context":[],"store":[[1,["A:1"]]],"touched":[]}"#,
        "the context covers",
    );
    refused::<ObservedRemoveMap<u8, CounterStore>>(
        r#"{"context":["A:1-1"],"store":[[1,[["A:1",0]]]]}"#,
        "not moved by 0",
    );
    a_list_that_is_wrong();
    a_tree_that_is_wrong();
    refused::<Text>(r#"{"text":"hi","history":"6"}"#, "hexadecimal");
    let mut text = Text::new();
    let _kept = text.insert(0, "hi", &mut text.writer(A)).unwrap();
    let json = serde_json::to_string(&text).unwrap().replace("\"hi\"", "\"ho\"");
    refused::<Text>(&json, "what its history leads to");

    // As deep as the type, and no deeper.
    let deep = "[".repeat(100_000);
    refused::<DotMap<u8, AddWinsStore<u8>>>(&deep, "");
    for huge in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0x80; 32]] {
        postcard::from_bytes::<Tags>(huge).expect_err("it says that it is long, and is not");
        postcard::from_bytes::<GCounter>(huge).expect_err("it says that it is long, and is not");
    }
}

/// One run of a list, which is all right but for what is put in its place.
fn a_list_that_is_wrong() {
    let list = |context: &str, runs: &str| format!(r#"{{"context":[{context}],"store":[{runs}]}}"#);
    let run = |first: &str, place: &str, nodes: &str| {
        format!(r#"{{"first":"A:{first}","place":{{{place}}},"nodes":[{nodes}]}}"#)
    };
    let (behind, value) = (r#""behind":[null,null]"#, r#"{"value":1}"#);
    let ok = run("2", r#""behind":[null,"A:1"]"#, r#"{"value":1},{"move":"A:1"},"spent""#);
    let ok = list(r#""A:1-4""#, &ok).replace("A:", "00000000-0000-0000-0000-000000000001:");
    serde_json::from_str::<List<u8>>(&ok).expect("it is what a list is written as");
    let wrong = |context: &str, runs: &[String], words| {
        refused::<List<u8>>(&list(context, &runs.join(",")), words);
    };
    let all = r#""A:1-9""#;
    wrong("", &[run("1", behind, value)], "the context covers");
    wrong(all, &[run("1", behind, "")], "as long as");
    wrong(all, &[run("1", behind, value), run("1", behind, value)], "ascend");
    wrong(all, &[run("3", behind, value), run("1", behind, value)], "ascend");
    let rest = run("2", r#""behind":["A:1",null]"#, value);
    wrong(all, &[run("1", behind, value), rest], "as long as they can be");
    wrong(all, &[run("2", r#""before":"A:2""#, value)], "what came before");
    wrong(all, &[run("2", r#""behind":["A:3",null]"#, value)], "what came before");
    wrong(all, &[run("2", r#""behind":[null,"A:2"]"#, value)], "what came before");
    wrong(all, &[run("2", behind, r#"{"move":"A:2"}"#)], "what came before");
    wrong(all, &[run("2", r#""beside":"A:1""#, value)], "unknown variant");
    wrong(all, &[run("2", behind, "null")], "");
    let last = run("4611686018427387904", behind, &format!("{value},{value}"));
    wrong(r#""A:4611686018427387904-4611686018427387904""#, &[last], "as long as");
}

/// The same for a tree.
fn a_tree_that_is_wrong() {
    let tree = |moves: &str, values: &str| {
        format!(r#"{{"context":["A:1-9"],"store":{{"moves":[{moves}],"values":[{values}]}}}}"#)
    };
    let step = |[stamp, dot, node, parent, key, removed]: [&str; 6]| {
        let parent = if parent == "null" { parent.to_owned() } else { format!(r#""A:{parent}""#) };
        format!(
            r#"{{"stamp":{stamp},"dot":"A:{dot}","node":"A:{node}","parent":{parent},"key":"{key}","removed":{removed}}}"#
        )
    };
    let created = step(["1", "1", "1", "null", "80", "false"]);
    let value = r#"["A:2",["A:1",7]]"#;
    let ok = tree(&created, value).replace("A:", "00000000-0000-0000-0000-000000000001:");
    serde_json::from_str::<Tree<u8>>(&ok).expect("it is what a tree is written as");
    let moves = |moves: &[[&str; 6]]| {
        let moves: Vec<String> = moves.iter().copied().map(step).collect();
        tree(&moves.join(","), "")
    };
    let wrong = |json: String, words| refused::<Tree<u8>>(&json, words);
    wrong(moves(&[["0", "1", "1", "null", "80", "false"]]), "moves ascend");
    wrong(moves(&[["4611686018427387905", "1", "1", "null", "80", "false"]]), "moves ascend");
    wrong(moves(&[["1", "1", "2", "null", "80", "false"]]), "came before");
    wrong(moves(&[["1", "1", "1", "1", "80", "false"]]), "came before");
    wrong(moves(&[["1", "1", "1", "null", "", "false"]]), "moves ascend");
    wrong(moves(&[["1", "1", "1", "null", "8000", "false"]]), "moves ascend");
    wrong(moves(&[["1", "1", "1", "null", "8", "false"]]), "hexadecimal");
    wrong(moves(&[["1", "2", "1", "null", "80", "true"]]), "moves ascend");
    let first = ["2", "1", "1", "null", "80", "false"];
    wrong(moves(&[first, ["1", "2", "2", "null", "80", "false"]]), "ascend");
    wrong(moves(&[first, first]), "ascend");
    wrong(moves(&[first, ["3", "1", "1", "null", "80", "false"]]), "one event");
    wrong(tree(&created, r#"["A:1",["A:1",7]]"#), "came before it");
    wrong(tree(&created, r#"["A:3",["A:1",7]],["A:2",["A:1",7]]"#), "keys ascend");
    wrong(tree("", value).replace("A:1-9", "A:1-1"), "the context covers");
    wrong(tree(&step(["1", "2", "2", "null", "80", "false"]), value), "one place");
}

/// Types without values of others have the form too.
#[test]
fn everything_has_the_form() {
    fn has<T: Serialize + DeserializeOwned>() {}
    has::<EnableWinsFlag>();
    has::<DisableWinsFlag>();
    has::<RemoveWinsSet<String>>();
    has::<MultiValueRegister<f64>>();
    has::<LwwMap<String, f64, (u64, u8)>>();
    has::<Part<BoundedCounter>>();
    has::<crdt_core::sequence::Anchor>();
}
