use alloc::vec::Vec;
use core::cmp::Ordering;

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer};

use super::authenticator::{Authenticator, KeyId, Mac, are_equal};
use super::error::TokenError;
use super::footprint::Footprint;
use super::realm::Realm;
use crate::clock::HybridTime;
use crate::cut::Epoch;

/// What every authenticated message begins with, so that no other use of the keys can be taken for
/// this one.
const CONTEXT: &[u8] = b"crdt-causal session token, version 0";

/// What a server attests of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) epoch: Epoch,
    /// The greatest time at which any of it was attested.
    pub(super) time: HybridTime,
    /// The position of the engine for strong operations that the session has seen.
    pub(super) strong: u64,
    pub(super) footprint: Footprint,
}

impl Content {
    /// Takes in what was attested in the same epoch.
    pub(super) fn join(&mut self, other: &Self) {
        self.time = self.time.max(other.time);
        self.strong = self.strong.max(other.strong);
        self.footprint.join(&other.footprint);
    }

    /// Signs it with the newest key.
    pub(super) fn attest(
        self,
        realm: Realm,
        keys: &(impl Authenticator + ?Sized),
    ) -> Result<Attested, TokenError> {
        let key = keys.newest();
        let mac = keys.mac(key, &message(realm, key, &self)).ok_or(TokenError::UnknownKey(key))?;
        Ok(Attested { content: self, key, mac })
    }
}

/// The product of its fields, for those of one epoch.
impl PartialOrd for Content {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.epoch != other.epoch {
            return None;
        }
        let numbers = [self.time.cmp(&other.time), self.strong.cmp(&other.strong)];
        let mut order = self.footprint.partial_cmp(&other.footprint)?;
        for next in numbers {
            order = match (order, next) {
                (Ordering::Equal, other) | (other, Ordering::Equal) => other,
                (order, next) if order == next => order,
                _ => return None,
            };
        }
        Some(order)
    }
}

/// What a server attests, with its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attested {
    pub(super) content: Content,
    key: KeyId,
    mac: Mac,
}

impl Attested {
    /// Checks the code.
    pub(super) fn verify(
        &self,
        realm: Realm,
        keys: &(impl Authenticator + ?Sized),
    ) -> Result<&Content, TokenError> {
        let message = message(realm, self.key, &self.content);
        let expected = keys.mac(self.key, &message).ok_or(TokenError::UnknownKey(self.key))?;
        // A planted bug: what anyone says is attested.
        let trusting = crdt_core::canary::is_planted("believe-any-token");
        if are_equal(&expected, &self.mac) || trusting {
            Ok(&self.content)
        } else {
            Err(TokenError::NotAuthentic)
        }
    }

    /// Whether `other` says all that this does, so that this one need not be kept. Of two that say
    /// the same, the one under the newer key stays.
    pub(super) fn is_redundant_beside(&self, other: &Self) -> bool {
        match self.content.partial_cmp(&other.content) {
            Some(Ordering::Less) => true,
            Some(Ordering::Equal) => (self.key, self.mac) < (other.key, other.mac),
            _ => false,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.encode(&mut out);
        out.into_bytes()
    }
}

/// The bytes under the code: what they are for, the realm, and the part as the token carries it.
fn message(realm: Realm, key: KeyId, content: &Content) -> Vec<u8> {
    let mut out = Writer::new();
    out.raw(CONTEXT);
    realm.encode(&mut out);
    encode_content(key, content, &mut out);
    out.into_bytes()
}

fn encode_content(key: KeyId, content: &Content, out: &mut Writer) {
    let Content { epoch, time, strong, footprint } = content;
    key.encode(out);
    epoch.encode(out);
    time.encode(out);
    out.varint(*strong);
    footprint.encode(out);
}

impl Encode for Attested {
    fn encode(&self, out: &mut Writer) {
        encode_content(self.key, &self.content, out);
        out.raw(&self.mac);
    }
}

impl Decode for Attested {
    const BYTES_MIN: usize = 6 + size_of::<Mac>();

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let key = KeyId::decode(input)?;
        let content = Content {
            epoch: Epoch::decode(input)?,
            time: HybridTime::decode(input)?,
            strong: input.varint()?,
            footprint: Footprint::decode(input)?,
        };
        Ok(Self { content, key, mac: input.array()? })
    }
}
