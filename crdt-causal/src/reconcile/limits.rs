//! How long the messages of an exchange may be.

/// What one side of an [`Exchange`](super::Exchange) accepts and sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Symbols of the first offer: 64 by default, which are enough for a difference of 24 entries
    /// nearly always.
    pub first_symbols: usize,
    /// The longest message, in bytes: an answer that would be longer leaves names out and says
    /// so. 1 MiB by default.
    pub message_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { first_symbols: 64, message_bytes_max: 1 << 20 }
    }
}

impl Limits {
    /// These limits with another first offer, of 1 symbol at least.
    #[must_use]
    pub fn with_first_symbols(mut self, symbols: usize) -> Self {
        self.first_symbols = symbols.max(1);
        self
    }

    /// These limits with another longest message, of 1 KiB at least.
    #[must_use]
    pub fn with_message_bytes_max(mut self, bytes: usize) -> Self {
        self.message_bytes_max = bytes.max(1 << 10);
        self
    }
}
