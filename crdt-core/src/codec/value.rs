use alloc::string::String;
use alloc::vec::Vec;

use super::{DecodeError, DecodeErrorKind, Reader, Writer, affix};
use crate::{Dot, ReplicaId};

/// A value with one canonical encoding: equal values have equal bytes.
///
/// Implement it, and [`Decode`], for the elements that you keep in a set, map or register.
pub trait Encode {
    /// Appends the value.
    fn encode(&self, out: &mut Writer);

    /// Appends the value where the reader knows another one that it may resemble: the element
    /// or key before it, or that key's value. Integers tell the distance then, and text and
    /// bytes leave out what they begin with alike.
    ///
    /// The default is to write it as if it stood alone. Give it together with
    /// [`Decode::decode_near`].
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        let _ = near;
        self.encode(out);
    }
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

    /// Reads one value that was written beside `near`, in no fewer bytes than
    /// [`BYTES_MIN`](Self::BYTES_MIN).
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), for exactly what [`Encode::encode_near`] writes.
    fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let _ = near;
        Self::decode(input)
    }
}

/// Appends a value, beside another one if there is one.
pub(crate) fn encode_beside<T: Encode>(value: &T, near: Option<&T>, out: &mut Writer) {
    match near {
        Some(near) => value.encode_near(near, out),
        None => value.encode(out),
    }
}

/// Reads what [`encode_beside`] wrote.
pub(crate) fn decode_beside<T: Decode>(
    near: Option<&T>,
    input: &mut Reader<'_>,
) -> Result<T, DecodeError> {
    match near {
        Some(near) => T::decode_near(near, input),
        None => T::decode(input),
    }
}

macro_rules! unsigned {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode(&self, out: &mut Writer) {
                out.varint(u64::from(*self));
            }
            fn encode_near(&self, near: &Self, out: &mut Writer) {
                out.signed(u64::from(*self).wrapping_sub(u64::from(*near)) as i64);
            }
        }
        impl Decode for $type {
            const BYTES_MIN: usize = 1;
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(input.varint()?)
                    .map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
            }
            fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(u64::from(*near).wrapping_add(input.signed()? as u64))
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
            fn encode_near(&self, near: &Self, out: &mut Writer) {
                out.signed(i64::from(*self).wrapping_sub(i64::from(*near)));
            }
        }
        impl Decode for $type {
            const BYTES_MIN: usize = 1;
            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(input.signed()?)
                    .map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
            }
            fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                Self::try_from(i64::from(*near).wrapping_add(input.signed()?))
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

/// Beside a neighbour: how many bytes it begins with alike, then the rest of it.
impl Encode for str {
    fn encode(&self, out: &mut Writer) {
        out.string(self);
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        let shared = self.floor_char_boundary(affix::shared(near.as_bytes(), self.as_bytes()));
        affix::write(self.as_bytes(), shared, out);
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Writer) {
        out.string(self);
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        self.as_str().encode_near(near.as_str(), out);
    }
}

impl Decode for String {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.string().map(Into::into)
    }
    fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let (shared, rest) = affix::read(input)?;
        let not_canonical = DecodeErrorKind::NotCanonical.at(at);
        let begin = near.get(..shared).ok_or(not_canonical)?;
        let mut text = Self::new();
        text.reserve_exact(shared + rest);
        text.push_str(begin);
        text.push_str(input.utf8(rest)?);
        let most = affix::shared(near.as_bytes(), text.as_bytes());
        if text.floor_char_boundary(most) == shared { Ok(text) } else { Err(not_canonical) }
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, out: &mut Writer) {
        out.bytes(self);
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        affix::write(self, affix::shared(near, self), out);
    }
}

impl Decode for Vec<u8> {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.bytes().map(Into::into)
    }
    fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let (shared, rest) = affix::read(input)?;
        let not_canonical = DecodeErrorKind::NotCanonical.at(at);
        let begin = near.get(..shared).ok_or(not_canonical)?;
        let bytes = [begin, input.take(rest)?].concat();
        if affix::shared(near, &bytes) == shared { Ok(bytes) } else { Err(not_canonical) }
    }
}

impl<const N: usize> Encode for [u8; N] {
    fn encode(&self, out: &mut Writer) {
        out.raw(self);
    }
}

impl<const N: usize> Decode for [u8; N] {
    const BYTES_MIN: usize = N;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.array()
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Writer) {
        out.u8(u8::from(self.is_some()));
        if let Some(value) = self {
            value.encode(out);
        }
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        out.u8(u8::from(self.is_some()));
        match (self, near) {
            (Some(value), Some(near)) => value.encode_near(near, out),
            (Some(value), None) => value.encode(out),
            (None, _) => {}
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    const BYTES_MIN: usize = 1;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if bool::decode(input)? { T::decode(input).map(Some) } else { Ok(None) }
    }
    fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match (bool::decode(input)?, near) {
            (true, Some(near)) => T::decode_near(near, input).map(Some),
            (true, None) => T::decode(input).map(Some),
            (false, _) => Ok(None),
        }
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
        self.1.encode(out);
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        self.0.encode_near(&near.0, out);
        self.1.encode_near(&near.1, out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    const BYTES_MIN: usize = A::BYTES_MIN + B::BYTES_MIN;
    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode(input)?, B::decode(input)?))
    }
    fn decode_near(near: &Self, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::decode_near(&near.0, input)?, B::decode_near(&near.1, input)?))
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, out: &mut Writer) {
        (**self).encode(out);
    }
    fn encode_near(&self, near: &Self, out: &mut Writer) {
        (**self).encode_near(near, out);
    }
}

impl Encode for ReplicaId {
    fn encode(&self, out: &mut Writer) {
        out.raw(&self.to_bytes());
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
