//! C10, "regional strong, global eventual": each region is linearizable by itself, and causal towards the others.
//!
//! One history, two checkers. What happened in a region, with beginnings and ends, goes to a checker of
//! linearizability that is not ours (Wing and Gong, Lowe); what all clients did and saw goes to the checker of causality.

use std::collections::{BTreeMap, VecDeque};

use crdt_causal::delivery::{CausalBuffer, Message, Parents};
use crdt_causal::level::engine::{Engine, Fault, Machine, MemoryEngine, Outcome, Ticket};
use crdt_core::{Dot, ReplicaId, VersionVector};
use crdt_sim::history::{Criterion, Event, History, check_all};
use crdt_sim::random::Random;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{Call, Response};
use todc_utils::linearizability::history::{Action, History as Calls};
use todc_utils::specifications::Specification;

const HISTORIES: u64 = 400;
const KEYS: u64 = 2;
const CLIENTS: usize = 2;
/// The process in a region that brings what other regions wrote.
const REPLICATOR: usize = CLIENTS;

/// What is planted, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    /// What comes from other regions is taken as it comes.
    DeliverOnArrival,
    /// A client reads what the region was a while ago.
    ReadACopy,
}

/// A key, and the value that it gets.
type Put = [u8; 2];

/// The registers of a region.
#[derive(Clone, Debug, Default)]
struct Registers(BTreeMap<u64, u64>);

impl Machine for Registers {
    type Command = Put;
    type Query = u64;
    type Answer = Option<u64>;

    fn apply(&mut self, [key, value]: &Put) -> Option<Option<u64>> {
        self.0.insert((*key).into(), (*value).into());
        Some(Some((*value).into()))
    }

    fn query(&self, key: &u64) -> Option<u64> {
        self.0.get(key).copied()
    }
}

/// An operation of one process of a region; times are places among all beginnings and ends.
#[derive(Clone, Copy, Debug)]
struct Record {
    process: usize,
    event: Event,
    begun: usize,
    ended: usize,
}

struct Region {
    id: ReplicaId,
    engine: MemoryEngine<Registers>,
    buffer: CausalBuffer<Put>,
    /// What is to be brought here, one after the other.
    inbound: VecDeque<Message<Put>>,
    under_way: BTreeMap<Ticket, Record>,
    /// What was done at which position of the engine: the message that brought it, or a client's.
    log: BTreeMap<u64, (Option<Dot>, Put)>,
    /// How far that was told to the others, and what had been brought by then.
    published: u64,
    brought: VersionVector,
    is_bringing: Option<(Ticket, Dot, Put)>,
    copy: BTreeMap<u64, u64>,
    records: Vec<Record>,
}

impl Region {
    fn new(number: u64) -> Self {
        Self {
            id: ReplicaId::from_u128(u128::from(number) + 1),
            engine: MemoryEngine::new(3, 10_000, Registers::default()),
            buffer: CausalBuffer::new(),
            inbound: VecDeque::new(),
            under_way: BTreeMap::new(),
            log: BTreeMap::new(),
            published: 0,
            brought: VersionVector::new(),
            is_bringing: None,
            copy: BTreeMap::new(),
            records: Vec::new(),
        }
    }

    fn begin(&mut self, random: &mut Random, process: usize, event: Event, begun: usize, now: u64) {
        let request_ms = random.below(20);
        let answer_ms = random.below(20);
        self.engine.fault(Fault { request_ms, answer_ms, ..Fault::default() });
        let mut node = self.engine.node(random.below(3) as usize);
        let ticket = match event {
            Event::Read { key, .. } => node.read(key, now),
            Event::Write { key, value } => node.propose([key as u8, value as u8], now),
        };
        self.under_way.insert(ticket, Record { process, event, begun, ended: 0 });
    }

    fn receive(&mut self, message: Message<Put>, bug: Bug) {
        if bug == Bug::DeliverOnArrival {
            self.inbound.push_back(message);
            return;
        }
        self.buffer.insert(message, 0).expect("honest, and few");
        while let Some(message) = self.buffer.poll_deliver() {
            if message.dot.replica != self.id {
                self.inbound.push_back(message);
            }
        }
    }

