//! Servers of several regions with their clients, on the laboratory's network and clock.
//!
//! Every decision is made by the machines that ship: servers hold documents that sync sessions keep in
//! step; a request goes through the policy's rules and `level::decide` with the client's token; strong
//! ones go to `level::engine`; what can be kept at the moment is `policy::Degrade`'s business. The world
//! carries packets, lets time pass, and measures from above what no server can know.

mod asking;
mod beats;
mod client;
mod cuts;
mod effects;
mod judge;
mod keys;
mod packet;
mod server;
mod serving;
mod strong;
mod view;

use std::collections::BTreeMap;

use crdt_causal::level::engine::{MemoryEngine, Ticket};
use crdt_causal::policy::{DegradeConfig, Policy, Transition};
use crdt_document::{EditError, Transaction};

pub(crate) use client::{Client, Does, Habit};
pub(crate) use packet::What;

use super::ledger::Ledger;
use super::meters::Meters;
use super::profile::{Profile, TIER_1};
use super::stock::Stock;
use super::wires::Wires;
use crate::queue::Queue;
use crate::random::Random;
use crate::trace::Happening;
use effects::Notices;
use packet::{Packet, Request};
use server::Server;
use strong::Proposed;

/// What a world begins with.
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) regions: Vec<String>,
    pub(crate) links: Vec<(usize, usize, Profile)>,
    pub(crate) clients: Vec<Client>,
    /// How clients reach servers.
    pub(crate) access: Profile,
    /// How often servers tell each other how far they are.
    pub(crate) beat_ms: u64,
    pub(crate) policy: Policy<'static>,
    pub(crate) degrade: DegradeConfig,
    /// What a request costs a server, in microseconds: a weak one, and a strong one.
    pub(crate) cost_us: (u64, u64),
    pub(crate) ledger: Ledger,
    /// Clients send their tokens.
    pub(crate) has_tokens: bool,
    /// The engine notices when there is no majority.
    pub(crate) needs_majority: bool,
    /// Notices of payments wait in an outbox until these are made.
    pub(crate) has_outbox: bool,
    pub(crate) decided_by: DecidedBy,
}

/// What a strong operation waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DecidedBy {
    /// One round trip to the nearest of a majority.
    Majority,
    /// Two to all that take part, prepare and commit: the last of them decides how long it takes.
    TwoPhases,
}

impl Setup {
    /// Regions that all are connected to each other by these links, without clients, and everything in
    /// order.
    pub(crate) fn new(seed: u64, regions: &[&str], links: &[(usize, usize, Profile)]) -> Self {
        Self {
            seed,
            regions: regions.iter().map(ToString::to_string).collect(),
            links: links.to_vec(),
            clients: Vec::new(),
            access: TIER_1,
            beat_ms: 100,
            policy: crdt_causal::policy::order_platform(),
            degrade: DegradeConfig::default(),
            cost_us: (0, 0),
            ledger: Ledger::new(true),
            has_tokens: true,
            needs_majority: true,
            has_outbox: true,
            decided_by: DecidedBy::Majority,
        }
    }
}

enum Event {
    Arrive {
        from: usize,
        to: usize,
        connection: u64,
        packet: Packet,
    },
    /// A session's timer.
    Wake(usize),
    /// A server tells how far it is.
    Beat(usize),
    /// A server gets to a request.
    Serve(usize, Request),
    /// Something that waits at a server has waited long enough.
    Expire(usize),
    /// A client does the next thing.
    Turn(usize),
    /// A client has waited long enough for this attempt.
    Overdue {
        client: usize,
        number: u64,
        attempt: u64,
    },
    /// The engine has something to say.
    Engine,
}

