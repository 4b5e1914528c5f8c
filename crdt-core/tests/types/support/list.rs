//! Lists, with the order as the paper has it: a tree of nodes with left and right children,
//! read in order. Naive on purpose; it knows what happened before what, and nothing of dots,
//! contexts or joins.

use std::collections::BTreeMap;

use crdt_core::dot_store::Edit;
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::sequence::{ListDelta, ListStore};
use crdt_core::{List, ReplicaId, Writer};

use super::nest::{At, Nest, all_here};
use super::replica;

/// Positions are counted round.
#[derive(Clone, Debug)]
pub(crate) enum ListOp {
    /// So many elements: the value, and those after it.
    Insert {
        at: u8,
        value: u8,
        count: u8,
    },
    Remove(u8),
    Move(u8, u8),
    Clear,
}

impl Arbitrary for ListOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let [at, other] = [u8::arbitrary(g), u8::arbitrary(g)];
        match u8::arbitrary(g) % 16 {
            // Often at the beginning, at the end, or where someone else inserts.
            0..=8 => Self::Insert {
                at: [0, at % 3, at][usize::from(other % 3)],
                value: other,
                count: 1 + at % 3,
            },
            9..=10 => Self::Remove(at),
            11..=14 => Self::Move(at, other),
            _ => Self::Clear,
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match *self {
            Self::Insert { at, value, count } if count > 1 => {
                Box::new([Self::Insert { at, value, count: count - 1 }].into_iter())
            }
            Self::Insert { at, value, count } => {
                Box::new(at.shrink().map(move |at| Self::Insert { at, value, count }))
            }
            Self::Remove(at) => Box::new(at.shrink().map(Self::Remove)),
            Self::Move(from, to) => {
                Box::new((from, to).shrink().map(|(from, to)| Self::Move(from, to)))
            }
            Self::Clear => Box::new(std::iter::empty()),
        }
    }
}

/// An element, and where concurrent moves of it that lost would have put it, and whose.
type Seen = (u8, Vec<(ReplicaId, usize)>);

/// What a node is: in the order in which the nodes of one event, and those of one replica,
/// were made.
#[derive(Clone)]
struct Node {
    event: usize,
    name: (ReplicaId, usize),
    parent: Option<usize>,
    left: bool,
    right: Option<usize>,
    /// The element: a value of its own, or that of another node.
    content: Result<u8, usize>,
}

/// What a position was, when an operation was made there.
#[derive(Default)]
struct Made {
    nodes: Vec<Node>,
    /// Which node an event removes.
    removed: BTreeMap<usize, usize>,
}

/// The tree at a version.
struct Tree {
    left: BTreeMap<Option<usize>, Vec<usize>>,
    right: BTreeMap<Option<usize>, Vec<usize>>,
}

impl Tree {
    fn order(&self) -> Vec<usize> {
        fn visit(tree: &Tree, at: Option<usize>, order: &mut Vec<usize>) {
            for &child in tree.left.get(&at).into_iter().flatten() {
                visit(tree, Some(child), order);
            }
            order.extend(at);
            for &child in tree.right.get(&at).into_iter().flatten() {
                visit(tree, Some(child), order);
            }
        }
        let mut order = Vec::new();
        visit(self, None, &mut order);
        order
    }
}

/// A list at a version.
struct Seq {
    tree: Tree,
    order: Vec<usize>,
    /// The nodes at which elements stand, with the nodes that brought those.
    shown: Vec<(usize, usize)>,
    /// The moves of each element, the winner last.
    moves: BTreeMap<usize, Vec<usize>>,
}

impl Made {
    fn of(events: &[Event<At<ListOp>>]) -> Self {
        let mut made = Self::default();
        for (event, Event { op, past, .. }) in events.iter().enumerate() {
            let At::Here(op) = op else { continue };
            let list = made.at(events, *past);
            let len = list.shown.len();
            match *op {
                ListOp::Insert { at, value, count } => {
                    let at = usize::from(at) % (len + 1);
                    made.put(events, event, &list, at, Ok(value));
                    for done in 1..count {
                        // Each behind the one before, before what was next.
                        let (parent, first) =
                            (made.nodes.len() - 1, made.nodes.len() - usize::from(done));
                        let first = &made.nodes[first];
                        let right = if first.left { first.parent } else { first.right };
                        let name = (replica(events[event].replica), made.nodes.len());
                        let content = Ok(value.wrapping_add(done));
                        made.nodes.push(Node {
                            event,
                            name,
                            parent: Some(parent),
                            left: false,
                            right,
                            content,
                        });
                    }
                }
                ListOp::Remove(at) if len > 0 => {
                    made.removed.insert(event, list.shown[usize::from(at) % len].1);
                }
                ListOp::Move(from, to) if len > 0 => {
                    let [from, to] = [from, to].map(|at| usize::from(at) % len);
                    let gap = if from < to { to + 1 } else { to };
                    if from != to {
                        made.put(events, event, &list, gap, Err(list.shown[from].1));
                    }
                }
                _ => {}
            }
        }
        made
    }

    fn put(
        &mut self,
        events: &[Event<At<ListOp>>],
        event: usize,
        list: &Seq,
        gap: usize,
        content: Result<u8, usize>,
    ) {
        let before = gap.checked_sub(1).map(|before| list.shown[before].0);
        let place = before
            .map_or(0, |before| list.order.iter().position(|&node| node == before).unwrap() + 1);
        let next = list.order.get(place).copied();
        let is_free = list.tree.right.get(&before).is_none_or(Vec::is_empty);
        let (parent, left, right) =
            if is_free { (before, false, next) } else { (next, true, None) };
        let name = (replica(events[event].replica), self.nodes.len());
        self.nodes.push(Node { event, name, parent, left, right, content });
    }

