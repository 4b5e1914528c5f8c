//! The document by example.

use crdt_core::Dot;
use crdt_document::{
    Change, Document, EditError, ImportError, MapChange, Origin, Path, ReplicaId, TextError, Value,
};

fn doc(id: u128) -> Document {
    Document::new(ReplicaId::from_u128(id))
}

fn sync(a: &mut Document, b: &mut Document) {
    b.import(&a.changes_since(b.version())).unwrap();
    a.import(&b.changes_since(a.version())).unwrap();
    a.check_invariants();
    b.check_invariants();
    assert_eq!(a.to_value(), b.to_value());
    assert_eq!(a.encode(), b.encode());
}

#[test]
fn everything_at_once() {
    let mut doc = doc(1);
    doc.transact(|tx| {
        tx.text("body").insert(0, "hello")?;
        tx.counter("views").increment(1);
        tx.set("tags").add("crdt");
        tx.map("settings").set("theme", "dark");
        tx.map("a").map("b").text("c").insert(0, "deep")?;
        Ok(())
    })
    .unwrap();
    doc.check_invariants();
    let json = r#"{"a":{"b":{"c":"deep"}},"body":"hello","settings":{"theme":"dark"},"tags":["crdt"],"views":1}"#;
    assert_eq!(doc.to_string(), json);
    assert_eq!(doc.len(), 5 + 3 + 4);
    let bytes = doc.encode();
    let read = Document::decode(&bytes).unwrap();
    read.check_invariants();
    assert_eq!(read.to_string(), json);
    assert_eq!(read.encode(), bytes);
    assert_eq!(doc.drain_events().len(), 8, "the root tells of four, `a` and `b` of one each");
}

#[test]
fn two_replicas_meet() {
    let (mut mumbai, mut delhi) = (doc(1), doc(2));
    mumbai.transact(|tx| tx.text("body").insert(0, "monsoon").map(drop)).unwrap();
    sync(&mut mumbai, &mut delhi);
    mumbai.transact(|tx| tx.text("body").insert(7, " plan").map(drop)).unwrap();
    delhi.transact(|tx| tx.text("body").insert(0, "the ").map(drop)).unwrap();
    mumbai
        .transact(|tx| {
            tx.map("settings").set("city", "Mumbai");
            Ok(())
        })
        .unwrap();
    delhi
        .transact(|tx| {
            tx.map("settings").set("city", "Delhi");
            Ok(())
        })
        .unwrap();
    sync(&mut mumbai, &mut delhi);
    assert_eq!(mumbai.text("body"), "the monsoon plan");
    assert_eq!(mumbai.map("settings").conflicts("city").len(), 2);
    // More had happened before the write in Mumbai: it has the greater Lamport time.
    assert_eq!(mumbai.map("settings").get("city"), Some(&Value::from("Mumbai")));
}

#[test]
fn five_then_reset_beside_one_is_one() {
    let (mut a, mut b) = (doc(1), doc(2));
    let count = |doc: &mut Document, amount| {
        doc.transact(|tx| {
            tx.counter("n").increment(amount);
            Ok(())
        })
        .unwrap();
    };
    count(&mut a, 5);
    sync(&mut a, &mut b);
    a.transact(|tx| {
        tx.counter("n").reset();
        Ok(())
    })
    .unwrap();
    count(&mut b, 1);
    sync(&mut a, &mut b);
    assert_eq!(a.counter("n").value(), 1);
}

