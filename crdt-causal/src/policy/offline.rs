use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::Dot;
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// How much a queue holds, and how it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfflineLimits {
    /// So many operations. 100,000 by default.
    pub operations_max: usize,
    /// How long a regular operation may take. 5 seconds by default.
    pub regular_ms: u64,
    /// How long a critical one may take. 30 seconds by default.
    pub critical_ms: u64,
    /// After how long what was not answered is tried again. 10 seconds by default.
    pub retry_ms: u64,
}

impl Default for OfflineLimits {
    fn default() -> Self {
        Self { operations_max: 100_000, regular_ms: 5_000, critical_ms: 30_000, retry_ms: 10_000 }
    }
}

/// An operation that was made offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineOp<P> {
    /// Its name, by which whoever does it knows that it has been done: the same for ever.
    pub id: Dot,
    /// The register that it writes, if it does nothing else than write a last-writer-wins register: a later write of the
    /// same makes it superfluous.
    pub register: Option<Vec<u8>>,
    /// What it does.
    pub payload: P,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineReply {
    /// It was done, now or before.
    Done,
    /// It was not done, and will not be.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// What to do with a critical operation that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Try it again.
    Retry,
    /// Give it up, and go on with the next.
    Discard,
}

/// Operations to be done now, all or none, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<P> {
    /// The operations.
    pub operations: Vec<OfflineOp<P>>,
    /// Whether they are to be done at the strong level.
    pub is_critical: bool,
    /// When to stop waiting for an answer.
    pub until: u64,
}

/// Why an operation is not taken, or an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueueError {
    /// The queue holds as many as it may.
    Full,
    /// Nothing is under way that this could be the answer to.
    NothingUnderWay,
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the offline queue is full",
            Self::NothingUnderWay => "no request is under way",
        })
    }
}

impl core::error::Error for QueueError {}

/// Which of the two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Critical,
    Regular,
}

/// A request under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct UnderWay {
    lane: Lane,
    until: u64,
}

/// What a client has done offline, until it has been done.
///
/// **Critical** operations come first, one after the other, at the strong level. The first that is refused stops
/// those behind it, which may rest on it, until [`resolve`](Self::resolve) says what the user wants. **Regular** ones follow in
/// their order, with little time each; what is not answered is tried again later, and what is refused is dropped and
/// [told](Self::poll_rejected), since no one can do anything about it.
///
/// A critical operation overtakes regular ones, so it must not need any that is not part of it.
///
/// Writes of registers that no other operation stands between are one *run*, which is sent as one request and
/// admitted as one change. Within a run a later write of a register replaces the earlier one: nobody could
/// ever have seen that. A run is closed as soon as it is sent.
///
/// The queue is a value that is encoded: save it after [`push`](Self::push), and after an answer was taken. What is
/// under way is not part of it, so that after a crash it is sent again, by the same id; it is done once because
/// whoever does it remembers ids.
///
/// `push` is O(length of the last run); the rest is O(1).
///
/// ```
/// use crdt_causal::policy::{OfflineLimits, OfflineOp, OfflineQueue, OfflineReply};
/// use crdt_core::{Dot, ReplicaId};
///
/// let me = ReplicaId::from_u128(7);
/// let mut queue = OfflineQueue::new(OfflineLimits::default());
/// // An hour of positions, every ten seconds.
/// for second in 1..=360 {
///     let register = Some(b"position".to_vec());
///     queue.push(OfflineOp { id: Dot::new(me, second), register, payload: second })?;
/// }
/// let request = queue.poll(0).expect("there is one");
/// assert_eq!(request.operations.len(), 1);
/// assert_eq!(request.operations[0].payload, 360);
/// queue.answer(OfflineReply::Done, 40)?;
/// assert!(queue.is_empty());
/// # Ok::<(), crdt_causal::policy::QueueError>(())
/// ```
#[derive(Clone, Debug)]
pub struct OfflineQueue<P> {
    limits: OfflineLimits,
    critical: VecDeque<OfflineOp<P>>,
    /// Runs of register writes, and other operations one by one.
    regular: VecDeque<Vec<OfflineOp<P>>>,
    /// Whether the first critical operation was refused, and waits for the user.
    is_refused: bool,
    under_way: Option<UnderWay>,
    /// Before when the lanes are not tried.
    critical_after: u64,
    regular_after: u64,
    rejected: VecDeque<OfflineOp<P>>,
}

