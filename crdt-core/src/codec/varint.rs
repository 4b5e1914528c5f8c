//! Canonical LEB128: seven bits a byte, least significant first, no superfluous byte.

use super::DecodeErrorKind;

/// The longest varint, in bytes: ten, for 64 bits.
pub const VARINT_LEN_MAX: usize = 10;

/// Maps small negative and positive numbers alike to small unsigned ones: 0, -1, 1, -2, …
///
/// ```
/// use crdt_core::codec::{unzigzag, zigzag};
/// assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
/// assert_eq!(unzigzag(zigzag(i64::MIN)), i64::MIN);
/// ```
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The inverse of [`zigzag`].
pub const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads a varint from the start of `bytes`; returns it and its length.
pub(super) fn read(bytes: &[u8]) -> Result<(u64, usize), DecodeErrorKind> {
    // Most have one byte.
    if let Some(&byte) = bytes.first()
        && byte < 0x80
    {
        return Ok((u64::from(byte), 1));
    }
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().take(VARINT_LEN_MAX).enumerate() {
        let low = u64::from(byte & 0x7f);
        // The tenth byte holds bit 63 alone.
        if index == VARINT_LEN_MAX - 1 && byte > 1 {
            return Err(DecodeErrorKind::IntegerTooLarge);
        }
        value |= low << (7 * index);
        if byte & 0x80 == 0 {
            if byte == 0 && index > 0 {
                return Err(DecodeErrorKind::VarintNotCanonical);
            }
            return Ok((value, index + 1));
        }
    }
    // Ten would have come to an end.
    Err(DecodeErrorKind::UnexpectedEnd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Writer;

    fn written(value: u64) -> alloc::vec::Vec<u8> {
        let mut out = Writer::new();
        out.varint(value);
        out.into_bytes()
    }

    #[test]
    fn edges_round_trip() {
        for shift in 0..64 {
            for value in [1u64 << shift, (1u64 << shift) - 1, u64::MAX >> shift] {
                let bytes = written(value);
                assert_eq!(read(&bytes), Ok((value, bytes.len())), "{value}");
            }
        }
    }

    #[test]
    fn every_two_byte_input_has_at_most_one_reading() {
        for first in 0..=255u8 {
            // Miri takes a minute for all of them.
            for second in (0..=255u8).step_by(if cfg!(miri) { 51 } else { 1 }) {
                if let Ok((value, len)) = read(&[first, second]) {
                    assert_eq!(written(value), [first, second][..len]);
                }
            }
        }
    }

    #[test]
    fn hostile_forms_are_named() {
        assert_eq!(read(&[]), Err(DecodeErrorKind::UnexpectedEnd));
        assert_eq!(read(&[0x80]), Err(DecodeErrorKind::UnexpectedEnd));
        assert_eq!(read(&[0x80, 0]), Err(DecodeErrorKind::VarintNotCanonical));
        let mut eleven = [0xffu8; 11];
        assert_eq!(read(&eleven), Err(DecodeErrorKind::IntegerTooLarge));
        eleven[9] = 2;
        assert_eq!(read(&eleven), Err(DecodeErrorKind::IntegerTooLarge));
    }
}
