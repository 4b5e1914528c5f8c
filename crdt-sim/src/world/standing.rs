//! How far behind a server is, as it knows itself.
//!
//! Servers ask each other every now and then how far they are. A question carries the time of who asks, on its own clock,
//! and the answer takes it back: so no two clocks are ever compared, and they may be wrong by years.

use crdt_causal::cut::Slot;
use crdt_causal::level::{Progress, ProgressConfig};
use crdt_core::canary::is_planted;
use crdt_core::codec::{Reader, Writer};

use super::World;
use super::event::Event;
use super::marks::Mark;
use crate::plan::LevelsPlan;
use crate::replica::Replica;

/// What a server knows of itself and the others; a crash takes it.
pub(super) struct Standing {
    pub(super) progress: Progress,
    /// Of each server, how much of what became durable there is durable here.
    has: Vec<u64>,
    /// Of each server, when the last question was asked that it has answered, on the clock here.
    pub(super) told_at: Vec<Option<u64>>,
}

impl Standing {
    pub(super) fn new(plan: &LevelsPlan, node: usize) -> Self {
        let slot = |server: usize| Slot(server as u16);
        let mut config = ProgressConfig::default();
        // Heads are told by the time at which they were asked for.
        config.skew_ms_max = 0;
        config.silence_ms_max = plan.silence_ms_max;
        Self {
            progress: Progress::new(slot(node), (0..plan.servers).map(slot), config),
            has: vec![0; plan.servers],
            told_at: vec![None; plan.servers],
        }
    }
}

impl<R: Replica> World<'_, R> {
    pub(super) fn begin_standing(&mut self) {
        let Some(plan) = &self.plan.levels else { return };
        for node in 0..plan.servers {
            self.nodes[node].standing = Some(Standing::new(plan, node));
            self.queue.push(plan.tell_ms, Event::Ask { node });
        }
    }

    /// A server asks the others how far they are.
    pub(super) fn ask_servers(&mut self, node: usize) {
        let Some(plan) = self.plan.levels.as_ref().filter(|_| !self.calm) else { return };
        self.queue.push(self.now + plan.tell_ms, Event::Ask { node });
        if !self.nodes[node].is_running() {
            return;
        }
        let now = self.nodes[node].clock.read(self.now);
        for link in 0..self.network.links.len() {
            let here = &self.network.links[link];
            let end = here.end_of(node);
            if here.ends[end] == node && here.open[end] && here.ends[1 - end] < plan.servers {
                let mut out = Writer::new();
                out.varint(now);
                self.send(link, end, Mark::Question.on(&out.into_bytes()));
            }
        }
    }

    /// A server is asked, and says how much is durable there.
    pub(super) fn hear_question(&mut self, link: usize, end: usize, asked: &[u8]) {
        let node = self.network.links[link].ends[end];
        self.note_admitted(node);
        let position = self.admissions.at[node].len() as u64;
        let mut out = Writer::new();
        out.varint(position);
        out.raw(asked);
        self.send(link, end, Mark::Answer.on(&out.into_bytes()));
    }

    /// A server hears how far another one was, at the least, when it asked.
    pub(super) fn hear_answer(&mut self, link: usize, end: usize, bytes: &[u8]) {
        let ends = self.network.links[link].ends;
        let (node, from) = (ends[end], ends[1 - end]);
        let now = self.nodes[node].clock.read(self.now);
        let mut input = Reader::new(bytes);
        let (Ok(position), Ok(asked)) = (input.varint(), input.varint()) else { return };
        let Some(standing) = &mut self.nodes[node].standing else { return };
        standing.told_at[from] = standing.told_at[from].max(Some(asked));
        // A planted bug: what an answer says is taken for what holds when it comes.
        let at = if is_planted("date-heads-on-arrival") { now } else { asked };
        standing.progress.heard(Slot(from as u16), position, at, now);
        standing.progress.check_invariants();
    }

    /// A server takes note of what has become durable there.
    pub(super) fn note_progress(&mut self, node: usize) {
        if self.nodes[node].standing.is_none() {
            return;
        }
        self.note_admitted(node);
        let here = &mut self.nodes[node];
        let Some(Standing { progress, has, .. }) = &mut here.standing else { return };
        self.admissions.advance(has, &here.truth);
        for (server, has) in has.iter().enumerate() {
            progress.apply(Slot(server as u16), *has);
        }
    }
}
