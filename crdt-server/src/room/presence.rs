use crdt_core::codec::DecodeError;
use crdt_document::{Presence, PresenceLimits};

/// Who else is here: kept in memory for newcomers until it expires, and never stored.
///
/// The room relays each update as it came and keeps the last one of each client; it does not
/// look into their states.
#[derive(Debug)]
pub(super) struct PresenceBoard {
    presence: Presence,
}

/// Well below what a session takes in one message.
const UPDATE_BYTES_MAX: usize = 8 << 10;

impl PresenceBoard {
    pub(super) fn new(clients_max: usize) -> Self {
        let mut limits = PresenceLimits::default();
        limits.clients_max = clients_max;
        Self { presence: Presence::new(limits) }
    }

    pub(super) fn take_in(&mut self, update: &[u8], now: u64) -> Result<(), DecodeError> {
        self.presence.apply(update, now).map(drop)
    }

    /// Updates that tell a newcomer about everyone.
    pub(super) fn everyone(&self, now: u64) -> Vec<Vec<u8>> {
        self.presence.encode_split(now, UPDATE_BYTES_MAX)
    }

    pub(super) fn expire(&mut self, now: u64) {
        self.presence.expire(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<u64> {
        self.presence.poll_timeout()
    }
}
