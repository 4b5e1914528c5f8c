use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crdt_core::ReplicaId;
use crdt_core::codec::{CHECKSUM_LEN, Decode, DecodeErrorKind, Encode, Reader, Writer, checksum};

use super::attested::{Attested, Content};
use super::authenticator::Authenticator;
use super::base64url;
use super::error::TokenError;
use super::offline::OfflineWrites;
use super::realm::{LogTag, Realm};
use super::verified::VerifiedToken;
use crate::clock::HybridTime;
use crate::cut::{Cut, Epoch};

/// The longest token, in bytes: what fits into a header of HTTP everywhere.
pub const TOKEN_BYTES_MAX: usize = 4096;

const VERSION: u8 = 0;

/// What a session has seen and done, as its client carries it from server to server.
///
/// Whoever carries a token need not look inside: it is a string to be sent with every request and
/// to be replaced by that in the answer. Inside are
///
/// * what servers *attested*: cuts of what was read and written, a time, a position of the engine for
///   strong operations. A code over it, under a key of the servers, keeps anybody from forging a
///   future that every server would wait for;
/// * the client's own *offline writes*, which no server has seen. They are not signed, and a server
///   believes them about the replicas of the one who asks alone.
///
/// Tokens [merge](Self::merge): that of another tab, or of another device by a link or a QR code, and
/// causality goes along. Merging is commutative, associative and idempotent. A client has no keys, so
/// that a merged token carries the attestations of both, without those that another one covers; the
/// next server to see it makes one of them.
///
/// For eight servers it is 96 bytes at most, and some 40 more with offline writes to three logs. One
/// longer than 4 KB is refused wherever it comes from, and never made.
///
/// ```
/// use crdt_causal::clock::HybridTime;
/// use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
/// use crdt_causal::session::{Authenticator, KeyId, LogTag, Mac, Realm, SessionToken, VerifiedToken};
/// use crdt_core::ReplicaId;
///
/// # struct Keys;
/// # impl Authenticator for Keys {
/// #     fn newest(&self) -> KeyId { KeyId(1) }
/// #     fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
/// #         let sum = crdt_core::codec::checksum(message).to_le_bytes();
/// #         (key.0 == 1).then(|| [sum, sum, sum, sum].concat().try_into().unwrap())
/// #     }
/// # }
/// let (realm, epoch, tag) = (Realm(7), Epoch(1), LogTag::of_name(b"notes"));
/// let (phone, noon) = (ReplicaId::from_u128(1), HybridTime::new(1_790_000_000_000, 0).unwrap());
///
/// // A server admits a write of the phone, and attests it.
/// let mut session = VerifiedToken::new(epoch);
/// session.observe_write(Admission::new(Slot(0), 41));
/// let mut token = session.attest(realm, noon, &Keys)?;
///
/// // The phone is offline, and writes on. Later another server is asked.
/// token.record_write(phone, tag, 12)?;
/// let header = token.to_string();
/// let asked = header.parse::<SessionToken>()?.verify(realm, epoch, &Keys, |id| id == phone)?;
/// assert_eq!(asked.written(), &Cut::from_iter([(Slot(0), 41)]));
/// assert_eq!(asked.offline().get(phone, tag), 12);
/// # Ok::<(), crdt_causal::session::TokenError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionToken {
    /// Of what was attested; nothing while nothing was.
    realm: Realm,
    /// What was attested, none of which makes another redundant; by their bytes.
    attested: Vec<Attested>,
    offline: OfflineWrites,
}

impl SessionToken {
    /// The token of a session that has not seen anything.
    pub const fn new() -> Self {
        Self { realm: Realm(0), attested: Vec::new(), offline: OfflineWrites::NONE }
    }

    pub(super) fn from_parts(
        realm: Realm,
        attested: Attested,
        offline: OfflineWrites,
    ) -> Result<Self, TokenError> {
        Self { realm, attested: Vec::from([attested]), offline }.check_len()
    }

    /// Whether the session has not seen anything.
    pub fn is_empty(&self) -> bool {
        self.attested.is_empty() && self.offline.is_empty()
    }

