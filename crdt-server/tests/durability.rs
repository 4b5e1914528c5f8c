//! An update is acknowledged, and shown to others, after it is durable and not before.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crdt_server::server::ServerError;
use support::Writer;
use support::gated_store::GatedStore;
use support::http::{Response, request};
use support::running::{Running, Setup};

/// Long enough for an acknowledgement that was sent to have come.
const A_WHILE: Duration = Duration::from_millis(300);

async fn drive(writer: &mut Writer, time: Duration) {
    let never = writer.channel.until(&mut writer.document, |_, _| false);
    let _ = tokio::time::timeout(time, never).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_or_shown_before_it_is_durable() {
    let store = Arc::new(GatedStore::default());
    let server = Running::start_on(Arc::<GatedStore>::clone(&store), Setup::default()).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    let mut other = Writer::open(&client, "notes", 2).await;
    writer.edit("stored");
    writer.until_acknowledged().await;
    other.until_holds(&writer.document).await;
    let shown = other.document.version().clone();

    store.withhold();
    writer.edit("withheld");
    drive(&mut writer, A_WHILE).await;
    drive(&mut other, A_WHILE).await;
    store.until_a_commit_waits();
    let version = writer.document.version().clone();
    assert_ne!(writer.channel.unacknowledged(&version), Some(0), "acknowledged too early");
    assert_eq!(*other.document.version(), shown, "shown too early");

    store.release();
    writer.until_acknowledged().await;
    other.until_holds(&writer.document).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_during_a_sync_is_committed_together() {
    let store = Arc::new(GatedStore::default());
    let server = Running::start_on(Arc::<GatedStore>::clone(&store), Setup::default()).await;
    let client = server.connect().await;
    let mut writers = Vec::new();
    for index in 0..20 {
        let mut writer = Writer::open(&client, &format!("document {index}"), 1).await;
        writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
        writers.push(writer);
    }
    store.withhold();
    let first = &mut writers[0];
    first.edit("first");
    first.channel.pump(&mut first.document).await.expect("open");
    store.until_a_commit_waits();
    for writer in &mut writers {
        for round in 0..10 {
            writer.edit(&format!("{round}"));
            writer.channel.pump(&mut writer.document).await.expect("open");
        }
    }
    for writer in &mut writers {
        drive(writer, Duration::from_millis(20)).await;
    }
    store.release();
    for writer in &mut writers {
        writer.until_acknowledged().await;
    }
    let groups = store.groups();
    let writes: usize = groups.iter().sum();
    // On a busy machine some come after the sync, and are on their own.
    assert!(groups.len() <= 20, "200 changes took {groups:?} commits");
    assert!(groups.iter().any(|&writes| writes >= 15), "{groups:?}: nothing waited together");
    assert!(writes <= 60, "200 changes of 20 documents took {writes} writes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_ends_the_server_without_an_acknowledgement() {
    let store = Arc::new(GatedStore::default());
    let server = Running::start_on(Arc::<GatedStore>::clone(&store), Setup::default()).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    writer.edit("stored");
    writer.until_acknowledged().await;
    store.withhold();
    writer.edit("lost");
    writer.channel.pump(&mut writer.document).await.expect("open");
    store.until_a_commit_waits();
    store.fail();
    let version = writer.document.version().clone();
    let ended = writer.channel.until(&mut writer.document, |_, _| false).await;
    assert!(ended.is_err(), "the channel outlived the store");
    assert_ne!(writer.channel.unacknowledged(&version), Some(0), "acknowledged after a failure");
    let error = server.ended().await.expect_err("a failed store is an error");
    assert!(matches!(error, ServerError::StoreFailed(Some(_))), "{error}");
    assert_eq!(store.groups().len(), 1, "a failed commit was tried again");
}

/// What was received and not yet durable when the signal came is stored and acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_finishes_what_is_under_way() {
    let store = Arc::new(GatedStore::default());
    let server = Running::start_on(Arc::<GatedStore>::clone(&store), Setup::default()).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
    store.withhold();
    writer.edit("under way");
    writer.channel.pump(&mut writer.document).await.expect("open");
    store.until_a_commit_waits();
    let stopping = tokio::spawn(server.stop());
    tokio::time::sleep(Duration::from_millis(50)).await;
    store.release();
    writer.until_acknowledged().await;
    stopping.await.expect("no panic").expect("an orderly end");
}

/// By HTTP, too: neither is a change acknowledged, nor shown, nor is what was decided by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_answered_by_http_before_it_is_durable() {
    let store = Arc::new(GatedStore::default());
    let server = Running::start_on(Arc::<GatedStore>::clone(&store), Setup::default()).await;
    let address = server.address;
    let write = |by: i64| {
        let body = format!(r#"{{"ops":[{{"op":"increment","path":["n"],"by":{by}}}]}}"#);
        tokio::spawn(async move { request(address, "POST", "/v1/docs/n/ops", &[], &body).await })
    };
    let read = || {
        let path = "/v1/docs/n?path=n&level=eventual";
        tokio::spawn(async move { request(address, "GET", path, &[], "").await })
    };
    assert_eq!(write(1).await.expect("no panic").status, 200);
    store.withhold();
    let first = write(10);
    let waiting = Arc::clone(&store);
    let waiting = tokio::task::spawn_blocking(move || waiting.until_a_commit_waits());
    waiting.await.expect("no panic");
    // It is in memory by then; the second one is not even on its way.
    let (shown, second) = (read(), write(100));
    tokio::time::sleep(A_WHILE).await;
    let last = read();
    tokio::time::sleep(A_WHILE).await;
    let early = [&first, &shown, &second, &last].map(tokio::task::JoinHandle::is_finished);
    assert_eq!(early, [false; 4], "answered too early");
    store.release();
    let value = async |read: tokio::task::JoinHandle<Response>| {
        read.await.expect("no panic").json()["value"].as_u64().expect("a count")
    };
    assert!([11, 111].contains(&value(shown).await));
    assert_eq!(value(last).await, 111);
    for write in [first, second] {
        assert_eq!(write.await.expect("no panic").status, 200);
    }
    server.stop().await.expect("an orderly end");
}
