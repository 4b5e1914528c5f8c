//! What all members hold.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use super::lease::Leases;
use super::tournament::{ABSENT, Tournament};
use crate::cut::{Cut, Slot};
use crate::quorum::majority;

/// Computes the *stable cut*: the events that every live member is known to hold.
///
/// The members are the servers of a realm, declared beforehand, and not the browsers: of those
/// nobody knows whether they will ever return. Each member tells the others again and again how far
/// it has got, and so the stable cut is the meet of what was last told. Nothing concurrent to a
/// stable event can come from a live member any more; that is what makes it safe to forget things.
///
/// Each member holds a *lease* that lasts a while beyond its last word. One that is silent for longer
/// has *lapsed* and holds nothing back. It counts again once it holds all that has become stable
/// without it, and so does a member that joins: the stable cut never shrinks. It grows only while a
/// majority of the members is live, so that of two halves that cannot see each other one at most goes
/// on.
///
/// Cost: an acknowledgement is one look at each of its entries, and ⌈log₂ members⌉ comparisons at
/// most for each entry that has grown ([`examined`](Self::examined) counts both); members that
/// come, go and lapse cost O(slots × log members). Memory is O(slots × members) numbers.
///
/// Wuu and Bernstein, *Efficient solutions to the replicated log and dictionary problems* (1984);
/// Baquero, Almeida, Shoker, *Making operation-based CRDTs operation-based* (2014); Gray and
/// Cheriton, *Leases* (1989).
///
/// ```
/// use crdt_causal::cut::{Cut, Slot};
/// use crdt_causal::stability::StabilityTracker;
///
/// const HOUR: u64 = 3_600_000;
/// let (own, b, c) = (Slot(0), Slot(1), Slot(2));
/// let mut tracker = StabilityTracker::new(own, [own, b, c], HOUR, 0);
/// tracker.acknowledge(own, &Cut::from_iter([(own, 7), (b, 4)]), 0)?;
/// tracker.acknowledge(b, &Cut::from_iter([(own, 5), (b, 4)]), 0)?;
/// assert!(tracker.stable().is_empty(), "nothing was heard of c");
/// tracker.acknowledge(c, &Cut::from_iter([(own, 6)]), 0)?;
/// assert_eq!(tracker.stable(), &Cut::from_iter([(own, 5)]));
///
/// // c is silent for an hour. The other two are a majority, and go on without it.
/// tracker.acknowledge(b, &Cut::from_iter([(own, 7), (b, 4)]), HOUR / 2)?;
/// assert_eq!(tracker.poll_timeout(), Some(HOUR));
/// assert!(tracker.handle_timeout(HOUR), "the stable cut has grown");
/// assert_eq!(tracker.stable(), &Cut::from_iter([(own, 7), (b, 4)]));
/// # Ok::<(), crdt_causal::stability::UnknownMember>(())
/// ```
#[derive(Clone, Debug)]
pub struct StabilityTracker {
    own: Slot,
    members: BTreeMap<Slot, Member>,
    leases: Leases,
    /// For each slot that is tracked, the last position that each live member holds.
    columns: BTreeMap<Slot, Tournament>,
    /// Seats in the columns that nobody has, each below `seats`.
    free: Vec<usize>,
    seats: usize,
    live: usize,
    stable: Cut,
    examined: u64,
}

#[derive(Clone, Debug)]
struct Member {
    seat: usize,
    acknowledged: Cut,
    is_live: bool,
}

/// Somebody is not, or no longer, a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMember {
    /// The slot that was named.
    pub slot: Slot,
}

impl fmt::Display for UnknownMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is no member", self.slot)
    }
}

impl core::error::Error for UnknownMember {}

impl StabilityTracker {
    /// The tracker of the member `own`, which needs no lease from itself. All are live and hold nothing.
    ///
    /// # Panics
    ///
    /// If `own` is not among the members.
    #[must_use]
    pub fn new(
        own: Slot,
        members: impl IntoIterator<Item = Slot>,
        lease_ms: u64,
        now: u64,
    ) -> Self {
        Self::resumed(own, members, Cut::new(), lease_ms, now)
    }

