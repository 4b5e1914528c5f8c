//! How stores are written: keys and values in one stream, dots in a column of their own.
//!
//! A store names nearly as many dots as it has elements, and a dot written out is longer than
//! many an element. What is written instead is where it stands among the dots of the context
//! ([`lanes`]), relative to the dot that was to be expected: one byte where elements were put
//! there in their order, and about two where ten thousand were put there in any order.

mod lanes;
mod reader;
mod writer;

use crate::codec::DecodeError;

pub use reader::{Leaf, StoreReader};
pub use writer::StoreWriter;

/// What stands for a leaf's first dot if it has no number: the dot follows.
const WRITTEN_OUT: u64 = 0;
/// What stands for the dot that is expected: the one behind another.
const EXPECTED: u64 = 1;
/// What is added to the step to any other. It takes two bytes then, since there is more to
/// remember of dots with gaps between them than of those without.
const STEPS: u64 = 128;

/// A store that can be written.
pub trait EncodeStore {
    /// Appends the store. Stores side by side in a map resemble each other, so `near`, the one
    /// before it, may shorten it.
    fn encode_store(&self, near: Option<&Self>, out: &mut StoreWriter);
}

/// The inverse of [`EncodeStore`], for bytes that a stranger may have written.
pub trait DecodeStore: Sized {
    /// The fewest bytes that a store which is not empty takes in the stream of keys and values.
    const STORE_BYTES_MIN: usize;

    /// Reads a store that was written behind `near`.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes; exactly what
    /// [`encode_store`](EncodeStore::encode_store) writes is accepted.
    fn decode_store(near: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError>;
}

#[cfg(test)]
mod tests;
