//! A B-tree of items in document order, with summed measures in every node.
//!
//! One structure serves the rope (items are chunks of text) and the walker (items are
//! spans of elements). Nodes live in two arenas and know their parent, so that an item
//! reached from the side, by an index instead of by a descent from the root, can be
//! changed and its position found by climbing. Every operation takes O(log n) node
//! visits of at most [`FAN`] slots each.
//!
//! A [`Cursor`] is valid until the next insertion or removal in its leaf.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Debug;

/// Most items of a leaf and most children of a node. Small in this crate's own tests, so
/// that a few dozen items reach several levels.
pub(super) const FAN: usize = if cfg!(test) { 4 } else { 16 };

/// A leaf or node with no more than this many slots looks for a neighbour to join.
const LOW: usize = FAN / 4;

const NONE: u32 = u32::MAX;

/// What a node knows of the items below it.
pub(super) trait Summary: Copy + Default + PartialEq + Debug {
    /// Adds the measures of `other`.
    fn add(&mut self, other: Self);
    /// Takes the measures of `other` away again.
    fn sub(&mut self, other: Self);
}

/// Something with measures.
pub(super) trait Item {
    type Sum: Summary;
    fn sum(&self) -> Self::Sum;
}

/// An item by its leaf and its index there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cursor {
    pub(super) leaf: u32,
    pub(super) index: u32,
}

#[derive(Clone, Debug)]
struct Leaf<T> {
    items: Vec<T>,
    parent: u32,
    before: u32,
    next: u32,
}

#[derive(Clone, Debug)]
struct Node<S> {
    children: [u32; FAN],
    sums: [S; FAN],
    len: u8,
    /// Whether the children are leaves.
    lowest: bool,
    parent: u32,
}

impl<S: Summary> Node<S> {
    fn new(lowest: bool, parent: u32) -> Self {
        Self { children: [NONE; FAN], sums: [S::default(); FAN], len: 0, lowest, parent }
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }

    fn slot_of(&self, child: u32) -> usize {
        let found = self.children[..self.len()].iter().position(|&c| c == child);
        found.expect("a child is a slot of its parent")
    }

    fn insert(&mut self, slot: usize, child: u32, sum: S) {
        let len = self.len();
        self.children.copy_within(slot..len, slot + 1);
        self.sums.copy_within(slot..len, slot + 1);
        self.children[slot] = child;
        self.sums[slot] = sum;
        self.len += 1;
    }

    fn remove(&mut self, slot: usize) {
        let len = self.len();
        self.children.copy_within(slot + 1..len, slot);
        self.sums.copy_within(slot + 1..len, slot);
        self.len -= 1;
    }

    fn total(&self) -> S {
        let mut total = S::default();
        for sum in &self.sums[..self.len()] {
            total.add(*sum);
        }
        total
    }
}

/// The tree. An empty tree is one empty leaf.
#[derive(Clone, Debug)]
pub(super) struct Tree<T: Item> {
    leaves: Vec<Leaf<T>>,
    nodes: Vec<Node<T::Sum>>,
    free_leaves: Vec<u32>,
    free_nodes: Vec<u32>,
    root: u32,
    root_is_leaf: bool,
    first: u32,
    total: T::Sum,
}

impl<T: Item> Default for Tree<T> {
    fn default() -> Self {
        Self {
            leaves: alloc::vec![Leaf { items: Vec::new(), parent: NONE, before: NONE, next: NONE }],
            nodes: Vec::new(),
            free_leaves: Vec::new(),
            free_nodes: Vec::new(),
            root: 0,
            root_is_leaf: true,
            first: 0,
            total: T::Sum::default(),
        }
    }
}

impl<T: Item> Tree<T> {
    /// The measures of all items.
    pub(super) fn total(&self) -> T::Sum {
        self.total
    }

    /// The first item's cursor; past the end of its leaf when the tree is empty.
    pub(super) fn start(&self) -> Cursor {
        Cursor { leaf: self.first, index: 0 }
    }

    /// The item at a cursor, if the cursor does not stand past the end of its leaf.
    pub(super) fn get(&self, at: Cursor) -> Option<&T> {
        self.leaves[at.leaf as usize].items.get(at.index as usize)
    }

