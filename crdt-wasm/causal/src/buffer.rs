//! The buffer, with numbers in and numbers out.

use alloc::vec::Vec;

use crdt_causal::delivery::{CausalBuffer, Limits, Retry};
use crdt_core::{DotRange, VersionVector};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::batch::{messages, replica_id, replica_number};
use crate::held::{Held, Released};
use crate::report;

/// A delivery buffer for messages that JavaScript keeps.
#[wasm_bindgen]
#[derive(Debug)]
pub struct BufferHandle {
    buffer: CausalBuffer<Held>,
    released: Released,
}

#[wasm_bindgen]
impl BufferHandle {
    /// A buffer with bounds in the order of `LIMITS` in `causal/options.js`, that goes on after a
    /// version: replica and sequence number in turns.
    #[wasm_bindgen(constructor)]
    pub fn new(bounds: &[f64], version: &[f64]) -> Self {
        let (mut limits, mut retry) = (Limits::default(), Retry::default());
        let mut bounds = bounds.iter();
        let mut next = |bound: &mut usize| {
            if let Some(&given) = bounds.next() {
                *bound = given as usize;
            }
        };
        next(&mut limits.pending_max);
        next(&mut limits.pending_bytes_max);
        next(&mut limits.replica_pending_max);
        next(&mut limits.replica_pending_bytes_max);
        next(&mut limits.parents_max);
        next(&mut limits.replicas_max);
        next(&mut limits.digests_max);
        next(&mut retry.ranges_max);
        let times = [
            &mut limits.gap_max,
            &mut retry.patience_ms,
            &mut retry.interval_ms,
            &mut retry.interval_ms_max,
        ];
        for (bound, &given) in times.into_iter().zip(bounds) {
            *bound = given as u64;
        }
        let version: VersionVector =
            version.chunks_exact(2).map(|dot| (replica_id(dot[0]), dot[1] as u64)).collect();
        Self {
            buffer: CausalBuffer::starting_from(limits, retry, &version),
            released: Released::default(),
        }
    }

    /// Takes in a batch; what became of it is told as `causal/report.js` reads it.
    pub fn insert(&mut self, numbers: &[f64], contents: &[u8], now: f64) -> Vec<f64> {
        let messages = messages(numbers, contents, &self.released);
        report::of_batch(&self.buffer.insert_batch(messages, now as u64))
    }

    /// The handles of the messages that can be delivered, in a causal order.
    pub fn deliver(&mut self) -> Vec<u32> {
        core::iter::from_fn(|| self.buffer.poll_deliver())
            .map(|message| message.payload.handle)
            .collect()
    }

    /// The handles of the messages that are not held any more, those delivered among them.
    pub fn released(&mut self) -> Vec<u32> {
        self.released.take()
    }

    /// What else happened.
    pub fn events(&mut self) -> Vec<f64> {
        let mut out = Vec::new();
        while let Some(event) = self.buffer.poll_event() {
            report::push_event(&event, &mut out);
        }
        out
    }

    /// What to ask others for: replica, first and last, of each range.
    pub fn missing(&mut self, now: f64) -> Vec<f64> {
        report::of_ranges(self.buffer.missing(now as u64))
    }

    /// When `missing` may have something to name.
    pub fn timeout(&self) -> Option<f64> {
        self.buffer.poll_timeout().map(|at| at as f64)
    }

    /// What was delivered, or can be: replica and sequence number in turns.
    pub fn version(&self) -> Vec<f64> {
        let version = self.buffer.version();
        version.iter().flat_map(|(replica, seq)| [replica_number(replica), seq as f64]).collect()
    }

    /// How many messages wait.
    pub fn pending(&self) -> u32 {
        self.buffer.pending() as u32
    }

    /// How many bytes are held for what waits.
    #[wasm_bindgen(js_name = pendingBytes)]
    pub fn pending_bytes(&self) -> f64 {
        self.buffer.pending_bytes() as f64
    }

    /// Gives up on what is missing of a range, which begins at 1 at least and is not empty. Returns what was
    /// given up: replica, first and last, of each range.
    pub fn forsake(&mut self, replica: f64, first: f64, last: f64) -> Vec<f64> {
        let range = DotRange::new(replica_id(replica), first as u64, last as u64);
        report::of_ranges(self.buffer.forsake(range))
    }

    /// What was given up, in the same form.
    pub fn forsaken(&self) -> Vec<f64> {
        report::of_ranges(self.buffer.forsaken())
    }

    /// Follows the branch that is held of a replica that used a dot twice.
    pub fn adopt(&mut self, replica: f64, now: f64) -> bool {
        self.buffer.adopt(replica_id(replica), now as u64)
    }
}
