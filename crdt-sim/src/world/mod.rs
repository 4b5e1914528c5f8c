//! Machines on a virtual network, with virtual disks and clocks, and someone who watches.
//!
//! A run has two phases. In the first, everything that the plan says goes wrong; whatever
//! happens, nothing may be applied before its past, believed to be safe and not be, or read
//! otherwise than the model says (*safety*). In the second, nothing goes wrong any more, and in
//! the end everybody has to have everything, in the same bytes, and fall silent (*liveness*).

mod admission;
mod asking;
mod check;
mod disks;
mod event;
mod keeper;
mod links;
mod marks;
mod node;
mod standing;
mod steps;
mod trimming;
mod visits;

use crdt_core::ReplicaId;

use crate::faults::{Counters, Fault};
use crate::model::{History, Version};
use crate::network::Network;
use crate::plan::{PacketFault, Plan, Subject};
use crate::queue::Queue;
use crate::random::mixed;
use crate::replica::{Hostile, Replica, Violation};
use crate::trace::{Happening, Line, Trace};
use admission::Admissions;
use event::Event;
use node::{Body, Node};
use trimming::Forgetting;
use visits::Visits;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The first thing that was wrong.
    pub violation: Option<Violation>,
    /// Everything that happened, as one number.
    pub hash: u64,
    /// How much happened.
    pub steps: u64,
    /// Events that were made.
    pub events: u64,
    /// Events that were applied, at all replicas together.
    pub applied: u64,
    /// Values that were compared with the model.
    pub compared: u64,
    /// What went wrong, by plan.
    pub faults: Counters,
    /// The time that passed.
    pub virtual_ms: u64,
    /// Whether some id was used twice, so that values were not compared from then on.
    pub forked: bool,
    /// Times that a replica noticed that.
    pub forks_seen: u64,
    /// Connections between two that held different events under one name, where nothing
    /// disturbed the first round.
    pub forks_met: u64,
    /// Visits of clients that were answered.
    pub visits: u64,
    /// Those where the machine had less than the client had seen, or asked for.
    pub visits_refused: u64,
    /// Answers that said how fresh they are.
    pub visits_bounded: u64,
    /// Events that were dropped from histories.
    pub trimmed: u64,
    /// Events that were made anew by machines that came back after that.
    pub rebased: u64,
    /// What befell packets.
    pub packets: Vec<PacketFault>,
    /// What happened, if it was kept.
    pub lines: Vec<Line>,
}

impl Report {
    /// A run of which nothing is known but what was wrong.
    #[must_use]
    pub fn of(violation: Violation) -> Self {
        Self {
            violation: Some(violation),
            hash: 0,
            steps: 0,
            events: 0,
            applied: 0,
            compared: 0,
            faults: Counters::default(),
            virtual_ms: 0,
            forked: false,
            forks_seen: 0,
            forks_met: 0,
            visits: 0,
            visits_refused: 0,
            visits_bounded: 0,
            trimmed: 0,
            rebased: 0,
            packets: Vec::new(),
            lines: Vec::new(),
        }
    }
}

/// How long after the last fault everything has to have converged.
const LIVENESS_MS: u64 = 600_000;
/// How long a run with a fork goes on, which nobody expects to converge.
const FORKED_MS: u64 = 20_000;
/// How long a run goes on in which a delivery buffer may wait for what does not exist, since it
/// was made up, or was lost with the only disk that had it: it is asked for again and again, and
/// so there is no silence. Sessions have no such wait.
const ORPHANED_MS: u64 = 90_000;
/// More than this is no run any more but a loop.
const HAPPENINGS_MAX: u64 = 3_000_000;
/// So much may happen at one time.
const HAPPENINGS_AT_ONCE_MAX: u64 = 20_000;

/// Everything there is in a run.
pub struct World<'a, R: Replica> {
    plan: &'a Plan,
    now: u64,
    queue: Queue<Event>,
    nodes: Vec<Node<R>>,
    network: Network,
    history: History<R::Op>,
    trace: Trace,
    faults: Counters,
    calm: bool,
    /// What some disk held when the faults ended: none of it may be missing in the end.
    safe: Vec<Version>,
    applied: u64,
    compared: u64,
    looks: u64,
    forks_seen: u64,
    forks_met: u64,
    visits: Visits,
    admissions: Admissions,
    forgetting: Forgetting,
    /// Whether replicas may wait for what does not exist, or not any more.
    has_orphans: bool,
}

impl<'a, R: Replica> World<'a, R> {
    /// The beginning of a run.
    #[must_use]
    pub fn new(plan: &'a Plan, keeps_lines: bool) -> Self {
        let mut queue = Queue::default();
        for (index, step) in plan.steps.iter().enumerate() {
            queue.push(step.at_ms.min(plan.calm_at_ms), Event::Step(index));
        }
        queue.push(plan.calm_at_ms, Event::Calm);
        let nodes: Vec<Node<R>> =
            (0..plan.nodes.len()).map(|index| Node::new(plan, index)).collect();
        let mut history = History::default();
        for node in &nodes {
            if let Body::Hostile(hostile) = &node.body {
                hostile.events().into_iter().for_each(|(dot, op)| history.insert(dot, op));
            }
        }
        let network = Network::new(plan.seed, plan.network, &plan.links, plan.packets.as_deref());
        let servers = plan.trimming.map(|plan| plan.servers);
        let servers = servers.max(plan.levels.as_ref().map(|plan| plan.servers)).unwrap_or(0);
        let mut world = Self {
            plan,
            now: 0,
            queue,
            nodes,
            network,
            history,
            trace: Trace::new(keeps_lines),
            faults: Counters::default(),
            calm: false,
            safe: Vec::new(),
            applied: 0,
            compared: 0,
            looks: 0,
            forks_seen: 0,
            forks_met: 0,
            visits: Visits::default(),
            admissions: Admissions::new(servers),
            forgetting: Forgetting::default(),
            has_orphans: plan.subject == Subject::Messages
                && plan.nodes.iter().any(|node| node.hostile.is_some()),
        };
        for link in 0..world.network.links.len() {
            world.lose(link, 0);
        }
        world.begin_trimming();
        world.begin_standing();
        world
    }

