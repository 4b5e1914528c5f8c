//! What it costs that two logs meet that hold much and differ in little.

use crdt_causal::sync::{ChangeLog, Config, Event, Session};
use crdt_core::{Frontier, ReplicaId};

use crate::log::{Payload, TestLog};
use crate::network::Random;

const REPLICAS: u64 = 1_000;
const EVENTS_EACH: usize = 1_000;

/// Ids that have nothing in common, as browsers mint them.
fn id(number: u64) -> ReplicaId {
    let half = |which| u128::from(Random(number << 1 | which).next());
    ReplicaId::from_u128(half(0) << 64 | half(1))
}

/// A million events of a thousand replicas.
fn common() -> TestLog {
    let mut log = TestLog::default();
    let payloads: Vec<Payload> = vec![(String::new(), String::new()); EVENTS_EACH];
    (0..REPLICAS).for_each(|number| log.change(id(number), &payloads));
    log
}

/// What was sent until both sides knew what the other one lacks, and until both had it.
#[derive(Debug, Default)]
struct Cost {
    rounds: usize,
    bytes: usize,
    bytes_with_changes: usize,
}

/// Both sides speak at once, and what they say arrives at once: that is half a round trip.
fn meet(logs: &mut [TestLog; 2], configs: [Config; 2], nonces: [u64; 2]) -> Cost {
    let [one, other] = configs;
    let mut sessions = [Session::new(one, nonces[0], 0), Session::new(other, nonces[1], 0)];
    let mut cost = Cost::default();
    let (mut halves, mut up_to_date) = (0, [false; 2]);
    while up_to_date != [true; 2] {
        assert!(halves < 20, "it does not end");
        let made_out = sessions.iter().all(|session| session.acknowledged().is_some());
        let mut flying = [Vec::new(), Vec::new()];
        for side in [0, 1] {
            sessions[side].set_durable(logs[side].version());
            // Nobody waits: what would be said after a while is not said.
            while let Some(message) = sessions[side].poll_transmit(&logs[side], 30 * halves) {
                cost.bytes += if made_out { 0 } else { message.len() };
                cost.bytes_with_changes += message.len();
                flying[side].push(message);
            }
        }
        for side in [0, 1] {
            for message in &flying[1 - side] {
                sessions[side].handle(message, &mut logs[side], 30 * halves).unwrap();
            }
            while let Some(event) = sessions[side].poll_event() {
                up_to_date[side] |= event == Event::UpToDate;
            }
        }
        halves += 1;
        if sessions.iter().any(|session| session.acknowledged().is_none()) {
            cost.rounds = halves.div_ceil(2) as usize + usize::from(halves % 2 == 0);
        }
    }
    assert_eq!(logs[0].version(), logs[1].version());
    cost
}

/// Each side has events that the other one lacks, of ten replicas in all.
fn apart(common: &TestLog) -> [TestLog; 2] {
    let mut logs = [common.clone(), common.clone()];
    for number in 0..10 {
        logs[number as usize % 2].write(id(number * 97), "apart");
    }
    logs
}

#[test]
fn a_million_events_that_differ_in_ten_cost_two_kilobytes_and_two_round_trips() {
    let common = common();
    assert_eq!(common.len() as usize, REPLICAS as usize * EVENTS_EACH);
    let base: Frontier = common.frontier();
    for (name, config) in [
        ("with a common past", Config::new().with_base(base)),
        ("without", Config::new().with_reconciliation()),
    ] {
        for nonces in [[1, 2], [2, 1]] {
            let mut logs = apart(&common);
            let cost = meet(&mut logs, [config.clone(), config.clone()], nonces);
            println!("{name}, nonces {nonces:?}: {cost:?}");
            assert!(cost.bytes <= 2_048 && cost.rounds <= 2, "{name}: {cost:?}");
        }
    }
    // Who cannot reconcile is told the vector.
    let mut logs = apart(&common);
    let cost = meet(&mut logs, [Config::new().with_reconciliation(), Config::new()], [1, 2]);
    println!("only one of them reconciles: {cost:?}");
    assert!(cost.bytes > 18_000 && cost.rounds <= 2, "{cost:?}");
}

#[test]
fn sides_that_differ_in_much_meet_all_the_same() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut common = TestLog::default();
        for number in 0..random.below(200) {
            common.write(id(number), "common");
        }
        let mut logs = [common.clone(), common];
        for (side, log) in logs.iter_mut().enumerate() {
            for _ in 0..random.below(80) {
                // Some are of replicas that the other side has never heard of; nobody writes
                // under an id that the other side writes under.
                let number = 2 * random.below(90) + side as u64;
                let known = log.version().get(id(number)) > 0 && random.percent(50);
                let new = 1_000 + random.below(1 << 40);
                log.write(id(if known { number } else { new }), "apart");
            }
        }
        let config = Config::new().with_reconciliation();
        let nonces = if random.percent(50) { [1, 2] } else { [2, 1] };
        meet(&mut logs, [config.clone(), config], nonces);
        assert_eq!(logs[0].contents(), logs[1].contents(), "seed {seed}");
    }
}
