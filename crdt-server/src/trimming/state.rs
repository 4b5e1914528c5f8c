use std::collections::BTreeSet;

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{Report, StabilityConfig, Trimmer};
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

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
    /// The how-many-th process it is that keeps this.
    generation: u64,
    /// Members that were heard of through others alone.
    relayed: BTreeSet<Slot>,
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
        let mut members: BTreeSet<Slot> = others.iter().copied().chain([own]).collect();
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
                generation: 1,
                relayed: BTreeSet::new(),
                trimmer_saved: Vec::new(),
                is_unsaved: true,
            });
        };
        let mut input = Reader::new(saved);
        let format = input.u8()?;
        if format != SAVED_FORMAT && format != SAVED_WITHOUT_RELAYED {
            return Err(DecodeErrorKind::UnknownTag.at(0));
        }
        let position = input.varint()?;
        let began_at = input.varint()?;
        let has_all = input.u8()? == 1;
        let (mut before, mut relayed) = (0, BTreeSet::new());
        if format == SAVED_FORMAT {
            before = input.varint()?;
            for _ in 0..input.count(Slot::BYTES_MIN)? {
                relayed.insert(Slot::decode(&mut input)?);
            }
        }
        relayed.retain(|slot| *slot != own && !retired.contains(slot));
        members.extend(&relayed);
        let trimmer_saved = input.rest().to_vec();
        let mut trimmer = Trimmer::from_saved(own, members, config, &trimmer_saved, now)?;
        for slot in retired {
            trimmer.drop_slot(*slot);
        }
        let floor = if has_all { trimmer.floor().clone() } else { Cut::new() };
        Ok(Self {
            own,
            trimmer,
            floor,
            position,
            began_at,
            now,
            generation: before + 1,
            relayed,
            trimmer_saved,
            // So that no other process numbers what it says as this one does.
            is_unsaved: true,
        })
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

    /// The same, of one that was heard of through others.
    pub(super) fn join_relayed(&mut self, slot: Slot, now: u64) {
        self.join(slot, now);
        self.is_unsaved |= self.relayed.insert(slot);
    }

    /// The how-many-th process it is that keeps this; saved with the first look.
    pub(super) const fn generation(&self) -> u64 {
        self.generation
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
        out.varint(self.generation);
        out.count(self.relayed.len());
        self.relayed.iter().for_each(|slot| slot.encode(&mut out));
        out.raw(&self.trimmer_saved);
        out.into_bytes()
    }
}

/// The first byte of what is saved.
const SAVED_FORMAT: u8 = 2;

/// The same, of what had neither a generation nor members that are known through others.
const SAVED_WITHOUT_RELAYED: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Slot = Slot(0);

    fn state(saved: Option<&[u8]>, retired: &[u16]) -> State {
        let retired: BTreeSet<Slot> = retired.iter().map(|slot| Slot(*slot)).collect();
        let config = StabilityConfig::default();
        State::new(OWN, &[Slot(1)], &retired, &config, saved, 0).expect("as it was saved")
    }

    #[test]
    fn who_was_heard_of_through_others_is_remembered_and_each_process_has_a_number() {
        let mut first = state(None, &[]);
        assert_eq!(first.generation(), 1);
        first.look(0);
        assert!(first.look(0).saved.is_none(), "nothing has changed");
        first.join_relayed(Slot(7), 0);
        let saved = first.look(0).saved.expect("another member");
        let mut second = state(Some(&saved), &[]);
        assert_eq!(second.generation(), 2);
        assert!(second.trimmer.tracker().tracks(Slot(7)));
        let saved = second.look(0).saved.expect("before anything is said");
        let third = state(Some(&saved), &[7]);
        assert_eq!(third.generation(), 3);
        assert!(!third.trimmer.tracker().tracks(Slot(7)), "it has retired");
    }

    #[test]
    fn what_earlier_releases_saved_is_read() {
        let mut first = state(None, &[]);
        first.look(0);
        let mut earlier = Writer::new();
        earlier.u8(SAVED_WITHOUT_RELAYED);
        earlier.varint(0);
        earlier.varint(0);
        earlier.u8(1);
        earlier.raw(&first.trimmer_saved);
        let second = state(Some(earlier.as_bytes()), &[]);
        assert_eq!(second.generation(), 1);
        assert!(second.trimmer.tracker().tracks(Slot(1)) && second.relayed.is_empty());
    }
}
