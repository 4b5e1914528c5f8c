//! Removing items, and joining what has become small.

use super::{Cursor, FAN, Item, LOW, NONE, Summary, Tree};

impl<T: Item> Tree<T> {
    /// Removes the item at `at`; every cursor is invalid afterwards.
    pub(in crate::sequence) fn remove(&mut self, at: Cursor, moved: &mut impl FnMut(&T, u32)) -> T {
        let item = self.leaves[at.leaf as usize].items.remove(at.index as usize);
        self.propagate(at.leaf, item.sum(), T::Sum::default());
        if self.leaves[at.leaf as usize].items.len() <= LOW {
            self.shrink_leaf(at.leaf, moved);
        }
        item
    }

    /// Joins a leaf that has become small with a neighbour below the same parent.
    fn shrink_leaf(&mut self, leaf: u32, moved: &mut impl FnMut(&T, u32)) {
        let parent = self.leaves[leaf as usize].parent;
        if parent == NONE {
            return;
        }
        let node = &self.nodes[parent as usize];
        let slot = node.slot_of(leaf);
        let fits = |other: u32| {
            self.leaves[other as usize].items.len() + self.leaves[leaf as usize].items.len() <= FAN
        };
        let left_slot = if slot + 1 < node.len() && fits(node.children[slot + 1]) {
            slot
        } else if slot > 0 && fits(node.children[slot - 1]) {
            slot - 1
        } else if self.leaves[leaf as usize].items.is_empty() {
            // An only child: a neighbour below the same parent would have taken nothing in.
            self.unlink(leaf);
            self.drop_slot(parent, slot);
            return;
        } else {
            return;
        };
        let (into, from) = (node.children[left_slot], node.children[left_slot + 1]);
        let items = core::mem::take(&mut self.leaves[from as usize].items);
        for item in &items {
            moved(item, into);
        }
        self.leaves[into as usize].items.extend(items);
        self.unlink(from);
        let node = &mut self.nodes[parent as usize];
        let sum = node.sums[left_slot + 1];
        node.sums[left_slot].add(sum);
        self.drop_slot(parent, left_slot + 1);
    }

    fn unlink(&mut self, leaf: u32) {
        let (before, next) = (self.leaves[leaf as usize].before, self.leaves[leaf as usize].next);
        if before == NONE {
            self.first = next;
        } else {
            self.leaves[before as usize].next = next;
        }
        if next != NONE {
            self.leaves[next as usize].before = before;
        }
        self.free_leaves.push(leaf);
    }

    /// Takes a slot out of a node whose measures have already gone elsewhere.
    fn drop_slot(&mut self, at: u32, slot: usize) {
        let node = &mut self.nodes[at as usize];
        node.remove(slot);
        let (len, lowest, parent) = (node.len(), node.lowest, node.parent);
        if parent == NONE {
            if len == 1 {
                let child = node.children[0];
                self.root = child;
                self.root_is_leaf = lowest;
                self.set_parent(lowest, child, NONE);
                self.free_nodes.push(at);
            }
            return;
        }
        if len > LOW {
            return;
        }
        let above = &self.nodes[parent as usize];
        let slot = above.slot_of(at);
        let fits = |other: u32| self.nodes[other as usize].len() + len <= FAN;
        let left_slot = if slot + 1 < above.len() && fits(above.children[slot + 1]) {
            slot
        } else if slot > 0 && fits(above.children[slot - 1]) {
            slot - 1
        } else if len == 0 {
            self.free_nodes.push(at);
            self.drop_slot(parent, slot);
            return;
        } else {
            return;
        };
        let (into, from) = (above.children[left_slot], above.children[left_slot + 1]);
        let source = self.nodes[from as usize].clone();
        let target = &mut self.nodes[into as usize];
        for slot in 0..source.len() {
            let end = target.len();
            target.insert(end, source.children[slot], source.sums[slot]);
        }
        for &child in &source.children[..source.len()] {
            self.set_parent(lowest, child, into);
        }
        self.free_nodes.push(from);
        let above = &mut self.nodes[parent as usize];
        let sum = above.sums[left_slot + 1];
        above.sums[left_slot].add(sum);
        self.drop_slot(parent, left_slot + 1);
    }
}
