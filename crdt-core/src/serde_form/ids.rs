use alloc::borrow::Cow;
use core::str::FromStr as _;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Dot, DotRange, ReplicaId, SEQ_MAX};

/// Reads text.
fn text<'de, T, D: Deserializer<'de>>(
    from: D,
    parse: impl FnOnce(&str) -> Option<T>,
    otherwise: &'static str,
) -> Result<T, D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    parse(&text).ok_or_else(|| D::Error::custom(otherwise))
}

/// As [`ReplicaId`] is displayed, and nothing else.
fn replica(text: &str) -> Option<ReplicaId> {
    let mut value = 0_u128;
    for (index, byte) in text.bytes().enumerate() {
        let digit = match byte {
            b'-' if matches!(index, 8 | 13 | 18 | 23) => continue,
            _ if matches!(index, 8 | 13 | 18 | 23) => return None,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    (text.len() == 36).then_some(ReplicaId::from_u128(value))
}

/// A sequence number, without a sign or leading zeros.
fn seq(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    u64::from_str(text).ok().filter(|&seq| is_plain && seq <= SEQ_MAX)
}

impl Serialize for ReplicaId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { self.to_bytes().serialize(to) }
    }
}

impl<'de> Deserialize<'de> for ReplicaId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            text(from, replica, "a replica id is 32 hexadecimal digits in groups of 8, 4, 4, 4, 12")
        } else {
            Deserialize::deserialize(from).map(Self::from_bytes)
        }
    }
}

const WHAT_A_DOT_IS: &str = "a dot is a replica id, a colon and a number from 1 to 2^62";

impl Serialize for Dot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.collect_str(self)
        } else {
            (self.replica, self.seq).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for Dot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let parse = |text: &str| {
                let (by, number) = text.split_once(':')?;
                Some(Self::new(replica(by)?, seq(number)?))
            };
            return text(from, parse, WHAT_A_DOT_IS);
        }
        match Deserialize::deserialize(from)? {
            (replica, seq @ 1..=SEQ_MAX) => Ok(Self::new(replica, seq)),
            _ => Err(D::Error::custom(WHAT_A_DOT_IS)),
        }
    }
}

const WHAT_A_RANGE_IS: &str =
    "a range is a replica id, a colon and two numbers from 1 to 2^62, the first not above the last";

impl Serialize for DotRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.collect_str(self)
        } else {
            (self.replica, self.first, self.last).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for DotRange {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (replica, first, last) = if from.is_human_readable() {
            let parse = |text: &str| {
                let (by, numbers) = text.split_once(':')?;
                let (first, last) = numbers.split_once('-')?;
                Some((replica(by)?, seq(first)?, seq(last)?))
            };
            text(from, parse, WHAT_A_RANGE_IS)?
        } else {
            Deserialize::deserialize(from)?
        };
        if 1 <= first && first <= last && last <= SEQ_MAX {
            Ok(Self::new(replica, first, last))
        } else {
            Err(D::Error::custom(WHAT_A_RANGE_IS))
        }
    }
}