    /// As [`new`](Self::new), where `stable` was stable before: in an earlier process, for instance.
    /// It grows again when a majority has said once more what it holds. All others have a lease from now on.
    ///
    /// # Panics
    ///
    /// If `own` is not among the members.
    #[must_use]
    pub fn resumed(
        own: Slot,
        members: impl IntoIterator<Item = Slot>,
        stable: Cut,
        lease_ms: u64,
        now: u64,
    ) -> Self {
        let mut tracker = Self {
            own,
            members: BTreeMap::new(),
            leases: Leases::new(lease_ms, now),
            columns: stable.iter().map(|(slot, _)| (slot, Tournament::new(1))).collect(),
            free: alloc::vec![0],
            seats: 1,
            live: 0,
            stable,
            examined: 0,
        };
        for member in members {
            tracker.join(member, now);
            if member != own {
                tracker.leases.renew(member);
            }
        }
        assert!(tracker.members.contains_key(&own), "a tracker is that of a member");
        tracker
    }

    /// A member says that it holds `cut`, durably. Whether the stable cut has grown.
    ///
    /// What was acknowledged once stays so: an older word that comes late changes nothing. Entries of
    /// slots that are not tracked are passed over; once they are, the next acknowledgement has them.
    ///
    /// # Errors
    ///
    /// If it is no member, or no longer.
    pub fn acknowledge(
        &mut self,
        member: Slot,
        cut: &Cut,
        now: u64,
    ) -> Result<bool, UnknownMember> {
        let mut grown = self.handle_timeout(now);
        let is_quorate = self.is_quorate();
        let held = self.members.get_mut(&member).ok_or(UnknownMember { slot: member })?;
        if member != self.own {
            self.leases.renew(member);
        }
        for (slot, position) in cut {
            self.examined += 1;
            let Some(column) = self.columns.get_mut(&slot) else { continue };
            if position <= held.acknowledged.get(slot) {
                continue;
            }
            held.acknowledged.set(slot, position);
            if held.is_live {
                self.examined += column.set(held.seat, position);
                if is_quorate && column.least() > self.stable.get(slot) {
                    self.stable.set(slot, column.least());
                    grown = true;
                }
            }
        }
        if !held.is_live && held.acknowledged.dominates(&self.stable) {
            self.enter(member);
            grown |= self.settle();
        }
        Ok(grown)
    }

    /// Lets those lapse whose lease is over. Whether the stable cut has grown.
    pub fn handle_timeout(&mut self, now: u64) -> bool {
        let lapsed = self.leases.lapsed(now);
        if lapsed.is_empty() {
            return false;
        }
        for member in lapsed {
            self.exit(member);
        }
        self.settle()
    }

