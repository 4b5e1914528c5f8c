//! Inserting items, and splitting what is full.

use alloc::vec::Vec;

use super::{Cursor, FAN, Item, Leaf, NONE, Node, Summary, Tree};

impl<T: Item> Tree<T> {
    /// Inserts `item` before the one at `at` (at the end of the leaf if `at` is past it),
    /// and calls `moved` for each item that now lives in another leaf, the new one included.
    pub(in crate::sequence) fn insert(
        &mut self,
        at: Cursor,
        item: T,
        moved: &mut impl FnMut(&T, u32),
    ) -> Cursor {
        let mut at = at;
        if self.leaves[at.leaf as usize].items.len() == FAN {
            at = self.split_leaf(at, moved);
        }
        let sum = item.sum();
        moved(&item, at.leaf);
        self.leaves[at.leaf as usize].items.insert(at.index as usize, item);
        self.propagate(at.leaf, T::Sum::default(), sum);
        at
    }

    /// Appends `item` at the end.
    pub(in crate::sequence) fn push(&mut self, item: T, moved: &mut impl FnMut(&T, u32)) {
        let last = self.last_leaf();
        let index = self.leaves[last as usize].items.len() as u32;
        self.insert(Cursor { leaf: last, index }, item, moved);
    }

    /// Splits a full leaf and returns where `at` is afterwards.
    fn split_leaf(&mut self, at: Cursor, moved: &mut impl FnMut(&T, u32)) -> Cursor {
        let next = self.leaves[at.leaf as usize].next;
        let before = self.leaves[at.leaf as usize].before;
        // Growing at the very end, or at the very beginning, leaves full leaves behind.
        let keep = match at.index as usize {
            FAN if next == NONE => FAN,
            0 if before == NONE => 0,
            _ => FAN / 2,
        };
        let items = self.leaves[at.leaf as usize].items.split_off(keep);
        let mut sum = T::Sum::default();
        for item in &items {
            sum.add(item.sum());
        }
        let right = Leaf { items, parent: NONE, before: at.leaf, next };
        let new = allocate(&mut self.leaves, &mut self.free_leaves, right);
        for item in &self.leaves[new as usize].items {
            moved(item, new);
        }
        self.leaves[at.leaf as usize].next = new;
        if next != NONE {
            self.leaves[next as usize].before = new;
        }
        self.insert_child(true, at.leaf, new, sum);
        if (at.index as usize) > keep || keep == FAN {
            Cursor { leaf: new, index: at.index - keep as u32 }
        } else {
            at
        }
    }

    /// Puts `new`, split from `child` with the measures `sum`, right after it.
    fn insert_child(&mut self, leaf: bool, child: u32, new: u32, sum: T::Sum) {
        let mut parent = self.parent_of(leaf, child);
        if parent == NONE {
            let mut rest = self.total;
            rest.sub(sum);
            let mut node = Node::new(leaf, NONE);
            node.insert(0, child, rest);
            node.insert(1, new, sum);
            let root = allocate(&mut self.nodes, &mut self.free_nodes, node);
            self.root = root;
            self.root_is_leaf = false;
            self.set_parent(leaf, child, root);
            self.set_parent(leaf, new, root);
            return;
        }
        if self.nodes[parent as usize].len() == FAN {
            self.split_node(parent);
            parent = self.parent_of(leaf, child);
        }
        let node = &mut self.nodes[parent as usize];
        let slot = node.slot_of(child);
        node.sums[slot].sub(sum);
        node.insert(slot + 1, new, sum);
        self.set_parent(leaf, new, parent);
    }

    fn split_node(&mut self, at: u32) {
        let lowest = self.nodes[at as usize].lowest;
        let mut right = Node::new(lowest, NONE);
        let node = &mut self.nodes[at as usize];
        for slot in FAN / 2..FAN {
            right.insert(slot - FAN / 2, node.children[slot], node.sums[slot]);
        }
        node.len = (FAN / 2) as u8;
        let sum = right.total();
        let children = right.children;
        let len = right.len();
        let new = allocate(&mut self.nodes, &mut self.free_nodes, right);
        for &child in &children[..len] {
            self.set_parent(lowest, child, new);
        }
        self.insert_child(false, at, new, sum);
    }
}

fn allocate<X>(arena: &mut Vec<X>, free: &mut Vec<u32>, value: X) -> u32 {
    if let Some(id) = free.pop() {
        arena[id as usize] = value;
        return id;
    }
    arena.push(value);
    (arena.len() - 1) as u32
}
