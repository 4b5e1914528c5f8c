use std::collections::BTreeSet;

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{Report, StabilityConfig, Trimmer};
use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, Writer};

/// The trimmer of a server, and its floor as a position of the server's own.
///
/// The trimmer's floor is a cut of the positions of all servers, and the admission log here has only
/// own ones. Of each cut that was applied at the beginning of a stratum it is known that all of it was
/// here by then. So the floor's position is that of the first of these cuts which has all of the
/// floor: it stands for no less, and for little more.
///
/// A floor may be taken over from another server before all of it is here. Then there is no such
/// position yet, and what comes from clients has to wait.
pub(super) struct State {
    own: Slot,
    trimmer: Trimmer,
    /// What `position` is of.
    floor: Cut,
    position: u64,
    /// When the stratum at `position` began, by the trimmer's clock.
    began_at: u64,
    now: u64,
    /// What the trimmer last gave to be saved.
    trimmer_saved: Vec<u8>,
    is_unsaved: bool,
}

/// What came of a look.
pub(super) struct Look {
    /// To be written before anybody goes by the rest.
    pub(super) saved: Option<Vec<u8>>,
    pub(super) floor: u64,
    pub(super) lags: bool,
    pub(super) trim: Option<u64>,
    /// The trimmer's floor, and whom it trusts: to be told.
    pub(super) floor_cut: Cut,
    pub(super) trusted: BTreeSet<Slot>,
}

impl State {
    pub(super) fn new(
        own: Slot,
        others: &[Slot],
        retired: &BTreeSet<Slot>,
        config: &StabilityConfig,
        saved: Option<&[u8]>,
        now: u64,
    ) -> Result<Self, DecodeError> {
        let members = others.iter().copied().chain([own]);
        let config = config.clone();
        let Some(saved) = saved else {
            let trimmer = Trimmer::new(own, members, config, now);
            return Ok(Self {
                own,
                trimmer,
                floor: Cut::new(),
                position: 0,
                began_at: now,
                now,
                trimmer_saved: Vec::new(),
                is_unsaved: true,
            });
        };
        let mut input = Reader::new(saved);
        if input.u8()? != SAVED_FORMAT {
            return Err(DecodeErrorKind::UnknownTag.at(0));
        }
        let position = input.varint()?;
        let began_at = input.varint()?;
        let has_all = input.u8()? == 1;
        let trimmer_saved = input.rest().to_vec();
        let mut trimmer = Trimmer::from_saved(own, members, config, &trimmer_saved, now)?;
        for slot in retired {
            trimmer.drop_slot(*slot);
        }
        let floor = if has_all { trimmer.floor().clone() } else { Cut::new() };
        let is_unsaved = false;
        Ok(Self { own, trimmer, floor, position, began_at, now, trimmer_saved, is_unsaved })
    }

    pub(super) const fn floor(&self) -> u64 {
        self.position
    }

    /// Whether the floor's position does not stand for all of it.
    pub(super) fn lags(&self) -> bool {
        !self.floor.dominates(self.trimmer.floor())
    }

    /// The own position up to which history may be forgotten, if there is any.
    pub(super) fn trim(&self) -> Option<u64> {
        // What is to be forgotten is below the floor, as far as that can be said here.
        let trim = self.trimmer.trim_cut().get(self.own).min(self.position);
        (trim > 0).then_some(trim)
    }

    pub(super) fn floor_age_ms(&self) -> u64 {
        if self.position == 0 { 0 } else { self.now.saturating_sub(self.began_at) }
    }

    pub(super) fn elapsed_ms(&self) -> u64 {
        self.trimmer.horizon().elapsed_ms()
    }

    pub(super) fn is_trusted(&self, slot: Slot) -> bool {
        self.trimmer.is_trusted(slot)
    }

    pub(super) fn join(&mut self, slot: Slot, now: u64) {
        self.trimmer.join(slot, now);
    }

    pub(super) fn receive(&mut self, from: Slot, report: &Report, now: u64) {
        // One that has left tells nothing any more.
        let _ = self.trimmer.receive(from, report, now);
    }

    pub(super) fn retain_known(&self, cut: &mut Cut) {
        cut.retain(|slot| self.trimmer.tracker().tracks(slot));
    }

    /// Whether a stratum is to begin for the next look.
    pub(super) fn is_due(&self, now: u64) -> bool {
        self.lags() || self.trimmer.poll_timeout() <= now
    }

    /// A stratum has begun, and all of `applied` was here before.
    pub(super) fn applied(&mut self, applied: &Cut, now: u64) {
        self.now = now;
        self.trimmer.applied(applied, now);
        self.settle_floor();
        if self.lags() && applied.dominates(self.trimmer.floor()) {
            self.set_floor(applied.get(self.own), now);
        }
    }

    /// What there is to go by now.
    pub(super) fn look(&mut self, now: u64) -> Look {
        self.now = now;
        self.settle_floor();
        if let Some(saved) = self.trimmer.poll_save() {
            self.trimmer_saved = saved;
            self.is_unsaved = true;
        }
        let is_unsaved = std::mem::take(&mut self.is_unsaved);
        Look {
            saved: is_unsaved.then(|| self.envelope()),
            floor: self.position,
            lags: self.lags(),
            trim: self.trim(),
            floor_cut: self.trimmer.floor().clone(),
            trusted: self.trimmer.report().trusted,
        }
    }

    fn settle_floor(&mut self) {
        if !self.lags() {
            return;
        }
        if let Some((age, cut)) = self.trimmer.horizon().first_with(self.trimmer.floor()) {
            let position = cut.get(self.own);
            self.set_floor(position, self.now.saturating_sub(age));
        }
    }

    fn set_floor(&mut self, position: u64, began_at: u64) {
        self.floor = self.trimmer.floor().clone();
        if position > self.position {
            (self.position, self.began_at) = (position, began_at);
        }
        self.is_unsaved = true;
    }

    fn envelope(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(SAVED_FORMAT);
        out.varint(self.position);
        out.varint(self.began_at);
        out.u8(u8::from(!self.lags()));
        out.raw(&self.trimmer_saved);
        out.into_bytes()
    }
}

/// The first byte of what is saved.
const SAVED_FORMAT: u8 = 1;
