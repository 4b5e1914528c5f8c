//! What both sides know of a replica, so that numbers are small.

use crdt_core::SEQ_MAX;
use crdt_core::codec::{DecodeErrorKind, zigzag};

/// The numbers of a replica that were told last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// Of its last message, or 0.
    authored: u64,
    /// Of its last message or the last parent that was its, or 0.
    mentioned: u64,
}

impl Known {
    /// The number that its next message probably has.
    pub(super) const fn expected(self) -> u64 {
        1 + if self.authored > 0 { self.authored } else { self.mentioned }
    }

    /// The number that a parent of this replica probably has; 0 is that of none.
    pub(super) const fn mentioned(self) -> u64 {
        self.mentioned
    }

    pub(super) const fn author(&mut self, seq: u64) {
        self.authored = seq;
        self.mentioned = seq;
    }

    pub(super) const fn mention(&mut self, seq: u64) {
        self.mentioned = seq;
    }
}

/// How far `seq` is from what was probable.
pub(super) const fn distance(seq: u64, probable: u64) -> u64 {
    zigzag(seq.wrapping_sub(probable) as i64)
}

/// The inverse of [`distance`]. A sequence number, or what is wrong.
pub(super) fn at_distance(distance: i64, probable: u64) -> Result<u64, DecodeErrorKind> {
    let seq = probable.checked_add_signed(distance).ok_or(DecodeErrorKind::OutOfRange)?;
    if (1..=SEQ_MAX).contains(&seq) { Ok(seq) } else { Err(DecodeErrorKind::OutOfRange) }
}
