//! A seed's own mix of everything that can go wrong (*swarm testing*: Groce and others, 2012).
//!
//! A run in which every fault happens all the time finds less than many runs that each have
//! some: one fault hides another, as a crash hides a slow disk. So each seed draws first which
//! faults there are, then how many of each.

use super::{
    Action, Cut, Edit, Hostility, Identity, LimitsPlan, NetworkPlan, NodePlan, Plan, Step, Storage,
    Subject,
};
use super::{levels, trimming};
use crate::disk::WriteFate;
use crate::random::Random;

/// The purpose of the stream that plans are drawn from, and of that for what clients do.
const PURPOSE: u64 = 1;
const VISITS: u64 = 4;

pub(super) fn plan(seed: u64, long_permille: u64) -> Plan {
    let random = &mut Random::new(seed, PURPOSE);
    let subject = if random.permille(600) { Subject::Documents } else { Subject::Messages };
    let honest = (2 + random.below(4) + random.below(2) * random.below(7)) as usize;
    let mut links = topology(random, honest);
    let mut nodes: Vec<NodePlan> = (0..honest).map(|_| node(random)).collect();
    let network = network(random);
    let limits = limits(random);
    let calm_at_ms = random.between(4_000, 40_000);
    if random.permille(400) {
        let hostile = hostility(random, subject);
        for _ in 0..1 + random.below(2) {
            links.push([nodes.len(), random.below(honest as u64) as usize]);
        }
        nodes.push(NodePlan { hostile: Some(hostile), ..node(random) });
    }
    let mut steps =
        Steps { random, end: calm_at_ms, nodes: honest, links: links.len(), steps: Vec::new() };
    steps.edits();
    steps.faults();
    let is_long = steps.random.permille(long_permille);
    if is_long {
        steps.bursts(subject);
    }
    steps.visits(seed);
    let mut steps = steps.steps;
    let trimming = trimming::draw(seed, subject, &mut nodes, &links, calm_at_ms, &mut steps);
    let levels = levels::draw(seed, &mut nodes, &links, calm_at_ms, trimming, &mut steps);
    let limits = if is_long { long_limits(random, limits) } else { limits };
    // Drawn kind by kind; what is drawn at one time happens in this order.
    steps.sort_by_key(|step| step.at_ms);
    Plan {
        seed,
        subject,
        nodes,
        links,
        network,
        limits,
        trimming,
        levels,
        calm_at_ms,
        steps,
        packets: None,
    }
}

/// How many registers clients read and write.
pub(crate) const REGISTERS: u64 = 3;

/// A star around a server, two servers with their clients, a ring, or all with all.
fn topology(random: &mut Random, nodes: usize) -> Vec<[usize; 2]> {
    match random.below(5) {
        0 | 1 => (1..nodes).map(|client| [client, 0]).collect(),
        2 if nodes > 3 => {
            let clients = (2..nodes).map(|client| [client, random.below(2) as usize]);
            let mut links: Vec<[usize; 2]> = clients.collect();
            links.push([0, 1]);
            links
        }
        3 if nodes > 2 => (0..nodes).map(|node| [node, (node + 1) % nodes]).collect(),
        _ => {
            let all = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| [a, b]));
            // Beyond some it is only slow.
            all.filter(|[a, b]| nodes < 6 || b - a < 3).collect()
        }
    }
}

fn node(random: &mut Random) -> NodePlan {
    let storage = if random.permille(850) {
        Storage::Disk { sync_ms: *random.pick(&[0, 1, 5, 30, 200]) }
    } else {
        Storage::Memory
    };
    NodePlan { storage, clock_ms: random.below(1 << 41), hostile: None }
}

fn network(random: &mut Random) -> NetworkPlan {
    let mut rate = |choices: &[u64]| if random.permille(500) { *random.pick(choices) } else { 0 };
    let loss_permille = rate(&[10, 50, 200, 500]);
    let duplication_permille = rate(&[10, 100, 400]);
    let reordering_permille = rate(&[10, 100, 400]);
    let delay_permille = rate(&[5, 30]);
    NetworkPlan {
        latency_ms: *random.pick(&[0, 1, 10, 40, 250]),
        jitter_ms: *random.pick(&[0, 5, 60]),
        loss_permille,
        duplication_permille,
        reordering_permille,
        delay_permille,
        delay_ms: random.between(50, 2_000),
    }
}

