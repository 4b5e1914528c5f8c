//! Packets and connections, from one machine to another.

use super::World;
use super::event::Event;
use super::node::{Body, Held};
use crate::random::mixed;
use crate::replica::{Hostile, Refused, Replica, Violation};
use crate::trace::Happening;

/// How long it takes until someone tries again who could not connect.
const RECONNECT_MS: u64 = 50;
const BACKOFF_MS_MAX: u64 = 4_000;
/// Packets that a machine may have to say at one time, on one link.
const PACKETS_AT_ONCE_MAX: usize = 5_000;

impl<R: Replica> World<'_, R> {
    /// A connection is no more, or was never there: someone will try to connect.
    pub(super) fn lose(&mut self, link: usize, after_ms: u64) {
        let here = &mut self.network.links[link];
        if !here.closed && !here.waiting {
            here.waiting = true;
            self.queue.push((self.now + after_ms).max(here.not_before), Event::Connect { link });
        }
    }

    /// One end drops a connection.
    pub(super) fn close_end(&mut self, link: usize, end: usize) {
        let here = &mut self.network.links[link];
        if core::mem::take(&mut here.open[end]) {
            let node = here.ends[end];
            if let Some(machine) = self.nodes[node].machine() {
                machine.disconnect(link);
            }
        }
    }

    /// Nobody talks to this machine any more.
    pub(super) fn expel(&mut self, node: usize) {
        for link in 0..self.network.links.len() {
            if self.network.links[link].ends.contains(&node) {
                self.network.links[link].closed = true;
                self.close_end(link, 0);
                self.close_end(link, 1);
            }
        }
    }

    pub(super) fn connect(&mut self, link: usize) -> Result<(), Violation> {
        let here = &mut self.network.links[link];
        if !core::mem::take(&mut here.waiting) || here.closed {
            return Ok(());
        }
        let ends = here.ends;
        if self.now < here.not_before || ends.iter().any(|node| !self.nodes[*node].up) {
            self.lose(link, RECONNECT_MS);
            return Ok(());
        }
        for end in 0..2 {
            self.close_end(link, end);
        }
        self.network.links[link].connect();
        let connection = self.network.links[link].connection;
        self.trace.add(&[self.now, 1, link as u64, connection], &[]);
        for (end, node) in ends.into_iter().enumerate() {
            let nonce = mixed(&[self.plan.seed, link as u64, connection, end as u64, 7]);
            let now = self.nodes[node].clock.read(self.now);
            if let Some(machine) = self.nodes[node].machine() {
                machine.connect(link, nonce, now);
            }
            let at = self.now;
            self.trace.line(at, node, || Happening::Connected(ends[1 - end]));
        }
        if self.is_forked() && self.plan.is_undisturbed() && self.contradict(ends).is_some() {
            let event = Event::RoundEnds { link, connection, forks_seen: self.forks_seen };
            self.queue.push(self.now + self.plan.round_ms(), event);
        }
        ends.into_iter().try_for_each(|node| self.settle(node))
    }

    /// A packet comes.
    pub(super) fn arrive(
        &mut self,
        link: usize,
        connection: u64,
        end: usize,
        bytes: Vec<u8>,
    ) -> Result<(), Violation> {
        let here = &self.network.links[link];
        if here.connection != connection || !here.open[end] {
            return Ok(());
        }
        let node = here.ends[end];
        if self.nodes[node].paused_until.is_some() {
            self.nodes[node].held.push(Held { link, connection, end, bytes });
            return Ok(());
        }
        if let Some(bytes) = self.unmarked(link, end, &bytes) {
            self.receive(link, end, bytes)?;
        }
        self.settle(node)
    }

    fn receive(&mut self, link: usize, end: usize, bytes: &[u8]) -> Result<(), Violation> {
        let [node, from] =
            [self.network.links[link].ends[end], self.network.links[link].ends[1 - end]];
        self.trace.add(&[self.now, 2, link as u64, end as u64], bytes);
        let now = self.nodes[node].clock.read(self.now);
        let at = self.now;
        let received = match &mut self.nodes[node].body {
            Body::Hostile(hostile) => {
                hostile.receive(link, bytes, now);
                if let Some(what) = hostile.missed() {
                    return Err(Violation::new("hostile", format!("node {from}: {what}")));
                }
                self.trace.line(at, node, || Happening::Received { from, applied: 0 });
                return Ok(());
            }
            Body::Honest(replica) => {
                let Some(replica) = replica else { return Ok(()) };
                replica.receive(link, bytes, now)
            }
        };
        let betrayed = match &self.nodes[from].body {
            Body::Hostile(hostile) => hostile.betrays(bytes),
            Body::Honest(_) => false,
        };
        if betrayed && !matches!(received.refused, Some(Refused::Equivocation(_))) {
            let what = format!("node {node} took a second event under a dot that it holds");
            return Err(Violation::new("hostile", what));
        }
        let before = self.applied;
        for step in &received.applied {
            self.apply(node, step)?;
        }
        let applied = self.applied - before;
        self.trace.line(at, node, || Happening::Received { from, applied });
        if let Some(refused) = &received.refused {
            self.judge_refusal(node, from, refused)?;
        }
        if received.over {
            self.say_why(link, end);
            self.close_end(link, end);
            let here = &mut self.network.links[link];
            here.backoff_ms = (here.backoff_ms * 2).clamp(RECONNECT_MS, BACKOFF_MS_MAX);
            let after = here.backoff_ms;
            self.lose(link, after);
        }
        Ok(())
    }

    /// A peer was refused: only one that means harm deserves that, or one in a fork.
    fn judge_refusal(
        &mut self,
        node: usize,
        from: usize,
        refused: &Refused,
    ) -> Result<(), Violation> {
        let at = self.now;
        self.trace.line(at, node, || Happening::Refused(from, format!("{refused:?}")));
        let is_too_late = matches!(refused, Refused::Trimmed | Refused::TrimmedByPeer);
        if is_too_late && self.plan.trimming.is_some() {
            return self.come_too_late(node, from, *refused == Refused::Trimmed);
        }
        let is_hostile = |node: usize| !self.nodes[node].is_honest();
        if let Refused::Equivocation(replica) = refused {
            let forked = self.history.forked().contains(replica);
            let culprit = self.nodes.iter().any(|peer| !peer.is_honest() && peer.id == *replica);
            if !forked && !culprit {
                let what =
                    format!("node {node}: {replica} is said to have equivocated, and has not");
                return Err(Violation::new("false alarm", what));
            }
            self.forks_seen += u64::from(forked);
        }
        if self.is_forked() || is_hostile(from) {
            return Ok(());
        }
        let what = format!("node {node} refused node {from}, which is honest: {refused:?}");
        Err(Violation::new("refusal", what))
    }

    /// Everything that a machine has to say now leaves, and the next time that it has to go on
    /// by itself is noted.
    pub(super) fn transmit(&mut self, node: usize) -> Result<(), Violation> {
        for link in 0..self.network.links.len() {
            let ends = self.network.links[link].ends;
            if !ends.contains(&node) {
                continue;
            }
            let end = self.network.links[link].end_of(node);
            let mut packets = 0;
            while self.network.links[link].open[end] {
                let now = self.nodes[node].clock.read(self.now);
                let Some(machine) = self.nodes[node].machine() else { break };
                let Some(bytes) = machine.transmit(link, now) else { break };
                packets += 1;
                if packets > PACKETS_AT_ONCE_MAX {
                    let what =
                        format!("node {node} has no end of packets for node {}", ends[1 - end]);
                    return Err(Violation::new("bounds", what));
                }
                let bytes = self.marked(bytes);
                self.send(link, end, bytes);
            }
        }
        let now = self.now;
        let Some(machine) = self.nodes[node].machine() else { return Ok(()) };
        let Some(deadline) = machine.timeout() else { return Ok(()) };
        let here = &mut self.nodes[node];
        let at = here.clock.when(now, deadline).max(now + 1);
        if here.wake_at.is_none_or(|other| at < other || other <= now) {
            here.wake_at = Some(at);
            self.queue.push(at, Event::Wake { node });
        }
        Ok(())
    }

    pub(super) fn send(&mut self, link: usize, end: usize, bytes: Vec<u8>) {
        let route = self.network.route(link, end, self.now, &mut self.faults);
        let here = &self.network.links[link];
        let (connection, node, to) = (here.connection, here.ends[end], here.ends[1 - end]);
        self.trace.add(&[self.now, 3, link as u64, end as u64], &bytes);
        for at in &route.arrivals {
            let event = Event::Arrive { link, connection, end: 1 - end, bytes: bytes.clone() };
            self.queue.push(*at, event);
        }
        let at = self.now;
        self.trace.line(at, node, || Happening::Sent {
            to,
            arrivals: route.arrivals,
            fault: route.fault,
        });
    }

    pub(super) fn wake(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].wake_at != Some(self.now) || !self.nodes[node].is_running() {
            return Ok(());
        }
        self.nodes[node].wake_at = None;
        self.settle(node)
    }
}