    /// The realm whose servers attested something, if any did.
    pub fn realm(&self) -> Option<Realm> {
        (!self.attested.is_empty()).then_some(self.realm)
    }

    /// How many attestations it carries: one, unless tokens were merged since a server saw it.
    pub fn attestations(&self) -> usize {
        self.attested.len()
    }

    /// When a server last attested something, as the token says without being checked.
    pub fn time(&self) -> Option<HybridTime> {
        self.attested.iter().map(|part| part.content.time).max()
    }

    /// The client's own writes that no server has attested yet.
    pub const fn offline(&self) -> &OfflineWrites {
        &self.offline
    }

    /// Adds that this client, as `replica`, has written to a log up to a sequence number.
    ///
    /// # Errors
    ///
    /// [`TokenError::TooLong`] if there is no room for another log; the token is as before.
    pub fn record_write(
        &mut self,
        replica: ReplicaId,
        log: LogTag,
        seq: u64,
    ) -> Result<(), TokenError> {
        let mut next = self.clone();
        next.offline.record(replica, log, seq);
        *self = next.check_len()?;
        Ok(())
    }

    /// Takes in another token of the same person: whatever either session has seen, this one has.
    ///
    /// O(n²) comparisons for n attestations, of which there is one in a token that a server made.
    ///
    /// # Errors
    ///
    /// [`TokenError::WrongRealm`], and [`TokenError::TooLong`] if the two do not go into one, which
    /// takes more than forty attestations of eight servers each; the token is as before.
    pub fn merge(&mut self, other: &Self) -> Result<(), TokenError> {
        if let (Some(here), Some(token)) = (self.realm(), other.realm())
            && here != token
        {
            return Err(TokenError::WrongRealm { token, here });
        }
        let mut next = self.clone();
        next.realm = other.realm().unwrap_or(self.realm);
        next.offline.join(&other.offline);
        next.attested.extend(other.attested.iter().cloned());
        next.settle_attested();
        *self = next.check_len()?;
        Ok(())
    }

    /// Takes in the token of an answer to a request that had `sent` with it: that, and what came to
    /// this one since. So offline writes that a server has attested are dropped, and answers may
    /// overtake each other.
    ///
    /// # Errors
    ///
    /// As for [`merge`](Self::merge).
    pub fn replace(&mut self, sent: &Self, answer: &Self) -> Result<(), TokenError> {
        let mut since = self.clone();
        since.attested.retain(|part| !sent.attested.contains(part));
        since.offline.subtract(&sent.offline);
        since.merge(answer)?;
        *self = since;
        Ok(())
    }

    /// What the token says, checked by a server: every attestation in it, as one, and the offline
    /// writes of the replicas that are the asking client's own.
    ///
    /// # Errors
    ///
    /// [`TokenError`], if any part of it was not attested in this realm and this epoch.
    pub fn verify(
        &self,
        realm: Realm,
        epoch: Epoch,
        keys: &(impl Authenticator + ?Sized),
        is_own: impl Fn(ReplicaId) -> bool,
    ) -> Result<VerifiedToken, TokenError> {
        self.verify_across(realm, epoch, keys, is_own, |_, _| None)
    }

    /// As [`verify`](Self::verify), where a server knows what cuts of earlier epochs mean in this one:
    /// `translate` is given the epoch of an attestation and a cut of it, and returns the same set of events
    /// in the slots of today, or `None` if that cannot be said any more. So sessions outlive that servers
    /// come and go, as far as the [membership](crate::membership::Membership::translate) remembers.
    ///
    /// # Errors
    ///
    /// As for [`verify`](Self::verify).
    pub fn verify_across(
        &self,
        realm: Realm,
        epoch: Epoch,
        keys: &(impl Authenticator + ?Sized),
        is_own: impl Fn(ReplicaId) -> bool,
        translate: impl Fn(Epoch, &Cut) -> Option<Cut>,
    ) -> Result<VerifiedToken, TokenError> {
        if let Some(token) = self.realm()
            && token != realm
        {
            return Err(TokenError::WrongRealm { token, here: realm });
        }
        let mut all = Content { epoch, ..Content::default() };
        for part in &self.attested {
            let content = part.verify(realm, keys)?;
            let token = content.epoch;
            if token > epoch {
                return Err(TokenError::EpochUnknown { token, here: epoch });
            }
            if token == epoch {
                all.join(content);
                continue;
            }
            let expired = TokenError::EpochExpired { token, here: epoch };
            let footprint = content.footprint.translated(|cut| translate(token, cut));
            let footprint = footprint.ok_or(expired)?;
            all.join(&Content { epoch, footprint, ..content.clone() });
        }
        let mut offline = self.offline.clone();
        // A planted bug: what anyone says of anyone's writes is believed.
        let trusting = crdt_core::canary::is_planted("believe-any-tail");
        let foreign = offline.split_foreign(|replica| is_own(replica) || trusting);
        Ok(VerifiedToken::from_parts(all, offline, foreign))
    }

