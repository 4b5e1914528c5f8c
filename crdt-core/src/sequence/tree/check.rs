//! What must hold of a tree.

use alloc::vec::Vec;

use super::{FAN, Item, Leaf, NONE, Summary, Tree};

impl<T: Item> Tree<T> {
    /// Panics when a sum, a parent, a link or a fill is not what it should be.
    pub(in crate::sequence) fn check_invariants(&self) {
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
