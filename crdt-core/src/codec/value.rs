use alloc::string::String;
use alloc::vec::Vec;

use super::{DecodeError, DecodeErrorKind, Reader, Writer};
use crate::{Dot, ReplicaId};

/// A value with one canonical encoding: equal values have equal bytes.
///
/// Implement it, and [`Decode`], for the elements that you keep in a set, map or register.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, out: &mut Writer);
}

/// The inverse of [`Encode`], for bytes that a stranger may have written.
pub trait Decode: Sized {
    /// The fewest bytes that a value takes; bounds what a declared count may reserve.
    const BYTES_MIN: usize;

    /// Reads one value.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes. An implementation accepts exactly the bytes that
    /// [`Encode`] writes, and keeps at most 32 bytes of memory for each byte it reads.
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut Writer) {
                out.varint(u64::from(*self));
            }
        }
        impl Decode for $type {
            const BYTES_MIN: usize = 1;
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(input.varint()?)
                    .map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64);

macro_rules! signed {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut Writer) {
                out.signed(i64::from(*self));
            }
        }
        impl Decode for $type {
            const BYTES_MIN: usize = 1;
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(input.signed()?)
                    .map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
            }
        }
    )*};
}
signed!(i8, i16, i32, i64);

impl Encode for bool {
    fn encode(&self, out: &mut Writer) {
        out.u8(u8::from(*self));
    }
}

impl Decode for bool {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        match input.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeErrorKind::UnknownTag.at(at)),
        }
    }
}

impl Encode for () {
    fn encode(&self, _: &mut Writer) {}
}

impl Decode for () {
    const BYTES_MIN: usize = 0;
    fn decode(_: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

impl Encode for str {
    fn encode(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Writer) {
        out.string(self);
    }
}

impl Decode for String {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.string().map(Into::into)
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, out: &mut Writer) {
        out.bytes(self);
    }
}

impl Decode for Vec<u8> {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.bytes().map(Into::into)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Writer) {
        out.u8(u8::from(self.is_some()));
        if let Some(value) = self {
            value.encode(out);
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if bool::decode(input)? { T::decode(input).map(Some) } else { Ok(None) }
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    const BYTES_MIN: usize = A::BYTES_MIN + B::BYTES_MIN;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(input)?, B::decode(input)?))
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Writer) {
        (**self).encode(out);
    }
}

impl Encode for ReplicaId {
    fn encode(&self, out: &mut Writer) {
        out.raw(self.as_bytes());
    }
}

impl Decode for ReplicaId {
    const BYTES_MIN: usize = 16;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array().map(Self::from_bytes)
    }
}

impl Encode for Dot {
    fn encode(&self, out: &mut Writer) {
        self.replica.encode(out);
        out.varint(self.seq);
    }
}

impl Decode for Dot {
    const BYTES_MIN: usize = 17;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let replica = ReplicaId::decode(input)?;
        Ok(Self::new(replica, input.seq()?))
    }
}

impl Reader<'_> {
    /// The number of an event: from 1 to [`SEQ_MAX`](crate::SEQ_MAX).
    pub fn seq(&mut self) -> Result<u64, DecodeError> {
        let at = self.position();
        let seq = self.varint_max(crate::SEQ_MAX)?;
        if seq == 0 { Err(DecodeErrorKind::OutOfRange.at(at)) } else { Ok(seq) }
    }
}
