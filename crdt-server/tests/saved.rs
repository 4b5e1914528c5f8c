//! Documents are stored with what is visible first, and opened without their history.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::ChannelOptions;
use crdt_server::store::{Content, EmbeddedStore, Store, Write};
use redb::{Database, ReadableTable, TableDefinition};
use serde_json::json;
use support::http::{health, request};
use support::medium::Medium;
use support::running::{Running, Setup};
use support::{Writer, edit};

/// A server that closes documents soon.
async fn start(medium: &Medium) -> Running {
    let store = EmbeddedStore::with_backend(medium.clone()).expect("the store opens");
    let mut setup = Setup::default();
    setup.limits.room_idle_timeout = Duration::from_millis(20);
    Running::start_on(Arc::new(store), setup).await
}

/// How many documents were opened, and of how many the history was needed.
async fn opened(server: &Running) -> (u64, u64) {
    let health = health(server.address).await;
    let number = |name: &str| health[name].as_u64().expect("a number");
    (number("opened"), number("histories_needed"))
}

async fn until_closed(server: &Running) {
    while health(server.address).await["documents"] != 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn body(server: &Running) -> String {
    let read = request(server.address, "GET", "/v1/docs/notes?path=body", &[], "").await;
    assert_eq!(read.status, 200, "{read:?}");
    read.json()["value"].as_str().expect("a text").to_owned()
}

async fn all(server: &Running) -> Document {
    let client = server.connect().await;
    let mut document = Document::reader();
    let mut channel = client.open("notes", ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut document).await.expect("open");
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_what_is_visible_wakes_no_history() {
    let medium = Medium::default();
    let server = start(&medium).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    for round in 0..30 {
        writer.edit(&format!("{round} "));
        writer.until_acknowledged().await;
    }
    let Writer { document: written, channel, .. } = writer;
    channel.close().await;
    until_closed(&server).await;
    server.stop().await.expect("an orderly end");
    let stored = EmbeddedStore::with_backend(medium.clone()).expect("the store opens");
    let stored = stored.load("notes").expect("readable");
    assert!(stored.log.is_empty() && stored.snapshot.is_some_and(|it| Document::is_saved(&it)));

    let server = start(&medium).await;
    for round in 1..4 {
        assert_eq!(body(&server).await, written.text("body").to_string());
        until_closed(&server).await;
        assert_eq!(opened(&server).await, (round, 0), "a history was decoded");
    }
    // A session needs it, and finds all of it.
    assert_eq!(all(&server).await.encode(), written.encode());
    assert_eq!(opened(&server).await, (4, 1));
    until_closed(&server).await;
    // So does who writes; the next reader does not, though a server was not told to stop.
    let ops = json!({"ops": [{"op": "insert", "path": ["body"], "at": 0, "text": "more "}]});
    let post = request(server.address, "POST", "/v1/docs/notes/ops", &[], &ops.to_string()).await;
    assert_eq!((post.status, &post.json()["events"]["first"]), (200, &json!(1)));
    until_closed(&server).await;
    let before = opened(&server).await;
    assert!(body(&server).await.starts_with("more 29 "));
    until_closed(&server).await;
    assert_eq!(opened(&server).await, (before.0 + 1, before.1));
    let mut merged = written;
    let now = all(&server).await;
    merged.import(&now.encode()).expect("the same document");
    assert_eq!(merged.encode(), now.encode());
    server.stop().await.expect("an orderly end");
}

/// What was written last is in the log, if the server has not closed the document in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_earlier_releases_and_logs_are_opened() {
    const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
    let medium = Medium::default();
    let mut document = Document::new(ReplicaId::from_u128(1));
    edit(&mut document, "one");
    let snapshot = Content::Snapshot(document.encode());
    let before = document.version().clone();
    edit(&mut document, "two ");
    let changes = Content::Changes(document.changes_since(&before));
    let writes = [Write::new("notes", snapshot), Write::new("notes", changes)];
    let store = EmbeddedStore::with_backend(medium.clone()).expect("a new store");
    store.commit(&writes, &[], None).expect("committed");
    drop(store);
    let format = |set: Option<u64>| {
        let database = Database::builder().create_with_backend(medium.clone()).expect("it opens");
        let transaction = database.begin_write().expect("it can be written");
        let mut meta = transaction.open_table(META).expect("it is there");
        let found = meta.get("format").expect("readable").map(|format| format.value());
        if let Some(set) = set {
            meta.insert("format", set).expect("written");
        }
        drop(meta);
        transaction.commit().expect("committed");
        found.expect("there is one")
    };
    assert_eq!(format(Some(2)), 3);
    let server = start(&medium).await;
    assert_eq!(body(&server).await, "two one");
    assert_eq!(opened(&server).await.1, 1, "a log takes the history");
    until_closed(&server).await;
    assert_eq!(body(&server).await, "two one");
    until_closed(&server).await;
    assert_eq!(opened(&server).await, (2, 1), "it was packed");
    assert_eq!(all(&server).await.encode(), document.encode());
    server.stop().await.expect("an orderly end");
    assert_eq!(format(None), 3, "an earlier release refuses it");
}