fn limits(random: &mut Random) -> LimitsPlan {
    let small = random.permille(600);
    LimitsPlan {
        message_bytes_max: if small { random.between(64, 300) } else { 256 << 10 },
        in_flight_bytes_max: if small { random.below(2_000) } else { 1 << 20 },
        in_flight_messages_max: if small { random.between(1, 8) } else { 64 },
        retry_ms: random.between(50, 1_000),
        retry_ms_max: random.between(1_000, 8_000),
        acknowledge_ms: *random.pick(&[0, 25]),
        pending_max: if small { random.between(2, 12) } else { 1 << 20 },
    }
}

/// Limits under which a long history gets through in time: as tight, for what there is.
fn long_limits(random: &mut Random, limits: LimitsPlan) -> LimitsPlan {
    let mut at_least = |limit: u64, first: u64, last: u64| limit.max(random.between(first, last));
    LimitsPlan {
        message_bytes_max: at_least(limits.message_bytes_max, 2_000, 20_000),
        in_flight_bytes_max: at_least(limits.in_flight_bytes_max, 8_000, 60_000),
        in_flight_messages_max: at_least(limits.in_flight_messages_max, 4, 32),
        pending_max: at_least(limits.pending_max, 100, 2_000),
        ..limits
    }
}

fn hostility(random: &mut Random, subject: Subject) -> Hostility {
    use Hostility::{Boast, Equivocate, Flood, Jump, Mute, OtherProtocol, Stale};
    match subject {
        Subject::Documents => {
            *random.pick(&[Jump, Boast, Equivocate, Flood, Mute, Stale, OtherProtocol])
        }
        // Nobody greets there, and nothing has a version.
        Subject::Messages => *random.pick(&[Jump, Equivocate, Flood, Boast]),
    }
}

/// An edit of one of so many places.
pub(super) fn edit(random: &mut Random, places: u64) -> Edit {
    let byte = |random: &mut Random| random.below(256) as u8;
    Edit {
        place: random.below(places) as u8,
        what: byte(random),
        number: byte(random),
        len: random.below(5) as u8,
    }
}

struct Steps<'a> {
    random: &'a mut Random,
    end: u64,
    nodes: usize,
    links: usize,
    steps: Vec<Step>,
}

