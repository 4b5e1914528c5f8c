//! The causal delivery buffer.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::{Dot, DotRange, ReplicaId, SEQ_MAX, VersionVector};

use super::equivocation::{Equivocation, Payload};
use super::limits::{Limits, Retry};
use super::message::{Batch, Event, InsertError, Inserted, Message};
use super::origin::Origins;
use super::pending::Arena;

/// Holds messages back until everything that they follow was delivered.
///
/// Delivery is causal: a message comes out after its parents, its own predecessor among them,
/// whatever the order of arrival; every message comes out once; and the order is a function of
/// the order of insertion. What was delivered is a version vector.
///
/// A message that has to wait stands in exactly one list, that of its first missing dot (the
/// *watched dependency* of satisfiability solvers), so that an arrival wakes its waiters and
/// nobody else. With `d` dependencies it is looked at `1 + d` times at most, in any order;
/// inserting costs O(d) beside the search for its replicas.
///
/// Time is an argument, in milliseconds. Nothing is called back: after inserting, poll
/// [`poll_deliver`](Self::poll_deliver) and [`poll_event`](Self::poll_event) until they return
/// `None`; at [`poll_timeout`](Self::poll_timeout), ask others for what is
/// [`missing`](Self::missing).
///
/// ```
/// use crdt_causal::delivery::{CausalBuffer, Inserted, Message};
/// use crdt_core::{Dot, ReplicaId};
///
/// let (ann, bob) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let question = Message { dot: Dot::new(ann, 1), parents: vec![], payload: "Tea?".to_string() };
/// let answer = Message {
///     dot: Dot::new(bob, 1),
///     parents: vec![question.dot],
///     payload: "Please.".to_string(),
/// };
///
/// let mut buffer = CausalBuffer::new();
/// assert_eq!(buffer.insert(answer, 0)?, Inserted::Pending { missing: question.dot });
/// assert_eq!(buffer.poll_deliver(), None);
/// assert_eq!(buffer.insert(question, 0)?, Inserted::Ready);
/// assert_eq!(buffer.poll_deliver().unwrap().payload, "Tea?");
/// assert_eq!(buffer.poll_deliver().unwrap().payload, "Please.");
/// # Ok::<(), crdt_causal::delivery::InsertError>(())
/// ```
#[derive(Debug)]
pub struct CausalBuffer<P> {
    pub(super) limits: Limits,
    pub(super) retry: Retry,
    pub(super) origins: Origins,
    pub(super) arena: Arena<P>,
    /// What the pending messages, and the replicas known only through them, hold.
    pub(super) bytes: usize,
    pub(super) ready: VecDeque<Message<P>>,
    pub(super) equivocations: VecDeque<Equivocation>,
    pub(super) dropped: BTreeMap<ReplicaId, (u64, u64)>,
    /// Messages dropped since the replicas known only through them were last forgotten.
    pub(super) dropped_count: usize,
    /// The replicas of which something may be missing.
    pub(super) gapped: BTreeSet<u32>,
    /// Messages to be looked at.
    pub(super) woken: Vec<u32>,
    pub(super) examined: u64,
}

/// What a replica holds of which nothing was delivered.
pub(super) const ORIGIN_BYTES: usize = 256;

