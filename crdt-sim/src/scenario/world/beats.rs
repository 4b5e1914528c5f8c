//! What servers tell each other every now and then, and what follows from how it goes.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::level::engine::Engine as _;
use crdt_causal::policy::Sample;
use crdt_causal::quorum::majority;

use super::packet::Packet;
use super::server::Server;
use super::{Event, World};
use crate::scenario::meters::name_of;

impl World {
    pub(super) fn beat(&mut self, server: usize) {
        let (now, count) = (self.now, self.servers.len());
        let words = self.servers[server].words(now);
        let wanted = self.servers[server].stock.as_ref().and_then(|stock| stock.wants(50));
        for peer in self.wires.neighbours(server, count) {
            let stock = self.servers[server].stock.as_ref().map(|stock| stock.state().clone());
            self.send(server, peer, Packet::Words { words: words.clone(), stock, sent_at: now });
            if let Some((richest, amount)) = wanted
                && richest == peer
            {
                self.send(server, peer, Packet::Rights(amount));
            }
        }
        self.settle_durable();
        let silence = 3 * self.beat_ms + 1_000;
        let sample = self.servers[server].sample(count, silence, now);
        self.observe(server, sample);
        self.flush(server);
        self.queue.push(now + self.beat_ms, Event::Beat(server));
    }

    pub(super) fn observe(&mut self, server: usize, sample: Sample) {
        let now = self.now;
        let durable = { self.engine.node(server).durable().clone() };
        let Server { degrade, progress, .. } = &mut self.servers[server];
        if now < 2_000 {
            // Nobody has answered yet.
            return;
        }
        degrade.observe(sample, now);
        let above =
            if name_of(degrade.attainable()) == "causal" { &durable } else { progress.applied() };
        if let Some(change) = degrade.poll(above, now) {
            self.transitions.push((now, server, change));
            let name = self.wires.name(server).to_string();
            let (from, to) = (name_of(change.from), name_of(change.to));
            self.say(format!("{name}: {from} -> {to}"));
        }
    }

    /// What a majority has applied survives whatever the engine survives.
    pub(super) fn settle_durable(&mut self) {
        let needed = majority(self.servers.len());
        let mut durable = Cut::new();
        for slot in (0..self.servers.len() as u16).map(Slot) {
            let positions = self.servers.iter().map(|server| server.progress.applied().get(slot));
            let mut positions: Vec<u64> = positions.collect();
            positions.sort_unstable_by(|a, b| b.cmp(a));
            durable.observe(slot, positions[needed - 1]);
        }
        self.engine.set_durable(durable);
    }

    /// How many servers cannot keep the strongest level at the moment.
    pub(crate) fn not_strong(&self) -> u64 {
        let weak = |server: &&Server| !server.degrade.attainable().is_strong();
        self.servers.iter().filter(weak).count() as u64
    }
}