    fn at(&self, events: &[Event<At<ListOp>>], version: Version) -> Seq {
        let reset = version
            .seen_by(events, |d| matches!(events[d].op, At::Reset | At::Here(ListOp::Clear)));
        let is_here = |node: usize| {
            version.contains(self.nodes[node].event) && !reset.contains(self.nodes[node].event)
        };
        let mut tree = Tree { left: BTreeMap::new(), right: BTreeMap::new() };
        let nodes: Vec<usize> = (0..self.nodes.len()).filter(|&node| is_here(node)).collect();
        let right_of = |node: usize| {
            let Node { parent, right, left, .. } = self.nodes[node];
            let is_orphan = left && !parent.is_some_and(is_here);
            right.filter(|&right| is_here(right) && !is_orphan)
        };
        for &node in &nodes {
            let Node { parent, left, name, .. } = self.nodes[node];
            let parent = parent.filter(|&parent| is_here(parent));
            if left && parent.is_some() {
                let siblings = tree.left.entry(parent).or_default();
                let slot = siblings.partition_point(|&other| self.nodes[other].name < name);
                siblings.insert(slot, node);
                continue;
            }
            let has_kids = tree.right.contains_key(&parent);
            let order = if has_kids { tree.order() } else { Vec::new() };
            let place = |right: Option<usize>| {
                right.map_or(usize::MAX, |right| order.iter().position(|&n| n == right).unwrap())
            };
            let mine = if has_kids { place(right_of(node)) } else { 0 };
            let siblings = tree.right.entry(parent).or_default();
            let slot = siblings.partition_point(|&other| {
                let theirs = place(right_of(other));
                theirs > mine || theirs == mine && self.nodes[other].name < name
            });
            siblings.insert(slot, node);
        }
        let order = tree.order();
        let is_removed = |node: usize| version.iter().any(|d| self.removed.get(&d) == Some(&node));
        let mut moves: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &node in &nodes {
            let Err(element) = self.nodes[node].content else { continue };
            let is_replaced = nodes.iter().any(|&later| {
                self.nodes[later].content == Err(element)
                    && events[self.nodes[later].event].past.contains(self.nodes[node].event)
            });
            if !is_replaced {
                moves.entry(element).or_default().push(node);
            }
        }
        for moves in moves.values_mut() {
            moves.sort_by_key(|&node| self.nodes[node].name);
        }
        let element_at = |&node: &usize| {
            let element = self.nodes[node].content.err().unwrap_or(node);
            let stands =
                moves.get(&element).and_then(|moves| moves.last()).copied().unwrap_or(element);
            (stands == node && is_here(element) && !is_removed(element)).then_some((node, element))
        };
        let shown = order.iter().filter_map(element_at).collect();
        Seq { tree, order, shown, moves }
    }
}

pub(crate) struct ListAt;

impl Nest for ListAt {
    type Op = ListOp;
    type Store = ListStore<u8>;
    type Value = Vec<Seen>;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &ListOp) {
        let len = edit.get().len();
        match *op {
            ListOp::Insert { at, value, count } => {
                let values = (0..count).map(|done| value.wrapping_add(done));
                edit.insert_many(usize::from(at) % (len + 1), values);
            }
            ListOp::Remove(at) if len > 0 => edit.remove(usize::from(at) % len),
            ListOp::Move(from, to) if len > 0 => {
                edit.move_to(usize::from(from) % len, usize::from(to) % len);
            }
            ListOp::Clear => edit.clear(),
            _ => {}
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        assert_eq!(store.iter().len(), store.len());
        assert_eq!(store.iter().count(), store.len());
        assert_eq!(store.get(store.len()), None);
        let seen = |(index, &value): (usize, &u8)| {
            let dot = store.dot_of(index).expect("an element has a name");
            assert_eq!(store.get(index), Some(&value));
            assert_eq!((store.value(dot), store.index_of(dot)), (Some(&value), Some(index)));
            (value, store.conflicts(index).map(|lost| (lost.dot.replica, lost.index)).collect())
        };
        store.iter().enumerate().map(seen).collect()
    }

    fn specified(events: &[Event<At<ListOp>>], version: Version) -> Option<Self::Value> {
        let made = Made::of(events);
        let list = made.at(events, version);
        let seen = |&(_, element): &(usize, usize)| {
            let lost = list.moves.get(&element).into_iter().flatten().rev().skip(1);
            let lost = lost.map(|&node| {
                let before = list.order.iter().take_while(|&&other| other != node);
                let index = before.filter(|&&n| list.shown.iter().any(|&(at, _)| at == n)).count();
                (made.nodes[node].name.0, index)
            });
            (made.nodes[element].content.expect("an element has a value"), lost.collect())
        };
        (!list.order.is_empty()).then(|| list.shown.iter().map(seen).collect())
    }
}

pub(crate) struct Lists;

impl Subject for Lists {
    type Op = ListOp;
    type Root = List<u8>;
    type Delta = ListDelta<u8>;
    type Writer = Writer;
    type Value = Vec<Seen>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &ListOp, writer: &mut Writer) -> Self::Delta {
        let len = root.len();
        match *op {
            ListOp::Remove(at) if len > 0 => root.remove(usize::from(at) % len, writer),
            ListOp::Clear => root.clear(writer),
            _ => root.edit(writer, |list| ListAt::edit(list, op)).expect("numbers are left"),
        }
    }

    fn value(root: &Self::Root) -> Self::Value {
        assert!(root.iter().eq(root.store()));
        ListAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<ListOp>], version: Version) -> Self::Value {
        ListAt::specified(&all_here(events), version).unwrap_or_default()
    }
}
