//! A server's trimmer, and what of it is on the server's disk.

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{HorizonConfig, Report, StabilityConfig, Trimmer};
use crdt_core::ReplicaId;
use crdt_core::codec::{Decode, Encode, Reader, Writer};

use crate::plan::TrimmingPlan;

/// How many cuts a server remembers of the horizon.
pub(super) const SAMPLES: u64 = 16;
/// Longer than any run: no server is given up here.
const LEASE_MS: u64 = 3_600_000;

/// What a server knows of what may be forgotten, and what of that is on its disk.
pub(super) struct Keeper {
    pub(super) trimmer: Trimmer,
    /// What has to be written, is being written, and was.
    unsaved: Option<Saved>,
    syncing: Option<Saved>,
    pub(super) said: Option<(Report, Cut)>,
    /// Of each server, how much of what became durable there is durable here.
    pub(super) has: Vec<u64>,
}

/// The state of a trimmer, and what may be done once it is durable.
struct Saved {
    bytes: Vec<u8>,
    report: Report,
    trim: Cut,
}

fn config(plan: TrimmingPlan) -> StabilityConfig {
    let mut horizon = HorizonConfig::default();
    horizon.horizon_ms = plan.horizon_ms;
    horizon.samples_max = SAMPLES as usize;
    let mut config = StabilityConfig::default();
    config.lease_ms = LEASE_MS;
    config.horizon = horizon;
    config
}

fn members(plan: TrimmingPlan) -> impl Iterator<Item = Slot> {
    (0..plan.servers).map(|server| Slot(server as u16))
}

/// Where somebody starts again: what was saved last.
pub(super) fn resumed(plan: TrimmingPlan, node: usize, saved: &[u8], now: u64) -> Option<Keeper> {
    let own = Slot(node as u16);
    let trimmer = if saved.is_empty() {
        Trimmer::new(own, members(plan), config(plan), now)
    } else {
        Trimmer::from_saved(own, members(plan), config(plan), saved, now).ok()?
    };
    Some(Keeper { trimmer, unsaved: None, syncing: None, said: None, has: vec![0; plan.servers] })
}

/// A record of a machine in such a run: who it writes as, what its trimmer has to remember, what it has learned.
pub(super) fn framed(id: ReplicaId, saved: &[u8], record: &[u8]) -> Vec<u8> {
    let mut out = Writer::new();
    id.encode(&mut out);
    out.bytes(saved);
    let mut framed = out.into_bytes();
    framed.extend(record);
    framed
}

/// What [`framed`] was made of.
pub(super) fn unframed(bytes: &[u8]) -> Option<(ReplicaId, &[u8], &[u8])> {
    let mut input = Reader::new(bytes);
    let id = ReplicaId::decode(&mut input).ok()?;
    let saved = input.bytes().ok()?;
    let record = input.take(input.remaining()).ok()?;
    Some((id, saved, record))
}

impl Keeper {
    /// What goes into the write that begins now.
    pub(super) fn begin_write(&mut self) -> Vec<u8> {
        self.syncing = self.unsaved.take();
        self.syncing.as_ref().map(|saved| saved.bytes.clone()).unwrap_or_default()
    }

    pub(super) const fn is_unsaved(&self) -> bool {
        self.unsaved.is_some()
    }

    pub(super) fn synced(&mut self) {
        if let Some(Saved { report, trim, .. }) = self.syncing.take() {
            self.said = Some((report, trim));
        }
    }

    /// Brings what may be said up to date with what the trimmer says.
    pub(super) fn poll(&mut self) {
        let (report, trim) = (self.trimmer.report(), self.trimmer.trim_cut().clone());
        match self.trimmer.poll_save() {
            Some(bytes) => self.unsaved = Some(Saved { bytes, report, trim }),
            None if self.unsaved.is_none() && self.syncing.is_none() => {
                self.said = Some((report, trim));
            }
            None => {}
        }
    }
}