    /// The next message of another region, when the one before was done.
    fn bring(&mut self, random: &mut Random, moment: &mut usize, now: u64) {
        if self.is_bringing.is_some() {
            return;
        }
        let Some(Message { dot, payload, .. }) = self.inbound.pop_front() else { return };
        let [key, value] = payload.map(u64::from);
        self.begin(random, REPLICATOR, Event::Write { key, value }, *moment, now);
        *moment += 1;
        let ticket = *self.under_way.keys().next_back().expect("it was just begun");
        self.is_bringing = Some((ticket, dot, payload));
    }

    /// What the engine has decided meanwhile.
    fn poll(&mut self, moment: &mut usize, now: u64, bug: Bug) {
        while let Some((ticket, outcome)) = self.engine.node(0).poll(now) {
            let Outcome::Committed { position, answer } = outcome else {
                panic!("nothing fails here: {outcome:?}")
            };
            let mut record = self.under_way.remove(&ticket).expect("it was begun");
            match &mut record.event {
                Event::Read { key, value } => {
                    *value =
                        if bug == Bug::ReadACopy { self.copy.get(key).copied() } else { answer };
                }
                Event::Write { key, value } => {
                    let is_brought = self.is_bringing.take_if(|(of, ..)| *of == ticket);
                    let dot = is_brought.map(|(_, dot, _)| dot);
                    self.log.insert(position, (dot, [*key as u8, *value as u8]));
                }
            }
            record.ended = *moment;
            *moment += 1;
            self.records.push(record);
        }
    }

    /// What is told to others, in the order in which the engine has decided it: with all that was there before.
    fn publish(&mut self) -> Vec<Message<Put>> {
        let mut messages = Vec::new();
        while let Some((dot, put)) = self.log.get(&(self.published + 1)).copied() {
            self.published += 1;
            self.copy.insert(put[0].into(), put[1].into());
            if let Some(dot) = dot {
                self.brought.observe(dot.replica, dot.seq);
                continue;
            }
            let own = Dot::new(self.id, self.brought.get(self.id) + 1);
            let others = self.brought.iter().filter(|(id, _)| *id != self.id);
            let parents: Parents = others.map(|(id, seq)| Dot::new(id, seq)).collect();
            self.brought.observe(own.replica, own.seq);
            messages.push(Message { dot: own, parents, payload: put });
        }
        messages
    }
}

/// Regions whose clients write and read, and whose messages to each other come in any order.
fn play(seed: u64, bug: Bug) -> Vec<Region> {
    let mut random = Random::new(seed, 61);
    let count = random.between(2, 3) as usize;
    let mut regions: Vec<Region> = (0..count as u64).map(Region::new).collect();
    let mut in_flight: Vec<(usize, Message<Put>)> = Vec::new();
    let (mut moment, mut now, mut written) = (0, 0, 0);
    let most = 14 * count;
    let mut begun = 0;
    loop {
        now += random.below(8);
        let at = random.below(count as u64) as usize;
        let process = random.below(CLIENTS as u64) as usize;
        let is_busy = regions[at].under_way.values().any(|record| record.process == process);
        if begun < most && !is_busy {
            begun += 1;
            let key = random.below(KEYS);
            let event = if random.permille(400) {
                written += 1;
                Event::Write { key, value: written }
            } else {
                Event::Read { key, value: None }
            };
            regions[at].begin(&mut random, process, event, moment, now);
            moment += 1;
        }
        if !in_flight.is_empty() && random.permille(400) {
            let index = random.below(in_flight.len() as u64) as usize;
            let (to, message) = in_flight.swap_remove(index);
            regions[to].receive(message, bug);
        }
        for (at, region) in regions.iter_mut().enumerate() {
            region.poll(&mut moment, now, bug);
            // With the bug the copy is what was published a while ago.
            let is_late = bug == Bug::ReadACopy && random.permille(800);
            let messages = if is_late { Vec::new() } else { region.publish() };
            for message in messages {
                let others = (0..count).filter(|other| *other != at);
                in_flight.extend(others.map(|other| (other, message.clone())));
                if bug != Bug::DeliverOnArrival {
                    // Its own buffer has to know what is here.
                    region.receive(message, bug);
                }
            }
            region.bring(&mut random, &mut moment, now);
        }
        let is_done = regions.iter().all(|region| {
            region.under_way.is_empty() && region.log.len() as u64 == region.published
        });
        if begun == most && in_flight.is_empty() && is_done {
            return regions;
        }
    }
}

