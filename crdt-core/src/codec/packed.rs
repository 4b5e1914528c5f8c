//! Compressed streams: how long they are as they were, and as they are stored.

use alloc::vec::Vec;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};

use super::{DecodeError, DecodeErrorKind, Reader, Writer};

/// What a stream holds, which decides on how it is compressed, and how far at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Packing {
    /// What is shown: LZ4, which is read at the speed of memory, to a sixteenth at most.
    Shown,
    /// Text that is seldom needed: deflate, to a sixteenth at most.
    Deleted,
    /// What happened: deflate, to an eighth at most, since a byte of it becomes many.
    Columns,
}

impl Packing {
    /// A stream is compressed to no less than one part in so many. So whoever sends bytes decides
    /// on no more memory than so many times their number, and a byte of columns becomes many.
    const fn ratio_max(self) -> usize {
        match self {
            Self::Shown | Self::Deleted => 16,
            Self::Columns => 8,
        }
    }

    /// Compresses a stream. What comes out shorter than it may be is filled up with zeros, which
    /// nothing reads behind the end of a deflated one; the other is too long then.
    fn compress(self, raw: &[u8]) -> Vec<u8> {
        let mut packed = match self {
            Self::Shown => lz4_flex::block::compress(raw),
            Self::Deleted | Self::Columns => {
                miniz_oxide::deflate::compress_to_vec(raw, DEFLATE_LEVEL)
            }
        };
        let shortest = raw.len().div_ceil(self.ratio_max());
        if packed.len() < shortest {
            packed.resize(if self == Self::Shown { raw.len() } else { shortest }, 0);
        }
        packed
    }
}

/// Below so many bytes it is not tried.
const WORTHWHILE: usize = 32;

/// The slowest and smallest; pinned, as saved texts are compared in tests.
const DEFLATE_LEVEL: u8 = 9;

/// The two lengths of a compressed stream, by which it is read again.
///
/// ```
/// use crdt_core::codec::{Packing, pack};
///
/// let (mut bytes, text) = (Vec::new(), "again and again ".repeat(20));
/// let packed = pack(Packing::Shown, text.as_bytes(), &mut bytes);
/// assert!(packed.stored() < text.len() && packed.stored() == bytes.len());
/// assert_eq!(packed.unpack(Packing::Shown, &bytes)?, text.as_bytes());
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lengths {
    raw: usize,
    /// At most `raw`, and equal to it if the stream is stored as it is.
    stored: usize,
}

/// Compresses `raw`, appends it to `out`, and returns how long it is: at most as long as it was.
/// O(n), from a few (LZ4) to some hundred (deflate) nanoseconds for each byte.
pub fn pack(kind: Packing, raw: &[u8], out: &mut Vec<u8>) -> Lengths {
    let packed = if raw.len() < WORTHWHILE { Vec::new() } else { kind.compress(raw) };
    let pays = !packed.is_empty() && packed.len() < raw.len();
    let packed = if pays { &packed[..] } else { raw };
    out.extend_from_slice(packed);
    Lengths { raw: raw.len(), stored: packed.len() }
}

impl Lengths {
    /// How long the stream was.
    pub const fn raw(self) -> usize {
        self.raw
    }

    /// How many bytes it takes as it is stored.
    pub const fn stored(self) -> usize {
        self.stored
    }

    /// Writes the two lengths; the stream is written by whoever packed it.
    pub fn write(self, out: &mut Writer) {
        out.count(self.raw);
        out.count(self.raw - self.stored);
    }

    /// Reads what [`write`](Self::write) wrote.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::OutOfRange`] for lengths that promise more than so many bytes may become.
    pub fn read(kind: Packing, input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let raw = input.varint_u32()? as usize;
        let saved = input.varint_u32()? as usize;
        match raw.checked_sub(saved) {
            Some(stored) if raw <= kind.ratio_max() * stored => Ok(Self { raw, stored }),
            _ => Err(DecodeErrorKind::OutOfRange.at(at)),
        }
    }

