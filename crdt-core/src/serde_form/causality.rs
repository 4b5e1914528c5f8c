use alloc::vec::Vec;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ascending, by_replica, read_bytes, write_bytes};
use crate::causality::{CausalContext, Frontier, VersionVector};
use crate::dot_store::Digest;
use crate::{Dot, DotRange, SEQ_MAX};

impl Serialize for VersionVector {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_map(self.iter()) } else { write_bytes(self, to) }
    }
}

impl<'de> Deserialize<'de> for VersionVector {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return read_bytes(from);
        }
        let entries: Vec<(_, u64)> = by_replica(from)?;
        if entries.iter().all(|(_, seq)| (1..=SEQ_MAX).contains(seq)) {
            Ok(entries.into_iter().collect())
        } else {
            Err(D::Error::custom("sequence numbers are from 1 to 2^62"))
        }
    }
}

impl Serialize for Frontier {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_seq(self.dots()) } else { write_bytes(self, to) }
    }
}

impl<'de> Deserialize<'de> for Frontier {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return read_bytes(from);
        }
        let in_order = |a: &Dot, b: &Dot| a.replica < b.replica;
        let dots = ascending::<_, D::Error>(Vec::deserialize(from)?, in_order, "replicas ascend")?;
        Ok(Self::of_ascending(dots))
    }
}

impl Serialize for CausalContext {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            self.ranges().collect::<Vec<_>>().serialize(to)
        } else {
            write_bytes(self, to)
        }
    }
}

impl<'de> Deserialize<'de> for CausalContext {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return read_bytes(from);
        }
        // Ranges that touch would be one.
        let in_order = |a: &DotRange, b: &DotRange| {
            a.replica < b.replica || a.replica == b.replica && a.last + 1 < b.first
        };
        let otherwise = "ranges ascend and have gaps between them";
        let ranges = ascending::<_, D::Error>(Vec::deserialize(from)?, in_order, otherwise)?;
        let mut context = Self::new();
        for range in ranges {
            context.insert_range(range);
        }
        Ok(context)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DigestShape {
    seen: CausalContext,
    live: CausalContext,
    redacted: CausalContext,
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            let (live, redacted) = (self.live().clone(), self.redacted().clone());
            let seen = self.seen().clone();
            DigestShape { seen, live: live.into(), redacted: redacted.into() }.serialize(to)
        } else {
            write_bytes(self, to)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return read_bytes(from);
        }
        let DigestShape { seen, live, redacted } = Deserialize::deserialize(from)?;
        Self::of_parts(seen, live, redacted)
            .ok_or_else(|| D::Error::custom("what is held was seen, and what is redacted is held"))
    }
}
