//! Hand-made hostile inputs: few bytes that ask for much.
//!
//! The precedents are other libraries' (a count of 2³² in four bytes reserved 22 GB; 120 KB of
//! nested arrays overflowed a stack; a run length in 26 bytes ran for ever). Bombs are made
//! from an honest input, so that they reach behind the magic, the version and the tables.

/// Every length, count and run that a varint can claim and no input can hold.
const CLAIMS: &[&[u8]] = &[
    // 2^14 - 1, 2^28 - 1, 2^32 - 1, 2^32, 2^62, 2^63, 2^64 - 1.
    b"\xff\x7f",
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x10",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x40",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    // Not canonical, and too long.
    b"\x80\x00",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

/// How long a nesting or a repetition goes on: past every limit of depth, and past the
/// constant part of the memory bound.
const REPEATED_BYTES: usize = 120 << 10;

/// Passes `bomb` every bomb made from the seed `honest`.
pub fn from_seed(honest: &[u8], mut bomb: impl FnMut(&[u8])) {
    for at in 0..=honest.len() {
        let (head, tail) = honest.split_at(at);
        // Cut off.
        bomb(head);
        for claim in CLAIMS {
            // A claim before what is there, in place of one byte of it, and at the end.
            bomb(&[head, claim, tail].concat());
            bomb(&[head, claim].concat());
            if let Some((_, tail)) = tail.split_first() {
                bomb(&[head, claim, tail].concat());
            }
        }
        if let [_, tail @ ..] = tail {
            // The smallest and the greatest byte.
            bomb(&[head, b"\x00", tail].concat());
            bomb(&[head, b"\xff", tail].concat());
        }
    }
}

/// Passes `bomb` inputs that repeat: each byte for itself, and pairs of small bytes, behind
/// nothing and behind `honest`, which opens nesting after nesting and run after run.
pub fn repeated(honest: &[u8], mut bomb: impl FnMut(&[u8])) {
    for byte in 0..=u8::MAX {
        bomb(&vec![byte; REPEATED_BYTES]);
        bomb(&[honest, &vec![byte; REPEATED_BYTES]].concat());
    }
    for first in 0..16u8 {
        for second in 0..16u8 {
            bomb(&[honest, &[first, second].repeat(REPEATED_BYTES / 2)].concat());
        }
    }
}
