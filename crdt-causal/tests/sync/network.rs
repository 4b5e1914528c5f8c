//! A deterministic network: replicas with a disk, connections that misbehave, a virtual clock.

use crdt_causal::sync::{Config, Event, Session};
use crdt_core::{ReplicaId, VersionVector};

use crate::log::TestLog;

/// SplitMix64 (Steele, Lea, Flood): every run is a function of its seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

/// What may happen to a message, in percent and milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) loss: u64,
    pub(crate) duplication: u64,
    pub(crate) latency_ms: u64,
    /// Beyond the latency; messages overtake each other where it is not 0.
    pub(crate) jitter_ms: u64,
}

/// A replica: a log, of which the first events are on disk.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: ReplicaId,
    pub(crate) log: TestLog,
    /// How many events a crash does not take back.
    pub(crate) stored: u32,
    /// Whether the disk writes at once.
    pub(crate) instant_disk: bool,
}

impl Node {
    pub(crate) fn new(id: u128) -> Self {
        let id = ReplicaId::from_u128(id);
        Self { id, log: TestLog::default(), stored: 0, instant_disk: true }
    }

    pub(crate) fn durable(&self) -> VersionVector {
        self.log.version_at(self.stored)
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Pipe {
    /// When, and what.
    flying: Vec<(u64, Vec<u8>)>,
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) ends: [usize; 2],
    pub(crate) sessions: [Session; 2],
    /// From the first end to the second, and back.
    pipes: [Pipe; 2],
    /// What each end has seen.
    pub(crate) events: [Vec<Event>; 2],
    /// Messages and bytes that each end has handed to the network.
    pub(crate) sent: [(u64, u64); 2],
    /// The time of the last message that arrived at each end and changed its log.
    pub(crate) changed_at: [u64; 2],
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) random: Random,
    pub(crate) faults: Faults,
    pub(crate) nodes: Vec<Node>,
    pub(crate) connections: Vec<Connection>,
    nonces: u64,
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults, nodes: usize) -> Self {
        Self {
            now: 1_000_000,
            random: Random(seed),
            faults,
            nodes: (1..=nodes as u128).map(Node::new).collect(),
            connections: Vec::new(),
            nonces: 0,
        }
    }

    pub(crate) fn session(&mut self, node: usize, config: Config) -> Session {
        self.nonces += 1;
        let config = config.with_writers([self.nodes[node].id]);
        let mut session = Session::new(config, self.nonces, self.now);
        session.set_durable(&self.nodes[node].durable());
        session
    }

    pub(crate) fn connect(&mut self, ends: [usize; 2], configs: [Config; 2]) -> usize {
        let [first, second] = configs;
        let sessions = [self.session(ends[0], first), self.session(ends[1], second)];
        self.connections.push(Connection {
            ends,
            sessions,
            pipes: Default::default(),
            events: Default::default(),
            sent: Default::default(),
            changed_at: Default::default(),
        });
        self.connections.len() - 1
    }

    /// Ends a connection with all that is on its way, and makes another one of the same ends.
    pub(crate) fn reconnect(&mut self, index: usize, configs: [Config; 2]) {
        let ends = self.connections[index].ends;
        self.connect(ends, configs);
        self.connections.swap_remove(index);
    }

    /// Takes back what the node has not stored, and ends its connections.
    pub(crate) fn crash(&mut self, node: usize, config: &Config) {
        let Node { log, stored, .. } = &mut self.nodes[node];
        log.truncate(*stored);
        for index in (0..self.connections.len()).rev() {
            if self.connections[index].ends.contains(&node) {
                self.reconnect(index, [config.clone(), config.clone()]);
            }
        }
    }

    /// Writes the first `stored` events of a node to its disk.
    pub(crate) fn store(&mut self, node: usize, stored: u32) {
        self.nodes[node].stored = stored;
        let durable = self.nodes[node].durable();
        for connection in &mut self.connections {
            for (end, session) in connection.ends.iter().zip(&mut connection.sessions) {
                if *end == node {
                    session.set_durable(&durable);
                }
            }
        }
    }

    /// Lets every session say what it has to say now.
    pub(crate) fn transmit(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].instant_disk && self.nodes[node].stored < self.nodes[node].log.len()
            {
                self.store(node, self.nodes[node].log.len());
            }
        }
        for connection in &mut self.connections {
            for end in 0..2 {
                let log = &self.nodes[connection.ends[end]].log;
                let session = &mut connection.sessions[end];
                while let Some(bytes) = session.poll_transmit(log, self.now) {
                    session.check_invariants();
                    connection.sent[end].0 += 1;
                    connection.sent[end].1 += bytes.len() as u64;
                    let copies = 1 + u64::from(self.random.percent(self.faults.duplication));
                    for _ in 0..copies {
                        if self.random.percent(self.faults.loss) {
                            continue;
                        }
                        let jitter = self.random.below(self.faults.jitter_ms + 1);
                        let at = self.now + self.faults.latency_ms + jitter;
                        connection.pipes[end].flying.push((at, bytes.clone()));
                    }
                }
                while let Some(event) = session.poll_event() {
                    connection.events[end].push(event);
                }
            }
        }
    }

    /// Delivers what arrives now. Of what arrives at once, what was sent first comes first.
    fn deliver(&mut self) {
        for connection in &mut self.connections {
            for end in 0..2 {
                while let Some(index) =
                    connection.pipes[end].flying.iter().position(|(at, _)| *at <= self.now)
                {
                    let (_, bytes) = connection.pipes[end].flying.remove(index);
                    let other = 1 - end;
                    let node = &mut self.nodes[connection.ends[other]];
                    let session = &mut connection.sessions[other];
                    let before = node.log.len();
                    session
                        .handle(&bytes, &mut node.log, self.now)
                        .expect("an honest peer gives no offence");
                    session.check_invariants();
                    if node.log.len() > before {
                        connection.changed_at[other] = self.now;
                    }
                }
            }
        }
    }

    /// The next time at which anything happens by itself.
    pub(crate) fn next_time(&self) -> Option<u64> {
        let flying = self
            .connections
            .iter()
            .flat_map(|connection| &connection.pipes)
            .flat_map(|pipe| pipe.flying.iter().map(|(at, _)| *at));
        let timers = self
            .connections
            .iter()
            .flat_map(|connection| connection.sessions.iter().filter_map(Session::poll_timeout));
        flying.chain(timers).min()
    }

    /// Goes on until nothing happens any more, or the time is over. Returns whether it is quiet.
    pub(crate) fn run_until(&mut self, end: u64) -> bool {
        let mut steps_at_once = 0;
        loop {
            self.transmit();
            let Some(next) = self.next_time() else { return true };
            steps_at_once = if next > self.now { 0 } else { steps_at_once + 1 };
            assert!(steps_at_once < 1_000, "time stands still: a deadline that passed is kept");
            if next > end {
                self.now = self.now.max(end);
                return false;
            }
            self.now = self.now.max(next);
            self.deliver();
        }
    }

    pub(crate) fn run_for(&mut self, ms: u64) -> bool {
        self.run_until(self.now + ms)
    }

    /// What no fault excuses.
    pub(crate) fn check(&self) {
        for connection in &self.connections {
            for end in 0..2 {
                let [here, there] = [connection.ends[end], connection.ends[1 - end]];
                if let Some(known) = connection.sessions[end].acknowledged() {
                    let durable = self.nodes[there].durable();
                    assert!(
                        durable.dominates(known),
                        "node {here} believes that node {there} has stored what it has not"
                    );
                }
            }
        }
    }
}
