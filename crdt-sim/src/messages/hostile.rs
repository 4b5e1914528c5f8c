//! A sender of messages that means harm.

use std::collections::{BTreeMap, VecDeque};

use crdt_causal::delivery::{Message, Parents};
use crdt_core::codec::{Encode, Writer};
use crdt_core::{AddWinsSet, Dot, DotRange, ReplicaId, SEQ_MAX, VersionVector};

use super::wire::Packet;
use crate::model::values::Op;
use crate::plan::Hostility;
use crate::random::Random;
use crate::replica::{Hostile, Machine};

/// Sends what no replica would.
pub struct HostileSender {
    how: Hostility,
    id: ReplicaId,
    random: Random,
    links: BTreeMap<usize, Link>,
    done: u64,
}

#[derive(Default)]
struct Link {
    out: VecDeque<Vec<u8>>,
    next_at: Option<u64>,
}

/// How often it goes on, and how many times at most.
const PACE_MS: u64 = 60;
const ROUNDS_MAX: u64 = 60;

impl HostileSender {
    /// The first message of this sender: it adds an element to the set.
    fn first(&self, element: u8) -> Message<Vec<u8>> {
        let mut set = AddWinsSet::new();
        let mut writer = set.writer(self.id);
        let mut out = Writer::new();
        out.u8(0);
        set.add(element, &mut writer).expect("it is the first one").encode(&mut out);
        Message { dot: Dot::new(self.id, 1), parents: Parents::NONE, payload: out.into_bytes() }
    }

    fn again(&mut self) -> Vec<Packet> {
        let any = ReplicaId::from_u128(u128::from(self.random.number()));
        let far = [2, 1 << 20, 1 << 40, SEQ_MAX, u64::MAX][self.random.below(5) as usize];
        let orphan = |dot: Dot, parents: Vec<Dot>| {
            Packet::Message(Message { dot, parents: parents.into(), payload: vec![7; 40] })
        };
        self.done += 1;
        match self.how {
            Hostility::Jump => vec![
                orphan(Dot::new(self.id, far), Vec::new()),
                orphan(Dot::new(self.id, 2), vec![Dot::new(any, far)]),
            ],
            Hostility::Boast => {
                let version: VersionVector =
                    [(self.id, SEQ_MAX), (any, far.min(SEQ_MAX))].into_iter().collect();
                vec![Packet::Summary { version, asks: true }]
            }
            Hostility::Flood => {
                let mut packets = vec![Packet::Request(vec![DotRange::new(any, 1, u64::MAX)])];
                for seq in 2..20 {
                    let id = if self.random.permille(500) { self.id } else { any };
                    let parent = Dot::new(any, self.random.below(1 << 20) + 1);
                    packets.push(orphan(Dot::new(id, seq), vec![parent]));
                }
                packets
            }
            _ => vec![Packet::Message(self.first(1))],
        }
    }
}

impl Machine for HostileSender {
    fn connect(&mut self, link: usize, _nonce: u64, now: u64) {
        self.links.insert(link, Link { out: VecDeque::new(), next_at: Some(now) });
    }

    fn disconnect(&mut self, link: usize) {
        self.links.remove(&link);
    }

    fn transmit(&mut self, number: usize, now: u64) -> Option<Vec<u8>> {
        let mut link = self.links.remove(&number)?;
        if link.next_at.is_some_and(|at| at <= now) {
            link.next_at = (self.done < ROUNDS_MAX).then_some(now + PACE_MS);
            link.out.extend(self.again().iter().map(Packet::to_bytes));
        }
        let bytes = link.out.pop_front();
        self.links.insert(number, link);
        bytes
    }

    fn timeout(&self) -> Option<u64> {
        self.links.values().filter_map(|link| link.next_at).min()
    }
}

impl Hostile for HostileSender {
    type Op = Op;

    fn new(how: Hostility, id: ReplicaId, seed: u64) -> Self {
        Self { how, id, random: Random::new(seed, 3), links: BTreeMap::new(), done: 0 }
    }

    fn events(&self) -> Vec<(Dot, Op)> {
        match self.how {
            Hostility::Equivocate => vec![(Dot::new(self.id, 1), Op::Add(1))],
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, number: usize, bytes: &[u8], _now: u64) {
        let other = Packet::Message(self.first(2)).to_bytes();
        if let (Hostility::Equivocate, Ok(Packet::Summary { version, .. })) =
            (self.how, Packet::decode(bytes))
            && version.contains(Dot::new(self.id, 1))
            && let Some(link) = self.links.get_mut(&number)
            && link.out.is_empty()
        {
            // Whoever gets the second one has the first.
            link.out.push_back(other);
        }
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn missed(&self) -> Option<&str> {
        None
    }

    fn betrays(&self, bytes: &[u8]) -> bool {
        self.how == Hostility::Equivocate && bytes == Packet::Message(self.first(2)).to_bytes()
    }
}
