use alloc::vec::Vec;

use super::{DecodeError, DecodeErrorKind, Reader};

/// The length of a checksum, in bytes.
pub const CHECKSUM_LEN: usize = 4;

/// CRC-32C (Castagnoli) of `bytes`: finds every burst of up to 32 damaged bits.
///
/// It guards against damage, not against an adversary.
///
/// ```
/// assert_eq!(crdt_core::codec::checksum(b"123456789"), 0xe306_9283);
/// ```
pub fn checksum(bytes: &[u8]) -> u32 {
    by_processor(bytes).unwrap_or_else(|| by_tables(bytes))
}

/// By the processor's own instruction, where it can be asked whether it has one.
#[cfg(all(feature = "std", not(miri), any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline]
fn by_processor(bytes: &[u8]) -> Option<u32> {
    Some(crc32c::crc32c(bytes))
}

#[cfg(not(all(feature = "std", not(miri), any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn by_processor(_: &[u8]) -> Option<u32> {
    None
}

fn by_tables(bytes: &[u8]) -> u32 {
    let mut state = !0u32;
    let mut rest = bytes;
    if LANES > 1 {
        let (many, later) = rest.as_chunks::<LANES>();
        many.iter().for_each(|lanes| state = step(state, lanes));
        rest = later;
    }
    rest.iter().for_each(|byte| state = state >> 8 ^ TABLES[0][usize::from(state as u8 ^ byte)]);
    !state
}

/// So many bytes are taken in at once: each has a table of its own, so that the next look-up
/// need not wait for the one before. A browser downloads them, and has one.
const LANES: usize = if cfg!(target_arch = "wasm32") { 1 } else { 16 };

/// Takes in as many bytes as there are tables. Only the first four wait for the state, and what the
/// others come to is put together beside them.
#[inline]
fn step(state: u32, bytes: &[u8; LANES]) -> u32 {
    let (words, _) = bytes.as_chunks::<4>();
    // What a word comes to when so many others have come after it.
    let word = |index: usize, state: u32| {
        let word = u32::from_le_bytes(words[index]) ^ state;
        let tables = &TABLES[LANES - 4 * (index + 1)..][..4];
        tables[3][(word & 0xff) as usize]
            ^ tables[2][(word >> 8 & 0xff) as usize]
            ^ tables[1][(word >> 16 & 0xff) as usize]
            ^ tables[0][(word >> 24) as usize]
    };
    word(0, state) ^ (1..words.len()).fold(0, |sum, index| sum ^ word(index, 0))
}

/// Puts `magic`, then `body`, then the checksum of both into one vector.
pub fn seal(magic: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(magic.len() + body.len() + CHECKSUM_LEN);
    bytes.extend_from_slice(&magic);
    bytes.extend_from_slice(body);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes
}

/// Checks what [`seal`] made and returns a reader of its body.
///
/// # Errors
///
/// [`DecodeErrorKind::WrongMagic`], [`DecodeErrorKind::UnexpectedEnd`] and
/// [`DecodeErrorKind::ChecksumMismatch`].
pub fn open<'a>(magic: [u8; 4], mut input: Reader<'a>) -> Result<Reader<'a>, DecodeError> {
    let whole = input.rest();
    let start = input.position();
    if input.array::<4>()? != magic {
        return Err(DecodeErrorKind::WrongMagic.at(start));
    }
    let Some(body_len) = input.remaining().checked_sub(CHECKSUM_LEN) else {
        return Err(input.error(DecodeErrorKind::UnexpectedEnd));
    };
    let body = input.sub(body_len)?;
    let at = input.position();
    if input.array::<CHECKSUM_LEN>()? != checksum(&whole[..magic.len() + body_len]).to_le_bytes() {
        return Err(DecodeErrorKind::ChecksumMismatch.at(at));
    }
    Ok(body)
}

/// What a byte does to the state when so many others have come after it.
static TABLES: [[u32; 256]; LANES] = tables();

const fn tables() -> [[u32; 256]; LANES] {
    let mut tables = [[0; 256]; LANES];
    let mut byte = 0;
    while byte < 256 {
        let mut value = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 { (value >> 1) ^ 0x82f6_3b78 } else { value >> 1 };
            bit += 1;
        }
        tables[0][byte] = value;
        byte += 1;
    }
    let mut lane = 1;
    while lane < LANES {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[lane - 1][byte];
            tables[lane][byte] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            byte += 1;
        }
        lane += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;

    const MAGIC: [u8; 4] = *b"TEST";

    #[test]
    fn is_the_division_of_polynomials() {
        fn bit_by_bit(bytes: &[u8]) -> u32 {
            let mut state = !0u32;
            for &byte in bytes {
                state ^= u32::from(byte);
                for _ in 0..8 {
                    state = state >> 1 ^ if state & 1 == 1 { 0x82f6_3b78 } else { 0 };
                }
            }
            !state
        }
        fn law(bytes: Vec<u8>) -> bool {
            (0..bytes.len()).all(|start| {
                let bytes = &bytes[start..];
                let sum = bit_by_bit(bytes);
                checksum(bytes) == sum && by_tables(bytes) == sum
            })
        }
        trials().quickcheck(law as fn(_) -> _);
        // Where more is taken in at once than in what chance gives.
        let long: Vec<u8> = (0..70_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let lengths: &[usize] = if cfg!(miri) { &[1_000] } else { &[1_000, 3_071, 24_577, 70_000] };
        for &len in lengths {
            let sum = bit_by_bit(&long[..len]);
            assert_eq!((checksum(&long[..len]), by_tables(&long[..len])), (sum, sum));
        }
    }

    #[test]
    fn every_single_bit_flip_is_found() {
        let sealed = seal(MAGIC, b"some body");
        assert_eq!(
            open(MAGIC, Reader::new(&sealed)).map(|body| body.rest().to_vec()).as_deref(),
            Ok(&b"some body"[..])
        );
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(MAGIC, Reader::new(&damaged)).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(open(MAGIC, Reader::new(&sealed[..len])).is_err(), "{len} bytes");
        }
    }
}