/// D3: a key is removed while something is written inside.
#[test]
fn an_update_inside_wins_over_the_removal_of_its_key() {
    let (mut a, mut b) = (doc(1), doc(2));
    a.transact(|tx| {
        tx.map("user").set("name", "Asha").set("city", "Pune");
        tx.map("user").text("bio").insert(0, "old")?;
        tx.map("user").counter("visits").increment(3);
        Ok(())
    })
    .unwrap();
    sync(&mut a, &mut b);
    a.transact(|tx| {
        tx.root().remove("user");
        Ok(())
    })
    .unwrap();
    assert_eq!(a.to_string(), "{}");
    b.transact(|tx| {
        tx.map("user").set("city", "Delhi");
        tx.map("user").text("bio").insert(3, " new")?;
        tx.map("user").counter("visits").increment(1);
        Ok(())
    })
    .unwrap();
    sync(&mut a, &mut b);
    assert_eq!(a.to_string(), r#"{"user":{"bio":" new","city":"Delhi","visits":1}}"#);
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    let mut doc = doc(1);
    doc.transact(|tx| tx.text("body").insert(0, "one").map(drop)).unwrap();
    doc.drain_events();
    let before = doc.encode();
    let error = doc.transact(|tx| {
        tx.text("body").insert(3, " two")?.delete(0..2)?;
        tx.map("m").map("n").set("k", 1);
        tx.counter("c").increment(4);
        tx.text("body").insert(99, "x").map(drop)
    });
    assert_eq!(error, Err(EditError::Text(TextError::OutOfBounds { position: 99, length: 5 })));
    doc.check_invariants();
    assert_eq!(doc.encode(), before);
    assert_eq!(doc.to_string(), r#"{"body":"one"}"#);
    assert!(doc.drain_events().is_empty());
    let quiet = doc.transact(|tx| {
        tx.counter("c").increment(i64::MIN);
        tx.map("never").set("k", 1);
        Ok(())
    });
    assert_eq!(quiet, Err(EditError::CounterOverflow(Path::root().counter("c"))));
    assert_eq!(doc.encode(), before);
    assert_eq!(Document::reader().transact(|_| Ok(())), Err(EditError::NoReplica));
}

/// What a counter can hold is full at 2^64 - 1 upwards for each replica. Nobody honest goes on
/// from there, and whoever does is refused with all that comes along.
#[test]
fn an_import_that_overflows_a_counter_changes_nothing() {
    let mut doc = doc(1);
    let mut count = |amount| {
        doc.transact(|tx| {
            tx.map("m").set("k", amount);
            tx.counter("c").increment(amount);
            Ok(())
        })
    };
    for amount in [i64::MAX, i64::MAX, 1] {
        count(amount).unwrap();
    }
    assert_eq!(count(1), Err(EditError::CounterOverflow(Path::root().counter("c"))));
    assert_eq!(doc.counter("c").value(), i128::from(u64::MAX));
    let bytes = doc.encode();
    assert_eq!(Document::decode(&bytes).unwrap().counter("c").value(), i128::from(u64::MAX));

    // The last amount, 1, stands in the counter's column as 3. Somebody writes 2 there.
    let mut refused = 0;
    for at in (0..bytes.len() - 4).filter(|&at| bytes[at] == 3) {
        let mut forged = bytes[..bytes.len() - 4].to_vec();
        forged[at] = 5;
        forged.extend(crdt_core::codec::checksum(&forged).to_le_bytes());
        let mut reader = Document::reader();
        if let Err(error) = reader.import(&forged) {
            let overflows = ImportError::InvalidChange(Dot::new(ReplicaId::from_u128(1), 5));
            refused += usize::from(error == overflows);
            reader.check_invariants();
            assert!(reader.is_empty() && reader.drain_events().is_empty());
            assert_eq!(reader.encode(), Document::reader().encode());
        }
    }
    assert_eq!(refused, 1);
}

#[test]
fn a_panic_rolls_back() {
    let mut doc = doc(1);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        doc.transact(|tx| {
            tx.counter("c").increment(1);
            panic!("in the closure")
        })
        .map(|(): ()| ())
    }));
    assert!(panicked.is_err());
    doc.check_invariants();
    assert!(doc.is_empty());
    assert_eq!(doc.to_string(), "{}");
    assert_eq!(doc.transact(|_| Ok(1)), Ok(1));
}

