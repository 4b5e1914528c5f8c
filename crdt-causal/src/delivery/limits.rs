//! What a delivery buffer may hold, and when it asks again.

/// Bounds of a [`CausalBuffer`](super::CausalBuffer): by count, bytes and gap, for one replica
/// and in all.
///
/// A bound delays, it never loses for good: what is dropped is farthest from delivery, is
/// reported, and is named again by [`missing`](super::CausalBuffer::missing). The bounds for one
/// replica keep a single gap, or a single flood, from pushing out what others sent.
///
/// Bytes are those of the payloads, as the messages themselves tell, and of what the buffer
/// keeps beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Pending messages in all.
    pub pending_max: usize,
    /// Pending bytes in all.
    pub pending_bytes_max: usize,
    /// Pending messages of one replica.
    pub replica_pending_max: usize,
    /// Pending bytes of one replica.
    pub replica_pending_bytes_max: usize,
    /// How far the sequence number of a message, or of one of its parents, may be ahead of what
    /// was delivered of that replica. At most 2^61: so nothing that a peer says moves a counter
    /// near [`SEQ_MAX`](crdt_core::SEQ_MAX).
    pub gap_max: u64,
    /// Explicit parents of one message.
    pub parents_max: usize,
    /// Replicas that are known by name, delivered from or not. At this bound, those of which
    /// nothing was delivered and nothing waits (any more) are forgotten.
    pub replicas_max: usize,
    /// Digests that are kept of the newest delivered messages of each replica, to tell a
    /// duplicate from an equivocation. None are computed where this is 0.
    pub digests_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_max: 1 << 20,
            pending_bytes_max: 64 << 20,
            replica_pending_max: 1 << 18,
            replica_pending_bytes_max: 16 << 20,
            gap_max: 1 << 24,
            parents_max: 1 << 10,
            replicas_max: 1 << 18,
            digests_max: 64,
        }
    }
}

/// When [`missing`](super::CausalBuffer::missing) names a dot, and when it names it again.
///
/// Times are milliseconds on the clock of the caller, which only has to be monotonic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How long a gap may fill by itself before it is asked for: reordering is no loss.
    pub patience_ms: u64,
    /// How long an answer may take at first. It doubles with each unanswered request.
    pub interval_ms: u64,
    /// What the interval does not grow beyond.
    pub interval_ms_max: u64,
    /// Ranges that one request names, the nearest to delivery first.
    pub ranges_max: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self { patience_ms: 20, interval_ms: 500, interval_ms_max: 60_000, ranges_max: 256 }
    }
}