impl<P: Clone> OfflineQueue<P> {
    /// Nothing was done.
    #[must_use]
    pub const fn new(limits: OfflineLimits) -> Self {
        Self {
            limits,
            critical: VecDeque::new(),
            regular: VecDeque::new(),
            is_refused: false,
            under_way: None,
            critical_after: 0,
            regular_after: 0,
            rejected: VecDeque::new(),
        }
    }

    /// The same with other limits: they are not saved.
    #[must_use]
    pub const fn with_limits(mut self, limits: OfflineLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Takes a regular operation.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`] if there is no room, also not in the place of one that it supersedes.
    pub fn push(&mut self, operation: OfflineOp<P>) -> Result<(), QueueError> {
        let is_sent = self.regular.len() == 1
            && matches!(self.under_way, Some(UnderWay { lane: Lane::Regular, .. }));
        let is_full = self.len() >= self.limits.operations_max;
        let run = self.regular.back_mut().filter(|run| {
            !is_sent && operation.register.is_some() && run.iter().all(|op| op.register.is_some())
        });
        let Some(run) = run else {
            if is_full {
                return Err(QueueError::Full);
            }
            self.regular.push_back([operation].into());
            return Ok(());
        };
        match run.iter().position(|earlier| earlier.register == operation.register) {
            Some(superseded) => drop(run.remove(superseded)),
            None if is_full => return Err(QueueError::Full),
            None => {}
        }
        run.push(operation);
        Ok(())
    }

    /// Takes a critical operation.
    ///
    /// # Errors
    ///
    /// [`QueueError::Full`] if there is no room.
    pub fn push_critical(&mut self, operation: OfflineOp<P>) -> Result<(), QueueError> {
        if self.len() >= self.limits.operations_max {
            return Err(QueueError::Full);
        }
        self.critical.push_back(operation);
        Ok(())
    }

    /// The next request, if none is under way and it is time for one.
    pub fn poll(&mut self, now: u64) -> Option<Request<P>> {
        if let Some(under_way) = self.under_way {
            if now < under_way.until {
                return None;
            }
            let _unknown = self.answer(OfflineReply::Unknown, now);
        }
        let critical = (!self.is_refused && now >= self.critical_after).then_some(&self.critical);
        let (lane, ms, operations) = match critical.and_then(VecDeque::front) {
            Some(first) => (Lane::Critical, self.limits.critical_ms, [first.clone()].into()),
            None if now >= self.regular_after => {
                (Lane::Regular, self.limits.regular_ms, self.regular.front()?.clone())
            }
            None => return None,
        };
        let until = now.saturating_add(ms.max(1));
        self.under_way = Some(UnderWay { lane, until });
        Some(Request { operations, is_critical: lane == Lane::Critical, until })
    }

    /// What became of the request under way.
    ///
    /// # Errors
    ///
    /// [`QueueError::NothingUnderWay`] if there is none, also because its time is over: it is sent again then.
    pub fn answer(&mut self, reply: OfflineReply, now: u64) -> Result<(), QueueError> {
        let under_way = self.under_way.take().ok_or(QueueError::NothingUnderWay)?;
        let again = now.saturating_add(self.limits.retry_ms);
        match (under_way.lane, reply) {
            (Lane::Critical, OfflineReply::Done) => drop(self.critical.pop_front()),
            (Lane::Critical, OfflineReply::Refused) => self.is_refused = true,
            (Lane::Critical, OfflineReply::Unknown) => self.critical_after = again,
            (Lane::Regular, OfflineReply::Done) => drop(self.regular.pop_front()),
            (Lane::Regular, OfflineReply::Refused) => {
                self.rejected.extend(self.regular.pop_front().into_iter().flatten());
            }
            (Lane::Regular, OfflineReply::Unknown) => self.regular_after = again,
        }
        Ok(())
    }

    /// The critical operation that was refused: nothing critical is done until the user has decided.
    #[must_use]
    pub fn user_action_required(&self) -> Option<&OfflineOp<P>> {
        self.critical.front().filter(|_| self.is_refused)
    }

    /// What the user has decided. The operation, if it is given up.
    pub fn resolve(&mut self, resolution: Resolution) -> Option<OfflineOp<P>> {
        if !core::mem::take(&mut self.is_refused) || resolution == Resolution::Retry {
            return None;
        }
        self.critical.pop_front()
    }

    /// A regular operation that was refused, and is no longer in the queue.
    pub fn poll_rejected(&mut self) -> Option<OfflineOp<P>> {
        self.rejected.pop_front()
    }

    /// When to poll next, at the latest; `None` if there is nothing to do but for the user.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        if let Some(under_way) = self.under_way {
            return Some(under_way.until);
        }
        let critical =
            (!self.critical.is_empty() && !self.is_refused).then_some(self.critical_after);
        let regular = (!self.regular.is_empty()).then_some(self.regular_after);
        critical.into_iter().chain(regular).min()
    }

    /// How many operations wait, those that the user has to decide about included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.critical.len() + self.regular.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.critical.is_empty() && self.regular.is_empty()
    }
}

impl<P: Encode> Encode for OfflineOp<P> {
    fn encode(&self, out: &mut Writer) {
        self.id.replica.encode(out);
        out.varint(self.id.seq);
        self.register.encode(out);
        self.payload.encode(out);
    }
}

impl<P: Decode> Decode for OfflineOp<P> {
    const BYTES_MIN: usize = 18 + P::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = Dot::new(Decode::decode(input)?, input.seq()?);
        Ok(Self { id, register: Decode::decode(input)?, payload: P::decode(input)? })
    }
}

impl<P: Encode> Encode for OfflineQueue<P> {
    /// Whether the first critical operation was refused; the critical operations; the regular ones by runs. What was
    /// rejected is told once, and what is under way is not known.
    fn encode(&self, out: &mut Writer) {
        self.is_refused.encode(out);
        out.count(self.critical.len());
        self.critical.iter().for_each(|op| op.encode(out));
        out.count(self.regular.len());
        for run in &self.regular {
            out.count(run.len());
            run.iter().for_each(|op| op.encode(out));
        }
    }
}

impl<P: Decode + Clone> Decode for OfflineQueue<P> {
    const BYTES_MIN: usize = 3;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut queue = Self::new(OfflineLimits::default());
        let at = input.position();
        queue.is_refused = bool::decode(input)?;
        for _ in 0..input.count(OfflineOp::<P>::BYTES_MIN)? {
            queue.critical.push_back(Decode::decode(input)?);
        }
        if queue.is_refused && queue.critical.is_empty() {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        for _ in 0..input.count(1 + OfflineOp::<P>::BYTES_MIN)? {
            let at = input.position();
            let count = input.count(OfflineOp::<P>::BYTES_MIN)?;
            let mut run: Vec<OfflineOp<P>> = Vec::new();
            for _ in 0..count {
                run.push(Decode::decode(input)?);
            }
            // One operation of any kind, or registers that are all different.
            let registers = || run.iter().map(|op| &op.register);
            let mut sorted: Vec<_> = registers().collect();
            sorted.sort_unstable();
            let is_run = registers().all(Option::is_some)
                && sorted.windows(2).all(|pair| pair[0] != pair[1]);
            if run.is_empty() || run.len() > 1 && !is_run {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            queue.regular.push_back(run);
        }
        Ok(queue)
    }
}
