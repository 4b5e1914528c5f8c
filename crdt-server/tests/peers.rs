//! Servers that keep each other in step.

mod support;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::{ChannelOptions, ConnectOptions};
use crdt_server::limits::Limits;
use crdt_server::store::{EmbeddedStore, Store};
use std::sync::Arc;
use support::http::{health, server, until_in_step};
use support::proxy::Proxy;
use support::running::{Running, Setup};
use support::{Writer, edit};

fn setup(slot: u16, peers: &[SocketAddr]) -> Setup {
    let peers = peers.iter().map(|address| format!("ws://{address}")).collect();
    Setup { slot, peers, ..Setup::default() }
}

async fn start(slot: u16, peers: &[SocketAddr]) -> Running {
    Running::start_with(setup(slot, peers)).await
}

async fn start_in(directory: &Path, setup: Setup) -> Running {
    let store = EmbeddedStore::open(directory).expect("the store opens");
    Running::start_on(Arc::new(store), setup).await
}

/// What a newcomer is shown of a document.
async fn shown(server: &Running, name: &str) -> Document {
    let client = server.connect().await;
    let mut document = Document::reader();
    let mut channel = client.open(name, ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut document).await.expect("open");
    document
}

async fn write(server: &Running, name: &str, replica: u128, text: &str) -> Document {
    let client = server.connect().await;
    let mut writer = Writer::open(&client, name, replica).await;
    writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
    writer.edit(text);
    writer.until_acknowledged().await;
    writer.document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_made_at_one_server_appears_at_the_other() {
    let a = start(0, &[]).await;
    let made = write(&a, "made before", 1, "hello").await;
    let b = start(1, &[a.address]).await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    assert_eq!(shown(&b, "made before").await.encode(), made.encode());
    let made = write(&b, "made there", 2, "hello").await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    assert_eq!(shown(&a, "made there").await.encode(), made.encode());
    b.stop().await.expect("an orderly end");
    a.stop().await.expect("an orderly end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_at_two_servers_see_each_other_live() {
    let a = start(0, &[]).await;
    let b = start(1, &[a.address]).await;
    let (client_a, client_b) = (a.connect().await, b.connect().await);
    let mut at_a = Writer::open(&client_a, "notes", 1).await;
    let mut at_b = Writer::open(&client_b, "notes", 2).await;
    for round in 0..20 {
        at_a.edit(&format!("a{round}"));
        at_a.until_acknowledged().await;
        at_b.until_holds(&at_a.document).await;
        at_b.edit(&format!("b{round}"));
        at_b.until_acknowledged().await;
        at_a.until_holds(&at_b.document).await;
    }
    assert_eq!(at_a.contents(), at_b.contents());
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    // Each event was numbered once at each server.
    let events: u64 = at_a.document.version().iter().map(|(_, last)| last).sum();
    for address in [a.address, b.address] {
        assert_eq!(health(address).await["position"], events);
    }
}

/// Both dial, and it is one link; and what is said on it does not go round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_twice_and_nothing_goes_round() {
    // Ports that the other two know before their servers start.
    let ports: Vec<SocketAddr> = (0..3).map(|_| free_port()).collect();
    let mut servers = Vec::new();
    for (slot, &listen) in ports.iter().enumerate() {
        let others: Vec<_> = ports.iter().copied().filter(|other| *other != listen).collect();
        let setup = Setup { listen: Some(listen), ..setup(slot as u16, &others) };
        servers.push(Running::start_with(setup).await);
    }
    let all: Vec<_> = ports.iter().zip(0..).map(|(address, slot)| (*address, slot)).collect();
    write(&servers[0], "notes", 1, "hello").await;
    until_in_step(&all).await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    let before = frames(&ports).await;
    let client = servers[0].connect().await;
    let mut writer = Writer::open(&client, "notes", 2).await;
    writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
    const EDITS: u64 = 50;
    for round in 0..EDITS {
        writer.edit(&round.to_string());
        writer.until_acknowledged().await;
    }
    until_in_step(&all).await;
    // Six directions: a change once, its acknowledgement, a word on what is held, each at most.
    let said = frames(&ports).await - before;
    assert!(said <= 6 * 3 * EDITS + 60, "{said} frames for {EDITS} edits");
    // And then there is silence.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let silent = frames(&ports).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(frames(&ports).await, silent);
    for (address, slot) in all {
        for (_, other) in ports.iter().zip(0..3).filter(|(_, other)| *other != slot) {
            assert_eq!(server(&health(address).await, other).expect("known")["linked"], true);
        }
    }
}

async fn frames(servers: &[SocketAddr]) -> u64 {
    let mut sum = 0;
    for address in servers {
        sum += health(*address).await["link_frames"].as_u64().expect("a number");
    }
    sum
}

fn free_port() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens")
}

