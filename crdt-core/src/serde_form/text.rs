use alloc::string::{String, ToString};
use core::fmt::Display;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer, ser};

use super::hex::{hex, unhex};
use super::{Bytes, read_bytes, write_bytes};
use crate::codec::{Decode, Encode, Reader, Writer};
use crate::sequence::Anchor;
use crate::{Text, TextDelta};

/// What is read is the text; what is kept is its history, as its bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextShape {
    text: String,
    history: String,
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let history = self.encode().map_err(ser::Error::custom)?;
        if to.is_human_readable() {
            TextShape { text: self.to_string(), history: hex(&history) }.serialize(to)
        } else {
            to.serialize_bytes(&history)
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return decoded(&from.deserialize_byte_buf(Bytes)?, Self::import);
        }
        let TextShape { text, history } = Deserialize::deserialize(from)?;
        let read = decoded::<_, _, D::Error>(&unhex(&history)?, Self::import)?;
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(D::Error::custom("the text is what its history leads to"))
        }
    }
}

fn decoded<T, X: Display, E: Error>(
    bytes: &[u8],
    decode: impl FnOnce(&[u8]) -> Result<T, X>,
) -> Result<T, E> {
    decode(bytes).map_err(E::custom)
}

impl Serialize for TextDelta {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let bytes = self.encode();
        if to.is_human_readable() { hex(&bytes).serialize(to) } else { to.serialize_bytes(&bytes) }
    }
}

impl<'de> Deserialize<'de> for TextDelta {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = if from.is_human_readable() {
            unhex(&String::deserialize(from)?)?
        } else {
            from.deserialize_byte_buf(Bytes)?
        };
        decoded(&bytes, Self::decode)
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return write_bytes(self, to);
        }
        let mut out = Writer::new();
        self.encode(&mut out);
        hex(out.as_bytes()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Anchor {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return read_bytes(from);
        }
        let bytes = unhex(&String::deserialize(from)?)?;
        let mut input = Reader::new(&bytes);
        let anchor = Self::decode(&mut input).map_err(D::Error::custom)?;
        input.finish().map_err(D::Error::custom)?;
        Ok(anchor)
    }
}
