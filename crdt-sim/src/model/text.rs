//! The order of a text's characters, as *FugueMax* has it (Weidner, Gentle, Kleppmann, *The Art
//! of the Fugue*): a tree that is built of all insertions, and read from left to right.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crdt_core::Dot;

/// Where an insertion stands: said once, by whoever typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The node that it is a child of; the root without one.
    pub parent: Option<Dot>,
    /// On which side.
    pub side: Side,
    /// What came next when it was typed, removed characters included; only for right children.
    pub right_origin: Option<Dot>,
}

/// A side of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Left,
    /// After it.
    Right,
}

#[derive(Debug, Default)]
struct Node {
    left: Vec<Dot>,
    right: Vec<Dot>,
}

/// All characters that were ever typed into one text, as far as they are known.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Option<Dot>, Node>,
    right_origins: BTreeMap<Dot, Option<Dot>>,
}

impl Tree {
    /// The tree of some insertions, in an order that causality allows.
    #[must_use]
    pub fn of(insertions: impl IntoIterator<Item = (Dot, Place)>) -> Self {
        let mut tree = Self::default();
        tree.nodes.entry(None).or_default();
        for (dot, place) in insertions {
            tree.insert(dot, place);
        }
        tree
    }

    /// One more.
    pub fn insert(&mut self, dot: Dot, place: Place) {
        self.nodes.entry(Some(dot)).or_default();
        self.right_origins.insert(dot, place.right_origin);
        let node = self.nodes.entry(place.parent).or_default();
        match place.side {
            Side::Left => {
                node.left.push(dot);
                node.left.sort();
            }
            Side::Right => {
                node.right.push(dot);
                let mut siblings = node.right.clone();
                let origin = |dot: &Dot| self.right_origins[dot];
                if siblings.iter().all(|dot| origin(dot) == place.right_origin) {
                    siblings.sort();
                } else {
                    let order = self.order();
                    // The end of the text comes after everything.
                    let place = |dot: Dot| {
                        self.right_origins[&dot].map_or(usize::MAX, |origin| {
                            order.iter().position(|held| *held == origin).unwrap_or(usize::MAX)
                        })
                    };
                    siblings.sort_by_key(|dot| (Reverse(place(*dot)), *dot));
                }
                self.nodes.entry(place.parent).or_default().right = siblings;
            }
        }
    }

    /// All characters in order, the removed ones included.
    #[must_use]
    pub fn order(&self) -> Vec<Dot> {
        // Without recursion: who types forwards makes a tree as deep as the text is long.
        let mut order = Vec::new();
        let mut todo = vec![(None, false)];
        while let Some((at, left_is_done)) = todo.pop() {
            let Some(node) = self.nodes.get(&at) else { continue };
            if left_is_done {
                order.extend(at);
                todo.extend(node.right.iter().rev().map(|dot| (Some(*dot), false)));
            } else {
                todo.push((at, true));
                todo.extend(node.left.iter().rev().map(|dot| (Some(*dot), false)));
            }
        }
        order
    }

    /// Where a character stands that is typed right after `left`, or at the beginning, and before `next`,
    /// which comes right after that one; both may have been deleted.
    #[must_use]
    pub fn place_between(&self, left: Option<Dot>, next: Option<Dot>) -> Place {
        if self.nodes.get(&left).is_none_or(|node| node.right.is_empty()) {
            Place { parent: left, side: Side::Right, right_origin: next }
        } else {
            Place { parent: next, side: Side::Left, right_origin: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::ReplicaId;

    fn type_at(tree: &mut Tree, replica: u128, seq: u64, left: Option<Dot>) -> Dot {
        let dot = Dot::new(ReplicaId::from_u128(replica), seq);
        let order = tree.order();
        let at = left.map_or(0, |left| 1 + order.iter().position(|dot| *dot == left).unwrap());
        let place = tree.place_between(left, order.get(at).copied());
        tree.insert(dot, place);
        dot
    }

    #[test]
    fn what_two_type_at_one_place_does_not_interleave() {
        // Both begin with the empty text: one types forwards, the other backwards.
        let (mut ann, mut bob) = (Tree::of([]), Tree::of([]));
        let a1 = type_at(&mut ann, 1, 1, None);
        let a2 = type_at(&mut ann, 1, 2, Some(a1));
        let (b1, b2) = (type_at(&mut bob, 2, 1, None), type_at(&mut bob, 2, 2, None));
        assert_eq!(bob.order(), [b2, b1]);
        let both = Tree::of([
            (a1, Place { parent: None, side: Side::Right, right_origin: None }),
            (b1, Place { parent: None, side: Side::Right, right_origin: None }),
            (a2, Place { parent: Some(a1), side: Side::Right, right_origin: None }),
            (b2, Place { parent: Some(b1), side: Side::Left, right_origin: None }),
        ]);
        assert_eq!(both.order(), [a1, a2, b2, b1]);
    }
}
