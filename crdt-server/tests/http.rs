//! Reading and writing by HTTP, with levels and session tokens.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crdt_causal::cut::{Admission, Epoch, Slot};
use crdt_causal::session::{LogTag, Realm, SessionToken, VerifiedToken};
use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{ChannelOptions, ConnectOptions};
use crdt_server::frame::{Frame, FrameBody, Open, PROTOCOL_VERSION};
use crdt_server::limits::Limits;
use crdt_server::realm::KeyRing;
use crdt_server::store::EmbeddedStore;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::Writer;
use support::http::{Response, health, request, until_in_step};
use support::proxy::Proxy;
use support::running::{Running, Setup};
use tokio_tungstenite::tungstenite::Message;

const KEYS: &str = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

async fn start(slot: u16, peers: &[SocketAddr]) -> Running {
    let peers = peers.iter().map(|address| format!("ws://{address}")).collect();
    Running::start_with(Setup { slot, peers, keys: Some(KEYS), ..Setup::default() }).await
}

/// A client that carries its token from request to request, wherever it asks.
#[derive(Default)]
struct Roaming {
    token: Option<String>,
}

impl Roaming {
    async fn get(&mut self, address: SocketAddr, path: &str) -> Response {
        self.send(address, "GET", path, "").await
    }

    async fn post(&mut self, address: SocketAddr, path: &str, body: Value) -> Response {
        self.send(address, "POST", path, &body.to_string()).await
    }

    async fn send(
        &mut self,
        address: SocketAddr,
        method: &str,
        path: &str,
        body: &str,
    ) -> Response {
        let token = self.token.clone().unwrap_or_default();
        let headers = [("Session-Token", token.as_str())];
        let headers = if token.is_empty() { &[][..] } else { &headers };
        let response = request(address, method, path, headers, body).await;
        if let Some(token) = response.header("session-token") {
            self.token = Some(token.to_owned());
        }
        response
    }
}

fn increment(by: i64) -> Value {
    json!({"ops": [{"op": "increment", "path": ["likes"], "by": by}]})
}

