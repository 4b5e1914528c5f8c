//! What passes, on its way out.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

/// Messages that wait at most. The oldest goes first: presence is replaced, not collected.
const WAITING_MAX: usize = 64;
/// Bytes that wait at most.
const WAITING_BYTES_MAX: usize = 256 << 10;

/// A presence message is longer than one of the two sides accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PresenceTooLarge {
    /// Its length.
    pub bytes: usize,
    /// The longest one that both sides accept.
    pub bytes_max: u64,
}

impl fmt::Display for PresenceTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, bytes_max } = self;
        write!(f, "a presence message of {bytes} bytes is longer than {bytes_max}")
    }
}

impl core::error::Error for PresenceTooLarge {}

/// Presence messages that were not transmitted yet, of which the oldest are dropped when there
/// are too many.
#[derive(Debug, Default)]
pub(super) struct PresenceQueue {
    waiting: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl PresenceQueue {
    pub(super) fn push(&mut self, bytes: &[u8], bytes_max: u64) -> Result<(), PresenceTooLarge> {
        if bytes.len() as u64 > bytes_max {
            return Err(PresenceTooLarge { bytes: bytes.len(), bytes_max });
        }
        self.bytes += bytes.len();
        self.waiting.push_back(bytes.to_vec());
        while self.waiting.len() > WAITING_MAX
            || (self.bytes > WAITING_BYTES_MAX && self.waiting.len() > 1)
        {
            self.pop_any();
        }
        Ok(())
    }

    /// The next message that the peer accepts. What was queued before its limit was known may
    /// be too long for it, and is dropped.
    pub(super) fn pop(&mut self, bytes_max: u64) -> Option<Vec<u8>> {
        loop {
            let bytes = self.pop_any()?;
            if bytes.len() as u64 <= bytes_max {
                return Some(bytes);
            }
        }
    }

    fn pop_any(&mut self) -> Option<Vec<u8>> {
        let bytes = self.waiting.pop_front()?;
        self.bytes -= bytes.len();
        Some(bytes)
    }
}
