//! Batches of messages as bytes.
//!
//! What a message follows costs as much as it says that is new: a run of messages of one replica, each
//! after the one before, has one *row*, however long it is; a message that follows another replica's
//! last one has a row of three bytes where there are few replicas. Replicas are named in full
//! once for an encoder, and by small numbers after that.
//!
//! One [`BatchEncoder`] and one [`BatchDecoder`] serve a connection whose batches are decoded in
//! the order in which they were encoded, each once; or one batch, which then stands alone. The bytes
//! are described in `docs/format.md`, and are frozen for version 0.

mod decoder;
mod encoder;
mod known;

pub use decoder::{BatchDecoder, Messages};
pub use encoder::BatchEncoder;
pub(super) use encoder::OpenBatch;

/// The version of the format, its first byte.
const VERSION: u8 = 0;

/// The most messages that a batch holds.
pub const BATCH_MAX: usize = 1 << 16;

/// What is in a row's first number beside the replica.
mod flag {
    pub(super) const BITS: u32 = 3;
    /// The number is not the one after the replica's last one.
    pub(super) const ELSEWHERE: u64 = 1;
    pub(super) const PARENTS: u64 = 2;
    /// More than one message.
    pub(super) const COUNT: u64 = 4;
    /// The one bit that parents have: another one comes.
    pub(super) const PARENT_BITS: u32 = 1;
}
