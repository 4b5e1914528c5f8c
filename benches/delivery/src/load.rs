//! One load: messages in the order of their arrival, and the way into the buffer and out.

use crdt_causal::delivery::{CausalBuffer, Limits, Message, Retry};

use crate::history::{Payload, Random, jostle};

const BATCH: usize = 64 << 10;

/// An order of arrival, and how messages are handed over.
#[derive(Debug)]
pub struct Arrival {
    /// What it is called.
    pub name: &'static str,
    arrange: fn(&mut [Message<Payload>]),
    batched: bool,
}

/// All orders of arrival, by their names.
pub const ARRIVALS: [Arrival; 7] = [
    Arrival { name: "in order", arrange: |_| {}, batched: false },
    Arrival { name: "in order, batches", arrange: |_| {}, batched: true },
    Arrival { name: "reverse", arrange: |messages| messages.reverse(), batched: false },
    Arrival { name: "reverse, batches", arrange: |messages| messages.reverse(), batched: true },
    Arrival {
        name: "jostled in 1,000",
        arrange: |messages| jostle(messages, 1_000),
        batched: false,
    },
    Arrival { name: "shuffled", arrange: |messages| Random(5).shuffle(messages), batched: false },
    Arrival {
        name: "shuffled, batches",
        arrange: |messages| Random(5).shuffle(messages),
        batched: true,
    },
];

impl Arrival {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ARRIVALS.iter().find(|arrival| arrival.name == name)
    }

    /// Puts messages into this order.
    pub fn arrange(&self, messages: &mut [Message<Payload>]) {
        (self.arrange)(messages);
    }
}

/// Bounds that no load comes to.
pub fn boundless() -> Limits {
    let mut limits = Limits::default();
    limits.pending_max = 1 << 31;
    limits.replica_pending_max = 1 << 31;
    limits.pending_bytes_max = usize::MAX;
    limits.replica_pending_bytes_max = usize::MAX;
    limits.gap_max = 1 << 31;
    limits
}

/// Messages that have arrived, one by one or in batches, and were not handed over yet.
#[derive(Debug)]
pub struct Load {
    single: Vec<Message<Payload>>,
    batches: Vec<Vec<Message<Payload>>>,
}

/// What a buffer made of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// How many messages came out.
    pub messages: usize,
    /// How often one was looked at.
    pub examined: u64,
    /// Of their payloads, in the order in which they came.
    pub checksum: u64,
}

impl Load {
    /// A history as it arrives.
    pub fn new(history: &[Message<Payload>], arrival: &Arrival) -> Self {
        let mut single = history.to_vec();
        arrival.arrange(&mut single);
        let mut batches = Vec::new();
        if arrival.batched {
            let mut rest = core::mem::take(&mut single).into_iter();
            while rest.len() > 0 {
                batches.push(rest.by_ref().take(BATCH).collect());
            }
        }
        Self { single, batches }
    }

    /// Hands everything over, and takes out what can be delivered each time.
    pub fn deliver(self) -> Delivered {
        let mut buffer = CausalBuffer::with_limits(boundless(), Retry::default());
        let mut delivered = Delivered { messages: 0, examined: 0, checksum: 0 };
        for message in self.single {
            buffer.insert(message, 0).expect("it is sound");
            delivered.take_from(&mut buffer);
        }
        for batch in self.batches {
            buffer.insert_batch(batch, 0);
            delivered.take_from(&mut buffer);
        }
        delivered.examined = buffer.examined();
        delivered
    }
}

impl Delivered {
    fn take_from(&mut self, buffer: &mut CausalBuffer<Payload>) {
        while let Some(Message { payload, .. }) = buffer.poll_deliver() {
            let [number, _] = payload.as_chunks().0 else { unreachable!("it is two words") };
            let number = u64::from_le_bytes(*number);
            self.messages += 1;
            self.checksum = self.checksum.rotate_left(5).wrapping_add(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::history;

    /// In order what comes out is what was told; in any order it is all of it, once.
    #[test]
    fn everything_comes_out() {
        let told = history(3_000, 8, 100);
        let sums: Vec<u64> = ARRIVALS
            .iter()
            .map(|arrival| {
                let delivered = Load::new(&told, arrival).deliver();
                assert_eq!(delivered.messages, told.len(), "{}", arrival.name);
                delivered.checksum
            })
            .collect();
        let plain = (0..told.len() as u64).fold(0u64, |sum, n| sum.rotate_left(5).wrapping_add(n));
        assert_eq!(sums[..2], [plain; 2]);
        assert_ne!(sums[2], plain, "another order is another checksum");
    }
}