impl<P: Payload> CausalBuffer<P> {
    /// An empty buffer with the default bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::default(), Retry::default())
    }

    /// An empty buffer.
    #[must_use]
    pub fn with_limits(limits: Limits, retry: Retry) -> Self {
        let limits = Limits {
            // Handles of pending messages and indices of replicas have 32 bits, numbers of
            // dependencies 16.
            pending_max: limits.pending_max.min(1 << 31),
            parents_max: limits.parents_max.min(1 << 15),
            replicas_max: limits.replicas_max.min(1 << 31),
            ..limits
        };
        // A wait of 0 would be over before it began, again and again.
        let retry = Retry {
            interval_ms: retry.interval_ms.max(1),
            interval_ms_max: retry.interval_ms_max.max(retry.interval_ms).max(1),
            ranges_max: retry.ranges_max.max(1),
            ..retry
        };
        Self {
            limits,
            retry,
            origins: Origins::default(),
            arena: Arena::new(),
            bytes: 0,
            ready: VecDeque::new(),
            equivocations: VecDeque::new(),
            dropped: BTreeMap::new(),
            dropped_count: 0,
            gapped: BTreeSet::new(),
            woken: Vec::new(),
            examined: 0,
        }
    }

    /// Goes on after `version`, which was delivered before: by an earlier process, for instance.
    #[must_use]
    pub fn starting_from(limits: Limits, retry: Retry, version: &VersionVector) -> Self {
        let mut buffer = Self::with_limits(limits, retry);
        for (replica, seq) in version {
            buffer.origins.find_or_insert(replica, seq);
        }
        buffer
    }

    /// Takes in a message.
    ///
    /// # Errors
    ///
    /// The message is gone. The buffer is as it was, but for an
    /// [equivocation](InsertError::Equivocation): then later messages of that replica are
    /// dropped and refused.
    pub fn insert(&mut self, message: Message<P>, now: u64) -> Result<Inserted, InsertError> {
        self.check_form(&message)?;
        let Dot { replica, seq } = message.dot;
        let known = self.origins.find(replica);
        if let Some(origin) = known {
            if let Some(inserted) = self.check_known(origin, &message)? {
                return Ok(inserted);
            }
            self.origins[origin].request.arrived(seq, &self.retry, now);
        }
        let delivered = self.origins.delivered(replica);
        let is_next = seq == delivered + 1;
        // A planted bug: only a message's own predecessor has to be here before it.
        let parents_are_here = is_planted("ignore-parents")
            || message.parents.iter().all(|dot| self.is_delivered(*dot));
        if is_next && parents_are_here {
            let origin = self.intern(replica)?;
            self.examined += 1;
            self.deliver(origin, message);
            if !self.woken.is_empty() {
                self.settle();
                // What goes on waiting does so at another place, which takes room too.
                self.enforce_limits(origin);
            }
            return Ok(Inserted::Ready);
        }

        let far = core::iter::once(&message.dot).chain(&message.parents).find(|dot| {
            dot.seq.saturating_sub(self.origins.delivered(dot.replica)) > self.limits.gap_max
        });
        if let Some(dot) = far {
            return Err(InsertError::TooFar(*dot));
        }
        let bytes = Self::cost(message.parents.len(), &message.payload);
        if bytes > self.limits.replica_pending_bytes_max.min(self.limits.pending_bytes_max) {
            return Err(InsertError::TooLarge { bytes });
        }
        let handle = self.hold(message, bytes, now)?;
        self.settle_one(handle);
        let dot = self.arena.get(handle).dot();
        let missing = self.awaited(handle);
        self.enforce_limits(dot.origin);
        if self.origins[dot.origin].slots.get(seq).message == handle {
            Ok(Inserted::Pending { missing: self.origins.dot(missing) })
        } else {
            Ok(Inserted::Dropped)
        }
    }

    /// Takes in many messages, sorted by replica and number first: then most of them are next
    /// in turn when they come, and what lies together in memory is used together.
    pub fn insert_batch(&mut self, mut messages: Vec<Message<P>>, now: u64) -> Batch {
        messages.sort_unstable_by_key(|message| message.dot);
        let mut batch = Batch::default();
        for message in messages {
            let dot = message.dot;
            match self.insert(message, now) {
                Ok(Inserted::Ready) => batch.ready += 1,
                Ok(Inserted::Pending { .. }) => batch.pending += 1,
                Ok(Inserted::Duplicate) => batch.duplicates += 1,
                Ok(Inserted::Dropped) => batch.dropped += 1,
                Err(error) => batch.refused.push((dot, error)),
            }
        }
        batch
    }

    /// The next message in a causal order.
    pub fn poll_deliver(&mut self) -> Option<Message<P>> {
        self.ready.pop_front()
    }

    /// What else happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(equivocation) = self.equivocations.pop_front() {
            return Some(Event::Equivocation(equivocation));
        }
        let (replica, (first, last)) = self.dropped.pop_first()?;
        Some(Event::Dropped(DotRange::new(replica, first, last)))
    }

    /// What others should be asked for now, the nearest to delivery first within each replica.
    ///
    /// A dot is named when it has been missing for [`Retry::patience_ms`], and again when an
    /// answer has not come for an interval that doubles each time. That what is named exists
    /// is known from what was inserted alone: if that lied, the request stays without an answer.
    pub fn missing(&mut self, now: u64) -> Vec<DotRange> {
        let mut ranges = Vec::new();
        let Self { origins, gapped, retry, .. } = self;
        gapped.retain(|index| {
            let origin = &mut origins[*index];
            let (delivered, wanted) = (origin.delivered(), origin.wanted());
            if delivered >= wanted {
                return false;
            }
            if let Some(span) = origin.request.due(delivered, wanted, now) {
                let mut asked = span.1;
                for (first, last) in origin.slots.gaps(span) {
                    if ranges.len() >= retry.ranges_max {
                        asked = first - 1;
                        break;
                    }
                    ranges.push(DotRange::new(origin.id, first, last));
                }
                origin.request.asked(span, asked, retry, now);
            }
            true
        });
        ranges
    }

    /// When [`missing`](Self::missing) may have something to name. O(replicas with a gap).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let due = self.gapped.iter().filter_map(|index| {
            let origin = &self.origins[*index];
            origin.request.due_at(origin.delivered(), origin.wanted())
        });
        due.min()
    }

    /// What was delivered, or can be polled. O(replicas).
    #[must_use]
    pub fn version(&self) -> VersionVector {
        self.origins.iter().map(|(_, origin)| (origin.id, origin.delivered())).collect()
    }

    /// Whether a message was delivered, or can be polled.
    #[must_use]
    pub fn is_delivered(&self, dot: Dot) -> bool {
        dot.seq <= self.origins.delivered(dot.replica)
    }

    /// How many messages wait.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.arena.len()
    }

    /// How many bytes are held for what waits, counted against the bounds.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.bytes + self.origins.slot_bytes()
    }

    /// How often a message was looked at, since the buffer was made.
    #[must_use]
    pub fn examined(&self) -> u64 {
        self.examined
    }

    fn check_form(&self, message: &Message<P>) -> Result<(), InsertError> {
        if message.parents.len() > self.limits.parents_max {
            return Err(InsertError::TooManyParents { parents: message.parents.len() });
        }
        for dot in core::iter::once(&message.dot).chain(&message.parents) {
            if !(1..=SEQ_MAX).contains(&dot.seq) {
                return Err(InsertError::InvalidDot(*dot));
            }
        }
        let Dot { replica, seq } = message.dot;
        if message.parents.iter().any(|dot| dot.replica == replica && dot.seq >= seq) {
            return Err(InsertError::Cyclic(message.dot));
        }
        Ok(())
    }

    /// The index of a replica, new or not.
    pub(super) fn intern(&mut self, replica: ReplicaId) -> Result<u32, InsertError> {
        if self.origins.find(replica).is_none() {
            if self.origins.len() >= self.limits.replicas_max {
                self.forget_idle_replicas();
            }
            if self.origins.len() >= self.limits.replicas_max {
                return Err(InsertError::TooManyReplicas);
            }
            self.bytes += ORIGIN_BYTES;
        }
        Ok(self.origins.find_or_insert(replica, 0))
    }

    /// Only what was dropped leaves replicas behind that nothing is known of but the name, and
    /// looking for them costs as much as there are replicas.
    fn forget_idle_replicas(&mut self) {
        if self.dropped_count > self.origins.len() / 16 {
            self.dropped_count = 0;
            let Self { origins, gapped, .. } = self;
            self.bytes -= ORIGIN_BYTES * origins.forget_idle();
            gapped.retain(|index| origins.is_known(*index));
        }
    }

    /// What a pending message counts.
    pub(super) fn cost(parents: usize, payload: &P) -> usize {
        Arena::<P>::cost(parents).saturating_add(payload.size_bytes())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl<P: Payload> Default for CausalBuffer<P> {
    fn default() -> Self {
        Self::new()
    }
}
