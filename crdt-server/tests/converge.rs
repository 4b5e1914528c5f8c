//! Clients of one server converge, whatever is restarted in between.

mod support;

use std::sync::Arc;
use std::time::Duration;

use crdt_causal::sync::{Event, Refusal};
use crdt_core::ReplicaId;
use crdt_document::{Document, Genesis, Presence};
use crdt_server::client::{ChannelError, ChannelOptions};
use crdt_server::frame::CloseReason;
use crdt_server::store::{
    Held, LogEntry, RealmNote, RealmState, Store, StoreError, StoredDocument, VersionDigest, Write,
};
use support::running::{Running, Setup};
use support::{Writer, edit};

const MANY_THREADS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clients_converge() {
    let server = Running::start().await;
    let (client_a, client_b) = (server.connect().await, server.connect().await);
    let mut a = Writer::open(&client_a, "notes", 1).await;
    let mut b = Writer::open(&client_b, "notes", 2).await;
    for round in 0..20 {
        a.edit(&format!("a{round}"));
        b.edit(&format!("b{round}"));
        a.until_acknowledged().await;
        b.until_acknowledged().await;
    }
    a.until_holds(&b.document).await;
    b.until_holds(&a.document).await;
    assert_eq!(a.contents(), b.contents());
    assert_eq!(a.document.version().len(), 2);
    server.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_carries_many_documents_and_many_writers_of_one() {
    let server = Running::start().await;
    let client = server.connect().await;
    let mut writers = Vec::new();
    for index in 0..12u128 {
        let name = format!("document {}", index % 4);
        let mut writer = Writer::open(&client, &name, index + 1).await;
        writer.edit(&format!("{index}"));
        writers.push(writer);
    }
    for writer in &mut writers {
        writer.until_acknowledged().await;
    }
    for index in 0..writers.len() {
        let mut whole = Document::reader();
        for other in writers.iter().skip(index % 4).step_by(4) {
            whole.import(&other.document.encode()).expect("a document of the same name");
        }
        let writer = &mut writers[index];
        writer.until_holds(&whole).await;
        assert_eq!(writer.document.version(), whole.version(), "of its own document only");
        assert_eq!(writer.document.version().len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_everything_and_the_session_goes_on() {
    let directory = tempfile::tempdir().expect("a folder for the test");
    let mut document = Document::new(ReplicaId::from_u128(1));
    for round in 0..5 {
        let server = Running::start_in(directory.path()).await;
        let client = server.connect().await;
        edit(&mut document, &format!("while offline {round}"));
        let options = ChannelOptions::new().with_writers([ReplicaId::from_u128(1)]);
        let mut channel = client.open("notes", options).await.expect("connected");
        channel.until_up_to_date(&mut document).await.expect("synced");
        edit(&mut document, &format!("while online {round}"));
        channel.until_acknowledged(&mut document).await.expect("acknowledged");
        server.stop().await.expect("an orderly end");
        let ended = channel.next_event(&mut document).await.expect_err("the server is gone");
        assert!(ended.is_worth_a_retry(), "{ended}");
    }
    let server = Running::start_in(directory.path()).await;
    let client = server.connect().await;
    let mut newcomer = Writer::open(&client, "notes", 2).await;
    newcomer.until_holds(&document).await;
    assert_eq!(newcomer.contents(), document.encode());
}

/// The log is replaced by snapshots on the way, and a room is unloaded and loaded again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_compacted_and_kept() {
    let store = Arc::new(support::gated_store::GatedStore::default());
    let mut setup = Setup::default();
    setup.limits.room_idle_timeout = Duration::from_millis(10);
    let server =
        Running::start_on(Arc::<support::gated_store::GatedStore>::clone(&store), setup).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    for round in 0..40 {
        writer.edit(&format!("{round} {}", "lorem ipsum ".repeat(500)));
        writer.until_acknowledged().await;
    }
    let Writer { document, channel, .. } = writer;
    channel.close().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stored = crdt_server::store::Store::load(&*store, "notes").expect("readable");
    assert!(stored.snapshot.is_some(), "the log was never replaced by a snapshot");
    assert!(stored.log.len() < 40);
    let mut newcomer = Writer::open(&client, "notes", 2).await;
    newcomer.until_holds(&document).await;
    assert_eq!(newcomer.contents(), document.encode());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_begins_as_its_first_writer_says() {
    let server = Running::start().await;
    let client = server.connect().await;
    let mut first = Document::with_genesis(Genesis::named("template"));
    let mut channel = client.open("made", ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut first).await.expect("a document of another genesis is new");
    let mut other = Document::reader();
    let mut refused = client.open("made", ChannelOptions::new()).await.expect("connected");
    let error = refused.until_up_to_date(&mut other).await.expect_err("another genesis");
    let expected = matches!(
        error,
        ChannelError::Refused(Refusal::UnrelatedGenesis) | ChannelError::Session(_)
    );
    assert!(expected, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_reaches_others_and_newcomers_and_is_never_stored() {
    let store = Arc::new(support::gated_store::GatedStore::default());
    let server =
        Running::start_on(Arc::<support::gated_store::GatedStore>::clone(&store), Setup::default())
            .await;
    let client = server.connect().await;
    let mut a = Writer::open(&client, "notes", 1).await;
    let mut b = Writer::open(&client, "notes", 2).await;
    a.channel.until_up_to_date(&mut a.document).await.expect("open");
    b.channel.until_up_to_date(&mut b.document).await.expect("open");
    let mut presence = Presence::default();
    let update = presence.set(7, b"cursor at 3", 0).expect("small");
    a.channel.send_presence(&update).expect("small");
    a.channel.pump(&mut a.document).await.expect("open");
    let mut newcomer = Writer::open(&client, "notes", 3).await;
    for (who, writer) in [("other", &mut b), ("newcomer", &mut newcomer)] {
        let mut seen = Presence::default();
        while seen.get(7).is_none() {
            let event = writer.channel.next_event(&mut writer.document).await.expect("open");
            if let Event::Presence(update) = event {
                seen.apply(&update, 0).expect("an update");
            }
        }
        assert_eq!(seen.get(7), Some(&b"cursor at 3"[..]), "{who}");
    }
    assert_eq!(store.groups().len(), 0, "presence was stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_closed_can_be_opened_again() {
    let server = Running::start().await;
    let client = server.connect().await;
    let mut document = Document::new(ReplicaId::from_u128(1));
    for round in 0..10 {
        let options = ChannelOptions::new().with_writers([ReplicaId::from_u128(1)]);
        let mut channel = client.open("notes", options).await.expect("connected");
        edit(&mut document, &round.to_string());
        channel.until_acknowledged(&mut document).await.expect("acknowledged");
        if round % 2 == 0 {
            channel.close().await;
        }
    }
}

/// A panic while one document is loaded is the end of its room, not of the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_one_room_closes_that_room_only() {
    #[derive(Debug, Default)]
    struct Panicking(support::gated_store::GatedStore);
    impl Store for Panicking {
        fn commit(
            &self,
            writes: &[Write],
            log: &[LogEntry],
            stratum: Option<u64>,
        ) -> Result<(), StoreError> {
            self.0.commit(writes, log, stratum)
        }
        fn load(&self, document: &str) -> Result<StoredDocument, StoreError> {
            assert_ne!(document, "boom", "the document that brings out a bug");
            self.0.load(document)
        }
        fn realm(&self) -> Result<RealmState, StoreError> {
            self.0.realm()
        }
        fn note(&self, note: &RealmNote) -> Result<(), StoreError> {
            self.0.note(note)
        }
        fn admissions(&self, after: u64, max: usize) -> Result<Vec<LogEntry>, StoreError> {
            self.0.admissions(after, max)
        }
        fn documents(
            &self,
            after: &str,
            max: usize,
        ) -> Result<Vec<(Arc<str>, VersionDigest)>, StoreError> {
            self.0.documents(after, max)
        }
        fn digest(&self, document: &str) -> Result<Option<VersionDigest>, StoreError> {
            self.0.digest(document)
        }
        fn keep_held(&self, keep: bool) -> Result<(), StoreError> {
            self.0.keep_held(keep)
        }
        fn held(&self, document: &str) -> Result<Vec<Held>, StoreError> {
            self.0.held(document)
        }
        fn older_documents(
            &self,
            after: &str,
            position: u64,
            max: usize,
        ) -> Result<Vec<Arc<str>>, StoreError> {
            self.0.older_documents(after, position, max)
        }
    }
    let server = Running::start_on(Arc::new(Panicking::default()), Setup::default()).await;
    let client = server.connect().await;
    let mut good = Writer::open(&client, "notes", 1).await;
    good.edit("before");
    good.until_acknowledged().await;
    for _ in 0..MANY_THREADS {
        let mut bad = Writer::open(&client, "boom", 2).await;
        let error =
            bad.channel.until_up_to_date(&mut bad.document).await.expect_err("it is closed");
        let ChannelError::Closed { reason, .. } = error else { panic!("{error}") };
        assert!(matches!(reason, CloseReason::Internal | CloseReason::GoingAway), "{reason}");
    }
    good.edit("after");
    good.until_acknowledged().await;
    server.stop().await.expect("an orderly end");
}

/// What Yjs needs 20 bytes for, Loro 88 and Automerge 125.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_character_costs_at_most_20_bytes() {
    let server = Running::start().await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", u128::MAX).await;
    writer.edit("hello");
    writer.until_acknowledged().await;
    for _ in 0..300 {
        let before = writer.channel.traffic();
        let end = writer.document.text("body").len();
        let typed = writer.document.transact(|tx| tx.text("body").insert(end, "x").map(drop));
        typed.expect("the end is in bounds");
        writer.until_acknowledged().await;
        let after = writer.channel.traffic();
        let bytes = after.bytes_sent - before.bytes_sent;
        assert!(bytes <= 20, "a typed character cost {bytes} bytes");
    }
}

/// Two clients that write under one replica id: a restored backup, a cloned profile. One of them
/// holds less than the server does, under the same names; whoever went by names alone would take the
/// one for the past of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_of_a_replica_id_is_found_and_gets_nowhere() {
    let server = Running::start().await;
    let client = server.connect().await;
    let mut first = Writer::open(&client, "notes", 1).await;
    first.edit("the first");
    first.until_acknowledged().await;
    for text in ["x", "more than the first one has"] {
        let mut clone = Writer::open(&client, "notes", 1).await;
        clone.edit(text);
        let joined = clone.channel.until_up_to_date(&mut clone.document).await;
        assert!(joined.is_err(), "{text} was joined: {}", clone.document);
    }
    // Whoever comes sees the first one's, whole.
    let mut reader = Writer::open(&client, "notes", 2).await;
    reader.until_holds(&first.document).await;
    assert_eq!(reader.document.encode(), first.document.encode());
    server.stop().await.expect("an orderly end");
}
