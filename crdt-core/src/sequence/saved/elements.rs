//! The elements of a text by the events that inserted them, in document order.

use crate::causality::Lv;
use crate::sequence::tree::{Cursor, Item, Summary, Tree};

/// Elements that consecutive events inserted, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub(super) lv: Lv,
    pub(super) len: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Count(u32);

impl Summary for Count {
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn sub(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Item for Stretch {
    type Sum = Count;

    fn sum(&self) -> Count {
        Count(self.len)
    }
}

/// What is left of what was inserted. Each operation takes O(log n).
#[derive(Default)]
pub(super) struct Elements {
    tree: Tree<Stretch>,
}

impl Elements {
    /// What is left, in document order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Stretch> + '_ {
        self.tree.iter().copied()
    }

    /// Puts elements at position `at`.
    pub(super) fn insert(&mut self, at: u32, new: Stretch) {
        let place = if at == 0 {
            self.tree.start()
        } else {
            let (cursor, offset) = self.tree.find(at - 1, |count| count.0).expect("in bounds");
            let before = *self.tree.item(cursor);
            if offset + 1 < before.len {
                self.split(cursor, offset + 1);
                self.tree.find(at, |count| count.0).expect("in bounds").0
            } else if before.lv + before.len == new.lv {
                self.tree.update(cursor, |stretch| stretch.len += new.len);
                return;
            } else {
                Cursor { leaf: cursor.leaf, index: cursor.index + 1 }
            }
        };
        self.tree.insert(place, new, &mut |_, _| {});
    }

    /// Takes `len` elements from position `at` on away, and tells which they were, in
    /// document order.
    pub(super) fn remove(&mut self, at: u32, len: u32, mut taken: impl FnMut(Stretch)) {
        let mut left = len;
        while left > 0 {
            let (cursor, offset) = self.tree.find(at, |count| count.0).expect("in bounds");
            let whole = *self.tree.item(cursor);
            let here = left.min(whole.len - offset);
            taken(Stretch { lv: whole.lv + offset, len: here });
            left -= here;
            if here == whole.len {
                self.tree.remove(cursor, &mut |_, _| {});
            } else if offset == 0 {
                let rest = Stretch { lv: whole.lv + here, len: whole.len - here };
                self.tree.update(cursor, |stretch| *stretch = rest);
            } else {
                if offset + here < whole.len {
                    self.split(cursor, offset + here);
                }
                // The leaf may have been split.
                let (cursor, _) = self.tree.find(at - 1, |count| count.0).expect("in bounds");
                self.tree.update(cursor, |stretch| stretch.len = offset);
            }
        }
    }

    fn split(&mut self, at: Cursor, offset: u32) {
        let whole = *self.tree.item(at);
        self.tree.update(at, |stretch| stretch.len = offset);
        let rest = Stretch { lv: whole.lv + offset, len: whole.len - offset };
        let after = Cursor { leaf: at.leaf, index: at.index + 1 };
        self.tree.insert(after, rest, &mut |_, _| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::vec::Vec;

    #[test]
    fn elements_are_a_list() {
        fn law(steps: Vec<(u8, u8, bool)>) -> bool {
            let (mut elements, mut list, mut lv) = (Elements::default(), Vec::new(), 0);
            for (at, len, insert) in steps {
                let len = u32::from(len % 5) + 1;
                if insert || list.is_empty() {
                    let at = u32::from(at) % (list.len() as u32 + 1);
                    elements.insert(at, Stretch { lv, len });
                    list.splice(at as usize..at as usize, lv..lv + len);
                    lv += len;
                } else {
                    let at = u32::from(at) % list.len() as u32;
                    let len = len.min(list.len() as u32 - at);
                    let mut taken = Vec::new();
                    elements.remove(at, len, |stretch| {
                        taken.extend(stretch.lv..stretch.lv + stretch.len);
                    });
                    let removed: Vec<_> = list.drain(at as usize..(at + len) as usize).collect();
                    assert_eq!(taken, removed);
                }
                elements.tree.check_invariants();
                let left = elements.iter().flat_map(|stretch| stretch.lv..stretch.lv + stretch.len);
                assert!(left.eq(list.iter().copied()));
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }
}
