//! What one client may take up, and what happens beyond.

mod support;

use std::time::Duration;

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{ChannelError, ChannelOptions, ConnectError, ConnectOptions};
use crdt_server::frame::{CloseReason, Frame, FrameBody, Open, PROTOCOL_VERSION};
use crdt_server::limits::Limits;
use futures_util::{SinkExt, StreamExt};
use support::running::{Running, Setup};
use support::{Writer, edit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Raw = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn start(change: impl FnOnce(&mut Limits)) -> Running {
    let mut setup = Setup::default();
    change(&mut setup.limits);
    Running::start_with(setup).await
}

async fn raw(server: &Running) -> Raw {
    tokio_tungstenite::connect_async(server.url()).await.expect("the server lets clients in").0
}

fn open(document: &str) -> Message {
    let open = Open { protocol: PROTOCOL_VERSION, document, token: None };
    Message::Binary(Frame { channel: 0, body: FrameBody::Open(open) }.encode().into())
}

/// Reads until the server closes, and returns why it did.
async fn close_code(socket: &mut Raw) -> Option<CloseCode> {
    let mut code = None;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Close(frame) = message {
            code = frame.map(|frame| frame.code);
        }
    }
    code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_frame_closes_the_connection() {
    let server = start(|limits| limits.message_bytes_max = 4096).await;
    for (what, message, expected) in [
        ("too long", Message::Binary(vec![0; 70_000].into()), CloseCode::Size),
        ("text", Message::Text("hello".into()), CloseCode::Unsupported),
        ("malformed", Message::Binary(vec![0, 9].into()), CloseCode::Protocol),
        ("empty", Message::Binary(Vec::new().into()), CloseCode::Protocol),
    ] {
        let mut socket = raw(&server).await;
        socket.send(open("notes")).await.expect("connected");
        socket.send(message).await.expect("connected");
        assert_eq!(close_code(&mut socket).await, Some(expected), "{what}");
    }
    // Others do not notice.
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    writer.edit("still here");
    writer.until_acknowledged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_not_understood_ends_its_channel_alone() {
    let server = Running::start().await;
    let mut socket = raw(&server).await;
    socket.send(open("notes")).await.expect("connected");
    let garbage = Frame { channel: 0, body: FrameBody::Session(&[0xff, 1, 2]) }.encode();
    socket.send(Message::Binary(garbage.into())).await.expect("connected");
    loop {
        let message = socket.next().await.expect("still connected").expect("still connected");
        let Message::Binary(bytes) = message else { continue };
        let frame = Frame::decode(&bytes).expect("a frame");
        if let FrameBody::Close(close) = frame.body {
            assert_eq!(close.reason, CloseReason::Refused);
            break;
        }
    }
    socket.send(open("notes")).await.expect("the connection is still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_opens_nothing_is_closed() {
    let server = start(|limits| limits.handshake_timeout = Duration::from_millis(100)).await;
    let mut silent = raw(&server).await;
    assert_eq!(close_code(&mut silent).await, Some(CloseCode::Policy));
    // Nor does it help to talk without being let in.
    let mut talking = raw(&server).await;
    let talk = async {
        while talking.send(open("")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), talk).await.expect("it was cut off");
    // A request that never ends is cut off before there is a WebSocket.
    let mut half = TcpStream::connect(server.address).await.expect("listening");
    half.write_all(b"GET /v1/sync HTTP/1.1\r\nHost: a\r\n").await.expect("connected");
    let mut rest = Vec::new();
    let cut = half.read_to_end(&mut rest);
    let _ = tokio::time::timeout(Duration::from_secs(20), cut).await.expect("it was cut off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_without_a_sign_of_life_is_closed() {
    let server = start(|limits| {
        limits.idle_timeout = Duration::from_millis(300);
        limits.ping_interval = Duration::from_millis(50);
    })
    .await;
    // This client answers pings because it reads.
    let client = server.connect().await;
    let mut alive = Writer::open(&client, "notes", 1).await;
    alive.channel.until_up_to_date(&mut alive.document).await.expect("open");
    // This one does not.
    let mut dead = raw(&server).await;
    dead.send(open("notes")).await.expect("connected");
    until_connections_are(&server, 2).await;
    alive.edit("still here");
    alive.until_acknowledged().await;
    drop(dead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_documents_connections_and_handshakes_are_counted() {
    let server = start(|limits| {
        limits.channels_max = 2;
        limits.rooms_max = 3;
        limits.connections_max = 4;
        limits.room_idle_timeout = Duration::from_millis(10);
    })
    .await;
    let (one, two) = (server.connect().await, server.connect().await);
    let mut channels = Vec::new();
    for (client, name, fits) in [
        (&one, "a", true),
        (&one, "b", true),
        (&one, "a", false),
        (&two, "c", true),
        (&two, "d", false),
        (&two, "a", true),
    ] {
        let mut writer = Writer::open(client, name, channels.len() as u128).await;
        match writer.channel.until_up_to_date(&mut writer.document).await {
            Ok(()) => assert!(fits, "{name}"),
            Err(ChannelError::Closed { reason, .. }) => {
                assert!(!fits && reason == CloseReason::LimitExceeded, "{name}: {reason}");
            }
            Err(error) => panic!("{error}"),
        }
        channels.push(writer);
    }
    let _three = server.connect().await;
    let _four = server.connect().await;
    let fifth = server.connect_with(ConnectOptions::new()).await;
    assert!(matches!(fifth, Err(ConnectError::Unreachable(_))), "a fifth of four connections");

    let server = start(|limits| {
        limits.limit_loopback = true;
        limits.handshakes_per_second = 1;
    })
    .await;
    let mut refused = 0;
    for _ in 0..20 {
        match server.connect_with(ConnectOptions::new()).await {
            Ok(_) => {}
            Err(ConnectError::Refused { status: 429 }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!((5..=10).contains(&refused), "{refused} of 20 handshakes were refused");
}

/// A reader that stalls costs a queue and a window, however much there is to tell it, and
/// holds up no one; after a while it is disconnected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_reader_is_bounded_and_disconnected() {
    let server = start(|limits| {
        limits.write_timeout = Duration::from_millis(500);
        limits.idle_timeout = Duration::from_millis(1500);
        limits.ping_interval = Duration::from_millis(200);
        limits.outbound_bytes_max = 64 << 10;
    })
    .await;
    // It greets as a reader does, and then reads nothing.
    let stalled = server.connect().await;
    let mut reader = Document::reader();
    let mut channel = stalled.open("notes", ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut reader).await.expect("open");
    let mut socket = raw(&server).await;
    socket.send(open("notes")).await.expect("connected");
    let hello = first_session_message();
    let frame = Frame { channel: 0, body: FrameBody::Session(&hello) }.encode();
    socket.send(Message::Binary(frame.into())).await.expect("connected");

    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    let text = "x".repeat(100 << 10);
    for _ in 0..200 {
        writer.edit(&text);
        writer.until_acknowledged().await;
    }
    let queued = metric(&health(&server).await, "outbound_bytes_peak");
    // The queue, one message beyond it, and a message being framed.
    assert!(queued <= (64 << 10) + 2 * (256 << 10), "{queued} bytes waited for stalled readers");
    until_connections_are(&server, 3).await;
    // When it comes back it catches up.
    let client = server.connect().await;
    let mut back = Writer::open(&client, "notes", 2).await;
    back.until_holds(&writer.document).await;
}

/// A fragment longer than the transaction limit is refused before it is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_beyond_the_limit_is_refused_with_a_reason() {
    let server = start(|limits| limits.transaction_bytes_max = 10_000).await;
    let client = server.connect().await;
    let mut document = Document::new(ReplicaId::from_u128(1));
    edit(&mut document, &"x".repeat(20_000));
    let options = ChannelOptions::new().with_writers([ReplicaId::from_u128(1)]);
    let mut channel = client.open("notes", options).await.expect("connected");
    let error = channel.until_acknowledged(&mut document).await.expect_err("too long");
    assert!(matches!(error, ChannelError::Refused(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_and_the_state_of_health_are_served() {
    let server = Running::start().await;
    let (head, body) = get(&server, "/").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("<!doctype html>"), "{head}");
    for header in ["content-security-policy:", "x-content-type-options: nosniff", "text/html"] {
        assert!(head.to_ascii_lowercase().contains(header), "{header} is missing in {head}");
    }
    assert!(health(&server).await.contains("\"status\":\"ok\""));
    for missing in ["/missing", "/crdt-wasm/pkg/missing.wasm", "/../Cargo.toml"] {
        assert!(get(&server, missing).await.0.starts_with("HTTP/1.1 404"), "{missing}");
    }
}

fn first_session_message() -> Vec<u8> {
    use crdt_causal::sync::{Config, Session};
    let mut session = Session::new(Config::new(), 7, 0);
    let document = Document::reader();
    session.set_durable(document.version());
    session.poll_transmit(&document, 0).expect("a greeting")
}

async fn health(server: &Running) -> String {
    get(server, "/healthz").await.1
}

/// The request that asks is one of them.
async fn until_connections_are(server: &Running, expected: u64) {
    let fewer = async {
        while metric(&health(server).await, "connections") != expected {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(30), fewer).await;
    gone.expect("a connection that should be closed is still there");
}

fn metric(health: &str, name: &str) -> u64 {
    let (_, rest) = health.split_once(&format!("\"{name}\":")).expect("the metric is there");
    let end = rest.find(|c: char| !c.is_ascii_digit()).expect("JSON goes on");
    rest[..end].parse().expect("a number")
}

async fn get(server: &Running, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.address).await.expect("listening");
    let host = server.address;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("connected");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    let response = String::from_utf8_lossy(&response).into_owned();
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_owned(), body.to_owned())
}
