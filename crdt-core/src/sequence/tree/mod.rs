//! A B-tree of items in document order, with summed measures in every node.
//!
//! One structure serves the rope (items are chunks of text) and the walker (items are
//! spans of elements). Nodes live in two arenas and know their parent, so that an item
//! reached from the side, by an index instead of by a descent from the root, can be
//! changed and its position found by climbing. Every operation takes O(log n) node
//! visits of at most [`FAN`] slots each.
//!
//! A [`Cursor`] is valid until the next insertion or removal in its leaf.

mod check;
mod grow;
mod shrink;

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::Debug;

/// Most items of a leaf and most children of a node. Small in this crate's own tests, so
/// that a few dozen items reach several levels.
pub(in crate::sequence) const FAN: usize = if cfg!(test) { 4 } else { 16 };

/// A leaf or node with no more than this many slots looks for a neighbour to join.
const LOW: usize = FAN / 4;

const NONE: u32 = u32::MAX;

/// What a node knows of the items below it.
pub(in crate::sequence) trait Summary:
    Copy + Default + PartialEq + Debug
{
    /// Adds the measures of `other`.
    fn add(&mut self, other: Self);
    /// Takes the measures of `other` away again.
    fn sub(&mut self, other: Self);
}

/// Something with measures.
pub(in crate::sequence) trait Item {
    type Sum: Summary;
    fn sum(&self) -> Self::Sum;
}

/// An item by its leaf and its index there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sequence) struct Cursor {
    pub(in crate::sequence) leaf: u32,
    pub(in crate::sequence) index: u32,
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
pub(in crate::sequence) struct Tree<T: Item> {
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
    pub(in crate::sequence) fn total(&self) -> T::Sum {
        self.total
    }

    /// The first item's cursor; past the end of its leaf when the tree is empty.
    pub(in crate::sequence) fn start(&self) -> Cursor {
        Cursor { leaf: self.first, index: 0 }
    }

    /// The last item's cursor, unless the tree is empty.
    pub(in crate::sequence) fn last(&self) -> Option<Cursor> {
        let leaf = self.last_leaf();
        let index = self.leaves[leaf as usize].items.len().checked_sub(1)?;
        Some(Cursor { leaf, index: index as u32 })
    }

    fn last_leaf(&self) -> u32 {
        let (mut last, mut is_leaf) = (self.root, self.root_is_leaf);
        while !is_leaf {
            let node = &self.nodes[last as usize];
            (last, is_leaf) = (node.children[node.len() - 1], node.lowest);
        }
        last
    }

    /// The item at a cursor, if the cursor does not stand past the end of its leaf.
    pub(in crate::sequence) fn get(&self, at: Cursor) -> Option<&T> {
        self.leaves[at.leaf as usize].items.get(at.index as usize)
    }

    /// The item at a cursor that is known to stand at one.
    pub(in crate::sequence) fn item(&self, at: Cursor) -> &T {
        &self.leaves[at.leaf as usize].items[at.index as usize]
    }

    /// The items of one leaf.
    pub(in crate::sequence) fn leaf_items(&self, leaf: u32) -> &[T] {
        &self.leaves[leaf as usize].items
    }

    /// The cursor of the item after the one at `at`.
    pub(in crate::sequence) fn next(&self, at: Cursor) -> Option<Cursor> {
        let leaf = &self.leaves[at.leaf as usize];
        if (at.index as usize) + 1 < leaf.items.len() {
            return Some(Cursor { leaf: at.leaf, index: at.index + 1 });
        }
        // Only the empty tree has an empty leaf.
        (leaf.next != NONE).then_some(Cursor { leaf: leaf.next, index: 0 })
    }

    /// The cursor of the item before the one at `at`.
    pub(in crate::sequence) fn previous(&self, at: Cursor) -> Option<Cursor> {
        if at.index > 0 {
            return Some(Cursor { leaf: at.leaf, index: at.index - 1 });
        }
        let before = self.leaves[at.leaf as usize].before;
        let last = |leaf: &Leaf<T>| leaf.items.len() as u32 - 1;
        (before != NONE)
            .then(|| Cursor { leaf: before, index: last(&self.leaves[before as usize]) })
    }

    /// All items in order.
    pub(in crate::sequence) fn iter(&self) -> Items<'_, T> {
        Items { tree: self, at: Some(self.start()) }
    }

    /// All items in order, without the tree.
    pub(in crate::sequence) fn into_items(mut self) -> Vec<T> {
        let (mut items, mut leaf) = (Vec::new(), self.first);
        while leaf != NONE {
            let Leaf { items: held, next, .. } = &mut self.leaves[leaf as usize];
            items.append(held);
            leaf = *next;
        }
        items
    }

    /// The item that holds unit `pos` of a dimension, and the unit's offset in it.
    pub(in crate::sequence) fn find(
        &self,
        mut pos: u32,
        dim: impl Fn(&T::Sum) -> u32,
    ) -> Option<(Cursor, u32)> {
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
    pub(in crate::sequence) fn before(&self, at: Cursor) -> T::Sum {
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
    pub(in crate::sequence) fn compare(&self, a: Cursor, b: Cursor) -> Ordering {
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
    pub(in crate::sequence) fn update<R>(
        &mut self,
        at: Cursor,
        change: impl FnOnce(&mut T) -> R,
    ) -> R {
        let item = &mut self.leaves[at.leaf as usize].items[at.index as usize];
        let old = item.sum();
        let result = change(item);
        let new = item.sum();
        if new != old {
            self.propagate(at.leaf, old, new);
        }
        result
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
}

/// The way from a leaf to the root: each node with the slot of what is below. Valid until an
/// item is inserted or removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::sequence) struct Path {
    steps: [(u32, u8); PATH_MAX],
    len: u8,
}

/// A tree of this height has more items than are counted in 32 bits, if its nodes are as full
/// as removals leave them; one that is higher has no paths.
const PATH_MAX: usize = 12;

impl<T: Item> Tree<T> {
    /// The way from a leaf to the root.
    pub(in crate::sequence) fn path(&self, leaf: u32) -> Option<Path> {
        let mut path = Path { steps: [(NONE, 0); PATH_MAX], len: 0 };
        let (mut child, mut parent) = (leaf, self.leaves[leaf as usize].parent);
        while parent != NONE {
            let node = &self.nodes[parent as usize];
            *path.steps.get_mut(usize::from(path.len))? = (parent, node.slot_of(child) as u8);
            path.len += 1;
            (child, parent) = (parent, node.parent);
        }
        Some(path)
    }

    /// Changes the item at `at` in place, where the way from its leaf is known.
    pub(in crate::sequence) fn update_along(
        &mut self,
        path: &Path,
        at: Cursor,
        change: impl FnOnce(&mut T),
    ) {
        let item = &mut self.leaves[at.leaf as usize].items[at.index as usize];
        let old = item.sum();
        change(item);
        let new = item.sum();
        for &(node, slot) in &path.steps[..usize::from(path.len)] {
            let sum = &mut self.nodes[node as usize].sums[usize::from(slot)];
            sum.add(new);
            sum.sub(old);
        }
        self.total.add(new);
        self.total.sub(old);
    }
}

/// The items of a tree in order.
pub(in crate::sequence) struct Items<'a, T: Item> {
    tree: &'a Tree<T>,
    at: Option<Cursor>,
}

impl<'a, T: Item> Items<'a, T> {
    pub(in crate::sequence) fn starting_at(tree: &'a Tree<T>, at: Cursor) -> Self {
        Self { tree, at: Some(at) }
    }
}

impl<T: Item> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        Self { tree: self.tree, at: self.at }
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
