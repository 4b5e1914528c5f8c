//! FugueMax as the paper has it (Weidner and Kleppmann, *The Art of the Fugue*): a tree of
//! nodes with left and right children, read in order. Naive on purpose.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::Dot;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Left,
    Right,
}

/// What a replica broadcasts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Message {
    Insert { id: Dot, value: char, parent: Option<Dot>, side: Side, right_origin: Option<Dot> },
    Delete(Dot),
}

#[derive(Clone, Default, Debug)]
struct Node {
    value: Option<char>,
    right_origin: Option<Dot>,
    left: Vec<Dot>,
    right: Vec<Dot>,
}

/// One replica's tree; the root is the node without a dot.
#[derive(Clone, Debug)]
pub(super) struct FugueMax {
    nodes: BTreeMap<Option<Dot>, Node>,
}

impl FugueMax {
    pub(super) fn new() -> Self {
        Self { nodes: BTreeMap::from([(None, Node::default())]) }
    }

    /// All nodes in order, tombstones and the root included.
    fn traverse(&self) -> Vec<Option<Dot>> {
        let mut order = Vec::new();
        self.visit(None, &mut order);
        order
    }

    fn visit(&self, at: Option<Dot>, order: &mut Vec<Option<Dot>>) {
        let node = &self.nodes[&at];
        for &child in &node.left {
            self.visit(Some(child), order);
        }
        order.push(at);
        for &child in &node.right {
            self.visit(Some(child), order);
        }
    }

    pub(super) fn visible(&self) -> Vec<Dot> {
        let order = self.traverse().into_iter().flatten();
        order.filter(|&dot| self.nodes[&Some(dot)].value.is_some()).collect()
    }

    pub(super) fn text(&self) -> String {
        self.visible().into_iter().filter_map(|dot| self.nodes[&Some(dot)].value).collect()
    }

    /// How many elements are visible before this one, and whether it is.
    pub(super) fn place_of(&self, element: Dot) -> (usize, bool) {
        let is_there = |dot: Option<Dot>| self.nodes[&dot].value.is_some();
        let order = self.traverse();
        let before = order.iter().take_while(|&&dot| dot != Some(element));
        (before.filter(|&&dot| is_there(dot)).count(), is_there(Some(element)))
    }

    pub(super) fn len(&self) -> usize {
        self.visible().len()
    }

    /// The left and the right origin of what would be inserted at an index.
    pub(super) fn origins(&self, index: usize) -> (Option<Dot>, Option<Dot>) {
        let left_origin = index.checked_sub(1).map(|before| self.visible()[before]);
        let order = self.traverse();
        let at = order.iter().position(|&node| node == left_origin).expect("it is in the tree");
        (left_origin, order.get(at + 1).copied().flatten())
    }

    pub(super) fn insert(&self, id: Dot, index: usize, value: char) -> Message {
        let (left_origin, right_origin) = self.origins(index);
        if self.nodes[&left_origin].right.is_empty() {
            Message::Insert { id, value, parent: left_origin, side: Side::Right, right_origin }
        } else {
            let parent = right_origin;
            Message::Insert { id, value, parent, side: Side::Left, right_origin: None }
        }
    }

    pub(super) fn delete(&self, index: usize) -> Message {
        Message::Delete(self.visible()[index])
    }

    pub(super) fn receive(&mut self, message: &Message) {
        match *message {
            Message::Delete(id) => {
                self.nodes.get_mut(&Some(id)).expect("causal order").value = None;
            }
            Message::Insert { id, value, parent, side, right_origin } => {
                let node = Node { value: Some(value), right_origin, ..Node::default() };
                self.nodes.insert(Some(id), node);
                let order = self.traverse();
                // The end of the list comes after everything.
                let place = |origin: Option<Dot>| match origin {
                    Some(_) => order.iter().position(|&node| node == origin).expect("known"),
                    None => usize::MAX,
                };
                let origins = |id: Dot| place(self.nodes[&Some(id)].right_origin);
                let mut siblings = match side {
                    Side::Left => self.nodes[&parent].left.clone(),
                    Side::Right => self.nodes[&parent].right.clone(),
                };
                siblings.push(id);
                match side {
                    Side::Left => siblings.sort(),
                    Side::Right => {
                        siblings.sort_by_key(|&id| (core::cmp::Reverse(origins(id)), id));
                    }
                }
                let node = self.nodes.get_mut(&parent).expect("causal order");
                match side {
                    Side::Left => node.left = siblings,
                    Side::Right => node.right = siblings,
                }
            }
        }
    }
}
