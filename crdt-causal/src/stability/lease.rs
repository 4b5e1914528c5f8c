//! How long a member counts without a word.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::cut::Slot;
use crate::elapsed::Elapsed;
use crate::quorum::majority;

/// The leases that a server has granted to others. All times are sums of elapsed time.
#[derive(Clone, Debug)]
pub(super) struct Leases {
    lease_ms: u64,
    elapsed: Elapsed,
    ends_at: BTreeMap<Slot, u64>,
    /// No lease ends before this: it is found anew when it has come, and renewals do not touch it.
    next: u64,
}

impl Leases {
    pub(super) fn new(lease_ms: u64, now: u64) -> Self {
        let ends_at = BTreeMap::new();
        Self { lease_ms: lease_ms.max(1), elapsed: Elapsed::since(now), ends_at, next: u64::MAX }
    }

    /// From the time that was last read on.
    pub(super) fn renew(&mut self, member: Slot) {
        let end = self.elapsed.total_ms().saturating_add(self.lease_ms);
        self.ends_at.insert(member, end);
        self.next = self.next.min(end);
    }

    /// Whether a member has a lease, by the time that was last read.
    pub(super) fn goes_on(&self, member: Slot) -> bool {
        self.ends_at.contains_key(&member)
    }

    pub(super) fn remove(&mut self, member: Slot) {
        self.ends_at.remove(&member);
    }

    /// Reads the clock and takes out those whose lease has ended.
    ///
    /// A clock that goes back ends none. One that leaps ahead may end all of them, which does no harm:
    /// then there is no majority, nothing becomes stable, and each is back with its next word.
    pub(super) fn lapsed(&mut self, now: u64) -> Vec<Slot> {
        let at = self.elapsed.advance(now, u64::MAX);
        if at < self.next {
            return Vec::new();
        }
        let lapsed = self.ends_at.iter().filter(|(_, end)| **end <= at).map(|(slot, _)| *slot);
        let lapsed: Vec<Slot> = lapsed.collect();
        self.ends_at.retain(|_, end| *end > at);
        self.next = self.ends_at.values().min().copied().unwrap_or(u64::MAX);
        lapsed
    }

    /// When a lease may end, in the caller's time.
    pub(super) fn poll_timeout(&self) -> Option<u64> {
        let left = self.next.saturating_sub(self.elapsed.total_ms());
        (!self.ends_at.is_empty()).then(|| self.elapsed.read_at().saturating_add(left))
    }
}

/// A member's own side of its leases: whether the others still count on it.
///
/// What another member has granted lasts, here, from the moment at which the word was *sent* that it
/// answers, and so ends before it ends there, whatever the way took; clocks may run at speeds that
/// differ by as much as the margin makes up for. A member that holds leases of no majority may have been
/// left behind: what is stable may be beyond what it holds, and the others need not take what it
/// admits. It can say so with every answer, or refuse.
///
/// ```
/// use crdt_causal::cut::Slot;
/// use crdt_causal::stability::HeldLeases;
///
/// // Three members, leases of a minute, clocks that may differ by a second in that.
/// let mut leases = HeldLeases::new(3, 60_000, 1_000);
/// leases.confirmed(Slot(1), 5_000);
/// assert!(leases.is_counted_on(60_000));
/// assert!(!leases.is_counted_on(64_000));
/// ```
#[derive(Clone, Debug)]
pub struct HeldLeases {
    members: usize,
    lasts_ms: u64,
    /// When the last word was sent that was answered.
    sent_at: BTreeMap<Slot, u64>,
}

impl HeldLeases {
    /// One of so many members. The margin is what two clocks may differ by after `lease_ms`.
    #[must_use]
    pub const fn new(members: usize, lease_ms: u64, margin_ms: u64) -> Self {
        Self { members, lasts_ms: lease_ms.saturating_sub(margin_ms), sent_at: BTreeMap::new() }
    }

    /// Another member has answered what was sent to it at `sent_at`, by the clock here.
    pub fn confirmed(&mut self, member: Slot, sent_at: u64) {
        let last = self.sent_at.entry(member).or_insert(sent_at);
        *last = sent_at.max(*last);
    }

    /// There are so many members now, and this one is not among them any more.
    pub fn left(&mut self, member: Slot, members: usize) {
        self.sent_at.remove(&member);
        self.members = members;
    }

    /// There are so many members now.
    pub const fn set_members(&mut self, members: usize) {
        self.members = members;
    }

    /// Whether a majority of the members, itself included, counts on this one. `now` is of a monotonic
    /// clock. O(members).
    #[must_use]
    pub fn is_counted_on(&self, now: u64) -> bool {
        let goes_on = |sent: &&u64| now.saturating_sub(**sent) < self.lasts_ms;
        1 + self.sent_at.values().filter(goes_on).count() >= majority(self.members)
    }
}
