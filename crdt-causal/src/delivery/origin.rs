//! What a delivery buffer knows of each replica.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use crdt_core::{Dot, ReplicaId, SEQ_MAX};

use super::equivocation::Digest;
use super::found::Found;
use super::holes::Holes;
use super::pending::LocalDot;
use super::recent::Recent;
use super::request::Request;
use super::slots::Slots;

/// One replica.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) id: ReplicaId,
    pub(super) slots: Slots,
    /// The greatest sequence number that a message bore or named.
    pub(super) horizon: u64,
    /// Nothing from here on is taken.
    pub(super) quarantined_from: Option<u64>,
    /// Pending messages of this replica.
    pub(super) pending: usize,
    pub(super) pending_bytes: usize,
    /// How many parents of pending messages are messages of this replica.
    pub(super) references: usize,
    pub(super) request: Request,
    /// What was given up, before and after what was delivered.
    pub(super) holes: Holes,
    /// Whether it is among those of which something may be missing.
    pub(super) is_gapped: bool,
    /// Of the newest delivered messages, the newest last.
    digests: Recent,
}

impl Origin {
    fn new(id: ReplicaId, delivered: u64) -> Self {
        Self {
            id,
            slots: Slots::starting_after(delivered),
            horizon: delivered,
            quarantined_from: None,
            pending: 0,
            pending_bytes: 0,
            references: 0,
            request: Request::default(),
            holes: Holes::default(),
            is_gapped: false,
            digests: Recent::default(),
        }
    }

    /// The sequence number of the last delivered message.
    pub(super) fn delivered(&self) -> u64 {
        self.slots.first() - 1
    }

    /// What its pending messages and its slots take.
    pub(super) fn held_bytes(&self) -> usize {
        self.pending_bytes + self.slots.bytes()
    }

    /// Up to where messages are missing, if any are.
    pub(super) fn wanted(&self) -> u64 {
        match self.quarantined_from {
            Some(from) => self.horizon.min(from - 1),
            None => self.horizon,
        }
    }

    pub(super) fn remember(&mut self, digest: Digest, digests_max: usize) {
        self.digests.push(digest, digests_max);
    }

    pub(super) fn forget_digests(&mut self) {
        self.digests.clear();
    }

    /// The digests that are known, those of the newest delivered messages.
    pub(super) const fn digests(&self) -> &Recent {
        &self.digests
    }

    /// The digest of a delivered message, if it was not too long ago.
    pub(super) fn digest(&self, seq: u64) -> Option<Digest> {
        self.digests.get(usize::try_from(self.delivered() - seq).ok()?)
    }

    /// Whether there is nothing about the next message that is to be looked at, but for its parents: no
    /// message waits for it, and neither a request nor a decision concerns it.
    fn runs_smoothly(&self) -> bool {
        self.delivered() > 0
            && self.slots.is_empty()
            && self.holes.is_empty()
            && self.quarantined_from.is_none()
            && !self.request.is_open_after(self.delivered())
    }

    /// Whether nothing would be lost if the replica were forgotten.
    fn is_idle(&self) -> bool {
        self.delivered() == 0
            && self.slots.is_empty()
            && self.references == 0
            && self.holes.is_empty()
            && self.quarantined_from.is_none()
    }
}

/// Which message of a replica comes out as soon as its parents did, with nothing else to look at.
///
/// These stand close together, apart from everything else that is known of the replicas: most messages
/// come in turn, and need no more than this.
#[derive(Debug)]
struct Next {
    id: ReplicaId,
    /// Its number, which is at least 2; or 0, where there may be something else.
    seq: u64,
}

/// The replicas, each under a small index.
#[derive(Debug, Default)]
pub(super) struct Origins {
    entries: Vec<Origin>,
    /// For each entry. Whoever changes an entry ends this, until [`look_again`](Self::look_again).
    next: Vec<Next>,
    indices: BTreeMap<ReplicaId, u32>,
    /// Indices of forgotten replicas.
    free: Vec<u32>,
    found: Found,
    slot_bytes: usize,
}

