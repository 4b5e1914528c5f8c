//! The writer thread: commits in groups, tells no one too early, and stops at the first error.

mod support;

use std::sync::Arc;

use crdt_server::store::{Content, EmbeddedStore, Store, StoreWriter, Write};
use support::gated_store::GatedStore;
use support::medium::Medium;

fn change(document: &str, byte: u8) -> Write {
    Write::new(document, Content::Changes(vec![byte]))
}

#[tokio::test]
async fn what_queues_up_during_a_sync_is_committed_together() {
    let store = Arc::new(GatedStore::default());
    let (writer, thread) =
        StoreWriter::start(Arc::<GatedStore>::clone(&store), false).expect("a store");
    store.withhold();
    let mut first = writer.write(change("a", 0));
    store.until_a_commit_waits();
    let others: Vec<_> = (1..100).map(|byte| writer.write(change("b", byte))).collect();
    assert!(first.try_recv().is_err(), "acknowledged before the sync");
    store.release();
    first.await.expect("durable");
    for durable in others {
        durable.await.expect("durable");
    }
    assert_eq!(store.groups(), [1, 99]);
    assert_eq!((writer.statistics().commits, writer.statistics().writes), (2, 100));
    let stored = writer.load(Arc::from("b")).await.expect("no failure").expect("readable");
    assert_eq!(stored.log, (1..100).map(|byte| vec![byte]).collect::<Vec<_>>());
    let failed = writer.failed().clone();
    drop(writer);
    thread.join().expect("the thread ends");
    assert!(!failed.is_cancelled(), "an orderly end is no failure");
}

#[tokio::test]
async fn a_group_costs_one_sync_of_the_medium() {
    let medium = Medium::default();
    let store = EmbeddedStore::with_backend(medium.clone()).expect("a new store");
    let syncs_before = medium.syncs();
    let group: Vec<_> = (0..100).map(|byte| change("a", byte)).collect();
    store.commit(&group, &[], None).expect("committed");
    assert_eq!(medium.syncs() - syncs_before, 1);
}

#[tokio::test]
async fn the_first_error_is_the_last_commit() {
    let store = Arc::new(GatedStore::default());
    let (writer, thread) =
        StoreWriter::start(Arc::<GatedStore>::clone(&store), false).expect("a store");
    writer.write(change("a", 1)).await.expect("durable");
    store.withhold();
    let failing = writer.write(change("a", 2));
    store.until_a_commit_waits();
    let behind = writer.write(change("b", 3));
    store.fail();
    assert!(failing.await.is_err(), "acknowledged although the sync failed");
    assert!(behind.await.is_err(), "acknowledged after a failed sync");
    writer.failed().cancelled().await;
    assert!(writer.take_failure().is_some());
    assert!(writer.write(change("a", 4)).await.is_err());
    assert!(writer.load(Arc::from("a")).await.is_none());
    assert_eq!(store.groups(), [1], "a failed commit was tried again");
    thread.join().expect("the thread ends");
}

/// Fails the n-th operation of the medium, for every n: whatever was reported durable
/// before is there afterwards, and nothing is reported durable after.
#[tokio::test]
async fn an_error_at_any_operation_stops_the_writer() {
    let mut operations = 1;
    loop {
        let medium = Medium::default();
        let store = EmbeddedStore::with_backend(medium.clone()).expect("a new store");
        medium.crash_after(operations);
        let (writer, thread) = StoreWriter::start(Arc::new(store), false).expect("a store");
        let mut durable = Vec::new();
        let mut failed = false;
        for byte in 0..20 {
            match writer.write(change("a", byte)).await {
                Ok(_) => {
                    assert!(!failed, "acknowledged after an error");
                    durable.push(vec![byte]);
                }
                Err(_) => failed = true,
            }
        }
        drop(writer);
        thread.join().expect("the thread ends");
        let medium = medium.after_the_crash(&mut fastrand::Rng::with_seed(operations));
        let found = EmbeddedStore::with_backend(medium).expect("it opens").load("a");
        assert!(found.expect("it is readable").log.starts_with(&durable));
        if !failed {
            break;
        }
        operations += 1;
    }
    assert!(operations > 40, "the script has only {operations} operations");
}
