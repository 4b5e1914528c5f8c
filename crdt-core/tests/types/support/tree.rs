//! Trees: all moves replayed from the beginning, with a map from nodes to parents. Naive on
//! purpose; it knows what happened before what, and nothing of dots, contexts or joins.

use std::collections::BTreeMap;

use crdt_core::dot_store::Edit;
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::tree::{TreeDelta, TreeError, TreeStore};
use crdt_core::{Dot, ReplicaId, Tree, Writer};

use super::nest::{At, Nest, all_here};
use super::replica;

/// Nodes are counted in the order of the tree, and round; parent 0 is the top.
#[derive(Clone, Debug)]
pub(crate) enum TreeOp {
    Create { parent: u8, at: u8, value: u8 },
    Move { node: u8, parent: u8, at: u8 },
    Remove(u8),
    Set(u8, u8),
    Clear,
}

impl Arbitrary for TreeOp {
    fn arbitrary(g: &mut Gen) -> Self {
        let [node, parent, at] = [(); 3].map(|()| u8::arbitrary(g));
        match u8::arbitrary(g) % 16 {
            0..=4 => Self::Create { parent, at: at % 3, value: node },
            5..=11 => Self::Move { node, parent, at: at % 3 },
            12 | 13 => Self::Remove(node),
            14 => Self::Set(node, at),
            _ if at % 2 == 0 => Self::Clear,
            _ => Self::Set(node, at),
        }
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Self>> {
        match *self {
            Self::Create { parent, at, value } => {
                Box::new((parent, at).shrink().map(move |(parent, at)| Self::Create {
                    parent,
                    at,
                    value,
                }))
            }
            Self::Move { node, parent, at } => {
                Box::new((node, parent, at).shrink().map(|(node, parent, at)| Self::Move {
                    node,
                    parent,
                    at,
                }))
            }
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// How deep a node is, its value, and the values that lost against that.
type Seen = (usize, u8, Vec<u8>);

/// The nodes in order, and whose moves were skipped.
type Shape = (Vec<Seen>, Vec<ReplicaId>);

#[derive(Clone)]
struct Move {
    event: usize,
    stamp: u64,
    by: ReplicaId,
    /// The index of the move that created the node.
    node: usize,
    parent: Option<usize>,
    key: Vec<u8>,
}

/// What the events did.
#[derive(Default)]
struct Made {
    moves: Vec<Move>,
    /// By event.
    writes: BTreeMap<usize, (usize, u8)>,
    removed: BTreeMap<usize, usize>,
}

/// The tree at a version.
struct At1 {
    /// The move in force for each node.
    places: BTreeMap<usize, usize>,
    skipped: Vec<usize>,
    alive: Vec<usize>,
    /// The nodes in order, with their depths.
    order: Vec<(usize, usize)>,
    stamp: u64,
}

/// Digit by digit: the middle where there is one, else on; and where nothing is to be kept clear of on one side any
/// more, counting from the other one.
fn between(before: &[u8], behind: Option<&[u8]>) -> Vec<u8> {
    let Some(behind) = behind else { return counted(before, 255, 1) };
    let [Some((&low, more)), Some((&high, less))] = [before, behind].map(<[u8]>::split_first)
    else {
        return counted(behind, 0, -1);
    };
    let further = match high - low {
        0 => between(more, Some(less)),
        1 if more.is_empty() => vec![128],
        1 => between(more, None),
        gap => return vec![low + gap / 2],
    };
    [vec![low], further].concat()
}

/// The next fraction, or the one before: behind n digits that are as far as digits go, that in 1, 2, 4 or 8 digits.
fn counted(fraction: &[u8], extreme: u8, by: i128) -> Vec<u8> {
    let leading = fraction.iter().take_while(|&&digit| digit == extreme).count();
    let width = |leading: usize| [1, 2, 4, 8][leading.min(3)];
    let mut digits = fraction.iter().copied().skip(leading).chain(std::iter::repeat(0));
    let number =
        (0..width(leading)).fold(0, |number, _| number * 256 + i128::from(digits.next().unwrap()));
    let number = (number + by).to_be_bytes();
    let mut all = vec![extreme; leading];
    match &number[16 - width(leading)..] {
        [0, ..] if by < 0 => {
            all.push(0);
            all.extend(vec![255; width(leading + 1)]);
        }
        digits => all.extend(digits),
    }
    let len = all.iter().rposition(|&digit| digit > 0).map_or(0, |last| last + 1);
    all.truncate(len);
    all
}

impl Made {
    fn of(events: &[Event<At<TreeOp>>]) -> Self {
        let mut made = Self::default();
        for (event, Event { op, past, .. }) in events.iter().enumerate() {
            let At::Here(op) = op else { continue };
            let tree = made.at(events, *past);
            let node = |index: u8| {
                let count = tree.order.len();
                (count > 0).then(|| tree.order[usize::from(index) % count].1)
            };
            let parent = |index: u8| {
                let index = usize::from(index) % (tree.order.len() + 1);
                index.checked_sub(1).map(|index| tree.order[index].1)
            };
            match *op {
                TreeOp::Create { parent: below, at, value } => {
                    let created = made.put(events, event, &tree, None, parent(below), at);
                    made.writes.insert(event, (created, value));
                }
                TreeOp::Move { node: moved, parent: below, at } => {
                    let (Some(moved), below) = (node(moved), parent(below)) else { continue };
                    if !tree.is_above(moved, below) {
                        made.put(events, event, &tree, Some(moved), below, at);
                    }
                }
                TreeOp::Remove(index) => {
                    made.removed.extend(node(index).map(|node| (event, node)));
                }
                TreeOp::Set(index, value) => {
                    made.writes.extend(node(index).map(|node| (event, (node, value))));
                }
                TreeOp::Clear => {}
            }
        }
        made
    }

    /// Puts a node where it is to stand, and those apart that share a key there.
    fn put(
        &mut self,
        events: &[Event<At<TreeOp>>],
        event: usize,
        tree: &At1,
        node: Option<usize>,
        parent: Option<usize>,
        at: u8,
    ) -> usize {
        let siblings: Vec<usize> =
            tree.kids(self, parent).into_iter().filter(|&kid| Some(kid) != node).collect();
        let at = usize::from(at) % (siblings.len() + 1);
        let key = |kid: usize| self.moves[tree.places[&kid]].key.clone();
        let before = at.checked_sub(1).map(|before| key(siblings[before]));
        let shared: Vec<usize> =
            siblings[at..].iter().copied().take_while(|&kid| Some(key(kid)) == before).collect();
        let next = siblings.get(at + shared.len()).map(|&kid| key(kid));
        let mut key = between(before.as_deref().unwrap_or(&[]), next.as_deref());
        let own = key.clone();
        let mut stamp = tree.stamp;
        let by = replica(events[event].replica);
        for node in shared {
            key = between(&key, next.as_deref());
            stamp += 1;
            self.moves.push(Move { event, stamp, by, node, parent, key: key.clone() });
        }
        let node = node.unwrap_or(self.moves.len());
        self.moves.push(Move { event, stamp: stamp + 1, by, node, parent, key: own });
        node
    }

    fn at(&self, events: &[Event<At<TreeOp>>], version: Version) -> At1 {
        let reset = version
            .seen_by(events, |d| matches!(events[d].op, At::Reset | At::Here(TreeOp::Clear)));
        let is_here = |event: usize| version.contains(event) && !reset.contains(event);
        let mut moves: Vec<usize> =
            (0..self.moves.len()).filter(|&at| is_here(self.moves[at].event)).collect();
        moves.sort_by_key(|&at| (self.moves[at].stamp, self.moves[at].by, at));
        let is_removed = |node: usize| version.iter().any(|d| self.removed.get(&d) == Some(&node));
        let mut tree = At1 {
            alive: moves
                .iter()
                .copied()
                .filter(|&at| self.moves[at].node == at && !is_removed(at))
                .collect(),
            stamp: moves.last().map_or(0, |&at| self.moves[at].stamp),
            places: BTreeMap::new(),
            skipped: Vec::new(),
            order: Vec::new(),
        };
        let mut parents: BTreeMap<usize, Option<usize>> = BTreeMap::new();
        for at in moves {
            let Move { node, parent, .. } = self.moves[at];
            let mut above = parent;
            while let Some(here) = above.filter(|&here| here != node) {
                above = parents.get(&here).copied().flatten();
            }
            if above == Some(node) {
                tree.skipped.push(at);
            } else {
                parents.insert(node, parent);
                tree.places.insert(node, at);
            }
        }
        let mut rest: Vec<(usize, usize)> =
            tree.kids(self, None).into_iter().rev().map(|kid| (0, kid)).collect();
        while let Some((depth, node)) = rest.pop() {
            tree.order.push((depth, node));
            rest.extend(tree.kids(self, Some(node)).into_iter().rev().map(|kid| (depth + 1, kid)));
        }
        // Where the children of what is not in the tree are, nobody asks.
        tree
    }

    fn values(&self, events: &[Event<At<TreeOp>>], version: Version, node: usize) -> Vec<u8> {
        let of = |event: usize| self.writes.get(&event).filter(|(of, _)| *of == node);
        let replaced = version.seen_by(events, |event| of(event).is_some());
        let mut writes: Vec<_> = version
            .iter()
            .filter(|&event| !replaced.contains(event))
            .filter_map(|event| Some((replica(events[event].replica), event, of(event)?.1)))
            .collect();
        writes.sort();
        writes.into_iter().rev().map(|(.., value)| value).collect()
    }
}

impl At1 {
    fn kids(&self, made: &Made, parent: Option<usize>) -> Vec<usize> {
        let of = |&(_, &at): &(&usize, &usize)| made.moves[at].parent == parent;
        let kids = self.places.iter().filter(of).map(|(&node, _)| node);
        let mut kids: Vec<usize> = kids.filter(|node| self.alive.contains(node)).collect();
        let name = |node: usize| (made.moves[node].by, node);
        kids.sort_by_key(|&node| (made.moves[self.places[&node]].key.clone(), name(node)));
        kids
    }

    fn is_above(&self, node: usize, other: Option<usize>) -> bool {
        let at = |node: usize| self.order.iter().position(|&(_, held)| held == node).unwrap();
        let Some(other) = other else { return false };
        let (from, depth) = (at(node), self.order[at(node)].0);
        let below = self.order[from + 1..].iter().take_while(|&&(deep, _)| deep > depth).count();
        (from..=from + below).contains(&at(other))
    }
}

fn is_refused(result: Result<(), TreeError>) {
    assert!(matches!(result, Ok(()) | Err(TreeError::BelowItself { .. })), "{result:?}");
}

pub(crate) struct TreeAt;

impl Nest for TreeAt {
    type Op = TreeOp;
    type Store = TreeStore<u8>;
    type Value = Shape;

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &TreeOp) {
        let tree = edit.get();
        let nodes: Vec<Dot> = tree.iter().map(|(_, node)| node).collect();
        let node = |index: u8| (!nodes.is_empty()).then(|| nodes[usize::from(index) % nodes.len()]);
        let parent = |index: u8| {
            (usize::from(index) % (nodes.len() + 1)).checked_sub(1).map(|index| nodes[index])
        };
        let place = |moved: Option<Dot>, parent: Option<Dot>, at: u8| {
            let siblings = tree.children(parent).filter(|&kid| Some(kid) != moved).count();
            usize::from(at) % (siblings + 1)
        };
        match *op {
            TreeOp::Create { parent: below, at, value } => {
                let (parent, at) = (parent(below), place(None, parent(below), at));
                let created = edit.create(parent, at, value).expect("the parent is there");
                assert_eq!(edit.get().children(parent).nth(at), Some(created));
            }
            TreeOp::Move { node: moved, parent: below, at } => {
                let (Some(moved), parent) = (node(moved), parent(below)) else { return };
                let at = place(Some(moved), parent, at);
                let result = edit.move_to(moved, parent, at);
                if result.is_ok() {
                    assert_eq!(edit.get().children(parent).nth(at), Some(moved));
                }
                is_refused(result);
            }
            TreeOp::Remove(index) => {
                if let Some(node) = node(index) {
                    edit.remove(node).expect("the node is there");
                    assert_eq!(edit.remove(node), Err(TreeError::NoSuchNode { node }));
                }
            }
            TreeOp::Set(index, value) => {
                if let Some(node) = node(index) {
                    edit.set_value(node, value).expect("the node is there");
                }
            }
            TreeOp::Clear => edit.clear(),
        }
    }

    fn value(store: &Self::Store) -> Shape {
        let seen = |(depth, node): (usize, Dot)| {
            assert!(store.contains(node));
            assert_eq!(store.ancestors(node).count(), depth);
            assert!(store.children(store.parent(node)).any(|kid| kid == node));
            let lost = store.conflicts(node).map(|(_, &value)| value).collect();
            (depth, *store.get(node).expect("a node has a value"), lost)
        };
        assert_eq!(store.is_empty(), store.iter().next().is_none());
        (store.iter().map(seen).collect(), store.skipped().map(|skip| skip.dot.replica).collect())
    }

    fn specified(events: &[Event<At<TreeOp>>], version: Version) -> Option<Shape> {
        let made = Made::of(events);
        let tree = made.at(events, version);
        let seen = |&(depth, node): &(usize, usize)| {
            let mut values = made.values(events, version, node).into_iter();
            (depth, values.next().expect("a node has a value"), values.collect())
        };
        let skipped = tree.skipped.iter().filter(|&&at| tree.alive.contains(&made.moves[at].node));
        let skipped = skipped.map(|&at| made.moves[at].by).collect();
        let reset = version
            .seen_by(events, |d| matches!(events[d].op, At::Reset | At::Here(TreeOp::Clear)));
        let is_here = |event: usize| version.contains(event) && !reset.contains(event);
        // A write that a removal of its node has not seen is held, and shown nowhere.
        let is_held = |(&event, &(node, _)): (&usize, &(usize, u8))| {
            let later = version.seen_by(events, |other| {
                made.writes.get(&other).is_some_and(|(of, _)| *of == node)
                    || made.removed.get(&other) == Some(&node)
            });
            is_here(event) && !later.contains(event)
        };
        let is_empty =
            !made.moves.iter().any(|step| is_here(step.event)) && !made.writes.iter().any(is_held);
        (!is_empty).then(|| (tree.order.iter().map(seen).collect(), skipped))
    }
}

pub(crate) struct Trees;

impl Subject for Trees {
    type Op = TreeOp;
    type Root = Tree<u8>;
    type Delta = TreeDelta<u8>;
    type Writer = Writer;
    type Value = Shape;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &TreeOp, writer: &mut Writer) -> Self::Delta {
        root.edit(writer, |tree| TreeAt::edit(tree, op)).expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Shape {
        TreeAt::value(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<TreeOp>], version: Version) -> Shape {
        TreeAt::specified(&all_here(events), version).unwrap_or_default()
    }
}
