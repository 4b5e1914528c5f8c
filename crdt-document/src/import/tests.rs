//! What a later release may write, and this one has to keep and relay: operations and kinds
//! that it does not know.

use alloc::sync::Arc;

use crdt_core::{Dot, ReplicaId};

use crate::journal::Journal;
use crate::op::{Extension, Op, OwnedTextOp};
use crate::state::{Cause, Past};
use crate::{Change, ChangeSet, Document, EditError, Kind, Path, Value, View};

const LATER: u128 = 77;

/// Makes an event in a document as a later release would.
fn extend(doc: &mut Document, path: &Path, code: u32, payload: &[u8]) {
    let number = enter(doc, path);
    let cause = cause(doc);
    let extension = Arc::new(Extension { code, payload: payload.into() });
    push(doc, number, 1);
    doc.state.apply(number, &Op::Extension(extension), 1, &cause, &mut Journal::default());
}

/// Types into a text that holds such an event already.
fn type_on(doc: &mut Document, path: &Path, at: u32, content: &str) {
    let number = enter(doc, path);
    let lv = doc.state.graph.len();
    let len = content.chars().count() as u32;
    push(doc, number, len);
    doc.state.log_text(number, lv, OwnedTextOp::Insert { at, content: content.into() }, len);
}

fn enter(doc: &mut Document, path: &Path) -> u32 {
    doc.state.containers.enter(path)
}

fn cause(doc: &Document) -> Cause<'static> {
    let replica = ReplicaId::from_u128(LATER);
    let graph = &doc.state.graph;
    let dot = Dot::new(replica, graph.version().get(replica) + 1);
    let lamport = 1 + graph.frontier().iter().map(|&tip| graph.lamport(tip)).max().unwrap_or(0);
    Cause { lv: graph.len(), dot, lamport, past: Past::All }
}

fn push(doc: &mut Document, number: u32, events: u32) {
    let tips = doc.state.graph.frontier().to_vec();
    doc.state.graph.push(ReplicaId::from_u128(LATER), events, 1, &tips).unwrap();
    doc.state.owners.push(number, events);
}

/// A document in which a later release and this one have written by turns.
fn later() -> Document {
    let mut doc = Document::new(ReplicaId::from_u128(1));
    let edit = |doc: &mut Document| {
        doc.transact(|tx| {
            tx.text("plain").push("known ")?;
            tx.counter("n").increment(2);
            tx.map("m").set("k", 1);
            tx.set("s").add("e");
            Ok(())
        })
    };
    edit(&mut doc).unwrap();
    doc.transact(|tx| tx.text("rich").insert(0, "bold text").map(drop)).unwrap();
    extend(&mut doc, &Path::root().text("rich"), 9, b"mark 0..4");
    type_on(&mut doc, &Path::root().text("rich"), 4, "er");
    extend(&mut doc, &Path::root().text("rich"), 9, b"");
    type_on(&mut doc, &Path::root().text("rich"), 6, "!");
    edit(&mut doc).unwrap();
    extend(&mut doc, &Path::root().counter("limited"), 3, &[1, 2, 3]);
    extend(&mut doc, &Path::root().counter("limited"), 3, &[1, 2, 3]);
    extend(&mut doc, &Path::root().set("sorted"), 1, b"by name");
    extend(&mut doc, &Path::root().map("renamed"), 200, b"k -> l");
    let list = Path::root().step("list", Kind::Unknown(70));
    extend(&mut doc, &list, 0, b"insert");
    extend(&mut doc, &list.clone().step("child", Kind::Unknown(71)), 5, &[0xff; 40]);
    extend(&mut doc, &list.text("inside"), 0, b"");
    edit(&mut doc).unwrap();
    doc.check_invariants();
    doc
}

#[test]
fn what_is_unknown_is_relayed_untouched() {
    let source = later();
    let bytes = source.encode();
    let read = Document::decode(&bytes).unwrap();
    read.check_invariants();
    assert_eq!(read.encode(), bytes);

    // Change by change, each twice, through a replica that knows none of it.
    let mut relay = Document::reader();
    for change in source.changes() {
        let version = source.version_of(&[change.last()].into_iter().collect()).unwrap();
        let all = relay.decode_changes(&bytes).unwrap();
        let (part, _): (ChangeSet, ChangeSet) = all.split_at(&version);
        relay.apply(part.clone()).unwrap();
        assert!(relay.apply(part).unwrap().new.is_empty());
        relay.check_invariants();
    }
    assert_eq!(relay.encode(), bytes);
    let unsupported = relay.drain_events().into_iter().filter(|event| {
        event.change == Change::Unsupported && event.path == Path::root().text("rich")
    });
    assert!(unsupported.count() > 0);
}

#[test]
fn what_is_unknown_reads_as_unsupported() {
    let mut doc = Document::decode(&later().encode()).unwrap();
    doc.set_replica(ReplicaId::from_u128(2)).unwrap();
    assert_eq!(doc.text("plain"), "known known known ");
    assert!(!doc.text("rich").is_supported() && doc.text("rich").is_empty());
    assert!(doc.text("rich").exists());
    assert!(!doc.counter("limited").is_supported());
    assert!(matches!(
        doc.view(&Path::root().step("list", Kind::Unknown(70))),
        Some(View::Unsupported(Kind::Unknown(70)))
    ));
    assert_eq!(doc.to_value().as_map().unwrap().get("list"), Some(&Value::Null));
    let before = doc.encode();
    let refused = doc.transact(|tx| tx.text("rich").insert(0, "x").map(drop));
    assert_eq!(refused, Err(EditError::Unsupported(Path::root().text("rich"))));
    let refused = doc.transact(|tx| {
        tx.set("sorted").remove("e");
        Ok(())
    });
    assert_eq!(refused, Err(EditError::Unsupported(Path::root().set("sorted"))));
    assert_eq!(doc.encode(), before);
    // A removal from above is one that every release understands.
    doc.transact(|tx| {
        tx.root().remove("rich").remove("list");
        Ok(())
    })
    .unwrap();
    doc.check_invariants();
    assert_eq!(Document::decode(&doc.encode()).unwrap().encode(), doc.encode());
}
