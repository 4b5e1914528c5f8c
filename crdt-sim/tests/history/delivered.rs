//! C2: no effect is visible before its causes, whatever the network does with the messages: what sites read
//! that put their writes through a delivery buffer, judged by the checker of histories.

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::delivery::{CausalBuffer, Message, Parents};
use crdt_core::{Dot, ReplicaId};
use crdt_sim::history::{Criterion, Event, History, check_all, dbcop, plume};
use crdt_sim::random::Random;

const HISTORIES: u64 = 10_000;
const KEYS: u64 = 3;
/// The registers do not converge, each site has its own order of concurrent writes: that is causal
/// memory, and no more.
const CRITERIA: [Criterion; 3] =
    [Criterion::Reads, Criterion::CausalConsistency, Criterion::CausalMemory];

/// A key, and the value that it got.
type Put = [u8; 2];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Causal,
    /// A planted bug.
    OnArrival,
}

/// A register for each key, that of the last write that was delivered.
struct Site {
    id: ReplicaId,
    buffer: CausalBuffer<Put>,
    /// What was applied, where nothing is put through the buffer.
    arrived: BTreeSet<Dot>,
    registers: BTreeMap<u64, u64>,
    deeds: Vec<Event>,
}

impl Site {
    fn new(number: u64) -> Self {
        Self {
            id: ReplicaId::from_u128(u128::from(number) + 1),
            buffer: CausalBuffer::new(),
            arrived: BTreeSet::new(),
            registers: BTreeMap::new(),
            deeds: Vec::new(),
        }
    }

    fn apply(&mut self, [key, value]: Put) {
        self.registers.insert(key.into(), value.into());
    }

    fn receive(&mut self, message: Message<Put>, delivery: Delivery) {
        if delivery == Delivery::OnArrival {
            if self.arrived.insert(message.dot) {
                self.apply(message.payload);
            }
            return;
        }
        self.buffer.insert(message, 0).expect("honest, and few");
        while let Some(message) = self.buffer.poll_deliver() {
            self.apply(message.payload);
        }
        self.buffer.check_invariants();
    }

    /// What it has seen, as the last of each replica.
    fn seen(&self) -> BTreeMap<ReplicaId, u64> {
        let arrived = self.arrived.iter().map(|dot| (dot.replica, dot.seq));
        let version = self.buffer.version();
        arrived.chain(version.iter()).collect()
    }

    fn write(&mut self, put: Put, delivery: Delivery) -> Message<Put> {
        let seen = self.seen();
        let seq = seen.get(&self.id).copied().unwrap_or(0) + 1;
        let others = seen.into_iter().filter(|(replica, _)| *replica != self.id);
        let parents: Parents = others.map(|(replica, seq)| Dot::new(replica, seq)).collect();
        let message = Message { dot: Dot::new(self.id, seq), parents, payload: put };
        self.receive(message.clone(), delivery);
        self.deeds.push(Event::Write { key: put[0].into(), value: put[1].into() });
        message
    }

    fn read(&mut self, key: u64) {
        self.deeds.push(Event::Read { key, value: self.registers.get(&key).copied() });
    }
}

/// Some sites write and read; messages come in any order, late, and more than once.
fn play(seed: u64, delivery: Delivery) -> History {
    let mut random = Random::new(seed, 21);
    let count = random.between(2, 5);
    let mut sites: Vec<Site> = (0..count).map(Site::new).collect();
    let mut in_flight: Vec<(usize, Message<Put>)> = Vec::new();
    let mut written = 0;
    for _ in 0..random.between(10, 60) {
        let site = random.below(count) as usize;
        match random.below(10) {
            0..3 => {
                written += 1;
                let put = [random.below(KEYS) as u8, written];
                let message = sites[site].write(put, delivery);
                let others = (0..sites.len()).filter(|other| *other != site);
                in_flight.extend(others.map(|other| (other, message.clone())));
            }
            3..6 => sites[site].read(random.below(KEYS)),
            _ if in_flight.is_empty() => {}
            _ => {
                let at = random.below(in_flight.len() as u64) as usize;
                let (to, message) = if random.permille(100) {
                    in_flight[at].clone()
                } else {
                    in_flight.swap_remove(at)
                };
                sites[to].receive(message, delivery);
            }
        }
    }
    while !in_flight.is_empty() {
        let at = random.below(in_flight.len() as u64) as usize;
        let (to, message) = in_flight.swap_remove(at);
        sites[to].receive(message, delivery);
        sites[to].read(random.below(KEYS));
    }
    let mut history = History::new();
    for site in &sites {
        assert_eq!(site.buffer.pending(), 0, "seed {seed}: everything has come");
        history.begin_session();
        for deed in &site.deeds {
            history.begin_transaction(true);
            history.push(*deed);
        }
    }
    history
}

/// Which criteria a history breaks.
fn broken(history: &History) -> Vec<Criterion> {
    let verdicts = check_all(history, &CRITERIA).into_iter();
    let broken = verdicts.filter(|(_, verdict)| {
        verdict.as_ref().expect("values are written once").violation.is_some()
    });
    broken.map(|(criterion, _)| criterion).collect()
}

/// As others would read it.
fn through_files(history: &History) -> [History; 2] {
    let (mut text, mut json) = (Vec::new(), Vec::new());
    plume::write(history, &mut text).expect("no zero is written");
    dbcop::write(history, &mut json).expect("in memory");
    [plume::read(&text).expect("its own text"), dbcop::read(&json).expect("its own text")]
}

#[test]
fn c2_no_effect_is_visible_before_its_causes_in_10_000_histories() {
    for seed in 0..HISTORIES {
        let history = play(seed, Delivery::Causal);
        assert_eq!(broken(&history), [], "seed {seed}: {history:?}");
        // For outside checkers, who find the same in it.
        if seed < HISTORIES / 20 {
            for same in through_files(&history) {
                assert_eq!(same.events(), history.events(), "seed {seed}");
            }
        }
    }
}

#[test]
fn c2_delivery_on_arrival_is_caught_within_100_histories() {
    let caught = (0..100).find(|&seed| {
        let history = play(seed, Delivery::OnArrival);
        let found = broken(&history);
        for same in through_files(&history) {
            assert_eq!(broken(&same), found, "seed {seed}");
        }
        found.contains(&Criterion::CausalConsistency)
    });
    println!("caught by the history of seed {}", caught.expect("within 100"));
}