    /// The token as bytes: the one form of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.u8(VERSION);
        out.count(self.attested.len());
        if !self.attested.is_empty() {
            self.realm.encode(&mut out);
        }
        self.attested.iter().for_each(|part| part.encode(&mut out));
        self.offline.encode(&mut out);
        let sum = checksum(out.as_bytes());
        out.raw(&sum.to_le_bytes());
        out.into_bytes()
    }

    /// The token that these bytes are.
    ///
    /// # Errors
    ///
    /// [`TokenError::Malformed`] if they are damaged, and [`TokenError::TooLong`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TokenError> {
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong { bytes: bytes.len() });
        }
        let mut input = Reader::new(bytes);
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(0).into());
        }
        let sum_at = bytes.len() - CHECKSUM_LEN.min(bytes.len());
        let (body, sum) = bytes.split_at(sum_at);
        if sum != checksum(body).to_le_bytes() {
            return Err(DecodeErrorKind::ChecksumMismatch.at(sum_at).into());
        }
        let mut input = Reader::new(body);
        input.take(1)?;
        let count = input.count(Attested::BYTES_MIN)?;
        let realm = if count > 0 { Realm::decode(&mut input)? } else { Realm::default() };
        let at = input.position();
        let mut attested = Vec::with_capacity(count);
        for _ in 0..count {
            attested.push(Attested::decode(&mut input)?);
        }
        let offline = OfflineWrites::decode(&mut input)?;
        input.finish()?;
        let mut token = Self { realm, attested, offline };
        let read = token.attested.clone();
        token.settle_attested();
        if token.attested != read {
            return Err(DecodeErrorKind::NotCanonical.at(at).into());
        }
        Ok(token)
    }

    /// The token as text of letters, digits, `-` and `_`, as for a header or an address.
    pub fn to_base64url(&self) -> String {
        base64url::encode(&self.to_bytes())
    }

    /// The token that this text is.
    ///
    /// # Errors
    ///
    /// [`TokenError::NotBase64Url`], and as for [`from_bytes`](Self::from_bytes).
    pub fn from_base64url(text: &str) -> Result<Self, TokenError> {
        let bytes = text.len() / 4 * 3 + text.len() % 4 * 3 / 4;
        if bytes > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong { bytes });
        }
        Self::from_bytes(&base64url::decode(text)?)
    }

    /// Drops the attestations that another one makes redundant, and brings the others into the one
    /// order.
    fn settle_attested(&mut self) {
        let all = core::mem::take(&mut self.attested);
        for part in all {
            let covered = |held: &Attested| *held == part || part.is_redundant_beside(held);
            if self.attested.iter().any(covered) {
                continue;
            }
            self.attested.retain(|held| !held.is_redundant_beside(&part));
            self.attested.push(part);
        }
        self.attested.sort_by_cached_key(Attested::to_bytes);
    }

    fn check_len(self) -> Result<Self, TokenError> {
        match self.to_bytes().len() {
            bytes if bytes > TOKEN_BYTES_MAX => Err(TokenError::TooLong { bytes }),
            _ => Ok(self),
        }
    }
}

/// As [`SessionToken::to_base64url`].
impl fmt::Display for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64url())
    }
}

/// As [`SessionToken::from_base64url`].
impl FromStr for SessionToken {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        Self::from_base64url(text)
    }
}
