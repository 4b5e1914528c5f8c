//! A server of one region: a document, sessions with its neighbours, and what it knows of the others.

use std::collections::{BTreeMap, VecDeque};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::{Peer, Progress, ProgressConfig};
use crdt_causal::policy::{Degrade, DegradeConfig, Outbox, Sample};
use crdt_causal::sync::{Config, Retry, Session};
use crdt_core::{ReplicaId, VersionVector};
use crdt_document::Document;

use super::packet::{Request, Word};
use crate::scenario::stock::Stock;

/// The map of the document in which registers are.
pub(super) const REGISTERS: &str = "registers";

pub(super) struct Server {
    pub(super) slot: Slot,
    pub(super) doc: Document,
    pub(super) sessions: BTreeMap<usize, Session>,
    /// How many connections there were.
    nonce: u64,
    pub(super) progress: Progress,
    pub(super) peers: Vec<Peer>,
    /// Words about other servers whose events have not all come yet, by server.
    heard: BTreeMap<Slot, VecDeque<(u64, VersionVector)>>,
    /// The last word of each server, to be passed on.
    last_words: BTreeMap<Slot, Word>,
    pub(super) strong: u64,
    pub(super) degrade: Degrade,
    /// The last round trip to each neighbour, and when it ended.
    round_trips: BTreeMap<usize, (u64, u64)>,
    /// Requests that wait for something.
    pub(super) parked: Vec<Request>,
    /// Until when it is busy, in microseconds.
    pub(super) busy_until_us: u64,
    /// What it has answered last to each client, by the number of the request.
    pub(super) answered: BTreeMap<usize, (u64, super::packet::Reply)>,
    pub(super) wake_at: Option<u64>,
    pub(super) stock: Option<Stock>,
    /// Orders whose customers are told when they are paid.
    pub(super) outbox: Outbox<u64>,
}

impl Server {
    pub(super) fn new(number: usize, servers: usize, degrade: DegradeConfig) -> Self {
        let slot = Slot(number as u16);
        let others = (0..servers as u16).map(Slot).filter(|other| *other != slot);
        let mut config = ProgressConfig::default();
        // The clocks of scenarios are right.
        config.skew_ms_max = 0;
        Self {
            slot,
            doc: Document::new(ReplicaId::from_u128(number as u128 + 1)),
            sessions: BTreeMap::new(),
            nonce: 0,
            progress: Progress::new(slot, others.clone(), config),
            peers: others.map(|slot| Peer { slot, applied: Cut::new() }).collect(),
            heard: BTreeMap::new(),
            last_words: BTreeMap::new(),
            strong: 0,
            degrade: Degrade::new(degrade, 0),
            round_trips: BTreeMap::new(),
            parked: Vec::new(),
            busy_until_us: 0,
            answered: BTreeMap::new(),
            wake_at: None,
            stock: None,
            outbox: Outbox::new(100_000, 10_000),
        }
    }

    /// A connection to a neighbour begins.
    pub(super) fn connect(&mut self, peer: usize, now: u64) {
        self.nonce += 1;
        let retry = Retry::default().with_interval_ms(1_000, 8_000);
        let nonce = (u64::from(self.slot.0) << 48) | ((peer as u64) << 32) | self.nonce;
        let mut session = Session::new(Config::new().with_retry(retry), nonce, now);
        session.set_durable(self.doc.version());
        self.sessions.insert(peer, session);
    }

    /// How many events are visible here: the position of the last.
    pub(super) fn head(&self) -> u64 {
        self.doc.len() as u64
    }

    /// Takes note of what has become visible here. Whether that was anything.
    pub(super) fn advance(&mut self) -> bool {
        let (before, head) = (self.progress.applied().clone(), self.head());
        self.progress.apply(self.slot, head);
        let version = self.doc.version();
        for (slot, words) in &mut self.heard {
            while words.front().is_some_and(|(_, needed)| version.dominates(needed)) {
                let (position, _) = words.pop_front().expect("it was just looked at");
                self.progress.apply(*slot, position);
            }
        }
        for session in self.sessions.values_mut() {
            session.set_durable(version);
        }
        self.progress.applied() != &before
    }

    /// What it says of itself, and passes on of others.
    pub(super) fn words(&self, now: u64) -> Vec<Word> {
        let own = Word {
            slot: self.slot,
            position: self.head(),
            version: self.doc.version().clone(),
            at: now,
            applied: self.progress.applied().clone(),
            strong: self.strong,
        };
        self.last_words.values().cloned().chain([own]).collect()
    }

    /// Takes in a word about another server.
    pub(super) fn hear(&mut self, word: Word, now: u64) {
        let slot = word.slot;
        let is_old = self.last_words.get(&slot).is_some_and(|last| last.at >= word.at);
        if slot == self.slot || is_old {
            return;
        }
        self.progress.heard(slot, word.position, word.at, now);
        self.strong = self.strong.max(word.strong);
        let waiting = self.heard.entry(slot).or_default();
        if waiting.back().is_none_or(|(position, _)| *position < word.position) {
            waiting.push_back((word.position, word.version.clone()));
        }
        let peer = self.peers.iter_mut().find(|peer| peer.slot == slot);
        peer.expect("everybody is a peer").applied = word.applied.clone();
        self.last_words.insert(slot, word);
    }

    pub(super) fn echoed(&mut self, peer: usize, round_trip: u64, now: u64) {
        self.round_trips.insert(peer, (round_trip, now));
    }

    /// How it goes with as many neighbours as make a majority of all servers with this one.
    pub(super) fn sample(&self, servers: usize, silence_ms: u64, now: u64) -> Sample {
        let needed = crdt_causal::quorum::majority(servers) - 1;
        let recent = self.round_trips.values().filter(|(_, at)| now - at <= silence_ms);
        let mut times: Vec<u64> = recent.map(|(ms, _)| *ms).collect();
        times.sort_unstable();
        let own_queue = (self.busy_until_us / 1_000).saturating_sub(now);
        match needed.checked_sub(1) {
            None => Sample::Latency(own_queue),
            Some(last) => {
                times.get(last).map_or(Sample::Unreachable, |ms| Sample::Latency(ms + own_queue))
            }
        }
    }

    /// What a register holds.
    pub(super) fn register(&self, key: u64) -> Option<u64> {
        match self.doc.map(REGISTERS).get(&key.to_string()) {
            Some(crdt_document::Value::Int(value)) => Some(*value as u64),
            _ => None,
        }
    }

    /// When to go on by itself.
    pub(super) fn timeout(&self) -> Option<u64> {
        self.sessions.values().filter_map(Session::poll_timeout).min()
    }
}
