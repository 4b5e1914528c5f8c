//! History that is forgotten, by real servers and clients and a clock that is set by hand.

#[path = "../support/mod.rs"]
mod support;

mod horizon;
mod servers;
mod writers;

use std::sync::Arc;
use std::time::Duration;

use crdt_causal::stability::StabilityConfig;
use crdt_causal::sync::Refusal;
use crdt_core::ReplicaId;
use crdt_document::{Document, Genesis, ImportError};
use crdt_server::client::{ChannelError, ChannelOptions};
use crdt_server::clock::HandClock;
use crdt_server::store::{EmbeddedStore, Store};
use serde_json::Value;
use support::Writer;
use support::http::health;
use support::medium::Medium;
use support::running::{Running, Setup};

const DAY: u64 = 24 * 3_600_000;

/// A month, looked at once a day.
fn month() -> StabilityConfig {
    let mut config = StabilityConfig::default();
    config.horizon.horizon_ms = 30 * DAY;
    config.horizon.samples_max = 30;
    config.lease_ms = 90 * DAY;
    config
}

fn setup(hand: &HandClock) -> Setup {
    Setup { trimming: Some((month(), hand.clone())), ..Setup::default() }
}

/// A server that trims, its clock, and what it stores.
struct World {
    server: Running,
    hand: HandClock,
    store: Arc<EmbeddedStore>,
}

impl World {
    async fn start() -> Self {
        let store = EmbeddedStore::with_backend(Medium::default()).expect("a new store");
        let (store, hand) = (Arc::new(store), HandClock::new(DAY));
        let shared: Arc<dyn Store> = Arc::<EmbeddedStore>::clone(&store);
        let server = Running::start_on(shared, setup(&hand)).await;
        Self { server, hand, store }
    }

    async fn days(&self, days: u64) {
        for _ in 0..days {
            day(&self.hand, &[&self.server]).await;
        }
    }

    /// What is stored of a document, in bytes, with the rows about its writers.
    fn stored_bytes(&self, name: &str) -> usize {
        let stored = self.store.load(name).expect("readable");
        let rows = self.store.held(name).expect("readable").len() + stored.owners.len();
        stored.snapshot.map_or(0, |bytes| bytes.len())
            + stored.log.iter().map(Vec::len).sum::<usize>()
            + 48 * rows
    }
}

/// Lets a day pass: each server has looked at its clock.
async fn day(hand: &HandClock, servers: &[&Running]) {
    let now = clock(hand) + DAY;
    hand.advance(DAY);
    for server in servers {
        until(server, "it looks at its clock", |trimming| trimming["looked_at"] == now).await;
    }
}

fn clock(hand: &HandClock) -> u64 {
    hand.clock().now()
}

async fn trimming(server: &Running) -> Value {
    health(server.address).await["trimming"].clone()
}

async fn until(server: &Running, what: &str, holds: impl Fn(&Value) -> bool) {
    for _ in 0..3000 {
        if holds(&trimming(server).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}: {}", trimming(server).await);
}

/// Somebody who comes, writes and goes; returns what they then have.
async fn write(server: &Running, name: &str, replica: u128, text: &str) -> Document {
    let client = server.connect().await;
    let mut writer = Writer::open(&client, name, replica).await;
    writer.channel.until_up_to_date(&mut writer.document).await.expect("open");
    writer.edit(text);
    writer.until_acknowledged().await;
    writer.document
}

/// What a newcomer is shown.
async fn shown(server: &Running, name: &str) -> Document {
    let client = server.connect().await;
    let mut document = Document::reader();
    let mut channel = client.open(name, ChannelOptions::new()).await.expect("connected");
    channel.until_up_to_date(&mut document).await.expect("open");
    document
}

/// Somebody comes back with what they have, and sends what they wrote.
async fn come_back(
    server: &Running,
    name: &str,
    document: &mut Document,
) -> Result<(), ChannelError<ImportError>> {
    let client = server.connect().await;
    // All that it has, as a page does: its own, and the author of what it begins with.
    let writers: Vec<ReplicaId> = document.version().iter().map(|(replica, _)| replica).collect();
    let writers = if document.genesis() == Genesis::new() { Vec::new() } else { writers };
    let options = ChannelOptions::new().with_writers(document.replica().into_iter().chain(writers));
    let mut channel = client.open(name, options).await.expect("connected");
    channel.until_up_to_date(document).await
}

/// Lets an open channel take in and acknowledge what has come.
async fn settle(writer: &mut Writer) {
    for _ in 0..20 {
        writer.channel.pump(&mut writer.document).await.expect("the channel is open");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn is_trimmed(result: &Result<(), ChannelError<ImportError>>) -> bool {
    matches!(result, Err(ChannelError::Refused(Refusal::Trimmed)))
}

fn text(document: &Document) -> String {
    document.text("body").to_string()
}

fn append(document: &mut Document, text: &str) {
    let appended = document.transact(|tx| tx.text("body").push(text).map(drop));
    appended.expect("there is room");
}

fn replica(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}