/// A and C know each other by B only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_of_three_gets_in_step() {
    let b = start(1, &[]).await;
    let a = start(0, &[b.address]).await;
    let c = start(2, &[b.address]).await;
    let all = [(a.address, 0), (b.address, 1), (c.address, 2)];
    // A heartbeat later all know of all.
    write(&a, "a", 1, "from a").await;
    write(&b, "b", 2, "from b").await;
    let from_c = write(&c, "c", 3, "from c").await;
    until_in_step(&[all[0], all[1]]).await;
    until_in_step(&[all[1], all[2]]).await;
    assert_eq!(shown(&a, "c").await.encode(), from_c.encode());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_heals() {
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    let b = start(1, &[network.address]).await;
    let all = [(a.address, 0), (b.address, 1)];
    write(&a, "notes", 1, "before").await;
    until_in_step(&all).await;
    for round in 0..3 {
        network.cut().await;
        for edits in 0..5 {
            write(&a, "notes", 10 * round + 11, &format!("a{edits}")).await;
            write(&b, "notes", 10 * round + 12, &format!("b{edits}")).await;
            write(&a, &format!("a {round} {edits}"), 1, "only at a").await;
            write(&b, &format!("b {round} {edits}"), 2, "only at b").await;
        }
        let there = health(b.address).await;
        let known = server(&there, 0).expect("known")["applied"].as_u64().expect("a number");
        let position = health(a.address).await["position"].as_u64().expect("a number");
        assert!(known < position, "b cannot have applied what a has admitted meanwhile");
        network.heal();
        until_in_step(&all).await;
        assert_eq!(shown(&a, "notes").await.encode(), shown(&b, "notes").await.encode());
    }
}

/// The log goes back only so far; behind that, the collections are compared.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_away_for_long_finds_out_what_it_lacks() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder for the test"));
    let limits = || {
        let mut limits = small_limits();
        limits.positions_kept_max = 10;
        limits.rooms_max = 256;
        limits
    };
    let start_a = || start_in(folders[0].path(), Setup { limits: limits(), ..setup(0, &[]) });
    let mut a = start_a().await;
    for document in 0..40 {
        write(&a, &format!("both {document}"), 1, "hello").await;
    }
    let start_b =
        |a: SocketAddr| start_in(folders[1].path(), Setup { limits: limits(), ..setup(1, &[a]) });
    let b = start_b(a.address).await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    b.stop().await.expect("an orderly end");
    for document in 0..40 {
        write(&a, &format!("only {document}"), 1, "hello").await;
    }
    write(&a, "both 7", 5, "more").await;
    // Its store has forgotten the log by then.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    a.stop().await.expect("an orderly end");
    let store = EmbeddedStore::open(folders[0].path()).expect("the store opens");
    assert!(store.realm().expect("readable").forgotten > 40, "the log was kept");
    assert!(store.admissions(0, usize::MAX).expect("readable").len() <= 20);
    drop(store);
    a = start_a().await;
    let b = start_b(a.address).await;
    write(&b, "b alone", 9, "hello").await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    for name in ["both 7", "only 3", "only 39", "b alone"] {
        assert_eq!(shown(&a, name).await.encode(), shown(&b, name).await.encode(), "{name}");
        assert!(!shown(&b, name).await.is_empty());
    }
}

fn small_limits() -> Limits {
    let mut limits = Limits::default();
    limits.peer_channels_max = 8;
    limits.rooms_max = 32;
    limits
}

