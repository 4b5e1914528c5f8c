//! Servers that forget their history, and machines that come back too late for it.
//!
//! The first machines of such a plan are the servers of a realm, which are declared to each other; all others are
//! clients of one of them. A server runs a [`Trimmer`](crdt_causal::stability::Trimmer) on its own clock, and tells the other one so by packets of the
//! same links. What a cut of it comes to in events is looked up in the laboratory's list of what became
//! durable there in which order: a server has that in its store.
//!
//! A client that is told that what it lacks was trimmed begins anew, with a copy and another id, and does again what it had
//! done. The laboratory knows when what was durable where, and so whether it was right to tell it that.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::Report;
use crdt_core::codec::{Decode as _, Encode as _, Reader, Writer};
use crdt_core::{Dot, VersionVector};

use super::World;
use super::admission::Admitted;
use super::check::check_past;
use super::event::Event;
use super::keeper::{SAMPLES, resumed};
use super::marks::Mark;
use crate::faults::Fault;
use crate::model::{Version, covers, includes, version};
use crate::plan::TrimmingPlan;
use crate::replica::{Replica, Violation};
use crate::trace::Happening;

/// What is younger than so many tenths of the horizon is never past it: clocks run fast by a fifth, and are set
/// forward by a sixteenth of the horizon some times.
const YOUNG_TENTHS: u64 = 5;

/// What a whole run knows of it.
#[derive(Default)]
pub(super) struct Forgetting {
    /// Of these ids nothing from that number on need be anywhere: its writer has done it again under another one.
    given_up: Version,
    pub(super) trimmed: u64,
    pub(super) rebased: u64,
}

