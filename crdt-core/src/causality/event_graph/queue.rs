//! Events that a walk through the past still has to visit.

use smallvec::SmallVec;

use super::Lv;

/// A heap of events, newest first, each with a tag of two bits. Of equal events that with the
/// greater tag comes first.
///
/// One for all walks, and without memory of its own while they are narrow.
#[derive(Default)]
pub(super) struct Queue {
    heap: SmallVec<[u64; 8]>,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn push(&mut self, lv: Lv, tag: u8) {
        let key = u64::from(lv) << 2 | u64::from(tag);
        let mut hole = self.heap.len();
        self.heap.push(key);
        while hole > 0 {
            let above = (hole - 1) / 2;
            if self.heap[above] >= key {
                break;
            }
            self.heap[hole] = self.heap[above];
            hole = above;
        }
        self.heap[hole] = key;
    }

    /// The newest event.
    pub(super) fn peek(&self) -> Option<(Lv, u8)> {
        self.heap.first().map(|&key| ((key >> 2) as Lv, (key & 3) as u8))
    }

    /// Takes the newest event out.
    pub(super) fn pop(&mut self) -> Option<(Lv, u8)> {
        let newest = self.peek()?;
        let last = self.heap.pop()?;
        let mut hole = 0;
        while 2 * hole + 1 < self.heap.len() {
            let mut below = 2 * hole + 1;
            if below + 1 < self.heap.len() && self.heap[below + 1] > self.heap[below] {
                below += 1;
            }
            if self.heap[below] <= last {
                break;
            }
            self.heap[hole] = self.heap[below];
            hole = below;
        }
        if let Some(place) = self.heap.get_mut(hole) {
            *place = last;
        }
        Some(newest)
    }

    /// Takes the newest event out, if it is not older than `lv`.
    pub(super) fn pop_from(&mut self, lv: Lv) -> Option<(Lv, u8)> {
        if self.peek()?.0 < lv {
            return None;
        }
        self.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::collections::BinaryHeap;
    use alloc::vec::Vec;

    #[test]
    fn gives_back_in_order() {
        fn law(steps: Vec<Option<(u8, u8)>>) -> bool {
            let (mut queue, mut model) = (Queue::default(), BinaryHeap::new());
            for step in steps {
                match step {
                    Some((lv, tag)) => {
                        queue.push(Lv::from(lv), tag % 4);
                        model.push((Lv::from(lv), tag % 4));
                    }
                    None => assert_eq!(queue.pop(), model.pop()),
                }
                assert_eq!((queue.peek(), queue.len()), (model.peek().copied(), model.len()));
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }
}
