//! The causal delivery buffer.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::{Dot, DotRange, ReplicaId, SEQ_MAX, VersionVector};

use super::equivocation::{Equivocation, Payload};
use super::limits::{Limits, Retry};
use super::message::{Event, InsertError, Inserted, Message};
use super::origin::Origins;
use super::pending::{Arena, LocalDot};
use super::slots::NONE;

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
/// use crdt_causal::delivery::{CausalBuffer, Inserted, Message, Parents};
/// use crdt_core::{Dot, ReplicaId};
///
/// let (ann, bob) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let question =
///     Message { dot: Dot::new(ann, 1), parents: Parents::NONE, payload: "Tea?".to_string() };
/// let answer = Message {
///     dot: Dot::new(bob, 1),
///     parents: question.dot.into(),
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
    pub(super) ready: VecDeque<Turn<P>>,
    pub(super) equivocations: VecDeque<Equivocation>,
    /// What was forsaken and passed over.
    pub(super) passed: VecDeque<DotRange>,
    pub(super) dropped: BTreeMap<ReplicaId, (u64, u64)>,
    /// Messages dropped since the replicas known only through them were last forgotten.
    pub(super) dropped_count: usize,
    /// The replicas of which something may be missing.
    pub(super) gapped: BTreeSet<u32>,
    /// The first of the messages to be looked at.
    pub(super) woken: u32,
    pub(super) examined: u64,
    /// Room for the parents of one message, so that none is asked for each time.
    pub(super) named: Vec<LocalDot>,
    pub(super) dots: Vec<Dot>,
}

/// What is to be polled next.
#[derive(Debug)]
pub(super) enum Turn<P> {
    /// A message that never had to wait.
    Message(Message<P>),
    /// So many of those that had to.
    Ripe(usize),
}

/// No number may be farther ahead than this: what was delivered one by one, and this, are far
/// below what numbers go up to.
const GAP_MAX: u64 = SEQ_MAX / 2;

/// What a replica holds of which nothing was delivered: itself, and its name in the table.
pub(super) const ORIGIN_BYTES: usize = 352;

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
            gap_max: limits.gap_max.min(GAP_MAX),
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
            passed: VecDeque::new(),
            dropped: BTreeMap::new(),
            dropped_count: 0,
            gapped: BTreeSet::new(),
            woken: NONE,
            examined: 0,
            named: Vec::new(),
            dots: Vec::new(),
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
    #[inline]
    pub fn insert(&mut self, message: Message<P>, now: u64) -> Result<Inserted, InsertError> {
        let known = self.origins.find(message.dot.replica);
        match self.in_turn(known, &message) {
            Some(origin) => {
                self.deliver_in_turn(origin, message);
                Ok(Inserted::Ready)
            }
            None => self.insert_looking(known, message, now),
        }
    }

    /// Takes in a message of which everything has to be looked at.
    #[inline(never)]
    fn insert_looking(
        &mut self,
        known: Option<u32>,
        message: Message<P>,
        now: u64,
    ) -> Result<Inserted, InsertError> {
        self.check_form(&message)?;
        let Dot { replica, seq } = message.dot;
        let mut is_next = seq == 1;
        if let Some(origin) = known {
            if let Some(inserted) = self.check_known(origin, &message)? {
                return Ok(inserted);
            }
            let origin = &mut self.origins[origin];
            origin.request.arrived(seq, &self.retry, now);
            is_next = seq == origin.delivered() + 1;
        }
        // A planted bug: only a message's own predecessor has to be here before it.
        let are_settled = |parents: &[Dot]| {
            parents.iter().all(|dot| dot.seq <= self.origins.delivered(dot.replica))
        };
        if is_next && (is_planted("ignore-parents") || are_settled(&message.parents)) {
            let origin = match known {
                Some(origin) => origin,
                None => self.intern(replica)?,
            };
            self.examined += 1;
            self.deliver(origin, message);
            if self.woken != NONE {
                self.settle();
                // What goes on waiting does so at another place, which takes room too.
                self.enforce_limits(origin);
            }
            self.origins.look_again(origin);
            return Ok(Inserted::Ready);
        }

        self.look_up(known, &message)?;
        let bytes = Self::cost(message.parents.len(), &message.payload);
        if bytes > self.limits.replica_pending_bytes_max.min(self.limits.pending_bytes_max) {
            return Err(InsertError::TooLarge { bytes });
        }
        let (handle, origin, missing) = self.hold(known, message, bytes, now)?;
        let missing = self.origins.dot(missing);
        if self.enforce_limits(origin) && self.origins[origin].slots.get(seq).message != handle {
            return Ok(Inserted::Dropped);
        }
        Ok(Inserted::Pending { missing })
    }

    /// The next message in a causal order.
    pub fn poll_deliver(&mut self) -> Option<Message<P>> {
        match self.ready.pop_front()? {
            Turn::Message(message) => return Some(message),
            Turn::Ripe(1) => {}
            Turn::Ripe(count) => self.ready.push_front(Turn::Ripe(count - 1)),
        }
        let (dot, parents, payload) = self.arena.pick(&self.origins).expect("so many are ripe");
        Some(Message { dot, parents, payload })
    }

    /// What else happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(equivocation) = self.equivocations.pop_front() {
            return Some(Event::Equivocation(equivocation));
        }
        if let Some(range) = self.passed.pop_front() {
            return Some(Event::Forsaken(range));
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
                origin.is_gapped = false;
                return false;
            }
            if let Some(span) = origin.request.due(delivered, wanted, now) {
                let mut asked = span.1;
                let gaps = origin.slots.gaps(span);
                for (first, last) in gaps.flat_map(|(from, to)| origin.holes.outside(from, to)) {
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

    /// What was delivered, or can be polled, or was forsaken and passed over
    /// ([`forsaken`](Self::forsaken)). O(replicas).
    ///
    /// It grows by what was received alone, whatever that claims to follow.
    ///
    /// Whoever stores what they poll, and this beside it as how far they have come, polls until nothing is
    /// left first: what can be polled counts.
    #[must_use]
    pub fn version(&self) -> VersionVector {
        self.origins.iter().map(|(_, origin)| (origin.id, origin.delivered())).collect()
    }

    /// Whether a message was delivered, or can be polled.
    #[must_use]
    pub fn is_delivered(&self, dot: Dot) -> bool {
        dot.seq <= self.origins.delivered(dot.replica) && !self.is_forsaken(dot)
    }

    /// How many messages wait. What can be polled does not.
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
        if let Some(index) = self.origins.find(replica) {
            return Ok(index);
        }
        self.make_room_for_names(1)?;
        self.bytes += ORIGIN_BYTES;
        Ok(self.origins.find_or_insert(replica, 0))
    }

    /// Sees to it that so many replicas more can be known.
    pub(super) fn make_room_for_names(&mut self, count: usize) -> Result<(), InsertError> {
        let is_full = |buffer: &Self| buffer.origins.len() + count > buffer.limits.replicas_max;
        if is_full(self) {
            self.forget_idle_replicas();
        }
        if is_full(self) { Err(InsertError::TooManyReplicas) } else { Ok(()) }
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
