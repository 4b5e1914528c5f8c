//! A peer of a session that means harm, and knows the protocol well.

use std::collections::{BTreeMap, VecDeque};

use crdt_causal::sync::{
    Acknowledgement, ChangeLog, Content, Hello, Last, Limits, Message, Refusal, RelativeVector,
    SendTables, Summary,
};
use crdt_core::codec::Writer;
use crdt_core::{Dot, Frontier, ReplicaId, SEQ_MAX, VersionVector};
use crdt_document::{Document, Kind};

use crate::model::document::{Do, Op};
use crate::plan::Hostility;
use crate::random::Random;
use crate::replica::{Hostile, Machine};

/// Sends by hand what no session would.
pub struct HostilePeer {
    how: Hostility,
    id: ReplicaId,
    random: Random,
    links: BTreeMap<usize, Link>,
    connections: u64,
    done: u64,
    missed: Option<String>,
}

#[derive(Default)]
struct Link {
    nonce: u64,
    peer_nonce: Option<u64>,
    out: VecDeque<Vec<u8>>,
    /// When to go on by itself.
    next_at: Option<u64>,
    since: u64,
    greetings: u64,
}

/// How often a peer goes on that does so by itself, and how many times at most.
const PACE_MS: u64 = 60;
const ROUNDS_MAX: u64 = 60;

/// Greetings that come at once: more than twice as many, over time, as may be answered.
const STALE_AT_ONCE: usize = 6;

/// What a peer accepts that never acknowledges: so few messages may come.
const MUTE_MESSAGES_MAX: u64 = 5;

impl HostilePeer {
    fn hello(&self, link: &Link, holds: Summary, wants_vector: bool) -> Vec<u8> {
        let mut limits = Limits::default();
        if self.how == Hostility::Mute {
            limits = limits.with_in_flight_max(1 << 20, MUTE_MESSAGES_MAX);
        }
        let hello = Hello {
            genesis: ChangeLog::genesis(&Document::reader()),
            nonce: link.nonce,
            echo: link.peer_nonce,
            limits,
            holds,
            wants_vector,
            writers: vec![self.id],
            reconciling: Default::default(),
        };
        Message::Hello(hello.into()).to_bytes()
    }

    /// What comes once the peer has greeted.
    fn attack(&mut self, link: &mut Link, theirs: &Hello) {
        match self.how {
            Hostility::Jump => {
                let seq = [2, 1 << 32, 1 << 61, SEQ_MAX, u64::MAX][self.connections as usize % 5];
                link.out.push_back(numbered(
                    1,
                    &leap(&body(self.id, "b"), self.id, seq),
                    Last::Yes,
                ));
                self.done += 1;
            }
            Hostility::Boast => {
                let mut claimed = VersionVector::new();
                let vector = theirs.holds.vector.as_ref().map(|vector| &vector.beyond);
                let known = vector.into_iter().flat_map(VersionVector::iter);
                for replica in known.map(|(replica, _)| replica).chain(theirs.writers.clone()) {
                    claimed.observe(replica, SEQ_MAX);
                }
                let frontier =
                    claimed.iter().map(|(replica, seq)| Dot::new(replica, seq)).collect();
                let vector = RelativeVector { beyond: claimed, ..RelativeVector::default() };
                let holds = Summary {
                    frontier: Some(frontier),
                    vector: Some(vector),
                    ..Summary::default()
                };
                link.out.push_back(self.hello(link, holds, false));
                if self.connections.is_multiple_of(3) {
                    let far = Acknowledgement { received: 1 << 40, durable: 1 << 40, gap: false };
                    link.out.push_back(Message::Acknowledge(far).to_bytes());
                }
                self.done += 1;
            }
            Hostility::Equivocate => {
                // In this order: whoever takes the second has the first.
                link.out.push_back(numbered(1, &body(self.id, "b"), Last::Yes));
                link.out.push_back(numbered(2, &body(self.id, "a"), Last::YesFreshTables));
                self.done += 1;
            }
            Hostility::Mute => {
                link.out.push_back(self.hello(link, Summary::default(), true));
                link.out.push_back(self.hello(link, empty(), false));
                self.done += 1;
            }
            Hostility::Flood | Hostility::Stale | Hostility::OtherProtocol => {}
        }
    }

    /// What comes again and again.
    fn again(&mut self, link: &mut Link) {
        self.done += 1;
        if self.how == Hostility::Stale {
            for _ in 0..STALE_AT_ONCE {
                link.out.push_back(self.hello(link, empty(), true));
            }
            return;
        }
        for _ in 0..1 + self.random.below(6) {
            let number = 1 + self.random.below(1 << 20);
            let len = self.random.below(200) as usize;
            let noise: Vec<u8> = (0..len).map(|_| self.random.number() as u8).collect();
            let message = match self.random.below(7) {
                0 => noise,
                1 => vec![8; (300 << 10) as usize],
                2 => numbered(number, &noise, Last::No),
                3 => numbered(1, &noise, Last::Yes),
                4 => Message::Presence(&noise).to_bytes(),
                5 => Message::RequestAcknowledgement.to_bytes(),
                _ => self.hello(link, empty(), true),
            };
            link.out.push_back(message);
        }
    }

    fn miss(&mut self, what: &str) {
        self.missed.get_or_insert_with(|| what.to_owned());
    }