/// The world of a scenario.
pub(crate) struct World {
    pub(crate) now: u64,
    queue: Queue<Event>,
    pub(crate) wires: Wires,
    servers: Vec<Server>,
    pub(crate) clients: Vec<Client>,
    /// Which group each region is in.
    groups: Vec<usize>,
    /// When the last cut was made.
    cut_at: u64,
    /// Clients make requests.
    is_open: bool,
    /// How many times as often as usual.
    pub(crate) haste: u64,
    engine: MemoryEngine<Ledger>,
    engine_at: Option<u64>,
    proposed: BTreeMap<Ticket, Proposed>,
    policy: Policy<'static>,
    beat_ms: u64,
    cost_us: (u64, u64),
    has_tokens: bool,
    needs_majority: bool,
    has_outbox: bool,
    decided_by: DecidedBy,
    notices: Notices,
    pub(crate) meters: Meters,
    pub(crate) random: Random,
    /// When each event of each server was made: the truth about staleness.
    born: Vec<Vec<u64>>,
    values: u64,
    /// Bytes of sync sessions that were sent.
    pub(crate) sync_bytes: u64,
    /// Reads whose answer claimed to be fresher than it was.
    pub(crate) false_claims: u64,
    /// Answers below the floor of their rule.
    pub(crate) below_floor: u64,
    /// Requests below strong of clients in their own region that were not answered.
    pub(crate) failed_at_home: u64,
    /// Strong operations that were done where there is no majority.
    pub(crate) without_majority: u64,
    /// Payments that were made at another level than strong.
    pub(crate) weak_payments: u64,
    pub(crate) transitions: Vec<(u64, usize, Transition)>,
}

impl World {
    /// The beginning.
    pub(crate) fn new(setup: Setup) -> Self {
        let count = setup.regions.len();
        let mut names = setup.regions;
        let mut links = setup.links;
        for (index, client) in setup.clients.iter().enumerate() {
            names.push(format!("client {index}"));
            let others = (0..count).filter(|other| client.roams || *other == client.home);
            links.extend(others.map(|server| (server, count + index, setup.access)));
        }
        let servers = (0..count).map(|n| Server::new(n, count, setup.degrade.clone())).collect();
        let mut world = Self {
            now: 0,
            queue: Queue::default(),
            wires: Wires::new(setup.seed, names, count, &links),
            servers,
            clients: setup.clients,
            groups: vec![0; count],
            cut_at: 0,
            is_open: true,
            haste: 1,
            engine: MemoryEngine::new(count, strong::TIMEOUT_MS, setup.ledger),
            engine_at: None,
            proposed: BTreeMap::new(),
            policy: setup.policy,
            beat_ms: setup.beat_ms,
            cost_us: setup.cost_us,
            has_tokens: setup.has_tokens,
            needs_majority: setup.needs_majority,
            has_outbox: setup.has_outbox,
            decided_by: setup.decided_by,
            notices: Notices::default(),
            meters: Meters::default(),
            random: Random::new(setup.seed, 0x5ce9),
            born: vec![Vec::new(); count],
            values: 0,
            sync_bytes: 0,
            false_claims: 0,
            below_floor: 0,
            failed_at_home: 0,
            without_majority: 0,
            weak_payments: 0,
            transitions: Vec::new(),
        };
        for server in 0..count {
            for peer in world.wires.neighbours(server, count) {
                world.servers[server].connect(peer, 0);
            }
            world.queue.push(server as u64, Event::Beat(server));
            world.flush(server);
        }
        for client in 0..world.clients.len() {
            let at = world.random.below(world.clients[client].every_ms.max(1)) + 1_000;
            world.clients[client].next_at = at;
            world.queue.push(at, Event::Turn(client));
        }
        world
    }

    /// Says what happens now, and begins a phase of that name.
    pub(crate) fn phase(&mut self, name: &'static str, what: impl Into<String>) {
        self.meters.begin(name);
        self.say(what);
    }

    /// Says what happens now.
    pub(crate) fn say(&mut self, what: impl Into<String>) {
        self.wires.say(self.now, what);
    }