    /// The item at a cursor that is known to stand at one.
    pub(super) fn item(&self, at: Cursor) -> &T {
        &self.leaves[at.leaf as usize].items[at.index as usize]
    }

    /// The items of one leaf.
    pub(super) fn leaf_items(&self, leaf: u32) -> &[T] {
        &self.leaves[leaf as usize].items
    }

    /// The cursor of the item after the one at `at`.
    pub(super) fn next(&self, at: Cursor) -> Option<Cursor> {
        let leaf = &self.leaves[at.leaf as usize];
        if (at.index as usize) + 1 < leaf.items.len() {
            return Some(Cursor { leaf: at.leaf, index: at.index + 1 });
        }
        // Only the empty tree has an empty leaf.
        (leaf.next != NONE).then_some(Cursor { leaf: leaf.next, index: 0 })
    }

    /// All items in order.
    pub(super) fn iter(&self) -> Items<'_, T> {
        Items { tree: self, at: Some(self.start()) }
    }

    /// The item that holds unit `pos` of a dimension, and the unit's offset in it.
    pub(super) fn find(&self, mut pos: u32, dim: impl Fn(&T::Sum) -> u32) -> Option<(Cursor, u32)> {
        if pos >= dim(&self.total) {
            return None;
        }
        let mut at = self.root;
        if !self.root_is_leaf {
            loop {
                let node = &self.nodes[at as usize];
                let mut slot = 0;
                loop {
                    let here = dim(&node.sums[slot]);
                    if pos < here {
                        break;
                    }
                    pos -= here;
                    slot += 1;
                }
                at = node.children[slot];
                if node.lowest {
                    break;
                }
            }
        }
        for (index, item) in self.leaves[at as usize].items.iter().enumerate() {
            let here = dim(&item.sum());
            if pos < here {
                return Some((Cursor { leaf: at, index: index as u32 }, pos));
            }
            pos -= here;
        }
        unreachable!("the sums of a node equal those of its children")
    }

    /// The measures of all items before the one at `at`.
    pub(super) fn before(&self, at: Cursor) -> T::Sum {
        let leaf = &self.leaves[at.leaf as usize];
        let mut sum = T::Sum::default();
        for item in &leaf.items[..at.index as usize] {
            sum.add(item.sum());
        }
        let (mut child, mut parent) = (at.leaf, leaf.parent);
        while parent != NONE {
            let node = &self.nodes[parent as usize];
            for (&sibling, before) in node.children.iter().zip(&node.sums) {
                if sibling == child {
                    break;
                }
                sum.add(*before);
            }
            (child, parent) = (parent, node.parent);
        }
        sum
    }

    /// The order of two items in the document.
    pub(super) fn compare(&self, a: Cursor, b: Cursor) -> Ordering {
        if a.leaf == b.leaf {
            return a.index.cmp(&b.index);
        }
        let (mut left, mut right) = (a.leaf, b.leaf);
        let mut left_parent = self.leaves[left as usize].parent;
        let mut right_parent = self.leaves[right as usize].parent;
        // All leaves are at one depth, so that both climbs meet.
        while left_parent != right_parent {
            (left, right) = (left_parent, right_parent);
            left_parent = self.nodes[left as usize].parent;
            right_parent = self.nodes[right as usize].parent;
        }
        let node = &self.nodes[left_parent as usize];
        node.slot_of(left).cmp(&node.slot_of(right))
    }

    /// Changes the item at `at` in place.
    pub(super) fn update<R>(&mut self, at: Cursor, change: impl FnOnce(&mut T) -> R) -> R {
        let item = &mut self.leaves[at.leaf as usize].items[at.index as usize];
        let old = item.sum();
        let result = change(item);
        let new = item.sum();
        if new != old {
            self.propagate(at.leaf, old, new);
        }
        result
    }

    /// Inserts `item` before the one at `at` (at the end of the leaf if `at` is past it),
    /// and calls `moved` for each item that now lives in another leaf, the new one included.
    pub(super) fn insert(
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
    pub(super) fn push(&mut self, item: T, moved: &mut impl FnMut(&T, u32)) {
        let mut last = self.root;
        if !self.root_is_leaf {
            loop {
                let node = &self.nodes[last as usize];
                last = node.children[node.len() - 1];
                if node.lowest {
                    break;
                }
            }
        }
        let index = self.leaves[last as usize].items.len() as u32;
        self.insert(Cursor { leaf: last, index }, item, moved);
    }

    /// Removes the item at `at`; every cursor is invalid afterwards.
    pub(super) fn remove(&mut self, at: Cursor, moved: &mut impl FnMut(&T, u32)) -> T {
        let item = self.leaves[at.leaf as usize].items.remove(at.index as usize);
        self.propagate(at.leaf, item.sum(), T::Sum::default());
        if self.leaves[at.leaf as usize].items.len() <= LOW {
            self.shrink_leaf(at.leaf, moved);
        }
        item
    }

    fn propagate(&mut self, leaf: u32, old: T::Sum, new: T::Sum) {
        let (mut child, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        while parent != NONE {
            let node = &mut self.nodes[parent as usize];
            let slot = node.slot_of(child);
            node.sums[slot].add(new);
            node.sums[slot].sub(old);
            (child, parent) = (parent, node.parent);
        }
        self.total.add(new);
        self.total.sub(old);
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

    fn parent_of(&self, leaf: bool, child: u32) -> u32 {
        if leaf { self.leaves[child as usize].parent } else { self.nodes[child as usize].parent }
    }

    fn set_parent(&mut self, leaf: bool, child: u32, parent: u32) {
        if leaf {
            self.leaves[child as usize].parent = parent;
        } else {
            self.nodes[child as usize].parent = parent;
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

    /// Panics when a sum, a parent, a link or a fill is not what it should be.
    pub(super) fn check_invariants(&self) {
        let mut in_order = Vec::new();
        let total = if self.root_is_leaf {
            self.check_leaf(self.root, NONE, &mut in_order)
        } else {
            self.check_node(self.root, NONE, &mut in_order).0
        };
        assert_eq!(total, self.total, "the root's sum is the total");
        let mut leaf = self.first;
        let mut before = NONE;
        for &expected in &in_order {
            assert_eq!(leaf, expected, "links follow the order of the leaves");
            assert_eq!(self.leaves[leaf as usize].before, before);
            before = leaf;
            leaf = self.leaves[leaf as usize].next;
        }
        assert_eq!(leaf, NONE, "the last leaf has no next");
        assert_eq!(in_order.len() + self.free_leaves.len(), self.leaves.len(), "no leaf is lost");
    }

    fn check_leaf(&self, leaf: u32, parent: u32, in_order: &mut Vec<u32>) -> T::Sum {
        let Leaf { items, parent: found, .. } = &self.leaves[leaf as usize];
        assert_eq!(*found, parent);
        assert!(items.len() <= FAN);
        assert!(parent == NONE || !items.is_empty(), "only an empty tree has an empty leaf");
        in_order.push(leaf);
        let mut sum = T::Sum::default();
        for item in items {
            sum.add(item.sum());
        }
        sum
    }

    fn check_node(&self, at: u32, parent: u32, in_order: &mut Vec<u32>) -> (T::Sum, u32) {
        let node = &self.nodes[at as usize];
        assert_eq!(node.parent, parent);
        assert!(node.len() >= 1 && (parent != NONE || node.len() >= 2));
        let mut depth = None;
        for (slot, &child) in node.children[..node.len()].iter().enumerate() {
            let (sum, below) = if node.lowest {
                (self.check_leaf(child, at, in_order), 0)
            } else {
                self.check_node(child, at, in_order)
            };
            assert_eq!(sum, node.sums[slot], "a slot's sum is its child's");
            assert_eq!(*depth.get_or_insert(below), below, "all leaves are at one depth");
        }
        (node.total(), depth.unwrap_or(0) + 1)
    }
}

/// The items of a tree in order.
pub(super) struct Items<'a, T: Item> {
    tree: &'a Tree<T>,
    at: Option<Cursor>,
}

impl<'a, T: Item> Items<'a, T> {
    pub(super) fn starting_at(tree: &'a Tree<T>, at: Cursor) -> Self {
        Self { tree, at: Some(at) }
    }
}

impl<'a, T: Item> Iterator for Items<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let at = self.at?;
        let item = self.tree.get(at)?;
        self.at = self.tree.next(at);
        Some(item)
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