/// Many documents, few rooms and channels.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_documents_are_brought_over_in_few_rooms() {
    const DOCUMENTS: u64 = 500;
    let directory = tempfile::tempdir().expect("a folder for the test");
    let a = start_in(directory.path(), setup(0, &[])).await;
    for document in 0..DOCUMENTS {
        write(&a, &format!("document {document}"), 1, "hello").await;
    }
    a.stop().await.expect("an orderly end");
    let a = start_in(directory.path(), Setup { limits: small_limits(), ..setup(0, &[]) }).await;
    let b = Running::start_with(Setup { limits: small_limits(), ..setup(1, &[a.address]) }).await;
    let mut rooms_max = 0;
    loop {
        let (at_a, at_b) = (health(a.address).await, health(b.address).await);
        for health in [&at_a, &at_b] {
            rooms_max = rooms_max.max(health["documents"].as_u64().expect("a number"));
        }
        if at_b["position"] == at_a["position"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    assert!(rooms_max <= 32, "{rooms_max} rooms at a time");
    assert_eq!(shown(&a, "document 321").await.encode(), shown(&b, "document 321").await.encode());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_token_for_it_makes_a_server() {
    const TOKENS: &str = "writer-token-of-length * write\nother-token-of-length * write\npeer-token-of-some-length * peer\n";
    let with = |slot, peers: &[SocketAddr], peer_token| Setup {
        tokens: Some(TOKENS),
        peer_token,
        ..setup(slot, peers)
    };
    let a = Running::start_with(with(0, &[], None)).await;
    let stranger = Running::start_with(with(1, &[a.address], Some("writer-token-of-length"))).await;
    let nobody = Running::start_with(with(2, &[a.address], None)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(health(a.address).await["servers"].as_array().map(Vec::len), Some(0));
    stranger.stop().await.expect("an orderly end");
    nobody.stop().await.expect("an orderly end");
    let b = Running::start_with(with(3, &[a.address], Some("peer-token-of-some-length"))).await;

    // A replica id belongs to the token that first wrote under it, at the other server, too.
    let connect = async |server: &Running, token: &str| {
        server.connect_with(ConnectOptions::new().with_token(token)).await.expect("a known token")
    };
    let client = connect(&a, "writer-token-of-length").await;
    let mut writer = Writer::open(&client, "notes", 1).await;
    writer.edit("mine");
    writer.until_acknowledged().await;
    until_in_step(&[(a.address, 0), (b.address, 3)]).await;
    let mut document = Document::new(ReplicaId::from_u128(1));
    document.import(&writer.document.encode()).expect("the same document");
    for (token, expected) in [("other-token-of-length", false), ("writer-token-of-length", true)] {
        let client = connect(&b, token).await;
        let options = ChannelOptions::new().with_writers([ReplicaId::from_u128(1)]);
        let mut channel = client.open("notes", options).await.expect("connected");
        let mut document = copy(&document);
        edit(&mut document, token);
        let taken = channel.until_acknowledged(&mut document).await;
        assert_eq!(taken.is_ok(), expected, "{token}: {taken:?}");
    }
    until_in_step(&[(a.address, 0), (b.address, 3)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_do_not_go_together_stay_apart() {
    let a = start(0, &[]).await;
    let same_slot = start(0, &[a.address]).await;
    write(&same_slot, "notes", 1, "hello").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(health(a.address).await["position"], 0);
    // A slot that comes back with another store would repeat positions.
    let b = start(1, &[a.address]).await;
    write(&b, "notes", 1, "hello").await;
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    b.stop().await.expect("an orderly end");
    let b = start(1, &[a.address]).await;
    write(&b, "other", 1, "hello").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(shown(&a, "other").await.is_empty());
    assert_eq!(server(&health(a.address).await, 1).expect("known")["linked"], false);
}

/// Documents that begin otherwise here than there cannot be merged. They are given up when the two
/// servers meet, not tried until one of them happens to notice, and hold up no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_with_two_beginnings_hold_up_no_other() {
    const DOCUMENTS: u64 = 16;
    let a = start(0, &[]).await;
    let network = Proxy::start(a.address).await;
    network.cut().await;
    let b = start(1, &[network.address]).await;
    for (server, genesis) in [(&a, "one"), (&b, "other")] {
        let client = server.connect().await;
        for number in 0..DOCUMENTS {
            let mut document = Document::with_genesis(crdt_document::Genesis::named(genesis));
            let replica = ReplicaId::from_u128(genesis.len() as u128);
            document.set_replica(replica).expect("no transaction");
            edit(&mut document, genesis);
            let options = ChannelOptions::new().with_writers(document.replica());
            let name = format!("forked {number}");
            let mut channel = client.open(&name, options).await.expect("connected");
            channel.until_acknowledged(&mut document).await.expect("acknowledged");
        }
    }
    write(&a, "good", 7, "hello").await;
    network.heal();
    until_in_step(&[(a.address, 0), (b.address, 1)]).await;
    assert!(!shown(&b, "good").await.is_empty());
    let said = frames(&[a.address, b.address]).await;
    // Opened by one side or by both, two greetings, two refusals: once. Another try is as much again.
    assert!(said <= 13 * DOCUMENTS, "{said} frames for {DOCUMENTS} documents");
}

fn copy(document: &Document) -> Document {
    let mut copy = Document::new(document.replica().expect("a writer"));
    copy.import(&document.encode()).expect("the same document");
    copy
}