impl<R: Replica> World<'_, R> {
    /// How far apart the looks of a server at its trimmer are.
    fn look_ms(plan: TrimmingPlan) -> u64 {
        (plan.horizon_ms / SAMPLES).max(1)
    }

    pub(super) fn begin_trimming(&mut self) {
        let Some(plan) = self.plan.trimming else { return };
        for node in 0..plan.servers {
            let now = self.nodes[node].clock.read(0);
            self.nodes[node].keeper = resumed(plan, node, &[], now);
            self.queue.push(Self::look_ms(plan), Event::Trim { node });
        }
    }

    /// The events that a cut has.
    fn events_in(&self, cut: &Cut) -> Version {
        let mut found = Version::new();
        for (slot, position) in cut {
            for Admitted { dot, .. } in
                &self.admissions.at[usize::from(slot.0)][..position as usize]
            {
                let held = found.entry(dot.replica).or_default();
                *held = (*held).max(dot.seq);
            }
        }
        found
    }

    /// A server looks at what may be forgotten.
    pub(super) fn look_at_history(&mut self, node: usize) -> Result<(), Violation> {
        let Some(plan) = self.plan.trimming.filter(|_| !self.calm && !self.is_forked()) else {
            return Ok(());
        };
        self.queue.push(self.now + Self::look_ms(plan), Event::Trim { node });
        if !self.nodes[node].is_running() {
            return Ok(());
        }
        self.note_admitted(node);
        let now = self.nodes[node].clock.read(self.now);
        let here = &mut self.nodes[node];
        let Some(keeper) = &mut here.keeper else { return Ok(()) };
        self.admissions.advance(&mut keeper.has, &here.truth);
        let applied = keeper.has.iter().enumerate();
        let applied = applied.map(|(server, has)| (Slot(server as u16), *has));
        keeper.trimmer.applied(&applied.collect(), now);
        keeper.trimmer.check_invariants();
        keeper.poll();
        let said = keeper.said.clone();
        self.raise_floor(node);
        if let Some((report, trim)) = said {
            self.tell_servers(node, &report);
            self.trim(node, &trim)?;
        }
        self.settle(node)
    }

    /// What comes from anybody but the other server has to have seen this from now on.
    pub(super) fn raise_floor(&mut self, node: usize) {
        let Some(keeper) = &self.nodes[node].keeper else { return };
        let floor = self.events_in(keeper.trimmer.floor());
        let trusts =
            |other: usize| self.is_server(other) && keeper.trimmer.is_trusted(Slot(other as u16));
        let links = self.network.links.iter().enumerate();
        let trusted = links
            .filter(|(_, link)| link.ends.contains(&node))
            .filter(|(_, link)| trusts(link.ends[1 - link.end_of(node)]));
        let trusted = trusted.map(|(link, _)| link).collect();
        if let Some(replica) = self.nodes[node].replica_mut() {
            replica.set_floor(vector(&floor), trusted);
        }
    }

    fn tell_servers(&mut self, node: usize, report: &Report) {
        for link in 0..self.network.links.len() {
            let here = &self.network.links[link];
            let end = usize::from(here.ends[1] == node);
            let other = here.ends[1 - end];
            if here.ends[end] == node && here.open[end] && self.is_server(other) {
                let mut out = Writer::new();
                report.encode(&mut out);
                self.send(link, end, Mark::Report.on(&out.into_bytes()));
            }
        }
    }

    /// A server drops what may be dropped.
    fn trim(&mut self, node: usize, cut: &Cut) -> Result<(), Violation> {
        let stable = self.events_in(cut);
        let Some(replica) = self.nodes[node].replica_mut() else { return Ok(()) };
        let trimmed = replica.trim(&vector(&stable));
        if trimmed == 0 {
            return Ok(());
        }
        self.forgetting.trimmed += trimmed;
        // What is on the disk still has it.
        self.nodes[node].compact = true;
        self.trace.add(&[self.now, 10, node as u64, trimmed], &[]);
        let servers = &self.nodes[..self.admissions.servers()];
        if let Some(other) = servers.iter().position(|server| !includes(&server.truth, &stable)) {
            let what = format!("node {node} has trimmed {stable:?}, which node {other} lacks");
            return Err(Violation::new("trimming", what));
        }
        let young =
            stable.iter().find(|(replica, seq)| !self.was_old(node, Dot::new(**replica, **seq)));
        match young {
            Some(young) => {
                let what =
                    format!("node {node} has trimmed {young:?}, which is younger than the horizon");
                Err(Violation::new("trimming", what))
            }
            None => Ok(()),
        }
    }

    /// Whether an event has been at a server for longer than the horizon.
    fn was_old(&self, server: usize, dot: Dot) -> bool {
        self.old_at(server).any(|old| old == dot)
    }

    /// All that has.
    fn old_at(&self, server: usize) -> impl Iterator<Item = Dot> + '_ {
        let horizon_ms = self.plan.trimming.map_or(0, |plan| plan.horizon_ms);
        let since = self.now.checked_sub(horizon_ms * YOUNG_TENTHS / 10);
        let admitted = self.admissions.at[server].iter();
        admitted.take_while(move |one| Some(one.at) <= since).map(|one| one.dot)
    }

    /// A server hears from the other one.
    pub(super) fn hear_report(&mut self, link: usize, end: usize, bytes: &[u8]) {
        let ends = self.network.links[link].ends;
        let (node, from) = (ends[end], ends[1 - end]);
        let now = self.nodes[node].clock.read(self.now);
        let Ok(report) = Report::decode(&mut Reader::new(bytes)) else { return };
        if let Some(keeper) = self.nodes[node].keeper.as_mut().filter(|_| !self.calm) {
            let _ = keeper.trimmer.receive(Slot(from as u16), &report, now);
            keeper.poll();
            self.raise_floor(node);
        }
    }

    /// A session is over, and its last word leaves: nobody can begin anew who is not told to.
    pub(super) fn say_why(&mut self, link: usize, end: usize) {
        let node = self.network.links[link].ends[end];
        let is_open = self.network.links[link].open[end];
        if self.plan.trimming.is_none() || !is_open {
            return;
        }
        let now = self.nodes[node].clock.read(self.now);
        let said = self.nodes[node].machine().and_then(|machine| machine.transmit(link, now));
        if let Some(bytes) = said {
            let bytes = self.marked(bytes);
            self.send(link, end, bytes);
        }
    }

    /// One end was told, or has found out, that what a client lacks was trimmed.
    pub(super) fn come_too_late(
        &mut self,
        node: usize,
        from: usize,
        finds_out: bool,
    ) -> Result<(), Violation> {
        let (server, client) = match [node, from].map(|end| self.is_server(end)) {
            [true, false] => (node, from),
            [false, true] => (from, node),
            _ => {
                let what = format!("nodes {node} and {from} have no common history any more");
                return Err(Violation::new("refusal", what));
            }
        };
        if finds_out && !self.is_forked() && !self.is_late(client, server) {
            let what = format!("node {client} was sent away by node {server} within the horizon");
            return Err(Violation::new("trimming", what));
        }
        if node != client {
            return Ok(());
        }
        let here = &mut self.nodes[client];
        here.minted += 1;
        let id = Self::mint(self.plan.seed, client, here.minted);
        let Some(replica) = self.nodes[client].replica_mut() else { return Ok(()) };
        if replica.copying().is_none() {
            self.fault(client, Fault::ReturnAfterTrimming, || "has to begin anew".into());
        }
        let Some(replica) = self.nodes[client].replica_mut() else { return Ok(()) };
        replica.begin_anew(id);
        for link in 0..self.network.links.len() {
            if self.network.links[link].ends.contains(&client) {
                let end = self.network.links[link].end_of(client);
                self.close_end(link, end);
                self.lose(link, 10);
            }
        }
        Ok(())
    }

    /// Whether a client has not seen, or not told of in time, something that the server has had for longer than
    /// the horizon.
    fn is_late(&self, client: usize, server: usize) -> bool {
        let [here, there] = [client, server].map(|node| &self.nodes[node].holds);
        let untold = || self.history.known(here).filter(|(dot, _)| !covers(there, *dot));
        self.old_at(server)
            .any(|old| !covers(here, old) || untold().any(|(_, event)| !covers(&event.past, old)))
    }

    /// A client that has got its copy does again what it had done, under its new id. Whether one has.
    pub(super) fn come_back(&mut self, node: usize) -> Result<bool, Violation> {
        let here = &self.nodes[node];
        let Some(replica) = here.replica().filter(|_| !here.disk.is_writing()) else {
            return Ok(false);
        };
        let Some((id, copied)) = replica.copied() else { return Ok(false) };
        // Who waits for an answer waits for what is on no disk any more.
        self.leave(node);
        let known = version(&copied);
        let before = core::mem::replace(&mut self.nodes[node].holds, known.clone());
        for (replica, seq) in &before {
            let kept = known.get(replica).copied().unwrap_or(0);
            if *seq > kept {
                let from = self.forgetting.given_up.entry(*replica).or_insert(kept + 1);
                *from = (*from).min(kept + 1);
            }
        }
        if !self.is_forked() {
            let new = self.history.known(&known).filter(|(dot, _)| !covers(&before, *dot));
            let new: Vec<Dot> = new.map(|(dot, _)| dot).collect();
            self.applied += new.len() as u64;
            new.iter().try_for_each(|dot| check_past(&self.history, node, *dot, &known))?;
        }
        let here = &mut self.nodes[node];
        here.id = id;
        here.shares_id = false;
        here.unsure = Some(id);
        here.written = copied;
        here.copy.clone_from(&known);
        here.compact = true;
        let made = self.history.len();
        let Some(replica) = self.nodes[node].replica_mut() else { return Ok(false) };
        let again = replica.come_back(self.history.draft(id, known))?;
        self.visits.written_again(&again);
        let made = (self.history.len() - made) as u64;
        self.forgetting.rebased += made;
        let at = self.now;
        self.trace.line(at, node, || Happening::Edit(made));
        self.note_own(node)?;
        Ok(true)
    }

    /// What was safe when the faults ended, but for what its writer has done again.
    pub(super) fn without_given_up(&self, safe: &mut Version) {
        for (replica, from) in &self.forgetting.given_up {
            if let Some(seq) = safe.get_mut(replica) {
                *seq = (*seq).min(from - 1);
            }
        }
    }
}

fn vector(version: &Version) -> VersionVector {
    version.iter().map(|(replica, seq)| (*replica, *seq)).collect()
}
