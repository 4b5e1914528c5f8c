//! Editing traces of real documents, played by documents that pass on every change: each
//! agent takes in what the parents of its next transaction name, and nothing more.
//!
//! `CRDT_TRACES` names the folder with the traces; without it there is nothing to do.

use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use crdt_causal::sync::{ChangeLog, ReceiveTables, SendTables};
use crdt_core::codec::{Reader, Writer};
use crdt_document::{Document, Dot, Frontier, ReplicaId};
use serde_json::Value;

fn trace(name: &str) -> Option<Value> {
    let path = PathBuf::from(std::env::var_os("CRDT_TRACES")?).join(name);
    let mut json = String::new();
    let file = std::fs::File::open(path).expect("the trace is there");
    flate2::read::GzDecoder::new(file).read_to_string(&mut json).expect("the trace is gzipped");
    Some(serde_json::from_str(&json).expect("the trace is JSON"))
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

/// Brings what `upto` covers from one document to another.
fn bring(
    from: &Document,
    to: &mut Document,
    upto: &Frontier,
    known: &mut (SendTables, ReceiveTables),
) {
    let upto = from.version_of(upto).expect("the hub has everything");
    loop {
        let mut body = Writer::new();
        let sent = from.encode_changes(to.version(), &upto, 60_000, &mut known.0, &mut body);
        if sent.is_empty() {
            return;
        }
        to.import_changes(&mut Reader::new(body.as_bytes()), &mut known.1)
            .expect("in causal order");
    }
}

fn play(name: &str) {
    let Some(trace) = trace(name) else { return };
    let agents = number(&trace["numAgents"]);
    let start = Instant::now();
    let mut docs: Vec<Document> =
        (0..agents).map(|agent| Document::new(ReplicaId::from_u128(100 - agent as u128))).collect();
    let mut down: Vec<(SendTables, ReceiveTables)> =
        (0..agents).map(|_| Default::default()).collect();
    let mut up: Vec<(SendTables, ReceiveTables)> =
        (0..agents).map(|_| Default::default()).collect();
    let mut hub = Document::reader();
    hub.record_events(false);
    let mut dots: Vec<Dot> = Vec::new();
    for transaction in trace["txns"].as_array().expect("transactions") {
        let agent = number(&transaction["agent"]);
        let parents = transaction["parents"].as_array().expect("parents");
        let parents: Frontier = parents.iter().map(|parent| dots[number(parent)]).collect();
        let doc = &mut docs[agent];
        bring(&hub, doc, &parents, &mut down[agent]);
        doc.begin().unwrap();
        for patch in transaction["patches"].as_array().expect("patches") {
            let (at, deleted) = (number(&patch[0]), number(&patch[1]));
            let inserted = patch[2].as_str().expect("text");
            doc.transaction().unwrap().text("t").splice(at..at + deleted, inserted).unwrap();
        }
        let made = doc.commit().unwrap().expect("no transaction is empty");
        dots.push(Dot::new(made.replica, made.last));
        doc.drain_events();
        let frontier = doc.frontier();
        bring(doc, &mut hub, &frontier, &mut up[agent]);
    }
    let played = start.elapsed();
    let end = trace["endContent"].as_str().expect("the end");
    assert_eq!(hub.text("t"), end);
    let frontier = hub.frontier();
    for (agent, doc) in docs.iter_mut().enumerate() {
        bring(&hub, doc, &frontier, &mut down[agent]);
        assert_eq!(doc.text("t"), end);
    }
    let start = Instant::now();
    let bytes = hub.encode();
    let encoded = start.elapsed();
    for doc in &docs {
        assert_eq!(doc.encode(), bytes);
    }
    let start = Instant::now();
    let read = Document::decode(&bytes).unwrap();
    let decoded = start.elapsed();
    assert_eq!(read.text("t"), end);
    println!(
        "RESULT trace={name} transactions={} played_ms={} bytes={} encode_ms={} decode_ms={}",
        dots.len(),
        played.as_millis(),
        bytes.len(),
        encoded.as_millis(),
        decoded.as_millis(),
    );
}

#[test]
fn friendsforever() {
    play("concurrent/friendsforever.json.gz");
}

#[test]
fn clownschool() {
    play("concurrent/clownschool.json.gz");
}
