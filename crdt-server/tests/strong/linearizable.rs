//! Histories of several clients at two servers, with a network between these that is cut, judged by
//! a checker that knows a register and nothing else.

#[path = "../../../crdt-causal/tests/levels/register.rs"]
mod register;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use self::register::{Operation, Record, is_linearizable};
use super::support::proxy::Proxy;
use super::support::running::Running;
use super::{get, kind, post, start, until_linked};

const PROCESSES: usize = 4;
const OPERATIONS: usize = 12;

/// Two servers, of which the second reaches the authority by a network that is slow and is cut.
pub(crate) struct World {
    authority: Running,
    other: Running,
    network: Proxy,
}

#[derive(Debug, Default)]
pub(crate) struct Played {
    records: Vec<Record>,
    refused: usize,
    /// The answers that were not refusals, by level.
    achieved: Vec<String>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let authority = start(0, &[]).await;
        let network = Proxy::start(authority.address).await;
        let other = start(1, &[network.address]).await;
        Self { authority, other, network }
    }

    /// Clients at both servers, each with one operation at a time on one document, and a network that
    /// breaks twice.
    pub(crate) async fn play(&self, seed: u64, level: &'static str) -> Played {
        self.network.delay(Duration::from_millis(seed % 6));
        until_linked(self.other.address, 0).await;
        let moments = Arc::new(AtomicUsize::new(0));
        let mut clients = Vec::new();
        for process in 0..PROCESSES {
            let server = if process == 0 { &self.authority } else { &self.other };
            let (address, moments) = (server.address, Arc::clone(&moments));
            let rng = fastrand::Rng::with_seed(seed * 100 + process as u64);
            clients.push(tokio::spawn(client(process, address, seed, level, rng, moments)));
        }
        let mut rng = fastrand::Rng::with_seed(seed);
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(rng.u64(5..60))).await;
            self.network.cut().await;
            tokio::time::sleep(Duration::from_millis(rng.u64(5..40))).await;
            self.network.heal();
        }
        let mut played = Played::default();
        for client in clients {
            let Played { records, refused, achieved } = client.await.expect("no panic");
            played.records.extend(records);
            played.achieved.extend(achieved);
            played.refused += refused;
        }
        played
    }

    /// What is wrong with the history of a seed, if anything is.
    #[cfg(canary = "chosen")]
    pub(crate) async fn violation(&self, seed: u64) -> Option<&'static str> {
        let played = self.play(seed, "strong").await;
        (!is_linearizable(&played.records)).then_some("not linearizable")
    }

    pub(crate) async fn stop(self) {
        self.other.stop().await.expect("an orderly end");
        self.authority.stop().await.expect("an orderly end");
    }
}

/// Reads at the level, and writes strongly.
async fn client(
    process: usize,
    address: SocketAddr,
    seed: u64,
    level: &'static str,
    mut rng: fastrand::Rng,
    moments: Arc<AtomicUsize>,
) -> Played {
    let mut played = Played::default();
    let mut last_seen = 0;
    for number in 0..OPERATIONS {
        let to = (100 * process + number + 1) as u64;
        let called = match rng.u8(..4) {
            0 | 1 => Operation::Read(None),
            2 => Operation::Write(to),
            _ => Operation::CompareAndSet(last_seen, to, None),
        };
        let begun = moments.fetch_add(1, Ordering::SeqCst);
        let set = json!({"op": "set", "path": ["x"], "value": to});
        let ops = format!("/v1/docs/{seed}/ops?level=strong");
        let response = match called {
            Operation::Read(_) => {
                get(address, &format!("/v1/docs/{seed}?path=x&level={level}")).await
            }
            Operation::Write(_) => post(address, &ops, json!([set])).await,
            Operation::CompareAndSet(from, ..) => {
                let from = if from == 0 { Value::Null } else { json!(from) };
                let expect = json!({"op": "expect", "path": ["x"], "value": from});
                post(address, &ops, json!([expect, set])).await
            }
        };
        let ended = moments.fetch_add(1, Ordering::SeqCst);
        let mut record = Record { process, called, answered: called, begun, ended: Some(ended) };
        match (response.status, called) {
            (200, _) => {
                played.achieved.extend(response.header("consistency-level").map(str::to_owned));
                record.answered = match called {
                    Operation::Read(_) => {
                        last_seen = response.json()["value"].as_u64().unwrap_or(0);
                        Operation::Read(Some(last_seen))
                    }
                    Operation::Write(_) => called,
                    Operation::CompareAndSet(from, to, _) => {
                        Operation::CompareAndSet(from, to, Some(true))
                    }
                };
                if !matches!(called, Operation::Read(_)) {
                    last_seen = to;
                }
            }
            (409, Operation::CompareAndSet(from, to, _)) => {
                assert_eq!(kind(&response), "condition-failed");
                record.answered = Operation::CompareAndSet(from, to, Some(false));
                last_seen = response.json()["found"].as_u64().unwrap_or(0);
            }
            (504, Operation::Write(_) | Operation::CompareAndSet(..)) => {
                assert_eq!(kind(&response), "indeterminate");
                record.ended = None;
            }
            (503, _) => {
                assert_eq!(kind(&response), "strong-unavailable");
                played.refused += 1;
                tokio::time::sleep(Duration::from_millis(rng.u64(5..30))).await;
                continue;
            }
            _ => panic!("{called:?}: {response:?}"),
        }
        played.records.push(record);
    }
    played
}

const HISTORIES: u64 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_are_linearizable_through_partitions() {
    let world = World::start().await;
    let (mut operations, mut refused, mut unknown, mut failed) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let played = world.play(seed, "strong").await;
        assert!(is_linearizable(&played.records), "seed {seed}: {:#?}", played.records);
        assert!(played.achieved.iter().all(|level| level == "strong"), "{:?}", played.achieved);
        operations += played.records.len();
        refused += played.refused;
        unknown += played.records.iter().filter(|record| record.ended.is_none()).count();
        let answers = played.records.iter().map(|record| record.answered);
        failed += answers
            .filter(|answer| matches!(answer, Operation::CompareAndSet(_, _, Some(false))))
            .count();
    }
    println!(
        "{HISTORIES} histories, {operations} operations: {failed} conditions failed, {unknown} \
         indeterminate, {refused} refused; all linearizable"
    );
    assert!(refused > 0 && unknown > 0 && failed > 0, "nothing has happened to them");
    world.stop().await;
}

/// The checker notices what it is there for: reads of what a server happens to have, taken for strong
/// ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_from_a_copy_are_noticed() {
    let world = World::start().await;
    let mut noticed = 0;
    for seed in 0..HISTORIES {
        let played = world.play(seed, "eventual").await;
        assert!(played.achieved.iter().any(|level| level != "strong"));
        noticed += u32::from(!is_linearizable(&played.records));
    }
    assert!(noticed > 4, "{noticed} of {HISTORIES}");
    world.stop().await;
}
