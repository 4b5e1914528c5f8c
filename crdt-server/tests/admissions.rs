//! The admission log: every event once, in the commit that makes it durable, for ever.

mod support;

use std::sync::Arc;

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::store::{
    Admitted, Content, EmbeddedStore, LogEntry, RealmNote, Store, StoreWriter, VersionDigest, Write,
};
use redb::{Database, TableDefinition, TableHandle};
use support::medium::Medium;
use support::running::{Running, Setup};
use support::{Writer, edit};

/// Every position from 1 to the head, without gap or overlap.
fn check(log: &[LogEntry], head: u64) {
    let mut next = 1;
    for entry in log {
        assert_eq!(entry.first, next, "{entry:?}");
        next = entry.last() + 1;
    }
    assert_eq!(next - 1, head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_are_without_gaps_over_documents_and_restarts() {
    let medium = Medium::default();
    let mut events = 0;
    for round in 0..4u128 {
        let store = EmbeddedStore::with_backend(medium.clone()).expect("the store opens");
        let server = Running::start_on(Arc::new(store), Setup::default()).await;
        let client = server.connect().await;
        let mut writers = Vec::new();
        for index in 0..6 {
            let name = format!("document {}", index % 3);
            writers.push(Writer::open(&client, &name, 10 * round + index + 1).await);
        }
        for edits in 0..10 {
            for writer in &mut writers {
                writer.edit(&"x".repeat(edits + 1));
            }
            for writer in &mut writers {
                writer.until_acknowledged().await;
            }
        }
        for writer in &writers {
            events += writer.document.version().get(writer.replica);
        }
        drop((writers, client));
        server.stop().await.expect("an orderly end");
        let store = EmbeddedStore::with_backend(medium.clone()).expect("the store opens");
        let realm = store.realm().expect("readable");
        assert_eq!(realm.head, events, "an event without a position, or with two");
        let kept = store.admissions(0, usize::MAX).expect("readable");
        assert!(kept.first().is_none_or(|first| first.first == realm.forgotten + 1));
        // Each document's digest is that of its version.
        for (name, digest) in store.documents("", usize::MAX).expect("readable") {
            let stored = store.load(&name).expect("readable");
            let saved =
                stored.snapshot.map(|bytes| Document::open(bytes).expect("as it was saved"));
            let mut document = saved.unwrap_or_else(Document::reader);
            for bundle in &stored.log {
                document.import(bundle).expect("what was stored");
            }
            assert_eq!(digest, VersionDigest::of(document.version()), "{name}");
        }
    }
}

/// What was forgotten is gone; the position is not.
#[tokio::test]
async fn the_log_is_forgotten_and_the_position_stays() {
    let medium = Medium::default();
    let store = EmbeddedStore::with_backend(medium.clone()).expect("a new store");
    let (writer, thread) = StoreWriter::start(Arc::new(store), false).expect("readable");
    for round in 0..100 {
        let mut write = Write::new("a", Content::Changes(vec![0]));
        let range = crdt_core::DotRange::new(ReplicaId::from_u128(1), 2 * round + 1, 2 * round + 2);
        write.admitted.push(Admitted { range, from: None });
        assert_eq!(writer.write(write).await, Ok(2 * round + 2));
    }
    check(&writer.admissions(0, usize::MAX).await.expect("in memory"), 200);
    let note = RealmNote { forget: 150, ..RealmNote::default() };
    writer.note(note).await.expect("durable");
    drop(writer);
    thread.join().expect("the thread ends");
    let store = EmbeddedStore::with_backend(medium).expect("the store opens");
    let realm = store.realm().expect("readable");
    assert_eq!((realm.head, realm.forgotten), (200, 150));
    let kept = store.admissions(0, usize::MAX).expect("readable");
    assert_eq!((kept.len(), kept[0].first), (25, 151));
    assert_eq!(store.admissions(152, 1).expect("readable")[0].first, 153);
    assert_eq!(store.admissions(151, 1).expect("readable")[0].first, 151, "it ends with 152");
}

/// A store from before there were positions gets them as it is opened.
#[test]
fn an_earlier_store_is_numbered() {
    let medium = Medium::default();
    let store = EmbeddedStore::with_backend(medium.clone()).expect("a new store");
    let mut events = 0;
    let mut documents = Vec::new();
    for index in 1..=5u128 {
        let mut document = Document::new(ReplicaId::from_u128(index));
        edit(&mut document, "hello");
        events += document.version().get(ReplicaId::from_u128(index));
        let name = format!("document {index}");
        let content = if index % 2 == 0 { Content::Snapshot } else { Content::Changes };
        store
            .commit(&[Write::new(&name, content(document.encode()))], &[], None)
            .expect("committed");
        documents.push((name, document));
    }
    drop(store);
    let database = Database::builder().create_with_backend(medium.clone()).expect("it opens");
    let transaction = database.begin_write().expect("it can be written");
    let tables: Vec<_> = transaction.list_tables().expect("tables").collect();
    let is_earlier = |name: &str| ["meta", "snapshots", "log", "owners"].contains(&name);
    let mut gone = 0;
    for table in tables.into_iter().filter(|table| !is_earlier(table.name())) {
        gone += usize::from(transaction.delete_table(table).expect("it is not open"));
    }
    assert!(gone >= 5, "{gone} tables");
    const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    {
        let mut meta = transaction.open_table(META).expect("it is there");
        meta.insert("format", 1).expect("written");
        for name in ["log", "head", "forgotten"] {
            meta.remove(name).expect("written");
        }
    }
    transaction.commit().expect("committed");
    drop(database);
    for _ in 0..2 {
        let store = EmbeddedStore::with_backend(medium.clone()).expect("it is upgraded");
        assert_eq!(store.realm().expect("readable").head, events);
        check(&store.admissions(0, usize::MAX).expect("readable"), events);
        for (name, document) in &documents {
            let digest = store.digest(name).expect("readable");
            assert_eq!(digest, Some(VersionDigest::of(document.version())), "{name}");
        }
    }
}
