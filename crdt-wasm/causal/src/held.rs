//! A message's payload as it is known here.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crdt_causal::delivery::{Digest, Payload};
use crdt_core::Dot;

/// The handles of messages that the buffer has let go of, delivered or not.
pub(crate) type Released = Rc<RefCell<Vec<u32>>>;

/// A payload that JavaScript keeps under a handle, until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) handle: u32,
    /// What JavaScript holds for it, as bytes or as JSON.
    pub(crate) size_bytes: u32,
    /// Of the whole message, from the bytes that came along.
    pub(crate) digest: Digest,
    pub(crate) released: Released,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.released.borrow_mut().push(self.handle);
    }
}

impl Payload for Held {
    fn size_bytes(&self) -> usize {
        self.size_bytes as usize
    }

    fn digest(&self, _: Dot, _: &[Dot]) -> Digest {
        self.digest
    }
}