    /// Lets time pass until then.
    pub(crate) fn run_until(&mut self, until: u64) {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            let (at, event) = self.queue.pop().expect("it was just looked at");
            self.now = self.now.max(at);
            self.happen(event);
        }
        self.now = self.now.max(until);
    }

    /// Lets so much time pass.
    pub(crate) fn run_for(&mut self, ms: u64) {
        self.run_until(self.now + ms);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { from, to, connection, packet } => {
                if self.wires.connection(from, to) == connection {
                    self.arrive(from, to, packet);
                }
            }
            Event::Wake(server) => {
                if self.servers[server].wake_at == Some(self.now) {
                    self.servers[server].wake_at = None;
                    self.flush(server);
                }
            }
            Event::Beat(server) => self.beat(server),
            Event::Serve(server, request) => self.serve(server, request),
            Event::Expire(server) => self.retry_parked(server),
            Event::Turn(client) => self.turn(client),
            Event::Overdue { client, number, attempt } => self.overdue(client, number, attempt),
            Event::Engine => self.poll_engine(),
        }
    }

    fn send(&mut self, from: usize, to: usize, packet: Packet) {
        if let Packet::Sync(bytes) = &packet {
            self.sync_bytes += bytes.len() as u64;
        }
        let connection = self.wires.connection(from, to);
        let arrivals = self.wires.send(from, to, packet.len(), self.now);
        for at in arrivals {
            self.queue.push(at, Event::Arrive { from, to, connection, packet: packet.clone() });
        }
    }

    fn arrive(&mut self, from: usize, to: usize, packet: Packet) {
        let (now, count) = (self.now, self.servers.len());
        match packet {
            Packet::Sync(bytes) => {
                let server = &mut self.servers[to];
                let before = server.head();
                let Some(session) = server.sessions.get_mut(&from) else { return };
                session.handle(&bytes, &mut server.doc, now).expect("peers are honest");
                while session.poll_event().is_some() {}
                let applied = server.head() - before;
                self.wires.shoot(now, to, || Happening::Received { from, applied });
                self.flush(to);
            }
            Packet::Words { words, stock, sent_at } => {
                for word in words {
                    self.servers[to].hear(word, now);
                }
                if let (Some(own), Some(told)) = (&mut self.servers[to].stock, &stock) {
                    own.merge(told);
                }
                self.flush(to);
                // Whoever is busy answers late, and is seen to be slow.
                let free_at = now.max(self.servers[to].busy_until_us / 1_000);
                let connection = self.wires.connection(from, to);
                for at in self.wires.send(to, from, 16, free_at) {
                    let packet = Packet::Echo { sent_at };
                    self.queue.push(at, Event::Arrive { from: to, to: from, connection, packet });
                }
            }
            Packet::Echo { sent_at } => self.servers[to].echoed(from, now - sent_at, now),
            Packet::Rights(amount) => {
                if let Some(stock) = &mut self.servers[to].stock {
                    stock.give(from, amount);
                }
            }
            Packet::Ask(request) => self.asked(to, request),
            Packet::Reply(reply) => self.answered(to - count, reply),
        }
    }

    /// After anything has changed at a server: what is visible is numbered, what waits is looked at
    /// again, and sessions say what they have to.
    fn flush(&mut self, server: usize) {
        if self.servers[server].advance() {
            self.retry_parked(server);
        }
        let now = self.now;
        let peers: Vec<usize> = self.servers[server].sessions.keys().copied().collect();
        for peer in peers {
            loop {
                let Server { sessions, doc, .. } = &mut self.servers[server];
                let session = sessions.get_mut(&peer).expect("it is connected");
                let Some(bytes) = session.poll_transmit(doc, now) else { break };
                self.send(server, peer, Packet::Sync(bytes));
            }
        }
        let next = self.servers[server].timeout().map(|at| at.max(now + 1));
        let planned = &mut self.servers[server].wake_at;
        if let Some(at) = next
            && planned.is_none_or(|planned| at < planned)
        {
            *planned = Some(at);
            self.queue.push(at, Event::Wake(server));
        }
    }

    /// Someone in a region makes a change, at the server itself.
    pub(crate) fn edit(
        &mut self,
        server: usize,
        edit: impl FnOnce(&mut Transaction<'_>) -> Result<(), EditError>,
    ) {
        let before = self.servers[server].head();
        self.servers[server].doc.transact(edit).expect("the edit is possible");
        self.made(server, before);
        self.flush(server);
    }

    /// Events were made at a server, since it had so many.
    fn made(&mut self, server: usize, before: u64) {
        let events = self.servers[server].head() - before;
        let now = self.now;
        self.born[server].extend((0..events).map(|_| now));
        self.wires.shoot(now, server, || Happening::Edit(events));
    }

    /// Each region gets its part of a stock.
    pub(crate) fn stock(&mut self, total: u64, has_escrow: bool) {
        let parts = Stock::split(total, self.servers.len(), has_escrow);
        for (server, stock) in self.servers.iter_mut().zip(parts) {
            server.stock = Some(stock);
        }
    }

    /// From now on this table says which level is asked for.
    pub(crate) const fn set_policy(&mut self, policy: Policy<'static>) {
        self.policy = policy;
    }

    /// From now on clients make requests, or make none.
    pub(crate) fn set_open(&mut self, is_open: bool) {
        if is_open && !self.is_open {
            for client in 0..self.clients.len() {
                let at = self.now + self.random.below(self.clients[client].every_ms.max(1));
                self.clients[client].next_at = at;
                self.queue.push(at, Event::Turn(client));
            }
        }
        self.is_open = is_open;
    }
}
