//! The last of many digests.

use alloc::vec::Vec;

use super::equivocation::Digest;

/// As many of the newest digests as there is room for, in a ring.
#[derive(Debug, Default)]
pub(super) struct Recent {
    digests: Vec<Digest>,
    /// Where the oldest is, if the ring is full; or else 0.
    oldest: usize,
}

impl Recent {
    pub(super) const fn len(&self) -> usize {
        self.digests.len()
    }

    /// Takes in the newest digest. Of more than `max`, the oldest goes.
    #[inline]
    pub(super) fn push(&mut self, digest: Digest, max: usize) {
        if self.digests.len() < max {
            debug_assert_eq!(self.oldest, 0, "the room for them does not change");
            self.digests.push(digest);
        } else if let Some(oldest) = self.digests.get_mut(self.oldest) {
            *oldest = digest;
            self.oldest += 1;
            if self.oldest == max {
                self.oldest = 0;
            }
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The digests, the newest last.
    pub(super) fn iter(&self) -> impl Iterator<Item = Digest> + '_ {
        let (newer, older) = self.digests.split_at(self.oldest);
        older.iter().chain(newer).copied()
    }

    /// The digest before which `age` newer ones came.
    pub(super) fn get(&self, age: usize) -> Option<Digest> {
        let index = self.len().checked_sub(1 + age)?;
        let place = self.oldest + index;
        let place = if place < self.len() { place } else { place - self.len() };
        Some(self.digests[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;

    /// A queue that is cut in front does the same.
    #[test]
    fn behaves_as_a_queue() {
        for max in 0..6 {
            let (mut recent, mut queue) = (Recent::default(), VecDeque::new());
            for number in 0..40 {
                if number == 23 {
                    recent.clear();
                    queue.clear();
                }
                let digest = Digest([number; 16]);
                recent.push(digest, max);
                queue.push_back(digest);
                while queue.len() > max {
                    queue.pop_front();
                }
                assert_eq!(recent.len(), queue.len());
                assert!(recent.iter().eq(queue.iter().copied()));
                for age in 0..8 {
                    assert_eq!(recent.get(age), queue.iter().rev().nth(age).copied());
                }
            }
        }
    }
}
