//! What may be forgotten.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::config::StabilityConfig;
use super::horizon::Horizon;
use super::peer::Peer;
use super::report::{Report, decode_slots, encode_slots};
use super::tracker::{StabilityTracker, UnknownMember};
use crate::cut::{Cut, Epoch, Slot};
use crate::quorum::majority;

/// Says how far a server may drop its history: the *trim cut*.
///
/// What is [stable](StabilityTracker) and older than the [horizon](Horizon) is a candidate. That is not
/// enough: servers do not agree to the minute on what is old, and if one dropped its history while another
/// still admitted an event from before, it could never take that event in. So it goes in two steps.
///
/// 1. A server raises its *floor* to the candidate. From then on it refuses events that have not seen
///    all of the floor (`BeforeTrim`), and tells the others so with each [`Report`].
/// 2. The trim cut is what is below the floors of all servers, where that of another one counts once
///    everything was applied here that it had applied when it said so.
///
/// What a server *trusts* another one to have looked at it takes in without a look of its own; what
/// comes from anybody else, a browser or a member that has lapsed, has to have seen the floor. Who has
/// lapsed is each server's own judgement; so the floors that count are those of all whom it trusts, and
/// whom these trust, and so on. A member that has come back is trusted again when it has taken over the
/// floor.
///
/// Then *every event that comes from a trusted server, and is new, has seen the trim cut*, whoever was
/// cut off from whom, and for how long. What a member admitted that had lapsed for longer than the
/// horizon may have to be refused: then it retires, and comes back as another one with a copy of what the
/// others have, and its own edits issued anew, as a browser does.
///
/// # Documents
///
/// Cuts are of positions. Which events of which document these are is in the server's admission log: for a
/// document a cut comes to the version vector of its events that were admitted in the cut. What an event
/// must have seen is the floor of its document; what its document may drop is the trim cut.
///
/// # Cost
///
/// Memory does not depend on the number of events, documents or browsers: beside the parts there are two
/// statements kept of each other server. A report costs O(members × slots).
///
/// ```
/// use crdt_causal::cut::{Cut, Slot};
/// use crdt_causal::stability::{StabilityConfig, Trimmer};
///
/// const HOUR: u64 = 3_600_000;
/// let members = [Slot(0), Slot(1)];
/// let mut servers = members.map(|own| Trimmer::new(own, members, StabilityConfig::default(), 0));
/// // Both apply what either admits, and tell each other each hour.
/// for hour in 0..=31 * 24 {
///     let applied = Cut::from_iter([(Slot(0), 10 * hour), (Slot(1), hour)]);
///     for at in [0, 1] {
///         servers[at].applied(&applied, hour * HOUR);
///         let report = servers[at].report();
///         servers[1 - at].receive(members[at], &report, hour * HOUR)?;
///     }
/// }
/// // Everything from the first day, but for a few hours, and nothing younger.
/// let trim = servers[0].trim_cut();
/// assert!((10 * 17..=10 * 24).contains(&trim.get(Slot(0))));
/// assert!(servers[0].floor() >= trim);
/// # Ok::<(), crdt_causal::stability::UnknownMember>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trimmer {
    own: Slot,
    tracker: StabilityTracker,
    horizon: Horizon,
    applied: Cut,
    floor: Cut,
    trim: Cut,
    peers: BTreeMap<Slot, Peer>,
    /// Whether there is something that has to be written.
    is_unsaved: bool,
}

impl Trimmer {
    /// The server `own` of a realm that is new.
    ///
    /// # Panics
    ///
    /// If `own` is not among the members.
    #[must_use]
    pub fn new(
        own: Slot,
        members: impl IntoIterator<Item = Slot>,
        config: StabilityConfig,
        now: u64,
    ) -> Self {
        let members: BTreeSet<Slot> = members.into_iter().collect();
        let others = members.iter().filter(|member| **member != own);
        Self {
            own,
            tracker: StabilityTracker::new(own, members.iter().copied(), config.lease_ms, now),
            peers: others.map(|member| (*member, Peer::new(true, members.clone()))).collect(),
            horizon: Horizon::new(config.horizon, now),
            applied: Cut::new(),
            floor: Cut::new(),
            trim: Cut::new(),
            is_unsaved: true,
        }
    }