    /// What the peer's answers show.
    fn judge(&mut self, link: &Link, message: &Message<'_>, now: u64) {
        match (self.how, message) {
            (Hostility::Equivocate, Message::Acknowledge(ack)) if ack.received >= 2 => {
                self.miss("both events under one dot were taken");
            }
            (Hostility::Equivocate, Message::Refuse(refusal)) => match refusal {
                Refusal::Equivocation { replica } if *replica == self.id => {}
                _ => self.miss("an equivocation was refused for another reason"),
            },
            (Hostility::Jump, Message::Acknowledge(ack)) if ack.received >= 1 => {
                self.miss("an event far beyond the next one was taken");
            }
            (Hostility::OtherProtocol, Message::Refuse(refusal))
                if *refusal != (Refusal::ProtocolVersion { supported: Message::PROTOCOL }) =>
            {
                self.miss("another protocol was refused for another reason");
            }
            (Hostility::OtherProtocol, Message::Numbered { .. }) => {
                self.miss("changes were sent to a peer of another protocol");
            }
            (Hostility::Mute, Message::Numbered { number, .. }) if *number > MUTE_MESSAGES_MAX => {
                self.miss("more was sent than may be on its way");
            }
            // One is owed for half of the shortest wait of any plan, 25 ms, and the network of any plan
            // doubles 400 of 1,000 at most; the greetings that it would answer come every 10 ms.
            (Hostility::Stale, Message::Hello(_))
                if link.greetings > 8 + (now - link.since) / 16 =>
            {
                self.miss("every greeting was answered with a vector");
            }
            _ => {}
        }
    }
}

impl Machine for HostilePeer {
    fn connect(&mut self, number: usize, nonce: u64, now: u64) {
        self.connections += 1;
        let mut link = Link { nonce, since: now, ..Link::default() };
        if self.how == Hostility::OtherProtocol {
            link.out
                .push_back(Message::OtherProtocol { protocol: Message::PROTOCOL + 1 }.to_bytes());
            self.done += 1;
        } else {
            link.out.push_back(self.hello(&link, empty(), false));
        }
        let goes_on = matches!(self.how, Hostility::Flood | Hostility::Stale);
        link.next_at = (goes_on && self.done < ROUNDS_MAX).then_some(now + PACE_MS);
        self.links.insert(number, link);
    }

    fn disconnect(&mut self, link: usize) {
        self.links.remove(&link);
    }

    fn transmit(&mut self, number: usize, now: u64) -> Option<Vec<u8>> {
        let mut link = self.links.remove(&number)?;
        if link.next_at.is_some_and(|at| at <= now) {
            self.again(&mut link);
            link.next_at = (self.done < ROUNDS_MAX).then_some(now + PACE_MS);
        }
        let bytes = link.out.pop_front();
        self.links.insert(number, link);
        bytes
    }

    fn timeout(&self) -> Option<u64> {
        self.links.values().filter_map(|link| link.next_at).min()
    }
}

impl Hostile for HostilePeer {
    type Op = Op;

    fn new(how: Hostility, id: ReplicaId, seed: u64) -> Self {
        let random = Random::new(seed, 3);
        Self { how, id, random, links: BTreeMap::new(), connections: 0, done: 0, missed: None }
    }

    fn events(&self) -> Vec<(Dot, Op)> {
        let at = vec![("a".to_owned(), Kind::Map)];
        let what = Do::Create("b".to_owned(), Kind::Set);
        match self.how {
            Hostility::Equivocate => vec![(Dot::new(self.id, 1), Op { at, what })],
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, number: usize, bytes: &[u8], now: u64) {
        let Some(mut link) = self.links.remove(&number) else { return };
        if let Ok(message) = Message::decode(bytes) {
            if let Message::Hello(hello) = &message {
                link.greetings += 1;
                if link.peer_nonce.replace(hello.nonce).is_none() {
                    self.attack(&mut link, hello);
                }
            }
            self.judge(&link, &message, now);
        }
        self.links.insert(number, link);
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn missed(&self) -> Option<&str> {
        self.missed.as_deref()
    }
}

fn empty() -> Summary {
    let (frontier, vector) = (Some(Frontier::new()), Some(RelativeVector::default()));
    Summary { frontier, vector, ..Summary::default() }
}

fn numbered(number: u64, bytes: &[u8], last: Last) -> Vec<u8> {
    Message::Numbered { number, content: Content::Fragment { bytes, last } }.to_bytes()
}

/// A body with one event, the first of `id`: it creates a set in the map `a`.
fn body(id: ReplicaId, key: &str) -> Vec<u8> {
    let mut doc = Document::new(id);
    let changed = doc.transact(|tx| {
        tx.map("a").set_at(key).create();
        Ok(())
    });
    changed.expect("an empty document takes that");
    let mut out = Writer::new();
    let mut tables = SendTables::new();
    let nothing = VersionVector::new();
    let _ = doc.encode_changes(&nothing, doc.version(), usize::MAX, &mut tables, &mut out);
    out.into_bytes()
}

/// The same body with another sequence number, which stands behind the id.
fn leap(body: &[u8], id: ReplicaId, seq: u64) -> Vec<u8> {
    let id = id.to_bytes();
    let at = body.windows(16).position(|window| window == id).expect("the id is written out");
    let mut out = Writer::new();
    out.raw(&body[..at + 16]);
    out.varint(seq);
    assert_eq!(body[at + 16], 1, "the first event");
    out.raw(&body[at + 17..]);
    out.into_bytes()
}
