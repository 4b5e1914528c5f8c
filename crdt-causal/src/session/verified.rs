use crdt_core::ReplicaId;
use crdt_core::canary::is_planted;

use super::attested::Content;
use super::authenticator::Authenticator;
use super::error::TokenError;
use super::offline::OfflineWrites;
use super::realm::{LogTag, Realm};
use super::token::SessionToken;
use crate::clock::HybridTime;
use crate::cut::{Admission, Cut, Epoch};

/// A session as a server knows it: a [token](SessionToken) that it has checked.
///
/// The server [decides](crate::level::decide) by it, notes what came of it, and
/// [attests](Self::attest) the token of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedToken {
    content: Content,
    /// Of the asking client's own replicas.
    offline: OfflineWrites,
    /// Of other replicas: carried along, believed in nothing.
    foreign: OfflineWrites,
}

impl VerifiedToken {
    /// A session that begins.
    pub fn new(epoch: Epoch) -> Self {
        let content = Content { epoch, ..Content::default() };
        Self::from_parts(content, OfflineWrites::default(), OfflineWrites::default())
    }

    pub(super) const fn from_parts(
        content: Content,
        offline: OfflineWrites,
        foreign: OfflineWrites,
    ) -> Self {
        Self { content, offline, foreign }
    }

    /// The membership that the cuts are of.
    pub const fn epoch(&self) -> Epoch {
        self.content.epoch
    }

    /// When any of it was last attested.
    pub const fn time(&self) -> HybridTime {
        self.content.time
    }

    /// What the session has read: every event in it may have been shown.
    pub const fn read(&self) -> &Cut {
        self.content.footprint.read()
    }

    /// What the session has written is in there. Where it has both written and read, it goes as far
    /// as [`read`](Self::read) at least.
    pub const fn written(&self) -> &Cut {
        self.content.footprint.written()
    }

    /// The last position of the engine for strong operations that the session has seen, 0 for none.
    pub const fn strong(&self) -> u64 {
        self.content.strong
    }

    /// The asking client's own writes that no server has attested.
    pub const fn offline(&self) -> &OfflineWrites {
        &self.offline
    }

    /// Whether the session depends on nothing.
    pub fn is_empty(&self) -> bool {
        self.content.footprint.is_empty() && self.content.strong == 0 && self.offline.is_empty()
    }

    /// Notes that an answer showed what is in this cut. It has to cover *all* that was shown: a
    /// server that numbers everything that becomes visible at it gives the cut that it has applied,
    /// with its own last position.
    pub fn observe_read(&mut self, cut: &Cut) {
        // A planted bug: the token of the answer does not tell what was shown.
        if !is_planted("attest-no-reads") {
            self.content.footprint.observe_read(cut);
        }
    }

    /// Notes that a write of the session was admitted.
    pub fn observe_write(&mut self, admission: Admission) {
        self.content.footprint.observe_write(admission.slot, admission.position);
    }

    /// Notes that a strong operation of the session was committed, or read, at this position.
    pub fn observe_strong(&mut self, position: u64) {
        self.content.strong = self.content.strong.max(position);
    }

    /// Notes that a server has the writes of the client's replica to a log up to a sequence number,
    /// the last of them admitted as `admission` or before. Whether offline writes are attested by
    /// that, and are no longer carried as such.
    pub fn settle(
        &mut self,
        replica: ReplicaId,
        log: LogTag,
        seq: u64,
        admission: Admission,
    ) -> bool {
        let settled = self.offline.settle(replica, log, seq);
        if settled {
            self.observe_write(admission);
        }
        settled
    }

    /// The token of the answer: one attestation of everything, at this time, under the newest key.
    ///
    /// # Errors
    ///
    /// [`TokenError::TooLong`]: the answer then goes without a token, and the client keeps the one
    /// that it has. [`TokenError::UnknownKey`] if the newest key has no key.
    pub fn attest(
        &self,
        realm: Realm,
        time: HybridTime,
        keys: &(impl Authenticator + ?Sized),
    ) -> Result<SessionToken, TokenError> {
        let mut content = self.content.clone();
        content.time = content.time.max(time);
        let mut offline = self.offline.clone();
        offline.join(&self.foreign);
        SessionToken::from_parts(realm, content.attest(realm, keys)?, offline)
    }
}
