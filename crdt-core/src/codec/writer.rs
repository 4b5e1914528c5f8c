use alloc::vec::Vec;

use super::zigzag;

/// Appends values to a growing byte vector.
///
/// ```
/// use crdt_core::codec::{Reader, Writer};
///
/// let mut out = Writer::new();
/// out.varint(300);
/// out.string("hi");
/// let bytes = out.into_bytes();
///
/// let mut input = Reader::new(&bytes);
/// assert_eq!(input.varint()?, 300);
/// assert_eq!(input.string()?, "hi");
/// input.finish()?;
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// How many bytes were written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets everything after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// What was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, as a vector.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// One byte.
    pub fn u8(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// An unsigned integer as a canonical varint: one byte below 128, ten at most.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// A signed integer: small magnitudes are short.
    pub fn signed(&mut self, value: i64) {
        self.varint(zigzag(value));
    }

    /// A length or count.
    pub fn count(&mut self, value: usize) {
        self.varint(value as u64);
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.raw(bytes);
    }

    /// A length in bytes, then the text.
    pub fn string(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}
