//! Servers that number what becomes visible at them and stream it to each other, with a lag, and a
//! record of what they and their clients did in plain sets.

use std::collections::{BTreeSet, VecDeque};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::{Peer, Progress, ProgressConfig};
use crdt_causal::session::Guarantees;

use crate::client::Client;
use crate::random::Random;

/// A write, by its number among all of a run.
pub(crate) type Write = usize;

/// How a write was made, and what it has to come after wherever it is, by the definitions of the
/// guarantees: recorded when it was made.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The how-many-th that its client made offline, 0 if a server was asked.
    pub(crate) offline_seq: u64,
    /// All earlier writes of its session.
    pub(crate) written_before: Vec<Write>,
    /// All writes that its session had read.
    pub(crate) read_before: BTreeSet<Write>,
}

pub(crate) struct Server {
    pub(crate) slot: Slot,
    /// What has become visible here, in that order: the position of a write is its place, from 1.
    pub(crate) log: Vec<Write>,
    pub(crate) holds: BTreeSet<Write>,
    pub(crate) progress: Progress,
    pub(crate) peers: Vec<Peer>,
    /// Nothing comes in or goes out, between servers.
    pub(crate) is_cut_off: bool,
}

/// What one server sends another: a write, or what it has applied.
enum Packet {
    Write { position: u64, write: Write },
    Heartbeat { position: u64, at: u64, applied: Cut },
}

struct Link {
    from: usize,
    to: usize,
    lag_ms: u64,
    sent: usize,
    /// By the time of arrival.
    under_way: VecDeque<(u64, Packet)>,
}

/// How often each guarantee was broken, by its definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Violations {
    pub(crate) read_your_writes: u32,
    pub(crate) monotonic_reads: u32,
    pub(crate) monotonic_writes: u32,
    pub(crate) writes_follow_reads: u32,
}

impl Violations {
    /// Which were broken at all.
    pub(crate) fn kinds(&self) -> Guarantees {
        let kinds = [
            (self.read_your_writes, Guarantees::READ_YOUR_WRITES),
            (self.monotonic_reads, Guarantees::MONOTONIC_READS),
            (self.monotonic_writes, Guarantees::MONOTONIC_WRITES),
            (self.writes_follow_reads, Guarantees::WRITES_FOLLOW_READS),
        ];
        let broken = kinds.into_iter().filter(|(count, _)| *count > 0);
        broken.fold(Guarantees::NONE, |all, (_, guarantee)| all | guarantee)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.read_your_writes += other.read_your_writes;
        self.monotonic_reads += other.monotonic_reads;
        self.monotonic_writes += other.monotonic_writes;
        self.writes_follow_reads += other.writes_follow_reads;
    }
}

/// What became of requests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) served: u32,
    pub(crate) waiting: u32,
    pub(crate) redirected: u32,
    pub(crate) refused: u32,
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) servers: Vec<Server>,
    links: Vec<Link>,
    pub(crate) clients: Vec<Client>,
    pub(crate) writes: Vec<Made>,
    pub(crate) violations: Violations,
    pub(crate) counts: Counts,
    /// The longest token of all, in bytes.
    pub(crate) longest_token: usize,
    pub(crate) random: Random,
    in_order: bool,
}

impl World {
    /// So many servers, with a lag of up to `lag_ms_max` from each to each, and so many clients.
    pub(crate) fn new(seed: u64, servers: u16, clients: u64, lag_ms_max: u64) -> Self {
        let mut random = Random(seed);
        let server = |slot: u16| Server {
            slot: Slot(slot),
            log: Vec::new(),
            holds: BTreeSet::new(),
            progress: Progress::new(Slot(slot), (0..servers).map(Slot), ProgressConfig::default()),
            peers: (0..servers)
                .filter(|&other| other != slot)
                .map(|other| Peer { slot: Slot(other), applied: Cut::new() })
                .collect(),
            is_cut_off: false,
        };
        let ends = |from| (0..usize::from(servers)).map(move |to| (from, to));
        let links = (0..usize::from(servers))
            .flat_map(ends)
            .filter(|(from, to)| from != to)
            .map(|(from, to)| Link {
                from,
                to,
                lag_ms: random.below(lag_ms_max + 1),
                sent: 0,
                under_way: VecDeque::new(),
            })
            .collect();
        Self {
            now: 1_000_000,
            servers: (0..servers).map(server).collect(),
            links,
            clients: (0..clients).map(Client::new).collect(),
            writes: Vec::new(),
            violations: Violations::default(),
            counts: Counts::default(),
            longest_token: 0,
            random,
            in_order: true,
        }
    }

    /// A network that reorders, and servers that take what comes for all that came before.
    pub(crate) fn out_of_order(mut self) -> Self {
        self.in_order = false;
        self
    }

    /// A write becomes visible at a server. Wherever it is, what it has to come after is there, or
    /// a guarantee about writes is broken.
    pub(crate) fn show(&mut self, server: usize, write: Write) {
        let server = &mut self.servers[server];
        if !server.holds.insert(write) {
            return;
        }
        server.log.push(write);
        server.progress.apply(server.slot, server.log.len() as u64);
        let made = &self.writes[write];
        if made.written_before.iter().any(|before| !server.holds.contains(before)) {
            self.violations.monotonic_writes += 1;
        }
        if made.read_before.iter().any(|before| !server.holds.contains(before)) {
            self.violations.writes_follow_reads += 1;
        }
    }

    /// Time passes: what is new is sent, heartbeats are, and what has come is applied.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while self.now < until {
            self.now = until.min(self.now + 250);
            for link in 0..self.links.len() {
                self.send(link);
                self.receive(link);
            }
        }
    }

    fn send(&mut self, link: usize) {
        let link = &mut self.links[link];
        let from = &self.servers[link.from];
        if from.is_cut_off {
            return;
        }
        let head = from.log.len() as u64;
        let news = from.log.iter().zip(1..).skip(link.sent);
        let writes = news.map(|(&write, position)| Packet::Write { position, write });
        let applied = from.progress.applied().clone();
        let heartbeat = Packet::Heartbeat { position: head, at: self.now, applied };
        link.sent = from.log.len();
        for packet in writes.chain([heartbeat]) {
            let later = if self.in_order { 0 } else { self.random.below(3_000) };
            link.under_way.push_back((self.now + link.lag_ms + later, packet));
        }
        if !self.in_order {
            link.under_way.make_contiguous().sort_by_key(|(at, _)| *at);
        }
    }

    fn receive(&mut self, link: usize) {
        let Link { from, to, .. } = self.links[link];
        let (slot, now) = (self.servers[from].slot, self.now);
        while !self.servers[to].is_cut_off
            && let Some((_, packet)) = self.links[link].under_way.pop_front_if(|(at, _)| *at <= now)
        {
            match packet {
                Packet::Write { position, write } => {
                    self.show(to, write);
                    self.servers[to].progress.apply(slot, position);
                }
                Packet::Heartbeat { position, at, applied } => {
                    let to = &mut self.servers[to];
                    to.progress.heard(slot, position, at, now);
                    let peer = to.peers.iter_mut().find(|peer| peer.slot == slot);
                    peer.expect("everybody is a peer").applied = applied;
                }
            }
            self.servers[to].progress.check_invariants();
        }
    }
}