    /// Plays the plan to its end, or to the first thing that is wrong.
    #[must_use]
    pub fn run(mut self) -> Report {
        let violation = self.play().err();
        if let Some(violation) = &violation {
            let at = self.now;
            self.trace.line(at, 0, || Happening::Violation(violation.what.clone()));
        }
        for node in &self.nodes {
            if let Body::Hostile(hostile) = &node.body {
                for _ in 0..hostile.done() {
                    self.faults.count(node.hostile_fault());
                }
            }
        }
        Report {
            violation,
            hash: self.trace.hash(),
            steps: self.trace.steps(),
            events: self.history.len() as u64,
            applied: self.applied,
            compared: self.compared,
            faults: self.faults,
            virtual_ms: self.now,
            forked: !self.history.forked().is_empty(),
            forks_seen: self.forks_seen,
            forks_met: self.forks_met,
            visits: self.visits.answered,
            visits_refused: self.visits.refused,
            visits_bounded: self.visits.bounded,
            trimmed: self.forgetting.trimmed,
            rebased: self.forgetting.rebased,
            packets: self.network.record,
            lines: self.trace.lines.unwrap_or_default(),
        }
    }

    fn play(&mut self) -> Result<(), Violation> {
        let end = self.plan.calm_at_ms + LIVENESS_MS;
        let (mut happened, mut at_once) = (0, 0);
        while let Some((at, event)) = self.queue.pop() {
            at_once = if at > self.now { 0 } else { at_once + 1 };
            happened += 1;
            if at_once > HAPPENINGS_AT_ONCE_MAX || happened > HAPPENINGS_MAX {
                return Err(Violation::new("liveness", "time stands still: something goes round"));
            }
            if self.is_forked() && at > self.plan.calm_at_ms + FORKED_MS {
                return self.check_forks();
            }
            if self.has_orphans && at > self.plan.calm_at_ms + ORPHANED_MS {
                break;
            }
            if at > end {
                self.now = end;
                return Err(Violation::new("liveness", self.unsettled()));
            }
            self.now = at;
            self.happen(event)?;
        }
        self.check_end()
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Step(index) => self.step(index),
            Event::StepEnds(index) => {
                self.network.mend(index);
                Ok(())
            }
            Event::Arrive { link, connection, end, bytes } => {
                self.arrive(link, connection, end, bytes)
            }
            Event::Wake { node } => self.wake(node),
            Event::Synced { node, boot } => self.synced(node, boot),
            Event::MidWrite { node, boot } => self.mid_write(node, boot),
            Event::Resume { node } => self.resume(node),
            Event::Boot { node, boot } => self.boot(node, boot),
            Event::Connect { link } => self.connect(link),
            Event::RoundEnds { link, connection, forks_seen } => {
                self.check_noticed(link, connection, forks_seen)
            }
            Event::Trim { node } => self.look_at_history(node),
            Event::Ask { node } => {
                self.ask_servers(node);
                Ok(())
            }
            Event::Deadline { node } => {
                self.settle(node)?;
                self.set_deadline(node);
                Ok(())
            }
            Event::Calm => self.calm(),
        }
    }

    fn is_forked(&self) -> bool {
        !self.history.forked().is_empty()
    }

    /// The id that a node takes as its next one.
    fn mint(seed: u64, node: usize, minted: u64) -> ReplicaId {
        let half = |which| u128::from(mixed(&[seed, node as u64, minted, which]));
        ReplicaId::from_u128(half(1) << 64 | half(2))
    }

    fn fault(&mut self, node: usize, fault: Fault, what: impl FnOnce() -> String) {
        self.faults.count(fault);
        let at = self.now;
        self.trace.line(at, node, || Happening::Fault(what()));
    }

    /// Nothing goes wrong any more.
    fn calm(&mut self) -> Result<(), Violation> {
        self.calm = true;
        self.network.calm();
        self.trace.add(&[self.now, 9], &[]);
        let held = |node: &Node<R>| {
            // A machine that is down with a damaged disk will find less.
            if node.damaged { Version::new() } else { node.truth.clone() }
        };
        self.safe = self.nodes.iter().map(held).collect();
        for node in 0..self.nodes.len() {
            self.nodes[node].crash_mid_write = None;
            self.nodes[node].clock.drift(self.now, 0);
            if matches!(self.nodes[node].body, Body::Hostile(_)) {
                self.expel(node);
            } else if !self.nodes[node].up {
                let boot = self.nodes[node].boots;
                self.boot(node, boot)?;
            } else {
                self.resume(node)?;
            }
        }
        for link in 0..self.network.links.len() {
            let here = &mut self.network.links[link];
            here.not_before = 0;
            here.backoff_ms = 0;
            // An attempt may be far off.
            if here.waiting {
                self.queue.push(self.now, Event::Connect { link });
            }
        }
        Ok(())
    }
}
