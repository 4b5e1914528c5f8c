//! The steps of a plan, as they come to pass.

use std::collections::BTreeSet;

use super::World;
use super::event::Event;
use crate::disk::WriteFate;
use crate::faults::Fault;
use crate::plan::{Action, Cut, Edit, Identity, Storage, Subject};
use crate::replica::{Replica, Violation};
use crate::trace::Happening;

impl<R: Replica> World<'_, R> {
    pub(super) fn step(&mut self, index: usize) -> Result<(), Violation> {
        let plan = self.plan;
        let action = &plan.steps[index].action;
        self.trace.add(&[self.now, 8, index as u64], &[]);
        let now = self.now;
        match action {
            Action::Edit { node, edits, fails } => return self.edit(*node, edits, *fails),
            Action::Burst { node, changes, places, chance } => {
                return self.burst(*node, *changes, |change| Edit::burst(*chance, change, *places));
            }
            Action::Visit { client, node, writes, has_token } => {
                return self.visit(*client, *node, *writes, *has_token);
            }
            Action::Compact { node } => {
                self.nodes[*node].compact = true;
                return self.settle(*node);
            }
            Action::Crash { node, down_ms, mid_write, fate } => {
                if self.nodes[*node].up && self.nodes[*node].is_honest() {
                    if *mid_write && matches!(self.nodes[*node].storage, Storage::Disk { .. }) {
                        self.nodes[*node].crash_mid_write = Some((*fate, *down_ms));
                    } else {
                        self.crash(*node, *fate, *down_ms);
                    }
                }
            }
            Action::Rot { node, down_ms, bit } => {
                if self.nodes[*node].up && self.nodes[*node].is_honest() {
                    self.crash(*node, WriteFate::Lost, *down_ms);
                    if self.nodes[*node].disk.rot(*bit) {
                        self.nodes[*node].damaged = true;
                        self.has_orphans |= plan.subject == Subject::Messages;
                        self.fault(*node, Fault::BitRot, || "a bit rots".into());
                    }
                }
            }
            Action::Pause { node, for_ms } => self.pause(*node, *for_ms),
            Action::Partition { cut, for_ms } => {
                let (fault, cut) = self.cut(cut);
                self.network.cut(index, fault, cut);
                self.queue.push(now + for_ms, Event::StepEnds(index));
            }
            Action::Clog { link, for_ms } => {
                self.network.clog(*link, (now + for_ms).min(plan.calm_at_ms));
            }
            Action::Disconnect { link, for_ms } => {
                let node = self.network.links[*link].ends[0];
                self.fault(node, Fault::Disconnect, || "disconnected".into());
                self.network.links[*link].not_before = now + for_ms;
                self.close_end(*link, 0);
                self.close_end(*link, 1);
                self.lose(*link, 0);
            }
            Action::ClockStep { node, by_ms } => {
                self.fault(*node, Fault::ClockStep, || format!("clock {by_ms:+} ms"));
                self.nodes[*node].clock.step(now, *by_ms);
                return self.reset_wake(*node);
            }
            Action::ClockDrift { node, ppm } => {
                self.fault(*node, Fault::ClockDrift, || format!("clock {ppm:+} ppm"));
                self.nodes[*node].clock.drift(now, *ppm);
                return self.reset_wake(*node);
            }
            Action::Backup { node } => {
                let here = &mut self.nodes[*node];
                if here.up && matches!(here.storage, Storage::Disk { .. }) {
                    here.backup = Some((here.disk.clone(), here.id));
                }
            }
            Action::Restore { node, down_ms, identity } => {
                if self.nodes[*node].up
                    && let Some(backup) = self.nodes[*node].backup.take()
                {
                    self.fault(*node, Fault::RestoredBackup, || format!("backup, {identity:?}"));
                    self.replace_disk(*node, backup, *identity, *down_ms);
                }
            }
            Action::Clone { from, to, identity } => {
                let on_disk = |node: usize| {
                    let node = &self.nodes[node];
                    node.is_honest() && node.up && matches!(node.storage, Storage::Disk { .. })
                };
                if on_disk(*from) && on_disk(*to) {
                    let copy = (self.nodes[*from].disk.clone(), self.nodes[*from].id);
                    let what = || format!("becomes a copy of node {from}, {identity:?}");
                    self.fault(*to, Fault::ClonedReplica, what);
                    self.nodes[*from].shares_id |= *identity != Identity::Mint;
                    self.replace_disk(*to, copy, *identity, 10);
                }
            }
        }
        Ok(())
    }

    fn edit(&mut self, node: usize, edits: &[Edit], fails: bool) -> Result<(), Violation> {
        if !self.writes(node) {
            return Ok(());
        }
        self.change(node, edits, fails)?;
        self.settle(node)
    }

    /// Many changes, of which the others and the disk hear afterwards.
    fn burst(
        &mut self,
        node: usize,
        changes: u32,
        edits: impl Fn(u32) -> Vec<Edit>,
    ) -> Result<(), Violation> {
        if !self.writes(node) {
            return Ok(());
        }
        (0..changes).try_for_each(|change| self.change(node, &edits(change), false))?;
        self.settle(node)
    }

    /// Whether the user of a node can write now.
    pub(super) fn writes(&mut self, node: usize) -> bool {
        let here = &mut self.nodes[node];
        let waits =
            here.cautious && here.replica().is_some_and(|replica| !replica.was_up_to_date());
        if !here.is_running() || waits {
            return false;
        }
        here.cautious = false;
        true
    }

    fn change(&mut self, node: usize, edits: &[Edit], fails: bool) -> Result<(), Violation> {
        let here = &mut self.nodes[node];
        let (id, known) = (here.id, here.holds.clone());
        let Some(replica) = here.replica_mut() else { return Ok(()) };
        let before = self.history.len();
        let applied = replica.edit(edits, fails, self.history.draft(id, known))?;
        let made = self.history.len().saturating_sub(before) as u64;
        let at = self.now;
        self.trace.line(at, node, || Happening::Edit(made));
        self.note_own(node)?;
        applied.iter().try_for_each(|step| self.apply(node, step))
    }

    fn pause(&mut self, node: usize, for_ms: u64) {
        if self.nodes[node].up && self.nodes[node].is_honest() {
            self.fault(node, Fault::Pause, || format!("pause, {for_ms} ms"));
            let until = (self.now + for_ms).max(self.nodes[node].paused_until.unwrap_or(0));
            self.nodes[node].paused_until = Some(until);
            self.queue.push(until, Event::Resume { node });
        }
    }

    pub(super) fn resume(&mut self, node: usize) -> Result<(), Violation> {
        let here = &mut self.nodes[node];
        let longer = here.paused_until.is_some_and(|until| until > self.now && !self.calm);
        if !here.up || longer {
            return Ok(());
        }
        if here.paused_until.take().is_some() {
            here.wake_at = None;
            let at = self.now;
            self.trace.line(at, node, || Happening::Back);
        }
        for held in core::mem::take(&mut self.nodes[node].held) {
            self.arrive(held.link, held.connection, held.end, held.bytes)?;
        }
        self.settle(node)
    }

    /// Deadlines are somewhere else now.
    fn reset_wake(&mut self, node: usize) -> Result<(), Violation> {
        if self.nodes[node].is_running() {
            self.nodes[node].wake_at = None;
            return self.settle(node);
        }
        Ok(())
    }

    fn cut(&self, cut: &Cut) -> (Fault, BTreeSet<(usize, usize)>) {
        let links = || self.network.links.iter().enumerate();
        match cut {
            Cut::Symmetric(side) | Cut::Asymmetric(side) => {
                let between = links().flat_map(|(link, here)| {
                    let [a, b] = here.ends.map(|node| side.contains(&node));
                    let both = matches!(cut, Cut::Symmetric(_));
                    let ends = [a != b && (both || a), a != b && (both || b)];
                    (0..2).filter(move |end| ends[*end]).map(move |end| (link, end))
                });
                let fault = match cut {
                    Cut::Symmetric(_) => Fault::SymmetricPartition,
                    _ => Fault::AsymmetricPartition,
                };
                (fault, between.collect())
            }
            Cut::Partial(cut) => {
                let ends = cut.iter().flat_map(|link| [(*link, 0), (*link, 1)]);
                (Fault::PartialPartition, ends.collect())
            }
        }
    }
}
