//! The least of many numbers that change one at a time.

use alloc::vec;
use alloc::vec::Vec;

/// No number: what an empty seat holds. Above every position.
pub(super) const ABSENT: u64 = u64::MAX;

/// A tournament tree: each inner node holds the lesser of its two children, the root the least of all.
///
/// Changing a number costs one comparison for each node on the way to the root, and ends where a node
/// stays as it was, so ⌈log₂ seats⌉ at most.
#[derive(Clone, Debug)]
pub(super) struct Tournament {
    /// The root is at 1, the children of `i` at `2 i` and `2 i + 1`, the seats behind the inner nodes.
    nodes: Vec<u64>,
}

impl Tournament {
    /// Room for `seats`, all empty.
    pub(super) fn new(seats: usize) -> Self {
        Self { nodes: vec![ABSENT; 2 * seats.next_power_of_two()] }
    }

    pub(super) const fn seats(&self) -> usize {
        self.nodes.len() / 2
    }

    /// Twice as many seats. O(seats).
    pub(super) fn grow(&mut self) {
        let mut grown = Self::new(2 * self.seats());
        let seats = grown.seats();
        grown.nodes[seats..seats + self.seats()].copy_from_slice(&self.nodes[self.seats()..]);
        for node in (1..seats).rev() {
            grown.nodes[node] = grown.lesser_child(node);
        }
        *self = grown;
    }

    /// The least, or [`ABSENT`].
    pub(super) fn least(&self) -> u64 {
        self.nodes[1]
    }

    /// Sets the number of a seat; how many comparisons that took.
    pub(super) fn set(&mut self, seat: usize, number: u64) -> u64 {
        let mut node = self.seats() + seat;
        self.nodes[node] = number;
        let mut comparisons = 0;
        while node > 1 {
            node /= 2;
            comparisons += 1;
            let lesser = self.lesser_child(node);
            if self.nodes[node] == lesser {
                break;
            }
            self.nodes[node] = lesser;
        }
        comparisons
    }

    fn lesser_child(&self, node: usize) -> u64 {
        self.nodes[2 * node].min(self.nodes[2 * node + 1])
    }

    /// Panics if a node does not hold the lesser of its children. For tests.
    pub(super) fn check_invariants(&self) {
        for node in 1..self.seats() {
            assert_eq!(self.nodes[node], self.lesser_child(node));
        }
    }
}
