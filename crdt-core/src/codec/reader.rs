use super::{DecodeError, DecodeErrorKind, Limits, unzigzag, varint};

/// Takes values from the front of a byte slice.
///
/// Every method either returns a value that was really there or a [`DecodeError`] with its
/// position. No method panics, and none allocates.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of `rest` in the outermost input, for error positions.
    at: usize,
    depth: u32,
    limits: Limits,
}

impl<'a> Reader<'a> {
    /// Reads `bytes` under the default [`Limits`].
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0, depth: 0, limits: Limits::DEFAULT }
    }

    /// Reads `bytes` under `limits`.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::InputTooLong`] if there are more bytes than the limit.
    pub const fn with_limits(bytes: &'a [u8], limits: Limits) -> Result<Self, DecodeError> {
        if bytes.len() > limits.input_bytes_max {
            return Err(DecodeErrorKind::InputTooLong.at(limits.input_bytes_max));
        }
        Ok(Self { rest: bytes, at: 0, depth: 0, limits })
    }

    /// The offset of the next byte in the outermost input.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes that are left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// An error of this kind at the present position.
    pub const fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        kind.at(self.at)
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::TrailingBytes`] if bytes are left.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error(DecodeErrorKind::TrailingBytes)) }
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) =
            self.rest.split_first().ok_or_else(|| self.error(DecodeErrorKind::UnexpectedEnd))?;
        self.rest = rest;
        self.at += 1;
        Ok(first)
    }

    /// A canonical varint of at most 64 bits.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let (value, len) = varint::read(self.rest).map_err(|kind| self.error(kind))?;
        self.skip(len);
        Ok(value)
    }

    /// A canonical varint of at most 32 bits.
    pub fn varint_u32(&mut self) -> Result<u32, DecodeError> {
        let at = self.at;
        u32::try_from(self.varint()?).map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))
    }

    /// A canonical varint that is at most `max`.
    pub fn varint_max(&mut self, max: u64) -> Result<u64, DecodeError> {
        let at = self.at;
        let value = self.varint()?;
        if value > max { Err(DecodeErrorKind::OutOfRange.at(at)) } else { Ok(value) }
    }

    /// A signed integer as [`Writer::signed`](super::Writer::signed) writes it.
    pub fn signed(&mut self) -> Result<i64, DecodeError> {
        Ok(unzigzag(self.varint()?))
    }

    /// The count of elements that follow, each of at least `element_bytes_min` bytes. Elements
    /// that may have none are all alike then, and a set holds one of them.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::CountTooLarge`] if the rest of the input cannot hold them.
    pub fn count(&mut self, element_bytes_min: usize) -> Result<usize, DecodeError> {
        let at = self.at;
        let count = self.varint()?;
        let room = match element_bytes_min {
            0 => self.rest.len().max(1),
            bytes => self.rest.len() / bytes,
        };
        match usize::try_from(count) {
            Ok(count) if count <= room => Ok(count),
            _ => Err(DecodeErrorKind::CountTooLarge.at(at)),
        }
    }

    /// How many elements of `element_size` bytes of memory may be reserved for a declared
    /// count: never more than eight times the bytes that are left.
    pub const fn capacity(&self, count: usize, element_size: usize) -> usize {
        let size = if element_size == 0 { 1 } else { element_size };
        let room = self.rest.len().saturating_mul(8) / size;
        if count < room { count } else { room }
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.error(DecodeErrorKind::UnexpectedEnd))?;
        self.rest = rest;
        self.at += len;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| self.error(DecodeErrorKind::UnexpectedEnd))?;
        self.rest = rest;
        self.at += N;
        Ok(*head)
    }

    /// A length, then that many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.count(1)?;
        self.take(len)
    }

    /// A length, then that many bytes of UTF-8.
    pub fn string(&mut self) -> Result<&'a str, DecodeError> {
        let len = self.count(1)?;
        self.utf8(len)
    }

    /// The next `len` bytes as UTF-8.
    pub fn utf8(&mut self, len: usize) -> Result<&'a str, DecodeError> {
        let at = self.at;
        core::str::from_utf8(self.take(len)?)
            .map_err(|error| DecodeErrorKind::NotUtf8.at(at + error.valid_up_to()))
    }

    /// A reader of the next `len` bytes alone; this one goes on behind them.
    pub fn sub(&mut self, len: usize) -> Result<Self, DecodeError> {
        let at = self.at;
        let rest = self.take(len)?;
        Ok(Self { rest, at, depth: self.depth, limits: self.limits })
    }

    /// A length, then a reader of that many bytes.
    pub fn section(&mut self) -> Result<Self, DecodeError> {
        let len = self.count(1)?;
        self.sub(len)
    }

    /// Goes one level deeper for the length of `read`.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::TooDeep`] past [`Limits::depth_max`].
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth >= self.limits.depth_max {
            return Err(self.error(DecodeErrorKind::TooDeep));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn skip(&mut self, len: usize) {
        self.rest = &self.rest[len..];
        self.at += len;
    }
}