fn kind(response: &Response) -> String {
    assert_eq!(response.header("content-type"), Some("application/problem+json"), "{response:?}");
    let body = response.json();
    assert_eq!(body["status"], response.status);
    body["type"].as_str().expect("a type").trim_start_matches("urn:crdt-server:").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_can_be_written_and_read() {
    let server = start(0, &[]).await;
    let mut client = Roaming::default();
    let ops = json!({"ops": [
        {"op": "insert", "path": ["body"], "at": 0, "text": "hallo \"welt\""},
        {"op": "delete", "path": ["body"], "at": 1, "len": 1},
        {"op": "insert", "path": ["body"], "at": 1, "text": "e"},
        {"op": "increment", "path": ["stats", "likes"], "by": 5},
        {"op": "increment", "path": ["stats", "likes"], "by": -2},
        {"op": "add", "path": ["tags"], "value": "a"},
        {"op": "add", "path": ["tags"], "value": [1, 2.5, null, true]},
        {"op": "remove", "path": ["tags"], "value": "a"},
        {"op": "set", "path": ["title"], "value": {"de": "Titel"}},
        {"op": "set", "path": ["gone"], "value": 1},
        {"op": "unset", "path": ["gone"]},
    ]});
    let written = client.post(server.address, "/v1/docs/teams%2Fnotes/ops", ops).await;
    assert_eq!(written.status, 200, "{written:?}");
    let events = &written.json()["events"];
    assert_eq!(
        (events["first"].as_u64(), events["replica"].as_str().map(str::len)),
        (Some(1), Some(32))
    );
    for (path, expected) in [
        ("body", json!("hello \"welt\"")),
        ("stats/likes", json!(3)),
        ("stats", json!({"likes": 3})),
        ("tags", json!([[1, 2.5, null, true]])),
        ("title", json!({"de": "Titel"})),
        ("gone", json!(null)),
        ("nowhere/at/all", json!(null)),
    ] {
        let read = client.get(server.address, &format!("/v1/docs/teams%2Fnotes?path={path}")).await;
        assert_eq!(read.status, 200, "{read:?}");
        assert_eq!(read.json()["value"], expected, "{path}");
    }
    let whole = client.get(server.address, "/v1/docs/teams%2Fnotes").await.json();
    assert_eq!(whole["value"]["stats"]["likes"], 3);
    // It is the same document as by the sync session.
    let socket = server.connect().await;
    let mut reader = Document::reader();
    let mut channel = socket.open("teams/notes", ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut reader).await.expect("open");
    assert_eq!(reader.text("body"), "hello \"welt\"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_is_all_or_nothing() {
    let server = start(0, &[]).await;
    let mut client = Roaming::default();
    let good = json!({"op": "increment", "path": ["likes"], "by": 1});
    for (bad, op) in [
        (json!({"op": "insert", "path": ["body"], "at": 7, "text": "x"}), 1),
        (json!({"op": "increment", "path": [], "by": 1}), 1),
        (json!({"op": "add", "path": ["tags"], "value": 18_446_744_073_709_551_615_u64}), 1),
        (json!({"op": "delete", "path": ["body"], "at": 1, "len": u64::MAX}), 1),
    ] {
        let ops = json!({"ops": [good, bad, good]});
        let refused = client.post(server.address, "/v1/docs/a/ops", ops).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (422, "operation-refused"), "{bad}");
        assert_eq!(refused.json()["op"], op);
    }
    for body in
        ["", "{}", "{\"ops\":[]}", "{\"ops\":[{\"op\":\"explode\"}]}", "[1", "{\"ops\":[],\"x\":1}"]
    {
        let refused = client.send(server.address, "POST", "/v1/docs/a/ops", body).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (400, "invalid-request"), "{body}");
    }
    let read = client.get(server.address, "/v1/docs/a?path=likes").await;
    assert_eq!(read.json()["value"], Value::Null, "something of a refused transaction is there");
    assert_eq!(health(server.address).await["position"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_carried_out_once_also_after_a_restart() {
    let directory = tempfile::tempdir().expect("a folder for the test");
    let start = async || {
        let store = EmbeddedStore::open(directory.path()).expect("the store opens");
        Running::start_on(Arc::new(store), Setup { keys: Some(KEYS), ..Setup::default() }).await
    };
    let body = increment(1).to_string();
    let key = [("Idempotency-Key", "once")];
    let mut events = Vec::new();
    for round in 0..3 {
        let server = start().await;
        for repeat in 0..2 {
            let written = request(server.address, "POST", "/v1/docs/a/ops", &key, &body).await;
            assert_eq!(written.json()["repeated"], round + repeat > 0, "{written:?}");
            events.push(written.json()["events"].clone());
        }
        let other = increment(2).to_string();
        let reused = request(server.address, "POST", "/v1/docs/a/ops", &key, &other).await;
        assert_eq!((reused.status, kind(&reused).as_str()), (422, "key-reused"));
        let read = request(server.address, "GET", "/v1/docs/a?path=likes", &[], "").await;
        assert_eq!(read.json()["value"], 1);
        server.stop().await.expect("an orderly end");
    }
    assert!(events.iter().all(|other| *other == events[0]), "{events:?}");
    // The server goes on under its own id.
    let server = start().await;
    let written = request(server.address, "POST", "/v1/docs/a/ops", &[], &body).await;
    assert_eq!(written.json()["events"]["replica"], events[0]["replica"]);
    assert_eq!(written.json()["events"]["first"], 2);
}

/// C4: a client writes and reads at servers that lag behind each other; never is an answer
/// older than what it has seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roaming_client_reads_nothing_stale() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    network.delay(Duration::from_millis(80));
    let mut client = Roaming::default();
    let (mut expected, mut stale_without) = (0, 0);
    for round in 0..20 {
        let (here, there) = if round % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let written = client.post(here.address, "/v1/docs/c/ops?wait_ms=5000", increment(1)).await;
        assert_eq!(written.status, 200, "{written:?}");
        expected += 1;
        // Without the token the lag shows, or the test would prove nothing.
        let eventual = request(there.address, "GET", "/v1/docs/c?path=likes", &[], "").await;
        stale_without += i32::from(eventual.json()["value"] != expected);
        let read = client.get(there.address, "/v1/docs/c?path=likes&wait_ms=5000").await;
        assert_eq!(read.status, 200, "{read:?}");
        assert_eq!(read.json()["value"], expected, "round {round}: a stale read");
        let level = read.header("consistency-level").expect("a level");
        assert!(level.starts_with("causal"), "{level}");
    }
    assert!(stale_without >= 10, "only {stale_without} of 20 reads would have been stale");
    let token = client.token.expect("a token");
    assert!(token.len() <= 88, "{} characters for two servers", token.len());
}

/// C5: nobody here knows enough, so the answer is to wait, to go elsewhere or a refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_answers_with_something_older_than_the_token() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    let mut client = Roaming::default();
    client.post(a.address, "/v1/docs/c/ops", increment(1)).await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;

    // It waits while it is slow, and says where to go if it may not wait. The address for
    // clients is the one that was dialled.
    network.delay(Duration::from_millis(300));
    client.post(a.address, "/v1/docs/c/ops", increment(1)).await;
    let asked_at = Instant::now();
    let mut other = Roaming { token: client.token.clone() };
    let read = other.get(b.address, "/v1/docs/c?path=likes&wait_ms=10000").await;
    assert_eq!((read.status, read.json()["value"].as_i64()), (200, Some(2)));
    assert!(asked_at.elapsed() >= Duration::from_millis(200), "it cannot have known");
    client.post(a.address, "/v1/docs/c/ops", increment(1)).await;
    let mut statuses = Vec::new();
    for _ in 0..200 {
        let read = client.get(b.address, "/v1/docs/c?path=likes").await;
        statuses.push(read.status);
        match read.status {
            200 => {
                assert_eq!(read.json()["value"], 3);
                break;
            }
            307 => {
                let expected = format!("http://{}/v1/docs/c?path=likes", network.address);
                assert_eq!(read.header("location"), Some(expected.as_str()));
                assert_eq!(read.json()["servers"], json!([expected]));
                assert_eq!(kind(&read), "redirect");
                // Who follows is answered.
                let followed = client.get(a.address, "/v1/docs/c?path=likes").await;
                assert_eq!(followed.json()["value"], 3);
                client.token = other.token.clone();
                client.post(a.address, "/v1/docs/c/ops", increment(0)).await;
                let _ = followed;
                break;
            }
            503 => assert_eq!(kind(&read), "not-yet"),
            status => panic!("{status}: {read:?}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    // In a partition it refuses, unless less will do; it never shows an older state for the level.
    network.cut().await;
    client.post(a.address, "/v1/docs/c/ops", increment(1)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let read = client.get(b.address, "/v1/docs/c?path=likes&wait_ms=100").await;
    assert_eq!((read.status, kind(&read).as_str()), (503, "not-yet"));
    assert_eq!(read.header("retry-after"), Some("1"));
    let less = client.get(b.address, "/v1/docs/c?path=likes&level=causal&floor=eventual").await;
    assert_eq!(less.status, 200);
    let level = less.header("consistency-level").expect("a level");
    assert!(!level.contains("causal") && !level.contains("session"), "{level}");
    let written = client.post(b.address, "/v1/docs/d/ops", increment(1)).await;
    assert_eq!(written.status, 503, "a write would follow what is not here");
    // The other direction: what was primary is the one that lags.
    let mut at_b = Roaming::default();
    at_b.post(b.address, "/v1/docs/e/ops", increment(1)).await;
    assert_eq!(at_b.get(a.address, "/v1/docs/e?path=likes").await.status, 503);
    network.delay(Duration::ZERO);
    network.heal();
    let read = client.get(b.address, "/v1/docs/c?path=likes&wait_ms=20000").await;
    assert_eq!((read.status, read.json()["value"].as_i64()), (200, Some(4)), "{read:?}");
    assert_eq!(at_b.get(a.address, "/v1/docs/e?path=likes&wait_ms=20000").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bounded_staleness_is_kept_or_refused() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    // Nobody knows how far behind a server is that has never met the other.
    let mut client = Roaming::default();
    client.post(a.address, "/v1/docs/c/ops", increment(1)).await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let fresh = client.get(b.address, "/v1/docs/c?level=bounded-0-5000").await;
    assert_eq!(fresh.status, 200, "{fresh:?}");
    assert_eq!(fresh.json()["staleness"]["ops"], 0);
    network.cut().await;
    // After some silence it cannot be known any more.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let stale = client.get(b.address, "/v1/docs/c?level=bounded-100-2000").await;
    assert_eq!((stale.status, kind(&stale).as_str()), (503, "not-yet"), "{stale:?}");
    let any = client.get(b.address, "/v1/docs/c?level=causal").await;
    assert_eq!(any.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strong_is_refused_without_an_engine() {
    let server = start(0, &[]).await;
    let strong = request(server.address, "GET", "/v1/docs/c?level=strong", &[], "").await;
    assert_eq!((strong.status, kind(&strong).as_str()), (501, "no-engine"));
    let less = "/v1/docs/c?level=strong&floor=causal";
    assert_eq!(request(server.address, "GET", less, &[], "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_checked() {
    let server = start(0, &[]).await;
    let keys = KeyRing::parse(KEYS).expect("a key file");
    let time = crdt_causal::clock::HybridTime::new(1, 0).expect("a time");
    let make = |epoch, realm, keys: &KeyRing, position| {
        let mut token = VerifiedToken::new(Epoch(epoch));
        token.observe_write(Admission::new(Slot(0), position));
        token.attest(Realm(realm), time, keys).expect("short").to_base64url()
    };
    let ask = async |token: &str| {
        let path = "/v1/docs/c";
        request(server.address, "GET", path, &[("Session-Token", token)], "").await
    };
    let good = make(0, 0, &keys, 0);
    assert_eq!(ask(&good).await.status, 200);
    for (token, status, expected) in [
        ("not a token!".to_owned(), 400, "invalid-session-token"),
        (good[..good.len() - 2].to_owned(), 400, "invalid-session-token"),
        ("A".repeat(6000), 400, "invalid-session-token"),
        (make(0, 7, &keys, 0), 409, "session-over"),
        (make(1, 0, &keys, 0), 503, "not-yet"),
        // A future that nobody has attested would make everybody wait.
        (make(0, 0, &KeyRing::random(), 1 << 40), 400, "invalid-session-token"),
    ] {
        let answer = ask(&token).await;
        assert_eq!((answer.status, kind(&answer).as_str()), (status, expected), "{answer:?}");
    }
}

/// Writes that a client has made offline count as its own once they have come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offline_writes_are_waited_for_and_then_attested() {
    let server = start(0, &[]).await;
    let client = server.connect().await;
    let mut writer = Writer::open(&client, "notes", 7).await;
    writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
    writer.edit("offline");
    let last = writer.document.version().get(ReplicaId::from_u128(7));
    let mut token = SessionToken::new();
    token.record_write(ReplicaId::from_u128(7), LogTag::of_name(b"notes"), last).expect("short");
    let mut session = Roaming { token: Some(token.to_base64url()) };
    let missing = session.get(server.address, "/v1/docs/notes?path=body").await;
    assert_eq!((missing.status, kind(&missing).as_str()), (409, "offline-writes-missing"));
    assert_eq!(missing.json()["last"], last);
    assert_eq!(session.get(server.address, "/v1/docs/other?path=body").await.status, 200);
    session.token = Some(token.to_base64url());
    writer.until_acknowledged().await;
    let read = session.get(server.address, "/v1/docs/notes?path=body").await;
    assert_eq!((read.status, read.json()["value"].as_str()), (200, Some("offline")));
    let settled = SessionToken::from_base64url(&session.token.expect("a token")).expect("a token");
    assert!(settled.offline().is_empty(), "{settled:?}");
}

/// A browser writes by its sync session, and what the server tells it is honoured by the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_session_gets_a_token_that_the_other_server_honours() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    network.cut().await;
    for (query, expected) in [("?tokens=1", true), ("", false)] {
        let url = format!("{}{query}", a.url());
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("let in");
        let open = Open { protocol: PROTOCOL_VERSION, document: "notes", token: None };
        let frame = Frame { channel: 0, body: FrameBody::Open(open) }.encode();
        socket.send(Message::Binary(frame.into())).await.expect("connected");
        let replica = ReplicaId::from_u128(7 + u128::from(expected));
        let mut document = Document::new(replica);
        let config = crdt_causal::sync::Config::new().with_writers([replica]);
        let mut session = crdt_causal::sync::Session::new(config, 9, 0);
        support::edit(&mut document, "hello");
        session.set_durable(document.version());
        let mut token = None;
        let started = Instant::now();
        let patience = Duration::from_millis(if expected { 10_000 } else { 1_000 });
        while token.is_none() && started.elapsed() < patience {
            let now = started.elapsed().as_millis() as u64;
            while let Some(message) = session.poll_transmit(&document, now) {
                let frame = Frame { channel: 0, body: FrameBody::Session(&message) }.encode();
                socket.send(Message::Binary(frame.into())).await.expect("connected");
            }
            let next = tokio::time::timeout(Duration::from_millis(50), socket.next()).await;
            let Ok(Some(Ok(Message::Binary(bytes)))) = next else { continue };
            match Frame::decode(&bytes).expect("a frame").body {
                FrameBody::Session(message) => {
                    session.handle(message, &mut document, now).expect("understood");
                }
                FrameBody::Token(bytes) => {
                    let made = session.unacknowledged(document.version());
                    if made == Some(0) {
                        token = Some(SessionToken::from_bytes(bytes).expect("a token"));
                    }
                }
                _ => panic!("{bytes:?}"),
            }
        }
        assert_eq!(token.is_some(), expected, "{query}");
        let Some(token) = token else { continue };
        let mut client = Roaming { token: Some(token.to_base64url()) };
        assert_eq!(client.get(b.address, "/v1/docs/notes?path=body").await.status, 503);
        network.heal();
        let read = client.get(b.address, "/v1/docs/notes?path=body&wait_ms=20000").await;
        assert_eq!((read.status, read.json()["value"].as_str()), (200, Some("hello")), "{read:?}");
        network.cut().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_gets_nothing() {
    const TOKENS: &str = "writer-token-of-length notes write\nreader-token-of-length notes read\n";
    let setup = Setup {
        tokens: Some(TOKENS),
        allow_origin: vec!["https://app.example".to_owned()],
        ..Setup::default()
    };
    let server = Running::start_with(setup).await;
    let bearer = |token: &str| format!("Bearer {token}");
    let (writer, reader) = (bearer("writer-token-of-length"), bearer("reader-token-of-length"));
    let body = increment(1).to_string();
    for (method, path, token, origin, status) in [
        ("GET", "/v1/docs/notes", None, None, 401),
        ("GET", "/v1/docs/notes", Some("Bearer unknown-token-of-length"), None, 401),
        ("GET", "/v1/docs/notes", Some(&*reader), None, 200),
        ("GET", "/v1/docs/other", Some(&*reader), None, 401),
        ("POST", "/v1/docs/notes/ops", Some(&*reader), None, 401),
        ("POST", "/v1/docs/notes/ops", Some(&*writer), None, 200),
        ("POST", "/v1/docs/notes/ops", Some(&*writer), Some("https://evil.example"), 403),
        ("POST", "/v1/docs/notes/ops", Some(&*writer), Some("https://app.example"), 200),
        ("GET", "/v1/docs/no*tes", Some(&*reader), None, 400),
    ] {
        let mut headers = Vec::new();
        headers.extend(token.map(|token| ("Authorization", token)));
        headers.extend(origin.map(|origin| ("Origin", origin)));
        let body = if method == "POST" { &*body } else { "" };
        let answer = request(server.address, method, path, &headers, body).await;
        assert_eq!(answer.status, status, "{method} {path} {token:?} {origin:?}: {answer:?}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, origin.filter(|_| status == 200), "{answer:?}");
    }
    let preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")];
    let answer = request(server.address, "OPTIONS", "/v1/docs/notes/ops", &preflight, "").await;
    assert_eq!(answer.status, 204);
    assert!(
        answer.header("access-control-allow-headers").is_some_and(|h| h.contains("Session-Token"))
    );

    // A replica id of someone else, or one in use, is not written under.
    let client =
        server.connect_with(ConnectOptions::new().with_token("writer-token-of-length")).await;
    let client = client.expect("a known token");
    let mut live = Writer::open(&client, "notes", 7).await;
    live.edit("mine");
    live.until_acknowledged().await;
    let body = json!({"replica": format!("{:032x}", 7), "ops": [{"op": "unset", "path": ["a"]}]});
    let headers = [("Authorization", &*writer)];
    let answer =
        request(server.address, "POST", "/v1/docs/notes/ops", &headers, &body.to_string()).await;
    assert_eq!((answer.status, kind(&answer).as_str()), (409, "replica-in-use"));
    let open = Running::start().await;
    let rebound = [("Host", "rebound.example")];
    let foreign = request(open.address, "GET", "/v1/docs/notes", &rebound, "").await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
}

/// What a client sends is bounded, and so is how long it waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_bounded() {
    let mut limits = Limits::default();
    limits.http_body_bytes_max = 10_000;
    limits.http_wait_max = Duration::from_millis(100);
    limits.rooms_max = 3;
    let setup = Setup { limits, keys: Some(KEYS), ..Setup::default() };
    let server = Running::start_with(setup).await;
    let long =
        json!({"ops": [{"op": "insert", "path": ["body"], "at": 0, "text": "x".repeat(20_000)}]});
    let mut client = Roaming::default();
    let refused = client.post(server.address, "/v1/docs/a/ops", long).await;
    assert_eq!(refused.status, 413);
    let deep = format!(
        "{{\"ops\":[{{\"op\":\"set\",\"path\":[\"a\"],\"value\":{}1{}}}]}}",
        "[".repeat(500),
        "]".repeat(500)
    );
    assert_eq!(client.send(server.address, "POST", "/v1/docs/a/ops", &deep).await.status, 400);
    let many = json!({"ops": vec![json!({"op": "unset", "path": ["a"]}); 1000]});
    assert_eq!(
        client.post(server.address, "/v1/docs/a/ops", many).await.status,
        413,
        "14 bytes each"
    );
    let key = "k".repeat(300);
    let key = [("Idempotency-Key", key.as_str())];
    let body = increment(1).to_string();
    assert_eq!(request(server.address, "POST", "/v1/docs/a/ops", &key, &body).await.status, 400);
    // A session that has seen what nobody here has waits no longer than that.
    let keys = KeyRing::parse(KEYS).expect("a key file");
    let mut token = VerifiedToken::new(Epoch(0));
    token.observe_write(Admission::new(Slot(5), 9));
    let time = crdt_causal::clock::HybridTime::new(1, 0).expect("a time");
    client.token = Some(token.attest(Realm(0), time, &keys).expect("short").to_base64url());
    let asked_at = Instant::now();
    assert_eq!(client.get(server.address, "/v1/docs/a?wait_ms=99999999").await.status, 503);
    assert!(asked_at.elapsed() < Duration::from_secs(5));
    let mut statuses = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let path = format!("/v1/docs/{name}");
        statuses.push(request(server.address, "GET", &path, &[], "").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429], "documents are bounded");
}
