//! Who is let in: a table of those who are not, over real sockets.

mod support;

use std::sync::Arc;

use crdt_causal::sync::Refusal;
use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{ChannelError, ChannelOptions, ConnectError, ConnectOptions};
use crdt_server::frame::CloseReason;
use crdt_server::store::EmbeddedStore;
use support::edit;
use support::medium::Medium;
use support::running::{Running, Setup};

const WRITER: &str = "writer-token-0000000";
const READER: &str = "reader-token-0000000";
const OTHER: &str = "other-token-00000000";
const TOKENS: &str = "
writer-token-0000000 notes write
reader-token-0000000 notes read
other-token-00000000 elsewhere/* write
second-token-0000000 notes write
";
const SECOND: &str = "second-token-0000000";

fn with_tokens() -> Setup {
    let allow_origin = vec!["https://app.example".to_owned()];
    Setup { tokens: Some(TOKENS), allow_origin, ..Setup::default() }
}

async fn status(server: &Running, options: ConnectOptions) -> u16 {
    match server.connect_with(options).await {
        Ok(_) => 101,
        Err(ConnectError::Refused { status }) => status,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_are_checked_before_the_upgrade() {
    let open = Running::start().await;
    let closed = Running::start_with(with_tokens()).await;
    let none = ConnectOptions::new;
    let own = |server: &Running| format!("http://{}", server.address);
    for (what, server, options, expected) in [
        ("no origin, loopback", &open, none(), 101),
        ("own page", &open, none().with_origin(own(&open)), 101),
        ("foreign page", &open, none().with_origin("https://evil.example"), 403),
        ("foreign port", &open, none().with_origin("http://127.0.0.1:1"), 403),
        ("foreign scheme", &open, none().with_origin(format!("ftp://{}", open.address)), 403),
        ("sandboxed page", &open, none().with_origin("null"), 403),
        ("empty origin", &open, none().with_origin(""), 403),
        ("not in this server's list", &open, none().with_origin("https://app.example"), 403),
        ("allowed page", &closed, none().with_origin("https://app.example"), 101),
        ("own page, tokens", &closed, none().with_origin(own(&closed)), 101),
        ("known token", &closed, none().with_token(WRITER), 101),
        ("unknown token", &closed, none().with_token("unknown-token-000000"), 401),
        ("part of a token", &closed, none().with_token(&WRITER[..10]), 401),
        ("no token text", &closed, none().with_token(""), 401),
        (
            "foreign page with a good token",
            &closed,
            none().with_token(WRITER).with_origin("https://evil.example"),
            403,
        ),
    ] {
        assert_eq!(status(server, options).await, expected, "{what}");
    }
    let url = |query: &str| format!("{}?{query}", closed.url());
    for (query, expected) in [
        ("token=writer-token-0000000", true),
        ("a=b&token=writer%2Dtoken-0000000", true),
        ("token=unknown", false),
        ("token=", false),
        ("token=%ff", false),
    ] {
        let connected = crdt_server::client::Client::connect(&url(query)).await.is_ok();
        assert_eq!(connected, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_covers_its_documents_only() {
    let server = Running::start_with(with_tokens()).await;
    for (connection, channel, document, expected) in [
        (None, None, "notes", Err(CloseReason::Unauthorized)),
        (None, Some("unknown-token-000000"), "notes", Err(CloseReason::Unauthorized)),
        (None, Some(OTHER), "notes", Err(CloseReason::Unauthorized)),
        (Some(OTHER), None, "notes", Err(CloseReason::Unauthorized)),
        (Some(OTHER), None, "elsewhere", Err(CloseReason::Unauthorized)),
        (Some(OTHER), None, "elsewhere/a", Ok(())),
        (Some(OTHER), Some(WRITER), "notes", Ok(())),
        (Some(WRITER), Some(OTHER), "notes", Err(CloseReason::Unauthorized)),
        (None, Some(WRITER), "notes", Ok(())),
        (None, Some(READER), "notes", Ok(())),
        (Some(WRITER), None, "notes/more", Err(CloseReason::Unauthorized)),
        (Some(OTHER), None, "elsewhere/*", Err(CloseReason::InvalidName)),
        (Some(WRITER), None, "", Err(CloseReason::InvalidName)),
    ] {
        let mut options = ConnectOptions::new();
        if let Some(token) = connection {
            options = options.with_token(token);
        }
        let client = server.connect_with(options).await.expect("tokens may come later");
        let mut options = ChannelOptions::new();
        if let Some(token) = channel {
            options = options.with_token(token);
        }
        let mut opened = client.open(document, options).await.expect("connected");
        let mut copy = Document::reader();
        let result = match opened.until_up_to_date(&mut copy).await {
            Ok(()) => Ok(()),
            Err(ChannelError::Closed { reason, .. }) => Err(reason),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(result, expected, "{connection:?} {channel:?} {document}");
    }
}

/// Sends one edit of `replica` under `token`, having claimed `claimed`.
async fn write_as(
    server: &Running,
    token: &str,
    replica: u128,
    claimed: &[u128],
    document: &mut Document,
) -> Result<(), Refusal> {
    let client = server.connect_with(ConnectOptions::new().with_token(token)).await;
    let writers = claimed.iter().copied().map(ReplicaId::from_u128);
    let options = ChannelOptions::new().with_writers(writers);
    let channel = client.expect("a known token").open("notes", options).await;
    edit(document, &format!("by {replica}"));
    match channel.expect("connected").until_acknowledged(document).await {
        Ok(()) => Ok(()),
        Err(ChannelError::Refused(refusal)) => Err(refusal),
        Err(error) => panic!("{error}"),
    }
}

fn document_of(replica: u128) -> Document {
    Document::new(ReplicaId::from_u128(replica))
}

/// What someone has who wants to write under another's id.
fn copy_of(document: &Document, replica: u128) -> Document {
    let mut copy = document_of(replica);
    copy.import(&document.encode()).expect("the same document");
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_receives_and_does_not_write() {
    let server = Running::start_with(with_tokens()).await;
    let mut written = document_of(1);
    assert_eq!(write_as(&server, WRITER, 1, &[1], &mut written).await, Ok(()));
    let client = server.connect_with(ConnectOptions::new().with_token(READER)).await;
    let client = client.expect("a known token");
    let mut copy = Document::reader();
    let mut channel = client.open("notes", ChannelOptions::new()).await.expect("connected");
    channel.until_holds(&mut copy, written.version()).await.expect("reading is allowed");
    let refused = write_as(&server, READER, 2, &[2], &mut document_of(2)).await;
    assert_eq!(refused, Err(Refusal::NotAuthorisedToWrite));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_bound_to_who_may_issue_them() {
    let medium = Medium::default();
    let store = Arc::new(EmbeddedStore::with_backend(medium.clone()).expect("a new store"));
    let server = Running::start_on(store, with_tokens()).await;
    let foreign = |replica| Err(Refusal::ForeignReplica { replica: ReplicaId::from_u128(replica) });

    let unclaimed = write_as(&server, WRITER, 1, &[], &mut document_of(1)).await;
    assert_eq!(unclaimed, foreign(1), "events without a claim");
    let other_claimed = write_as(&server, WRITER, 1, &[2], &mut document_of(1)).await;
    assert_eq!(other_claimed, foreign(1), "events of another replica than the claimed one");

    let mut first = document_of(1);
    assert_eq!(write_as(&server, WRITER, 1, &[1], &mut first).await, Ok(()));
    let taken = write_as(&server, SECOND, 1, &[1], &mut copy_of(&first, 1)).await;
    assert_eq!(taken, foreign(1), "the id belongs to another token");
    assert_eq!(write_as(&server, WRITER, 1, &[1], &mut first).await, Ok(()), "its own goes on");

    // The second token sends what the server has already, and something of its own.
    let mut second = copy_of(&first, 2);
    assert_eq!(write_as(&server, SECOND, 2, &[2], &mut second).await, Ok(()));

    // After a restart the ids still belong to who first wrote with them.
    server.stop().await.expect("an orderly end");
    let store = Arc::new(EmbeddedStore::with_backend(medium).expect("it opens"));
    let server = Running::start_on(store, with_tokens()).await;
    let taken = write_as(&server, SECOND, 1, &[1], &mut copy_of(&first, 1)).await;
    assert_eq!(taken, foreign(1), "the owner was forgotten");
    assert_eq!(write_as(&server, WRITER, 1, &[1], &mut first).await, Ok(()));
}

/// A half-open connection does not lock its own client out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reconnect_takes_its_claim_along() {
    let server = Running::start_with(with_tokens()).await;
    let connect = || server.connect_with(ConnectOptions::new().with_token(WRITER));
    let options = || ChannelOptions::new().with_writers([ReplicaId::from_u128(1)]);
    let mut document = document_of(1);
    let dead = connect().await.expect("a known token");
    let mut dead = dead.open("notes", options()).await.expect("connected");
    edit(&mut document, "before");
    dead.until_acknowledged(&mut document).await.expect("claimed");
    // Nobody drives the first channel any more, and its connection stays open.
    let alive = connect().await.expect("a known token");
    let mut alive = alive.open("notes", options()).await.expect("connected");
    edit(&mut document, "after");
    alive.until_acknowledged(&mut document).await.expect("the claim came along");
    // Another token cannot take it over while it is live, written or not.
    let stolen = write_as(&server, SECOND, 1, &[1], &mut copy_of(&document, 1)).await;
    assert!(stolen.is_err());
}