impl Origins {
    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }

    /// Makes room for so many replicas more.
    pub(super) fn reserve(&mut self, count: usize) {
        self.entries.reserve_exact(count);
        self.next.reserve_exact(count);
    }

    /// How many indices there are, in use or not.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    #[inline]
    pub(super) fn find(&self, id: ReplicaId) -> Option<u32> {
        let found = self.found.get(id, |index| self.next[index as usize].id == id);
        // Where it was not found, it is mostly new, or its place is another one's.
        found.or_else(|| self.indices.get(&id).copied())
    }

    #[inline]
    pub(super) fn delivered(&self, id: ReplicaId) -> u64 {
        self.find(id).map_or(0, |index| self[index].delivered())
    }

    /// Whether this is the next message of a replica, everything that it follows was delivered, and there
    /// is nothing else to look at. If not, it may be next all the same.
    #[inline]
    pub(super) fn is_in_turn(&self, index: u32, seq: u64, parents: &[Dot]) -> bool {
        let is_before_next = |parent: &Dot| {
            let Some(index) = self.find(parent.replica) else { return false };
            (1..self.next[index as usize].seq).contains(&parent.seq)
        };
        (2..=SEQ_MAX).contains(&seq)
            && self.next[index as usize].seq == seq
            && parents.iter().all(is_before_next)
    }

    /// Steps over a message that is [in turn](Self::is_in_turn).
    #[inline]
    pub(super) fn step_in_turn(&mut self, index: u32, digest: Option<Digest>, digests_max: usize) {
        let (entry, next) = (&mut self.entries[index as usize], &mut self.next[index as usize]);
        if let Some(digest) = digest {
            entry.remember(digest, digests_max);
        }
        entry.horizon = entry.horizon.max(next.seq);
        entry.slots.step_over_nothing();
        next.seq += 1;
    }

    /// Lets messages of a replica be [in turn](Self::is_in_turn) again, if they can be.
    pub(super) fn look_again(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let seq = if entry.runs_smoothly() { entry.delivered() + 1 } else { 0 };
        self.next[index as usize].seq = seq;
    }

    pub(super) fn find_or_insert(&mut self, id: ReplicaId, delivered: u64) -> u32 {
        self.find(id).unwrap_or_else(|| self.insert(id, delivered))
    }

    fn find_all_anew(&mut self) {
        let count = self.indices.len();
        self.found.clear(count);
        for (&id, &index) in &self.indices {
            self.found.insert(id, index, count);
        }
    }

    fn insert(&mut self, id: ReplicaId, delivered: u64) -> u32 {
        let origin = Origin::new(id, delivered);
        let next = Next { id, seq: 0 };
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize] = origin;
                self.next[index as usize] = next;
                index
            }
            None => {
                self.entries.push(origin);
                self.next.push(next);
                u32::try_from(self.entries.len() - 1).expect("bounded by `replicas_max`")
            }
        };
        self.indices.insert(id, index);
        if !self.found.insert(id, index, self.indices.len()) {
            self.find_all_anew();
        }
        index
    }

    /// Forgets the replicas of which nothing was delivered and nothing waits. Returns how many.
    pub(super) fn forget_idle(&mut self) -> usize {
        let Self { entries, indices, free, .. } = self;
        let before = indices.len();
        indices.retain(|_, index| {
            let idle = entries[*index as usize].is_idle();
            if idle {
                free.push(*index);
            }
            !idle
        });
        let forgotten = before - indices.len();
        // A free place is no replica.
        self.find_all_anew();
        forgotten
    }

    /// Whether the index is that of a replica.
    pub(super) fn is_known(&self, index: u32) -> bool {
        self.indices.get(&self[index].id) == Some(&index)
    }

    /// The replicas, in the order of their ids.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Origin)> + '_ {
        self.indices.values().map(|index| (*index, &self[*index]))
    }

    /// Forgets the digests of what was delivered, of all replicas.
    pub(super) fn forget_digests(&mut self) {
        self.entries.iter_mut().for_each(Origin::forget_digests);
    }

    /// What the slots of all replicas take.
    pub(super) fn slot_bytes(&self) -> usize {
        self.slot_bytes
    }

    /// Changes the slots of a replica, and counts what they take.
    pub(super) fn with_slots<T>(&mut self, index: u32, change: impl FnOnce(&mut Slots) -> T) -> T {
        let slots = &mut self[index].slots;
        let before = slots.bytes();
        let result = change(slots);
        let after = slots.bytes();
        self.slot_bytes = self.slot_bytes + after - before;
        result
    }

    /// Panics unless each replica is what its [`Next`] says.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.entries.len(), self.next.len());
        for (index, entry) in self.iter() {
            let next = &self.next[index as usize];
            assert_eq!(next.id, entry.id);
            let is_sound = next.seq == entry.delivered() + 1 && entry.runs_smoothly();
            assert!(next.seq == 0 || is_sound, "there is something to look at");
        }
    }

    pub(super) fn dot(&self, dot: LocalDot) -> Dot {
        Dot::new(self[dot.origin].id, dot.seq)
    }
}

impl Index<u32> for Origins {
    type Output = Origin;

    fn index(&self, index: u32) -> &Origin {
        &self.entries[index as usize]
    }
}

impl IndexMut<u32> for Origins {
    fn index_mut(&mut self, index: u32) -> &mut Origin {
        self.next[index as usize].seq = 0;
        &mut self.entries[index as usize]
    }
}
