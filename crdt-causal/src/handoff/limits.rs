//! How much is kept for others.

/// Bounds of a [`Handoff`](super::Handoff). What does not fit is not lost: anti-entropy finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandoffLimits {
    /// Hints for one target. 10,000 by default.
    pub hints_max: usize,
    /// Bytes of hints for one target. 16 MiB by default.
    pub bytes_max: usize,
    /// Bytes of hints in all. 128 MiB by default.
    pub total_bytes_max: usize,
    /// How old a hint may get. Three hours by default: who is away for longer is better served by
    /// anti-entropy, which costs what differs and not what has happened.
    pub age_ms_max: u64,
    /// How long an answer is waited for before a hint is given again. 10 seconds by default.
    pub retry_ms: u64,
}

impl Default for HandoffLimits {
    fn default() -> Self {
        Self {
            hints_max: 10_000,
            bytes_max: 16 << 20,
            total_bytes_max: 128 << 20,
            age_ms_max: 3 * 3_600_000,
            retry_ms: 10_000,
        }
    }
}
