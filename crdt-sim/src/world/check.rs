//! Who watches: convergence, causality, durability, bounds.

use std::collections::BTreeSet;

use crdt_core::{Dot, DotRange};

use super::World;
use super::node::Body;
use crate::model::{History, Version, covers, includes, version};
use crate::random::mixed;
use crate::replica::{Replica, Violation};

/// One time in so many, what a replica shows is compared with the model.
const LOOK_EVERY: u64 = 12;
/// More seldom where there is so much more to look at.
const LOOK_EVENTS: u64 = 60;

impl<R: Replica> World<'_, R> {
    /// Everything that follows from something that happened at a node.
    pub(super) fn settle(&mut self, node: usize) -> Result<(), Violation> {
        if !self.nodes[node].is_running() {
            return Ok(());
        }
        self.come_back(node)?;
        self.decide_all(node)?;
        self.write(node);
        let here = &mut self.nodes[node];
        let is_writing = here.disk.is_writing();
        if let Body::Honest(Some(replica)) = &mut here.body
            && !is_writing
        {
            replica.set_durable(&here.written);
        }
        self.answer(node);
        self.transmit(node)?;
        // What it was told meanwhile may have been the last that it waited for.
        if self.come_back(node)? {
            return self.settle(node);
        }
        self.check_node(node)
    }

    /// A replica says that it has applied some events.
    pub(super) fn apply(&mut self, node: usize, step: &[DotRange]) -> Result<(), Violation> {
        let here = &mut self.nodes[node];
        let mut new: Vec<Dot> = Vec::new();
        for range in step {
            let held = here.holds.get(&range.replica).copied().unwrap_or(0);
            new.extend((held + 1..=range.last).map(|seq| Dot::new(range.replica, seq)));
            here.holds.insert(range.replica, held.max(range.last));
        }
        self.applied += new.len() as u64;
        if self.is_forked() {
            return Ok(());
        }
        let holds = &self.nodes[node].holds;
        new.iter().try_for_each(|dot| check_past(&self.history, node, *dot, holds))
    }

    /// A replica has made a change.
    pub(super) fn note_own(&mut self, node: usize) -> Result<(), Violation> {
        let here = &mut self.nodes[node];
        let Some(replica) = here.replica() else { return Ok(()) };
        let (held, id, shared) = (replica.version(), here.id, here.shares_id);
        let own = held.get(id);
        if own > 0 {
            here.holds.insert(id, own);
        }
        let made = |seq| self.history.get(Dot::new(id, seq)).is_some();
        if self.is_forked() || ((own == 0 || made(own)) && (shared || !made(own + 1))) {
            return Ok(());
        }
        let what = format!("node {node} made {own} events, which is not what the model says");
        Err(Violation::new("model", what))
    }

    fn check_node(&mut self, node: usize) -> Result<(), Violation> {
        let forked = self.is_forked();
        let here = &mut self.nodes[node];
        let Body::Honest(Some(replica)) = &here.body else { return Ok(()) };
        let held = version(&replica.version());
        if forked {
            // One dot names two events: what a vector covers says nothing any more.
            here.holds = held;
            self.looks += 1;
            if mixed(&[self.plan.seed, self.looks]).is_multiple_of(LOOK_EVERY) {
                self.check_forks()?;
            }
            return self.look(node);
        }
        if held != here.holds {
            let what =
                format!("node {node} says it holds {held:?}, and was seen to get {:?}", here.holds);
            return Err(Violation::new("causality", what));
        }
        self.check_acknowledged(node)?;
        self.looks += 1;
        let every = LOOK_EVERY * (1 + self.history.len() as u64 / LOOK_EVENTS);
        if !mixed(&[self.plan.seed, self.looks]).is_multiple_of(every) {
            return Ok(());
        }
        self.look(node)
    }

    /// Compares a replica with the model.
    fn look(&mut self, node: usize) -> Result<(), Violation> {
        let Some(replica) = self.nodes[node].replica() else { return Ok(()) };
        if let Err(what) = replica.check() {
            return Err(Violation::new("bounds", format!("node {node}: {what}")));
        }
        if !self.is_forked() {
            if let Err(what) = replica.compare(&self.history) {
                return Err(Violation::new("model", format!("node {node} {what}")));
            }
            self.compared += 1;
        }
        Ok(())
    }

    /// What a node believes that its peers have stored, they have stored, and the other way round.
    fn check_acknowledged(&self, node: usize) -> Result<(), Violation> {
        for (link, here) in self.network.links.iter().enumerate() {
            if !here.ends.contains(&node) || here.open != [true; 2] {
                continue;
            }
            for [this, that] in [here.ends, [here.ends[1], here.ends[0]]] {
                let [this_node, that_node] = [&self.nodes[this], &self.nodes[that]];
                let Some(replica) = this_node.replica().filter(|_| that_node.is_honest()) else {
                    continue;
                };
                let Some(believed) = replica.acknowledged(link) else { continue };
                let believed = version(&believed);
                let mut stored = that_node.truth.clone();
                join(&mut stored, &that_node.copy);
                if let Some(copying) = that_node.replica().and_then(R::copying) {
                    join(&mut stored, &version(copying));
                }
                if !includes(&stored, &believed) {
                    let what = format!(
                        "node {this} believes that node {that} has stored {believed:?}, and it has {:?}",
                        that_node.truth
                    );
                    return Err(Violation::new("acknowledgement", what));
                }
            }
        }
        Ok(())
    }

    /// What two nodes hold under one name, and it is not the same.
    pub(super) fn contradict(&self, ends: [usize; 2]) -> Option<String> {
        let [one, other] = ends.map(|node| self.nodes[node].replica());
        one?.contradicts(other?)
    }

    /// Whether a fork was noticed within one round by the two ends of a connection.
    pub(super) fn check_noticed(
        &mut self,
        link: usize,
        connection: u64,
        forks_seen: u64,
    ) -> Result<(), Violation> {
        let here = &self.network.links[link];
        if self.forks_seen > forks_seen {
            self.forks_met += 1;
            return Ok(());
        }
        // One end was shut down, or copied over, meanwhile: they have not met.
        if here.connection != connection || here.open != [true; 2] {
            return Ok(());
        }
        let [one, other] = here.ends;
        let what = self.contradict(here.ends).unwrap_or_default();
        let what = format!("nodes {one} and {other} met, and no one noticed in a round: {what}");
        Err(Violation::new("fork", what))
    }

    /// Two nodes that believe to hold the same do so, though some id was used twice.
    pub(super) fn check_forks(&self) -> Result<(), Violation> {
        for (link, here) in self.network.links.iter().enumerate() {
            let [one, other] = here.ends.map(|node| self.nodes[node].replica());
            let (true, Some(one), Some(other)) = (here.open == [true; 2], one, other) else {
                continue;
            };
            let told_all = |replica: &R| {
                replica.acknowledged(link).is_some_and(|known| known.dominates(&replica.version()))
            };
            if !told_all(one) || !told_all(other) {
                continue;
            }
            if let Some(what) = one.contradicts(other) {
                let [one, other] = here.ends;
                let what = format!("nodes {one} and {other} believe that they agree, but {what}");
                return Err(Violation::new("fork", what));
            }
        }
        Ok(())
    }

    /// Why it has not come to an end.
    pub(super) fn unsettled(&self) -> String {
        let held: Vec<u64> = self.nodes.iter().map(|node| node.holds.values().sum()).collect();
        format!("no silence long after the last fault; the nodes hold {held:?} events")
    }

    /// Nothing happens any more: everybody has to have everything.
    pub(super) fn check_end(&mut self) -> Result<(), Violation> {
        if self.is_forked() {
            return self.check_forks();
        }
        self.check_clients()?;
        for part in self.parts() {
            let mut safe = Version::new();
            for node in &part {
                join(&mut safe, &self.safe[*node]);
            }
            let first = part[0];
            self.without_given_up(&mut safe);
            let bytes = self.nodes[first].replica().map(|replica| self.bytes(replica));
            for node in part {
                let Some(replica) = self.nodes[node].replica() else {
                    return Err(Violation::new("liveness", format!("node {node} never came back")));
                };
                let [here, there] = [&self.nodes[node].holds, &self.nodes[first].holds];
                if here != there {
                    let what = format!(
                        "nodes {node} and {first} are silent and hold {here:?} and {there:?}"
                    );
                    return Err(Violation::new("liveness", what));
                }
                if !includes(here, &safe) {
                    let what =
                        format!("{safe:?} was stored when the faults ended, and {here:?} is left");
                    return Err(Violation::new("durability", what));
                }
                if Some(self.bytes(replica)) != bytes {
                    let what =
                        format!("nodes {node} and {first} hold the same events in other bytes");
                    return Err(Violation::new("convergence", what));
                }
                self.check_saved(node)?;
                self.look(node)?;
            }
        }
        Ok(())
    }

    /// What equal replicas have in common: where history is trimmed, without any.
    fn bytes(&self, replica: &R) -> Vec<u8> {
        match self.plan.trimming {
            Some(_) => replica.without_history(),
            None => replica.canonical(),
        }
    }

    /// A replica is the same after it was saved and loaded.
    fn check_saved(&self, node: usize) -> Result<(), Violation> {
        let Some(replica) = self.nodes[node].replica() else { return Ok(()) };
        let mut loaded = R::new(self.nodes[node].id, &self.plan.limits);
        let loads = loaded.load(&replica.record_since(&crdt_core::VersionVector::new()));
        let same = loads.is_ok() && loaded.canonical() == replica.canonical();
        if same && loaded.compare(&self.history).is_ok() {
            return Ok(());
        }
        Err(Violation::new("storage", format!("node {node} is another one once saved and loaded")))
    }

    /// The honest nodes, by who can reach whom.
    fn parts(&self) -> Vec<Vec<usize>> {
        let mut left: BTreeSet<usize> =
            (0..self.nodes.len()).filter(|node| self.nodes[*node].is_honest()).collect();
        let mut parts = Vec::new();
        while let Some(first) = left.pop_first() {
            let mut part = vec![first];
            let mut next = 0;
            while let Some(node) = part.get(next).copied() {
                for link in self.network.links.iter().filter(|link| link.ends.contains(&node)) {
                    part.extend(link.ends.into_iter().filter(|end| left.remove(end)));
                }
                next += 1;
            }
            parts.push(part);
        }
        parts
    }
}

/// Whether everything that an event follows is held, and the change it is part of is whole.
pub(super) fn check_past<O>(
    history: &History<O>,
    node: usize,
    dot: Dot,
    holds: &Version,
) -> Result<(), Violation> {
    let violation = |what: String| Err(Violation::new("causality", what));
    let Some(event) = history.get(dot) else {
        return violation(format!("node {node} applied {dot}, which nobody has issued"));
    };
    if !includes(holds, &event.past) {
        return violation(format!(
            "node {node} applied {dot} before its past: {:?} follows {:?}",
            holds, event.past
        ));
    }
    if !covers(holds, Dot::new(dot.replica, event.change_last)) {
        return violation(format!("node {node} applied a part of the change with {dot}"));
    }
    Ok(())
}

pub(super) fn join(version: &mut Version, other: &Version) {
    for (replica, seq) in other {
        let held = version.entry(*replica).or_default();
        *held = (*held).max(*seq);
    }
}