#[test]
fn a_transaction_over_several_calls() {
    let mut doc = doc(1);
    assert_eq!(doc.commit(), Err(EditError::NoTransaction));
    doc.begin().unwrap();
    assert_eq!(doc.begin(), Err(EditError::TransactionOpen));
    doc.transaction().unwrap().text("t").insert_utf16(0, "a😀").unwrap();
    assert_eq!(doc.text("t"), "a😀", "reads between see the writes");
    assert_eq!(doc.encode(), Document::new(ReplicaId::from_u128(1)).encode(), "bytes do not");
    let other = super_import(&mut doc);
    assert_eq!(other, Err(ImportError::TransactionOpen));
    let inside = doc.transaction().unwrap().text("t").insert_utf16(2, "x").map(drop);
    assert_eq!(inside, Err(EditError::Text(TextError::InsideCodePoint { position: 2 })));
    let dots = doc.commit().unwrap().unwrap();
    assert_eq!((dots.first, dots.last), (1, 2));
    doc.begin().unwrap();
    doc.transaction().unwrap().text("t").clear();
    doc.rollback();
    assert_eq!(doc.text("t"), "a😀");
    doc.check_invariants();
}

fn super_import(into: &mut Document) -> Result<(), ImportError> {
    let mut other = doc(9);
    other.transact(|tx| tx.text("t").insert(0, "z").map(drop)).unwrap();
    into.import(&other.encode()).map(drop)
}

#[test]
fn events_tell_what_where_and_by_whom() {
    let (mut a, mut b) = (doc(1), doc(2));
    a.transact(|tx| {
        tx.text("t").insert(0, "a😀b")?;
        tx.map("m").set("k", 1);
        Ok(())
    })
    .unwrap();
    sync(&mut a, &mut b);
    a.drain_events();
    let events = b.drain_events();
    assert!(events.iter().all(|event| event.origin == Origin::Remote));
    b.transact(|tx| {
        tx.text("t").delete(1..2)?.insert(1, "x")?;
        tx.map("m").remove("k").set("l", 2);
        tx.set("s").add("e");
        Ok(())
    })
    .unwrap();
    sync(&mut a, &mut b);
    let text = a.drain_events().into_iter().find(|event| event.path == Path::root().text("t"));
    let text = text.unwrap();
    assert_eq!(text.by, [ReplicaId::from_u128(2)]);
    let Change::Text(changes) = &text.change else { panic!("{text:?}") };
    let deletion = &changes[0].patch;
    assert_eq!((deletion.at, deletion.deleted), (1, 1));
    assert_eq!((deletion.at_utf16, deletion.deleted_utf16), (1, 2));
    let local = b.drain_events();
    let map = local.iter().find(|event| event.path == Path::root().map("m")).unwrap();
    let expected = [
        MapChange::Removed { key: "k".into() },
        MapChange::Set { key: "l".into(), value: Value::from(2), by: ReplicaId::from_u128(2) },
    ];
    assert_eq!(map.change, Change::Map(expected.to_vec()));
    assert_eq!(map.origin, Origin::Local);
}

#[test]
fn what_is_missing_is_named() {
    let (mut a, mut b) = (doc(1), doc(2));
    a.transact(|tx| tx.text("t").insert(0, "abc").map(drop)).unwrap();
    let known = a.version().clone();
    a.transact(|tx| tx.text("t").insert(3, "def").map(drop)).unwrap();
    let before = b.encode();
    let error = b.import(&a.changes_since(&known));
    let missing = crdt_document::DotRange::new(ReplicaId::from_u128(1), 1, 3);
    assert_eq!(error, Err(ImportError::Missing(vec![missing])));
    assert_eq!(b.encode(), before);
}

#[test]
fn a_forked_replica_is_named() {
    let (mut a, mut clone, mut b) = (doc(1), doc(1), doc(2));
    a.transact(|tx| tx.text("t").insert(0, "one").map(drop)).unwrap();
    clone.transact(|tx| tx.text("t").insert(0, "two").map(drop)).unwrap();
    b.import(&a.encode()).unwrap();
    let before = b.encode();
    let error = b.import(&clone.encode());
    let replica = ReplicaId::from_u128(1);
    assert_eq!(error, Err(ImportError::Equivocation { replica, seq: 1 }));
    assert_eq!(b.encode(), before);
    let other = Document::with_genesis(crdt_document::Genesis::named("other"));
    assert!(matches!(b.import(&other.encode()), Err(ImportError::UnrelatedGenesis { .. })));
}

#[test]
fn documents_can_be_sent_and_shared() {
    fn check<T: Send + Sync>() {}
    check::<Document>();
    check::<crdt_document::ChangeSet>();
    check::<crdt_document::Presence>();
}