    /// Goes on with what [`poll_save`](Self::poll_save) gave last. What the others hold is heard of again.
    ///
    /// # Errors
    ///
    /// If these are not the bytes that were saved.
    ///
    /// # Panics
    ///
    /// If `own` is not among the members.
    pub fn from_saved(
        own: Slot,
        members: impl IntoIterator<Item = Slot>,
        config: StabilityConfig,
        saved: &[u8],
        now: u64,
    ) -> Result<Self, DecodeError> {
        let mut input = Reader::new(saved);
        let stable = Cut::decode(&mut input)?;
        let floor = Cut::decode(&mut input)?;
        let at = input.position();
        let trim = Cut::decode(&mut input)?;
        if !stable.dominates(&trim) || !floor.dominates(&trim) {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        let trusted = decode_slots(&mut input)?;
        let horizon = Horizon::decode_saved(config.horizon, &mut input, now)?;
        input.finish()?;
        let members: BTreeSet<Slot> = members.into_iter().collect();
        let others = members.iter().filter(|member| **member != own);
        let peer = |member: &Slot| (*member, Peer::new(trusted.contains(member), members.clone()));
        let tracker =
            StabilityTracker::resumed(own, members.iter().copied(), stable, config.lease_ms, now);
        Ok(Self {
            own,
            peers: others.map(peer).collect(),
            tracker,
            applied: horizon.last().clone(),
            horizon,
            floor,
            trim,
            is_unsaved: false,
        })
    }

    /// What has to be written, if anything has changed that must not be forgotten: the stable cut, the
    /// floor, the trim cut, whom it trusts and the horizon. A few times a day, and some kilobytes.
    ///
    /// It has to be durable before another [`report`](Self::report) is sent, and before a document drops
    /// anything.
    pub fn poll_save(&mut self) -> Option<Vec<u8>> {
        if !core::mem::take(&mut self.is_unsaved) {
            return None;
        }
        let mut out = Writer::new();
        self.tracker.stable().encode(&mut out);
        self.floor.encode(&mut out);
        self.trim.encode(&mut out);
        encode_slots(&self.trusted(), &mut out);
        self.horizon.encode_saved(&mut out);
        Some(out.into_bytes())
    }

    /// The server holds so much now, durably. To be called whenever that grows, and at
    /// [`poll_timeout`](Self::poll_timeout) though it has not.
    ///
    /// # Panics
    ///
    /// If it has shrunk.
    pub fn applied(&mut self, applied: &Cut, now: u64) {
        assert!(applied.dominates(&self.applied), "what was applied stays so");
        self.applied.clone_from(applied);
        self.is_unsaved |= self.horizon.record(applied, now);
        self.tracker.acknowledge(self.own, applied, now).expect("it is a member");
        self.update();
    }

    /// What to tell the others: after each change that matters, and several times in a lease anyway.
    /// The epoch is the caller's to fill in.
    #[must_use]
    pub fn report(&self) -> Report {
        Report {
            epoch: Epoch::default(),
            applied: self.applied.clone(),
            floor: self.floor.clone(),
            trusted: self.trusted(),
        }
    }

    /// Another member has told where it is. Its slots have to be of the epoch here.
    ///
    /// # Errors
    ///
    /// If it is no member, or no longer.
    pub fn receive(
        &mut self,
        member: Slot,
        report: &Report,
        now: u64,
    ) -> Result<(), UnknownMember> {
        let peer = self.peers.get_mut(&member).ok_or(UnknownMember { slot: member })?;
        peer.heard(report);
        self.tracker.acknowledge(member, &report.applied, now)?;
        if !report.trusted.contains(&self.own) {
            // It was away, or is new. What the others may have dropped it must not admit.
            let mut floor = report.floor.clone();
            floor.retain(|slot| self.tracker.tracks(slot));
            if !self.floor.dominates(&floor) {
                self.floor.join(&floor);
                self.is_unsaved = true;
            }
        }
        self.update();
        Ok(())
    }

    /// Lets leases end. To be called at [`poll_timeout`](Self::poll_timeout).
    pub fn handle_timeout(&mut self, now: u64) {
        self.tracker.handle_timeout(now);
        self.is_unsaved |= self.horizon.record(&self.applied, now);
        self.update();
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> u64 {
        let horizon = self.horizon.poll_timeout();
        self.tracker.poll_timeout().map_or(horizon, |lease| lease.min(horizon))
    }

    /// What an event must have seen that comes from anybody who is not [trusted](Self::is_trusted).
    #[must_use]
    pub const fn floor(&self) -> &Cut {
        &self.floor
    }

    /// What documents may drop. It never shrinks.
    #[must_use]
    pub const fn trim_cut(&self) -> &Cut {
        &self.trim
    }

    /// Whether what comes from a member, its own events or those of others, is taken in without a look at
    /// the floor.
    #[must_use]
    pub fn is_trusted(&self, member: Slot) -> bool {
        member == self.own || self.peers.get(&member).is_some_and(|peer| peer.is_trusted)
    }

    /// What all live members hold, and who is live.
    #[must_use]
    pub const fn tracker(&self) -> &StabilityTracker {
        &self.tracker
    }

    /// What was applied when.
    #[must_use]
    pub const fn horizon(&self) -> &Horizon {
        &self.horizon
    }

    /// Takes in a member. It is trusted when it holds what is stable and has taken over the floor.
    pub fn join(&mut self, member: Slot, now: u64) {
        self.tracker.join(member, now);
        if member != self.own {
            let members = self.members();
            self.peers.entry(member).or_insert_with(|| Peer::new(false, members));
        }
    }

    /// A member leaves. Its slot stays in the cuts until it is dropped.
    ///
    /// # Panics
    ///
    /// If it is this one.
    pub fn leave(&mut self, member: Slot) {
        assert!(member != self.own, "a server that has left goes on with nothing");
        self.tracker.leave(member);
        self.peers.remove(&member);
        self.update();
    }

    /// Takes the slot of a member that has left out of all cuts.
    ///
    /// # Panics
    ///
    /// If it is the slot of a member.
    pub fn drop_slot(&mut self, slot: Slot) {
        self.tracker.drop_slot(slot);
        self.horizon.drop_slot(slot);
        for cut in [&mut self.applied, &mut self.floor, &mut self.trim] {
            cut.set(slot, 0);
        }
        for peer in self.peers.values_mut() {
            peer.drop_slot(slot);
        }
        self.is_unsaved = true;
    }

    fn members(&self) -> BTreeSet<Slot> {
        self.peers.keys().copied().chain([self.own]).collect()
    }

    fn trusted(&self) -> BTreeSet<Slot> {
        self.members().into_iter().filter(|member| self.is_trusted(*member)).collect()
    }

    fn update(&mut self) {
        for peer in self.peers.values_mut() {
            peer.meet(&self.applied);
        }
        self.judge();
        if !self.tracker.is_quorate() {
            return;
        }
        let mut candidate = self.tracker.stable().clone();
        // A planted bug: what everybody has may go at once.
        if !is_planted("forget-the-horizon") {
            candidate.meet(self.horizon.passed());
        }
        if !self.floor.dominates(&candidate) {
            self.floor.join(&candidate);
            self.is_unsaved = true;
        }
        let (mut floor, trusted) = self.floor_through(self.trusted());
        floor.meet(&self.floor);
        // A floor that was taken over may be ahead of what is held here.
        floor.meet(self.tracker.stable());
        // A planted bug: what is old enough goes, whoever has it.
        if is_planted("trim-beyond-the-stable-cut") {
            floor.clone_from(self.horizon.passed());
        }
        if trusted.len() >= majority(self.peers.len() + 1) && !self.trim.dominates(&floor) {
            self.trim.join(&floor);
            self.is_unsaved = true;
        }
    }

    /// Finds out who is trusted. Trust ends with the lease, and outlives a restart of this server: floors do not shrink
    /// meanwhile. It begins anew only where nothing can come through the member that has not seen the floor here: others
    /// rely on that.
    fn judge(&mut self) {
        let judged = self.peers.iter().map(|(member, peer)| {
            let goes_on = peer.is_trusted && self.tracker.has_lease(*member);
            let begins = || {
                let (floor, _) = self.floor_through([*member].into());
                self.tracker.is_live(*member) && floor.dominates(&self.floor)
            };
            (*member, goes_on || begins())
        });
        let judged: Vec<(Slot, bool)> = judged.collect();
        for ((_, is_trusted), peer) in judged.into_iter().zip(self.peers.values_mut()) {
            self.is_unsaved |= is_trusted != peer.is_trusted;
            peer.is_trusted = is_trusted;
        }
    }

    /// What is below the floors of all others through whom an event can come to these members without a
    /// look at the floor here; and who they are.
    fn floor_through(&self, members: BTreeSet<Slot>) -> (Cut, BTreeSet<Slot>) {
        let mut floor: Option<Cut> = None;
        let (mut open, mut through) = (Vec::from_iter(members.clone()), members);
        while let Some(member) = open.pop() {
            if member == self.own {
                continue;
            }
            // Of one that is no member here, or not yet, nothing is known.
            let Some(peer) = self.peers.get(&member) else { return (Cut::new(), through) };
            match &mut floor {
                Some(floor) => floor.meet(peer.floor()),
                None => floor = Some(peer.floor().clone()),
            }
            open.extend(peer.trusts().iter().copied().filter(|next| through.insert(*next)));
        }
        // Through nobody else nothing comes.
        (floor.unwrap_or_else(|| self.floor.clone()), through)
    }

    /// Panics if the parts contradict each other. For tests.
    pub fn check_invariants(&self) {
        self.tracker.check_invariants();
        self.horizon.check_invariants();
        assert!(self.floor.dominates(&self.trim), "nothing is dropped that may still be missed");
        assert!(self.tracker.stable().dominates(&self.trim), "nor anything that is not everywhere");
        assert!(
            self.peers.iter().all(|(slot, peer)| !peer.is_trusted || self.tracker.has_lease(*slot))
        );
    }
}
