//! What a session accepts, holds and waits for.

use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::{Frontier, ReplicaId};

use super::reconciling::{RECONCILER, Reconciler};

/// The longest greeting that any session sends or accepts, in bytes, whatever its limits: when
/// it is sent, the limits of the peer are not known.
pub const HELLO_BYTES_MAX: usize = 64 << 10;

/// Writers that one peer may claim.
pub const WRITERS_MAX: usize = 1 << 10;

/// What one side of a session accepts from the other. It is announced in the handshake, kept
/// to by the side that sends, and enforced by the side that receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest message, in bytes. What is longer is sent in fragments. 256 KiB by default.
    pub message_bytes_max: u64,
    /// The longest body, in bytes, put together from fragments. It bounds one transaction,
    /// which is never split, and the memory that a peer can make a session reserve. 16 MiB by
    /// default.
    pub body_bytes_max: u64,
    /// The longest presence message, in bytes. 16 KiB by default.
    pub presence_bytes_max: u64,
    /// How many bytes of changes may be on their way, in either direction: what is on its way
    /// is held by the side that sends. 1 MiB by default.
    pub in_flight_bytes_max: u64,
    /// How many messages may be on their way in either direction, or wait to become durable at
    /// the receiver. 64 by default.
    pub in_flight_messages_max: u64,
}

/// The least that a peer may announce as the longest message.
pub(super) const MESSAGE_BYTES_MIN: u64 = 64;

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 256 << 10,
            body_bytes_max: 16 << 20,
            presence_bytes_max: 16 << 10,
            in_flight_bytes_max: 1 << 20,
            in_flight_messages_max: 64,
        }
    }
}

impl Limits {
    /// These limits with another longest message, of 64 bytes at least.
    #[must_use]
    pub fn with_message_bytes_max(mut self, bytes: u64) -> Self {
        self.message_bytes_max = bytes.max(MESSAGE_BYTES_MIN);
        self
    }

    /// These limits with another longest body, of 64 bytes at least.
    #[must_use]
    pub fn with_body_bytes_max(mut self, bytes: u64) -> Self {
        self.body_bytes_max = bytes.max(MESSAGE_BYTES_MIN);
        self
    }

    /// These limits with another longest presence message.
    #[must_use]
    pub fn with_presence_bytes_max(mut self, bytes: u64) -> Self {
        self.presence_bytes_max = bytes;
        self
    }

    /// These limits with another window, in bytes and in messages (1 at least).
    #[must_use]
    pub fn with_in_flight_max(mut self, bytes: u64, messages: u64) -> Self {
        self.in_flight_bytes_max = bytes;
        self.in_flight_messages_max = messages.max(1);
        self
    }
}

impl Limits {
    /// What both `self` and `other` allow.
    pub(super) fn stricter(&self, other: &Self) -> Self {
        Self {
            message_bytes_max: self.message_bytes_max.min(other.message_bytes_max),
            body_bytes_max: self.body_bytes_max.min(other.body_bytes_max),
            presence_bytes_max: self.presence_bytes_max.min(other.presence_bytes_max),
            in_flight_bytes_max: self.in_flight_bytes_max.min(other.in_flight_bytes_max),
            in_flight_messages_max: self.in_flight_messages_max.min(other.in_flight_messages_max),
        }
    }
}

impl Encode for Limits {
    fn encode(&self, out: &mut Writer) {
        out.varint(self.message_bytes_max);
        out.varint(self.body_bytes_max);
        out.varint(self.presence_bytes_max);
        out.varint(self.in_flight_bytes_max);
        out.varint(self.in_flight_messages_max);
    }
}

impl Decode for Limits {
    const BYTES_MIN: usize = 5;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let limits = Self {
            message_bytes_max: input.varint()?,
            body_bytes_max: input.varint()?,
            presence_bytes_max: input.varint()?,
            in_flight_bytes_max: input.varint()?,
            in_flight_messages_max: input.varint()?,
        };
        let usable = limits.message_bytes_max >= MESSAGE_BYTES_MIN
            && limits.body_bytes_max >= MESSAGE_BYTES_MIN
            && limits.in_flight_messages_max >= 1;
        if usable { Ok(limits) } else { Err(DecodeErrorKind::OutOfRange.at(at)) }
    }
}

/// How long a session waits for an answer before it repeats itself, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// The first wait. 1 s by default.
    pub interval_ms: u64,
    /// What the wait, doubled with each repetition, does not grow beyond. 30 s by default.
    pub interval_ms_max: u64,
    /// How long an acknowledgement may wait for what it acknowledges to become durable, so that
    /// one message says both. 25 ms by default.
    pub acknowledge_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { interval_ms: 1_000, interval_ms_max: 30_000, acknowledge_ms: 25 }
    }
}

impl Retry {
    /// These waits with another first one and another greatest one, of 1 ms at least.
    #[must_use]
    pub fn with_interval_ms(mut self, first: u64, max: u64) -> Self {
        self.interval_ms = first.max(1);
        self.interval_ms_max = max.max(self.interval_ms);
        self
    }

    /// These waits with another one for acknowledgements.
    #[must_use]
    pub fn with_acknowledge_ms(mut self, wait: u64) -> Self {
        self.acknowledge_ms = wait;
        self
    }
}

/// How a [`Session`](super::Session) is set up.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub(super) limits: Limits,
    pub(super) retry: Retry,
    pub(super) base: Frontier,
    pub(super) writers: Vec<ReplicaId>,
    pub(super) reconciler: Option<Reconciler>,
}

impl Config {
    /// The defaults: no common past is known, and nobody is claimed to write here.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What this side accepts: [64 bytes](Limits::with_message_bytes_max) and one message at
    /// least.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits
            .with_message_bytes_max(limits.message_bytes_max)
            .with_body_bytes_max(limits.body_bytes_max)
            .with_in_flight_max(limits.in_flight_bytes_max, limits.in_flight_messages_max);
        self
    }

    /// How long this side waits.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        // A wait of 0 would be over before it began, again and again.
        self.retry = retry.with_interval_ms(retry.interval_ms, retry.interval_ms_max);
        self
    }

    /// Names a version that the peer is likely to hold: what it had acknowledged when an
    /// earlier session ended.
    ///
    /// The greeting then describes what is held here by what was learned since, however many
    /// replicas ever wrote. If the peer does not hold it after all, one more round trip is made.
    #[must_use]
    pub fn with_base(mut self, base: Frontier) -> Self {
        self.base = base;
        self
    }

    /// Finds out by [rateless reconciliation](crate::reconcile) how this side and a peer differ that
    /// have no common past to name, if the peer does so too: two vectors of 1,000 replicas that
    /// differ in 10 are compared in about 1.4 kB and one more round trip, where the longer one
    /// would take 20. If they differ in more than some 24, a vector is asked for as otherwise.
    ///
    /// For peers that hold much and meet without knowing each other, such as servers. A client
    /// that remembers a [base](Self::with_base) has no need for it, nor for its code.
    #[must_use]
    pub fn with_reconciliation(mut self) -> Self {
        self.reconciler = Some(RECONCILER);
        self
    }

    /// The replicas in whose name this side writes, [`WRITERS_MAX`] at most.
    #[must_use]
    pub fn with_writers(mut self, writers: impl IntoIterator<Item = ReplicaId>) -> Self {
        self.writers = writers.into_iter().take(WRITERS_MAX).collect();
        self
    }
}
