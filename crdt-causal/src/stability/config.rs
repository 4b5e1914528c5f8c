//! How long members and browsers are waited for.

use super::horizon::HorizonConfig;

/// What a [`Trimmer`](super::Trimmer) goes by. All servers of a realm should have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StabilityConfig {
    /// For how long a member that says nothing holds the stable cut back. A day by default: it costs
    /// memory, and one that is back in time goes on as if nothing had been.
    pub lease_ms: u64,
    /// For how long what browsers may need is kept.
    pub horizon: HorizonConfig,
}

impl Default for StabilityConfig {
    fn default() -> Self {
        Self { lease_ms: 24 * 3_600_000, horizon: HorizonConfig::default() }
    }
}
