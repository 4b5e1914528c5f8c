//! Bytes beside others that they may begin like: what a sorted column of names is made of.
//!
//! A byte tells both lengths, that of what is alike (at most 11 bytes) and that of the rest (or
//! that it is at least 20, of which a varint tells what is above). The first is kept small so
//! that no input of a few bytes stands for a long text.

use super::{DecodeError, DecodeErrorKind, Reader, Writer};

/// The most that is left out of a text.
const SHARED_MAX: usize = 11;
const LENGTHS: usize = SHARED_MAX + 1;
/// From here on a varint tells the length of the rest.
const REST_LONG: usize = 20;

/// How many bytes of `bytes` stand at the start of `near` and can be left out.
pub(super) fn shared(near: &[u8], bytes: &[u8]) -> usize {
    near.iter().zip(bytes).take(SHARED_MAX).take_while(|(a, b)| a == b).count()
}

/// Writes `bytes` without the first `shared` of them.
pub(super) fn write(bytes: &[u8], shared: usize, out: &mut Writer) {
    let rest = &bytes[shared..];
    out.u8((rest.len().min(REST_LONG) * LENGTHS + shared) as u8);
    if let Some(more) = rest.len().checked_sub(REST_LONG) {
        out.count(more);
    }
    out.raw(rest);
}

/// Reads how many bytes are left out, and how many follow.
pub(super) fn read(input: &mut Reader<'_>) -> Result<(usize, usize), DecodeError> {
    let at = input.position();
    let byte = usize::from(input.u8()?);
    let (rest, shared) = (byte / LENGTHS, byte % LENGTHS);
    match rest {
        0..REST_LONG => Ok((shared, rest)),
        REST_LONG => {
            let at = input.position();
            let rest = input.varint()?.saturating_add(REST_LONG as u64);
            match usize::try_from(rest) {
                Ok(rest) if rest <= input.remaining() => Ok((shared, rest)),
                _ => Err(DecodeErrorKind::CountTooLarge.at(at)),
            }
        }
        _ => Err(DecodeErrorKind::OutOfRange.at(at)),
    }
}
