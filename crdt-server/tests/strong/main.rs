//! Strong operations by HTTP: who decides them, and what becomes of them when servers lose each other.

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod engine;
pub(crate) mod linearizable;

use std::net::SocketAddr;
use std::time::Duration;

use crdt_causal::cut::Slot;
use crdt_server::strong::Strong;
use serde_json::{Value, json};
use support::http::{Response, health, request, server};
use support::running::{Running, Setup};

const KEYS: &str = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A server that holds the one with slot 0 to be the authority.
fn setup(slot: u16, peers: &[SocketAddr]) -> Setup {
    let peers = peers.iter().map(|address| format!("ws://{address}")).collect();
    let strong = Strong::Authority(Slot(0));
    Setup { slot, peers, keys: Some(KEYS), strong, ..Setup::default() }
}

async fn start(slot: u16, peers: &[SocketAddr]) -> Running {
    Running::start_with(setup(slot, peers)).await
}

async fn until_linked(from: SocketAddr, slot: u16) {
    for _ in 0..3000 {
        if server(&health(from).await, slot).is_some_and(|known| known["linked"] == true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no link with {slot}: {}", health(from).await);
}

async fn get(address: SocketAddr, path: &str) -> Response {
    request(address, "GET", path, &[], "").await
}

async fn post(address: SocketAddr, path: &str, ops: Value) -> Response {
    request(address, "POST", path, &[], &json!({ "ops": ops }).to_string()).await
}

fn kind(response: &Response) -> String {
    let body = response.json();
    assert_eq!(body["status"], response.status, "{response:?}");
    body["type"].as_str().expect("a type").trim_start_matches("urn:crdt-server:").to_owned()
}

fn told(response: &Response) -> (u16, String) {
    (response.status, kind(response))
}
