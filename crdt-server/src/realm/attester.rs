use std::sync::Arc;

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::Admission;
use crdt_causal::session::VerifiedToken;

use super::{KeyRing, Realm};
use crate::store::unix_ms;

/// Makes the session tokens of clients that are in step by a sync session.
pub(crate) struct Attester {
    pub(crate) realm: Arc<Realm>,
    pub(crate) keys: Arc<KeyRing>,
}

impl Attester {
    /// The token of a session that has been shown what is durable here, and has written up to
    /// `position` at the most. Clients join it with the one that they have.
    pub(crate) fn token(&self, position: u64) -> Option<Vec<u8>> {
        let place = self.realm.place();
        let mut token = VerifiedToken::new(place.epoch);
        token.observe_read(&self.realm.applied());
        token.observe_write(Admission::new(place.slot, position));
        let time = HybridTime::new(unix_ms(), 0)?;
        let token = token.attest(place.realm, time, &*self.keys).ok()?;
        Some(token.to_bytes())
    }
}