impl Steps<'_> {
    fn node(&mut self) -> usize {
        self.random.below(self.nodes as u64) as usize
    }

    fn link(&mut self) -> usize {
        self.random.below(self.links as u64) as usize
    }

    fn push(&mut self, action: Action) {
        let at_ms = self.random.below(self.end);
        self.steps.push(Step { at_ms, action });
    }

    fn edits(&mut self) {
        let few = self.random.permille(500);
        let count = if few { self.random.between(3, 16) } else { self.random.between(10, 60) };
        // Some write everywhere, some in one place, where everything is concurrent.
        let places = *self.random.pick(&[1, 2, 4, 255]);
        let writers = self.random.between(1, self.nodes as u64);
        // A few have histories that are long, for a model that computes everything anew.
        let count = if self.random.permille(15) { 4 * count } else { count };
        for _ in 0..count {
            let edits = (0..1 + self.random.below(3)).map(|_| edit(self.random, places)).collect();
            let node = self.random.below(writers) as usize;
            let fails = self.random.permille(40);
            self.push(Action::Edit { node, edits, fails });
        }
        for _ in 0..self.random.below(3) {
            let node = self.node();
            self.push(Action::Compact { node });
        }
    }

    /// Clients that go from one machine to another, in half of all seeds.
    fn visits(&mut self, seed: u64) {
        let random = &mut Random::new(seed, VISITS);
        if random.permille(500) {
            return;
        }
        let clients = random.between(1, 5);
        let writes_permille = *random.pick(&[200, 500]);
        for _ in 0..random.between(10, 80) {
            let client = random.below(clients) as u8;
            let writes = random.permille(writes_permille).then(|| random.below(REGISTERS) as u8);
            // The last of five has no token: what it sees is judged visit by visit.
            let has_token = client < 4;
            let node = random.below(self.nodes as u64) as usize;
            let at_ms = random.below(self.end);
            self.steps
                .push(Step { at_ms, action: Action::Visit { client, node, writes, has_token } });
        }
    }

    /// What a history gets long by.
    fn bursts(&mut self, subject: Subject) {
        let places = *self.random.pick(&[4, 32, 255]);
        let writers = self.random.between(1, self.nodes as u64);
        // A message is much more work than an event of a document.
        let most = match subject {
            Subject::Documents => *self.random.pick(&[40, 150, 600]),
            Subject::Messages => *self.random.pick(&[10, 60]),
        };
        for _ in 0..self.random.between(8, 30) {
            let node = self.random.below(writers) as usize;
            let changes = self.random.between(1, most) as u32;
            let chance = self.random.number();
            self.push(Action::Burst { node, changes, places, chance });
        }
    }

    /// Some of a kind of fault, in about half of all seeds.
    fn some(&mut self, most: u64, mut make: impl FnMut(&mut Self) -> Action) {
        if self.random.permille(450) {
            for _ in 0..self.random.between(1, most) {
                let action = make(self);
                self.push(action);
            }
        }
    }

    fn while_ms(&mut self) -> u64 {
        let most = *self.random.pick(&[200, 2_000, 15_000]);
        self.random.between(10, most)
    }

    fn faults(&mut self) {
        self.some(4, |steps| Action::Pause { node: steps.node(), for_ms: steps.while_ms() });
        self.some(4, |steps| Action::Clog { link: steps.link(), for_ms: steps.while_ms() });
        self.some(5, |steps| Action::Disconnect { link: steps.link(), for_ms: steps.while_ms() });
        self.some(3, |steps| {
            let cut = Cut::Symmetric(steps.side());
            Action::Partition { cut, for_ms: steps.while_ms() }
        });
        self.some(3, |steps| {
            let cut = Cut::Asymmetric(steps.side());
            Action::Partition { cut, for_ms: steps.while_ms() }
        });
        self.some(3, |steps| {
            let cut = (0..steps.links).filter(|_| steps.random.permille(400)).collect();
            Action::Partition { cut: Cut::Partial(cut), for_ms: steps.while_ms() }
        });
        self.some(6, Self::crash);
        self.some(1, |steps| Action::Rot {
            node: steps.node(),
            down_ms: steps.while_ms(),
            bit: steps.random.below(1 << 20) as u32,
        });
        self.some(4, |steps| {
            let most = *steps.random.pick(&[500, 20_000]);
            let by_ms = steps.random.below(2 * most) as i64 - most as i64;
            Action::ClockStep { node: steps.node(), by_ms }
        });
        self.some(3, |steps| {
            let ppm = steps.random.below(400_000) as i64 - 200_000;
            Action::ClockDrift { node: steps.node(), ppm }
        });
        if self.random.permille(200) {
            self.backup();
        }
        if self.nodes > 2 && self.random.permille(150) {
            let (from, to) = (self.node(), self.node());
            if from != to {
                let identity = self.identity();
                self.push(Action::Clone { from, to, identity });
            }
        }
    }

    fn crash(&mut self) -> Action {
        let fate = match self.random.below(5) {
            0 => WriteFate::Kept,
            1 => WriteFate::Lost,
            2 => WriteFate::Torn(self.random.below(1000) as u16),
            3 => WriteFate::Flipped(self.random.below(1 << 20) as u32),
            _ => WriteFate::Misdirected(self.random.below(1 << 20) as u32),
        };
        let mid_write = self.random.permille(1000);
        Action::Crash { node: self.node(), down_ms: self.while_ms(), mid_write, fate }
    }

    fn side(&mut self) -> Vec<usize> {
        let first = self.node();
        (0..self.nodes).filter(|node| *node == first || self.random.permille(300)).collect()
    }

    fn backup(&mut self) {
        let node = self.node();
        let first = self.random.below(self.end / 2);
        self.steps.push(Step { at_ms: first, action: Action::Backup { node } });
        let then = self.random.between(first, self.end - 1);
        let action = Action::Restore { node, down_ms: self.while_ms(), identity: self.identity() };
        self.steps.push(Step { at_ms: then, action });
    }

    /// Nearly always what a program should do: where it does not, there may be a fork, and a run
    /// with a fork checks less.
    fn identity(&mut self) -> Identity {
        match self.random.below(20) {
            0 => Identity::Keep,
            1..6 => Identity::Cautious,
            _ => Identity::Mint,
        }
    }
}
