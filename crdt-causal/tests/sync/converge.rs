//! Safety under every fault, and liveness once the faults stop.
//!
//! With `RUSTFLAGS="--cfg canary"` a session acknowledges what is not durable; then these two
//! tests pass only by finding that out.

use std::collections::BTreeMap;

use crdt_causal::sync::{ChangeLog, Config, Event, Limits, Retry};
use crdt_core::Dot;
use crdt_core::laws::trials;

use crate::log::Payload;
use crate::network::{Faults, Random, World};

fn config(random: &mut Random) -> Config {
    let mut limits = Limits::default();
    if random.percent(60) {
        limits = limits.with_message_bytes_max(64 + random.below(200));
    }
    if random.percent(60) {
        limits = limits.with_in_flight_max(random.below(2_000), 1 + random.below(8));
    }
    let retry = Retry::default().with_interval_ms(50 + random.below(300), 3_000);
    Config::new().with_limits(limits).with_retry(retry)
}

fn payloads(random: &mut Random) -> Vec<Payload> {
    let count = if random.percent(10) { 40 } else { 1 + random.below(3) };
    (0..count)
        .map(|_| {
            let key = format!("key {}", random.below(6));
            let text = "x".repeat(random.below(12) as usize);
            (key, format!("{text}{}", random.below(1_000)))
        })
        .collect()
}

/// A star: the first node is the server.
fn storm(seed: u64, clients: usize, steps: u64) {
    let mut random = Random(seed ^ 0xabcd);
    let faults = Faults {
        loss: [0, 5, 20, 50][random.below(4) as usize],
        duplication: [0, 10, 40][random.below(3) as usize],
        latency_ms: random.below(100),
        jitter_ms: [0, 20, 400][random.below(3) as usize],
    };
    let config = config(&mut random);
    let mut world = World::new(seed, faults, clients + 1);
    for node in &mut world.nodes {
        node.instant_disk = random.percent(50);
    }
    for client in 1..=clients {
        world.connect([client, 0], [config.clone(), config.clone()]);
    }
    // What was ever issued, and not lost in a crash before it was stored.
    let mut issued: BTreeMap<Dot, (Vec<Dot>, Payload)> = BTreeMap::new();
    for _ in 0..steps {
        let node = random.below(world.nodes.len() as u64) as usize;
        match random.below(100) {
            0..40 => {
                let id = world.nodes[node].id;
                world.nodes[node].log.change(id, &payloads(&mut random));
                // A crash may have taken back the events that these replace.
                let own = world.nodes[node].log.contents().into_iter();
                issued.extend(own.filter(|(dot, _)| dot.replica == id));
            }
            40..60 => {
                let len = world.nodes[node].log.len();
                let stored = world.nodes[node].stored;
                if stored < len {
                    // A change is stored whole: the log's own granularity.
                    let unsaved = world.nodes[node].log.change_ends(stored, len);
                    let stored = unsaved[random.below(unsaved.len() as u64) as usize];
                    world.store(node, stored);
                }
            }
            60..64 => world.crash(node, &config),
            64..68 => {
                let index = random.below(clients as u64) as usize;
                world.reconnect(index, [config.clone(), config.clone()]);
            }
            _ => {
                world.run_for(random.below(300));
            }
        }
        world.check();
        for node in &world.nodes {
            for (dot, content) in node.log.contents() {
                assert_eq!(issued.get(&dot), Some(&content), "nobody issued {dot}");
            }
        }
    }

    world.faults.loss = 0;
    for node in &mut world.nodes {
        node.instant_disk = true;
    }
    assert!(world.run_for(120_000), "the network falls silent when everybody has everything");
    world.check();
    let expected = world.nodes[0].log.contents();
    for node in &world.nodes {
        assert_eq!(node.log.contents(), expected, "all logs are equal");
    }
    for connection in &world.connections {
        for (end, session) in connection.sessions.iter().enumerate() {
            let version = world.nodes[connection.ends[end]].log.version();
            assert_eq!(session.unacknowledged(version), Some(0));
            assert_eq!(session.acknowledged(), Some(version));
            assert!(connection.events[end].contains(&Event::UpToDate));
        }
    }
}

#[test]
#[cfg_attr(canary, should_panic)]
fn two_peers_converge() {
    fn property(seed: u64) -> bool {
        storm(seed, 1, 40);
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}

#[test]
#[cfg_attr(canary, should_panic)]
fn three_peers_converge_through_a_server() {
    fn property(seed: u64) -> bool {
        storm(seed, 2, 40);
        true
    }
    trials().quickcheck(property as fn(_) -> _);
}