#[test]
fn an_anchor_moves_with_its_text() {
    use crdt_document::Side;
    let (mut a, mut b) = (doc(1), doc(2));
    a.transact(|tx| tx.text("t").insert(0, "a😀bc").map(drop)).unwrap();
    sync(&mut a, &mut b);
    let anchor = a.text("t").anchor_utf16(3, Side::After).unwrap();
    assert!(a.text("t").anchor_utf16(2, Side::After).is_err(), "inside of a surrogate pair");
    b.transact(|tx| tx.text("t").insert(0, "🎈")?.delete(1..2).map(drop)).unwrap();
    a.transact(|tx| tx.text("t").insert(4, "d").map(drop)).unwrap();
    sync(&mut a, &mut b);
    assert_eq!(a.text("t"), "🎈😀bcd");
    assert_eq!(a.text("t").resolve_utf16(&anchor), Ok(4));
    assert_eq!(b.text("t").resolve(&anchor), Ok(2));
    assert!(doc(3).text("t").resolve(&anchor).is_err());
}

#[test]
fn the_past_can_be_read() {
    let mut doc = doc(1);
    let mut versions = vec![doc.frontier()];
    for word in ["one", " two", " three"] {
        doc.transact(|tx| tx.text("t").push(word).map(drop)).unwrap();
        versions.push(doc.frontier());
    }
    let texts: Vec<String> =
        versions.iter().map(|version| doc.text("t").at(version).unwrap()).collect();
    assert_eq!(texts, ["", "one", "one two", "one two three"]);
    let changes: Vec<(u64, u64)> =
        doc.changes().map(|change| (change.dots.first, change.lamport)).collect();
    assert_eq!(changes, [(1, 1), (4, 4), (8, 8)]);
    assert_eq!(doc.version_of(&versions[2]).unwrap().get(ReplicaId::from_u128(1)), 7);
}

/// Everything that can be drained, as one line each, by path.
fn told(doc: &mut Document) -> Vec<String> {
    let mut lines: Vec<String> = doc
        .drain_events()
        .into_iter()
        .map(|event| format!("{}: {:?}", event.path, event.change))
        .collect();
    lines.sort();
    lines
}

#[test]
fn who_begins_with_a_trimmed_document_is_told_of_all_that_is_there() -> Result<(), EditError> {
    let mut doc = doc(1);
    doc.transact(|tx| {
        tx.text("body").insert(0, "hello")?;
        tx.counter("views").increment(2);
        tx.set("tags").add("crdt").add("gone");
        tx.map("settings").set("theme", "dark");
        tx.map("empty").create();
        Ok(())
    })?;
    doc.transact(|tx| {
        tx.set("tags").remove("gone");
        tx.text("body").delete(0..1).map(drop)
    })?;
    let mut whole = Document::reader();
    whole.import(&doc.encode()).expect("it is new");
    let mut expected = told(&mut whole);

    let stable = doc.version().clone();
    let trimmed = doc.trim(&stable, |_| false)?.expect("there is history");
    assert_eq!((trimmed.events, trimmed.forgotten), (12, 0));
    assert!(doc.changes().next().is_none(), "nothing is left of what happened");
    let mut late = Document::reader();
    late.import(&doc.encode()).expect("it is new");
    assert_eq!(late.to_value(), whole.to_value());
    // The text comes as one piece.
    let mut seen = told(&mut late);
    let is_edit = |line: &String| line.contains(": Text(");
    assert_eq!(seen.iter().filter(|line| is_edit(line)).count(), 1);
    expected.retain(|line| !is_edit(line));
    seen.retain(|line| !is_edit(line));
    assert_eq!(seen, expected);

    // A document with something of its own is told no lies about what became of it.
    let mut early = Document::reader();
    early.import(&whole.encode()).expect("it is new");
    early.drain_events();
    doc.transact(|tx| {
        tx.set("tags").add("later");
        Ok(())
    })?;
    early.import(&doc.encode()).expect("it holds what was trimmed");
    assert_eq!(told(&mut early).len(), 1);
    assert_eq!(early.to_value(), doc.to_value());
    Ok(())
}
