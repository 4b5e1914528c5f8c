//! Histories of messages, and orders in which they arrive.

use crdt_causal::delivery::{Message, Parents};
use crdt_core::{Dot, ReplicaId};

/// What messages carry: their number in the history, and zeros.
pub type Payload = [u8; 16];

/// Chance from a seed (Steele, Lea and Flood's SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// Any number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.draw() % end as u64) as usize
    }

    /// Puts items into any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// A causal order of messages: in `mixed` of 100 cases a message follows the last one of another
/// replica beside its own predecessor.
pub fn history(messages: usize, replicas: usize, mixed: usize) -> Vec<Message<Payload>> {
    let mut random = Random(messages as u64);
    let ids: Vec<ReplicaId> = (0..replicas)
        .map(|_| ReplicaId::from_u128(u128::from(random.draw()) << 64 | u128::from(random.draw())))
        .collect();
    let mut last = vec![0u64; replicas];
    (0..messages)
        .map(|number| {
            let writer = random.below(replicas);
            last[writer] += 1;
            let mut parents = Parents::NONE;
            let other = random.below(replicas);
            if random.below(100) < mixed && other != writer && last[other] > 0 {
                parents.push(Dot::new(ids[other], last[other]));
            }
            let mut payload = [0; 16];
            payload[..8].copy_from_slice(&(number as u64).to_le_bytes());
            Message { dot: Dot::new(ids[writer], last[writer]), parents, payload }
        })
        .collect()
}

/// Messages that come about in order, each overtaken by others of `window` messages.
pub fn jostle(messages: &mut [Message<Payload>], window: usize) {
    let mut random = Random(7);
    for chunk in messages.chunks_mut(window) {
        random.shuffle(chunk);
    }
}