    /// When [`handle_timeout`](Self::handle_timeout) may have something to do. O(1), and never late.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.leases.poll_timeout()
    }

    /// What every live member holds. It never shrinks.
    #[must_use]
    pub const fn stable(&self) -> &Cut {
        &self.stable
    }

    /// What a member has acknowledged, of the slots that are tracked.
    ///
    /// # Errors
    ///
    /// If it is no member.
    pub fn acknowledged(&self, member: Slot) -> Result<&Cut, UnknownMember> {
        let held = self.members.get(&member).ok_or(UnknownMember { slot: member })?;
        Ok(&held.acknowledged)
    }

    /// Whether a member is live: its lease goes on, and it holds all that is stable.
    #[must_use]
    pub fn is_live(&self, member: Slot) -> bool {
        self.members.get(&member).is_some_and(|held| held.is_live)
    }

    /// Whether a member's lease goes on, whatever it holds.
    #[must_use]
    pub fn has_lease(&self, member: Slot) -> bool {
        member == self.own || self.leases.goes_on(member)
    }

    /// Whether a slot is tracked: it is that of a member, or of one that has left.
    #[must_use]
    pub fn tracks(&self, slot: Slot) -> bool {
        self.columns.contains_key(&slot)
    }

    /// The live members, in the order of their slots.
    pub fn live(&self) -> impl Iterator<Item = Slot> + '_ {
        self.members.iter().filter(|(_, held)| held.is_live).map(|(slot, _)| *slot)
    }

    /// Whether a majority of the members is live, so that the stable cut can grow.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.live >= majority(self.members.len())
    }

    /// How many entries of acknowledgements were looked at, and how many comparisons that has
    /// cost beyond.
    #[must_use]
    pub const fn examined(&self) -> u64 {
        self.examined
    }

    /// Takes in a member, and tracks its slot. It is live when it holds all that is stable, which a
    /// server that starts from a copy of another one does with its first word. Does nothing for one that
    /// is a member.
    pub fn join(&mut self, member: Slot, now: u64) {
        self.handle_timeout(now);
        if self.members.contains_key(&member) {
            return;
        }
        let seat = self.take_seat();
        let held = Member { seat, acknowledged: Cut::new(), is_live: false };
        self.members.insert(member, held);
        self.track(member);
        if self.stable.is_empty() {
            self.enter(member);
            if member != self.own {
                self.leases.renew(member);
            }
        }
    }

    /// A member leaves, and holds nothing back any more: at once, not after its lease. Its slot stays
    /// tracked, so that one can see when all that it has admitted is stable. Whether the stable cut has
    /// grown.
    pub fn leave(&mut self, member: Slot) -> bool {
        self.exit(member);
        self.leases.remove(member);
        if let Some(held) = self.members.remove(&member) {
            self.free.push(held.seat);
        }
        self.settle()
    }

    /// Tracks a slot whose member left before this one came. Does nothing for one that is tracked.
    pub fn track(&mut self, slot: Slot) {
        let Self { columns, members, seats, .. } = self;
        columns.entry(slot).or_insert_with(|| {
            let mut column = Tournament::new(*seats);
            for held in members.values().filter(|held| held.is_live) {
                column.set(held.seat, held.acknowledged.get(slot));
            }
            column
        });
    }

    /// Stops tracking the slot of a member that has left, for instance since all that it admitted is
    /// stable: it is in no cut any more.
    ///
    /// # Panics
    ///
    /// If it is the slot of a member.
    pub fn drop_slot(&mut self, slot: Slot) {
        assert!(!self.members.contains_key(&slot), "the slot of a member is tracked");
        self.columns.remove(&slot);
        self.stable.set(slot, 0);
        for held in self.members.values_mut() {
            held.acknowledged.set(slot, 0);
        }
        // Some may have lacked nothing but that.
        let has_caught_up = |(member, held): (&Slot, &Member)| {
            let is_heard = self.has_lease(*member);
            let lacks_nothing = held.acknowledged.dominates(&self.stable);
            (!held.is_live && is_heard && lacks_nothing).then_some(*member)
        };
        let caught_up: Vec<Slot> = self.members.iter().filter_map(has_caught_up).collect();
        for member in caught_up {
            self.enter(member);
        }
        self.settle();
    }

    fn take_seat(&mut self) -> usize {
        if self.free.is_empty() {
            self.free.extend((self.seats..2 * self.seats).rev());
            self.seats *= 2;
            for column in self.columns.values_mut() {
                column.grow();
            }
        }
        self.free.pop().expect("there are new seats")
    }

    /// From now on the member counts.
    fn enter(&mut self, member: Slot) {
        let held = self.members.get_mut(&member).expect("it is a member");
        held.is_live = true;
        self.live += 1;
        for (slot, column) in &mut self.columns {
            column.set(held.seat, held.acknowledged.get(*slot));
        }
    }

    /// From now on the member does not count.
    fn exit(&mut self, member: Slot) {
        let Some(held) = self.members.get_mut(&member).filter(|held| held.is_live) else { return };
        held.is_live = false;
        self.live -= 1;
        for column in self.columns.values_mut() {
            column.set(held.seat, ABSENT);
        }
    }

    /// Reads the stable cut off the columns, after it has changed who counts; whether it has grown.
    fn settle(&mut self) -> bool {
        let mut grown = false;
        if self.is_quorate() {
            for (slot, column) in &self.columns {
                let least = column.least();
                grown |= least > self.stable.get(*slot);
                self.stable.set(*slot, least);
            }
        }
        grown
    }

    /// Panics if the parts of the tracker contradict each other. For tests.
    pub fn check_invariants(&self) {
        self.stable.check_invariants();
        let live: Vec<&Member> = self.members.values().filter(|held| held.is_live).collect();
        assert_eq!(live.len(), self.live);
        assert!(live.iter().all(|held| held.acknowledged.dominates(&self.stable)));
        assert_eq!(self.members.len() + self.free.len(), self.seats);
        assert!(self.members.keys().all(|member| self.columns.contains_key(member)));
        for (slot, column) in &self.columns {
            column.check_invariants();
            assert_eq!(column.seats(), self.seats);
            let least = live.iter().map(|held| held.acknowledged.get(*slot)).min();
            assert_eq!(column.least(), least.unwrap_or(ABSENT));
            assert!(!self.is_quorate() || column.least() == self.stable.get(*slot));
        }
        assert!(self.stable.iter().all(|(slot, _)| self.columns.contains_key(&slot)));
    }
}
