//! What machines write, what a crash leaves of it, and how they start again.

use super::World;
use super::event::Event;
use super::keeper::{Keeper, framed, resumed, unframed};
use super::node::Body;
use super::standing::Standing;
use crate::disk::{Disk, WriteFate};
use crate::faults::Fault;
use crate::journal;
use crate::model::{Version, includes, version};
use crate::plan::{Identity, Storage, Subject};
use crate::replica::{Replica, Violation};
use crate::trace::Happening;

/// A file of so many records is written anew.
const RECORDS_MAX: u32 = 24;

impl<R: Replica> World<'_, R> {
    /// Begins to write what was learned since the last time.
    pub(super) fn write(&mut self, node: usize) {
        let now = self.now;
        let here = &mut self.nodes[node];
        let Body::Honest(Some(replica)) = &mut here.body else { return };
        let reached = replica.version();
        let Storage::Disk { sync_ms } = here.storage else {
            replica.set_durable(&reached);
            here.truth = version(&reached);
            return;
        };
        let grew = !here.written.dominates(&reached);
        let is_unsaved = here.keeper.as_ref().is_some_and(Keeper::is_unsaved);
        if here.disk.is_writing() || !(grew || here.compact || is_unsaved) {
            return;
        }
        let id = here.id;
        let trims = self.plan.trimming.is_some();
        let mut saved = here.keeper.as_mut().map(Keeper::begin_write).unwrap_or_default();
        if here.compact || here.records >= RECORDS_MAX {
            here.compact = false;
            here.records = 1;
            let mut whole = replica.record_since(&crdt_core::VersionVector::new());
            if trims {
                // The file that goes has what was saved before.
                if saved.is_empty() {
                    saved.clone_from(&here.saved);
                }
                whole = framed(id, &saved, &whole);
            }
            here.disk.replace(journal::record(0, &whole));
        } else {
            let mut record = replica.record_since(&here.written);
            if trims {
                record = framed(id, &saved, &record);
            }
            here.disk.append(journal::record(here.records, &record));
            here.records += 1;
        }
        if !saved.is_empty() {
            here.saved = saved;
        }
        here.written = reached;
        let boot = here.boots;
        if here.crash_mid_write.is_some() {
            self.queue.push(now + sync_ms / 2, Event::MidWrite { node, boot });
        }
        self.queue.push(now + sync_ms, Event::Synced { node, boot });
    }

    pub(super) fn synced(&mut self, node: usize, boot: u64) -> Result<(), Violation> {
        let here = &mut self.nodes[node];
        if here.boots != boot || !here.disk.is_writing() {
            return Ok(());
        }
        here.disk.sync();
        here.truth = version(&here.written);
        here.copy = Version::new();
        here.unsure = None;
        if let Some(keeper) = &mut here.keeper {
            keeper.synced();
        }
        self.note_admitted(node);
        let here = &mut self.nodes[node];
        if self.plan.trimming.is_some()
            && here.is_running()
            && let Body::Honest(Some(replica)) = &mut here.body
        {
            // A server that always has something to write would never say what it has written.
            replica.set_durable(&here.written);
        }
        self.trace.add(&[self.now, 4, node as u64], &[]);
        let at = self.now;
        self.trace.line(at, node, || Happening::Synced);
        // A process that stands still hears of it later.
        if self.nodes[node].is_running() { self.settle(node) } else { Ok(()) }
    }

    pub(super) fn mid_write(&mut self, node: usize, boot: u64) -> Result<(), Violation> {
        if self.nodes[node].boots == boot
            && let Some((fate, down_ms)) = self.nodes[node].crash_mid_write.take()
        {
            self.crash(node, fate, down_ms);
        }
        Ok(())
    }

    /// A process ends without warning.
    pub(super) fn crash(&mut self, node: usize, fate: WriteFate, down_ms: u64) {
        self.fault(node, Fault::Crash, || format!("crash, {fate:?}"));
        let crashed = self.nodes[node].disk.crash(fate);
        if crashed.wrote {
            match fate {
                WriteFate::Kept => {}
                WriteFate::Lost => self.faults.count(Fault::LostWrite),
                WriteFate::Torn(_) => self.faults.count(Fault::TornWrite),
                WriteFate::Flipped(_) => self.faults.count(Fault::FlippedWrite),
                WriteFate::Misdirected(_) => self.faults.count(Fault::MisdirectedWrite),
            }
        }
        self.nodes[node].damaged |= crashed.damaged;
        self.stop(node, down_ms);
    }

    /// A process is no more, and is going to start again.
    pub(super) fn stop(&mut self, node: usize, down_ms: u64) {
        self.leave(node);
        let here = &mut self.nodes[node];
        here.body = Body::Honest(None);
        here.up = false;
        here.boots += 1;
        here.paused_until = None;
        here.held.clear();
        here.wake_at = None;
        let loses_all = here.storage == Storage::Memory;
        if loses_all {
            here.truth = Version::new();
        }
        self.has_orphans |= self.plan.subject == Subject::Messages && (loses_all || here.damaged);
        let boot = here.boots;
        self.trace.add(&[self.now, 5, node as u64], &[]);
        for link in 0..self.network.links.len() {
            let here = &mut self.network.links[link];
            if here.ends.contains(&node) {
                // The other end notices when someone connects again.
                let end = here.end_of(node);
                here.open[end] = false;
            }
        }
        self.queue.push(self.now + down_ms, Event::Boot { node, boot });
    }

    pub(super) fn boot(&mut self, node: usize, boot: u64) -> Result<(), Violation> {
        if self.nodes[node].boots != boot || self.nodes[node].up {
            return Ok(());
        }
        let limits = self.plan.limits;
        let seed = self.plan.seed;
        let here = &mut self.nodes[node];
        let file = journal::recover(here.disk.read());
        let odd = here.identity.take();
        let foreign = odd.is_some();
        // Without proof that nobody else writes under the id it takes another one.
        let mut records = file.records.clone();
        let mut saved: &[u8] = &[];
        if self.plan.trimming.is_some() {
            for record in &mut records {
                let (id, state, rest) = unframed(record).expect("it was written so");
                here.id = id;
                saved = if state.is_empty() { saved } else { state };
                *record = rest;
            }
        }
        let proof = file.clean && here.storage != Storage::Memory && odd != Some(Identity::Mint);
        if !proof {
            here.minted += 1;
            here.id = Self::mint(seed, node, here.minted);
        }
        here.shares_id = proof && (foreign || here.shares_id);
        here.cautious = odd == Some(Identity::Cautious);
        let mut replica = R::new(here.id, &limits);
        for record in &records {
            if let Err(error) = replica.load(record) {
                let what = format!("node {node} cannot read what it wrote: {error}");
                return Err(Violation::new("storage", what));
            }
        }
        here.records = file.records.len() as u32;
        let (len, saved) = (file.len, saved.to_vec());
        if file.clean {
            here.disk.truncate(len);
        } else {
            // Mended before it has the new id in it, it would be a sound file of the old id after the next crash.
            here.compact = true;
        }
        if let Some(plan) = self.plan.trimming.filter(|plan| node < plan.servers) {
            let now = here.clock.read(self.now);
            here.keeper = resumed(plan, node, &saved, now);
            here.saved = saved;
        }
        if let Some(plan) = self.plan.levels.as_ref().filter(|plan| node < plan.servers) {
            here.standing = Some(Standing::new(plan, node));
        }
        here.copy = Version::new();
        let unsure = here.unsure.take();
        here.written = replica.version();
        replica.set_durable(&here.written);
        let found = version(&here.written);
        let mut truth = core::mem::replace(&mut here.truth, found.clone());
        let damaged = core::mem::take(&mut here.damaged);
        here.holds.clone_from(&found);
        here.up = true;
        here.body = Body::Honest(Some(replica));
        let id = here.id;
        // A server lets in nobody whom it would have turned away before it ended.
        self.raise_floor(node);
        self.trace.add(&[self.now, 6, node as u64], &[]);
        let at = self.now;
        self.trace.line(at, node, || Happening::Back);
        // It may have ended before it could note that its file with a copy was whole.
        self.without_given_up(&mut truth);
        if !damaged && !foreign && !includes(&found, &truth) {
            let what =
                format!("node {node} has lost what was synced: had {truth:?}, has {found:?}");
            return Err(Violation::new("durability", what));
        }
        if proof && !self.nodes[node].shares_id && !self.is_forked() {
            self.forget_unsent(node, id, &found)?;
            if let Some(id) = unsure {
                self.forget_unsent(node, id, &found)?;
            }
        }
        for link in 0..self.network.links.len() {
            if self.network.links[link].ends.contains(&node) {
                self.lose(link, 10);
            }
        }
        self.settle(node)
    }

    /// What a crash took may be done again under the same dots, if nobody has heard of it.
    fn forget_unsent(
        &mut self,
        node: usize,
        id: crdt_core::ReplicaId,
        found: &Version,
    ) -> Result<(), Violation> {
        let seq = found.get(&id).copied().unwrap_or(0);
        for (index, other) in self.nodes.iter().enumerate() {
            if index != node && other.holds.get(&id).is_some_and(|held| *held > seq) {
                let what = format!(
                    "node {index} holds events of node {node} that were not durable there: {:?}",
                    other.holds.get(&id)
                );
                return Err(Violation::new("durability", what));
            }
        }
        self.history.forget(id, seq);
        Ok(())
    }

    /// A file takes the place of another one: a backup, or what another machine had.
    pub(super) fn replace_disk(
        &mut self,
        node: usize,
        (mut disk, id): (Disk, crdt_core::ReplicaId),
        identity: Identity,
        down_ms: u64,
    ) {
        let _ = disk.crash(WriteFate::Lost);
        let here = &mut self.nodes[node];
        here.disk = disk;
        here.id = id;
        here.identity = Some(identity);
        here.damaged = true;
        here.truth = Version::new();
        self.stop(node, down_ms);
    }
}