/// One register, for the checker.
struct Register;

impl Specification for Register {
    type State = Option<u64>;
    type Operation = Event;

    fn init() -> Option<u64> {
        None
    }

    fn apply(operation: &Event, state: &Option<u64>) -> (bool, Option<u64>) {
        match *operation {
            Event::Read { value, .. } => (value == *state, *state),
            Event::Write { value, .. } => (true, Some(value)),
        }
    }
}

/// Whether each region is linearizable: which is so if each of its registers is (Herlihy and Wing, 1990).
fn are_linearizable(regions: &[Region]) -> bool {
    let of = |record: &Record| match record.event {
        Event::Read { key, .. } | Event::Write { key, .. } => key,
    };
    let registers = regions.iter().flat_map(|region| (0..KEYS).map(move |key| (region, key)));
    registers.into_iter().all(|(region, key)| {
        let mut actions: Vec<(usize, (usize, Action<Event>))> = Vec::new();
        for record in region.records.iter().filter(|record| of(record) == key) {
            actions.push((record.begun, (record.process, Call(record.event))));
            actions.push((record.ended, (record.process, Response(record.event))));
        }
        actions.sort_by_key(|(moment, _)| *moment);
        let actions: Vec<_> = actions.into_iter().map(|(_, action)| action).collect();
        actions.is_empty() || WGLChecker::<Register>::is_linearizable(Calls::from_actions(actions))
    })
}

/// Whether what the clients of all regions did and saw is causal.
fn are_causal(regions: &[Region]) -> bool {
    let mut history = History::new();
    for region in regions {
        for client in 0..CLIENTS {
            history.begin_session();
            for record in region.records.iter().filter(|record| record.process == client) {
                history.begin_transaction(true);
                history.push(record.event);
            }
        }
    }
    let criteria = [Criterion::Reads, Criterion::CausalConsistency, Criterion::CausalMemory];
    let verdicts = check_all(&history, &criteria);
    verdicts
        .iter()
        .all(|(_, verdict)| verdict.as_ref().expect("values are written once").violation.is_none())
}

#[test]
fn c10_regions_are_linearizable_and_causal_towards_each_other() {
    let mut brought = 0;
    for seed in 0..HISTORIES {
        let regions = play(seed, Bug::None);
        assert!(are_linearizable(&regions), "seed {seed}");
        assert!(are_causal(&regions), "seed {seed}");
        let of_others = |record: &&Record| record.process == REPLICATOR;
        brought += regions.iter().flat_map(|region| &region.records).filter(of_others).count();
    }
    assert!(brought > 2_000, "{brought}");
}

/// Each checker sees what the other one does not.
#[test]
fn c10_each_of_two_bugs_is_caught_by_its_checker() {
    let count = |bug: Bug| {
        let (mut unlinear, mut uncausal) = (0, 0);
        for seed in 0..HISTORIES {
            let regions = play(seed, bug);
            unlinear += u64::from(!are_linearizable(&regions));
            uncausal += u64::from(!are_causal(&regions));
        }
        (unlinear, uncausal)
    };
    let (unlinear, uncausal) = count(Bug::DeliverOnArrival);
    assert!(unlinear == 0 && uncausal > 0, "on arrival: {unlinear} and {uncausal}");
    let (unlinear, _) = count(Bug::ReadACopy);
    assert!(unlinear > 0, "a copy: {unlinear}");
}