    /// The stream as it was, from its [`stored`](Self::stored) bytes. Holds as many bytes as the
    /// stream had, and no more.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::NotCompressed`] for bytes that are damaged, or that come to another length.
    pub fn unpack(self, kind: Packing, packed: &[u8]) -> Result<Vec<u8>, DecodeError> {
        if packed.len() != self.stored {
            return Err(DecodeErrorKind::NotCompressed.at(0));
        }
        if self.stored == self.raw {
            return Ok(packed.to_vec());
        }
        let mut raw = alloc::vec![0; self.raw];
        let len = match kind {
            Packing::Shown => lz4_flex::block::decompress_into(packed, &mut raw).ok(),
            Packing::Deleted | Packing::Columns => inflate(packed, &mut raw),
        };
        if len == Some(self.raw) { Ok(raw) } else { Err(DecodeErrorKind::NotCompressed.at(0)) }
    }
}

/// The length of what a stream comes to, if it is whole and fits, with zeros behind it at most.
fn inflate(packed: &[u8], raw: &mut [u8]) -> Option<usize> {
    let flags = inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = DecompressorOxide::new();
    let (status, read, written) = decompress(&mut state, packed, raw, 0, flags);
    let is_whole = status == TINFLStatus::Done && packed[read..].iter().all(|&byte| byte == 0);
    is_whole.then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(kind: Packing, raw: &[u8]) -> (Lengths, Vec<u8>) {
        let mut out = Vec::new();
        (pack(kind, raw, &mut out), out)
    }

    /// Fewer bytes gain nothing worth the time.
    #[test]
    fn thirty_two_bytes_are_worth_an_attempt() {
        for kind in [Packing::Shown, Packing::Deleted, Packing::Columns] {
            let short = packed(kind, &[b'a'; 31]).0;
            assert_eq!((short.raw(), short.stored()), (31, 31));
            let long = packed(kind, &[b'a'; 32]).0;
            assert!(long.raw() == 32 && long.stored() < 32, "{long:?}");
        }
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let text =
            b"to be, or not to be, that is the question: whether to be or not to be".repeat(3);
        for kind in [Packing::Shown, Packing::Deleted, Packing::Columns] {
            for raw in [&text[..], b"", b"abc", &[0; 5000]] {
                let (lengths, bytes) = packed(kind, raw);
                assert_eq!(lengths.unpack(kind, &bytes).as_deref(), Ok(raw));
                let mut out = Writer::new();
                lengths.write(&mut out);
                assert_eq!(Lengths::read(kind, &mut Reader::new(out.as_bytes())), Ok(lengths));
            }
            assert!(packed(kind, &text).1.len() < text.len() / 2);
            let (shortest, stored) =
                (5000usize.div_ceil(kind.ratio_max()), packed(kind, &[0; 5000]).1);
            assert_eq!(
                stored.len(),
                if kind == Packing::Shown { 5000 } else { shortest },
                "no bombs"
            );
        }
    }

    #[test]
    fn damage_is_an_error() {
        let text =
            b"to be, or not to be, that is the question: whether to be or not to be".repeat(3);
        for kind in [Packing::Shown, Packing::Deleted, Packing::Columns] {
            let (lengths, bytes) = packed(kind, &text);
            for cut in 0..bytes.len() {
                let shorter = Lengths { stored: cut, ..lengths };
                assert!(shorter.unpack(kind, &bytes[..cut]).is_err(), "{cut}");
            }
            let behind = [&bytes[..], &[1]].concat();
            let longer = Lengths { stored: behind.len(), ..lengths };
            assert!(longer.unpack(kind, &behind).is_err());
            for raw in [lengths.raw - 1, lengths.raw + 1] {
                assert!(Lengths { raw, ..lengths }.unpack(kind, &bytes).is_err());
            }
        }
    }

    #[test]
    fn lengths_that_promise_too_much_are_refused() {
        for (kind, raw, saved) in [
            (Packing::Shown, 17u8, 16),
            (Packing::Columns, 9, 8),
            (Packing::Deleted, 1, 2),
            (Packing::Shown, 5, 5),
        ] {
            let refused = Lengths::read(kind, &mut Reader::new(&[raw, saved]));
            assert_eq!(refused, Err(DecodeErrorKind::OutOfRange.at(0)), "{raw} {saved}");
        }
        assert!(Lengths::read(Packing::Shown, &mut Reader::new(&[16, 15])).is_ok());
        assert!(Lengths::read(Packing::Columns, &mut Reader::new(&[8, 7])).is_ok());
    }
}
