use std::any::Any;
use std::hint::black_box;

use crdt_core::tree::TreeDelta;
use crdt_core::{Dot, Tree, Writer};

use super::replica;
use crate::rows::{Run, scattered};

pub(crate) const NODES: usize = 10_000;
pub(crate) const MOVES: usize = 1_000;

/// Each node at the top, where `place` says, by one writer.
fn build(place: fn(usize) -> usize) -> (Tree<u64>, Vec<Dot>, Writer) {
    let mut tree = Tree::new();
    let mut writer = tree.writer(replica(0));
    let create = |number| {
        let (node, delta) =
            tree.create(None, place(number), number as u64, &mut writer).expect("there is room");
        let _delta = black_box(delta);
        node
    };
    let nodes = (0..NODES).map(create).collect();
    (tree, nodes, writer)
}

fn creating(place: fn(usize) -> usize) -> Run {
    Box::new(move || {
        let (tree, nodes, _) = build(place);
        assert_eq!(
            (tree.children(None).len(), tree.position(nodes[NODES - 1])),
            (NODES, Some(place(NODES - 1)))
        );
        (NODES as u64, Box::new(tree))
    })
}

pub(crate) fn create_last() -> Run {
    creating(|len| len)
}

pub(crate) fn create_first() -> Run {
    creating(|_| 0)
}

/// Each node below one of those before it, ten below each.
fn outline() -> (Tree<u64>, Vec<Dot>) {
    let mut tree = Tree::new();
    let mut writer = tree.writer(replica(0));
    let mut nodes: Vec<Dot> = Vec::new();
    for number in 0..NODES {
        let parent = number.checked_sub(1).map(|before| nodes[before / 10]);
        let at = number.saturating_sub(1) % 10;
        nodes.push(tree.create(parent, at, number as u64, &mut writer).expect("there is room").0);
    }
    (tree, nodes)
}

/// Nodes of an outline go below others, but for those that would be below themselves.
fn moved(tree: &mut Tree<u64>, nodes: &[Dot], by: u64) -> Vec<TreeDelta<u64>> {
    let mut writer = tree.writer(replica(by));
    let mut places = scattered(NODES, by);
    let mut deltas = Vec::new();
    while deltas.len() < MOVES {
        let [node, parent] = [(); 2].map(|()| nodes[places.next().expect("there is no end")]);
        deltas.extend(tree.move_to(node, Some(parent), 0, &mut writer));
    }
    deltas
}

pub(crate) fn move_nodes() -> Run {
    let (mut tree, nodes) = outline();
    Box::new(move || {
        let moves = moved(&mut tree, &nodes, 1);
        assert_eq!(tree.iter().count(), NODES);
        (MOVES as u64, Box::new((tree, moves)))
    })
}

/// What two did at once, the other's moves in one piece.
pub(crate) fn join() -> Run {
    let (mut here, nodes) = outline();
    let mut there = here.clone();
    moved(&mut here, &nodes, 1);
    let mut deltas = moved(&mut there, &nodes, 2).into_iter();
    let mut all = deltas.next().expect("there are moves");
    deltas.for_each(|delta| _ = all.join(delta));
    Box::new(move || {
        assert!(here.join(all));
        assert_eq!(here.iter().count(), NODES);
        (MOVES as u64, Box::new((here, there)))
    })
}

/// The same, move by move.
pub(crate) fn join_one_by_one() -> Run {
    let (mut here, nodes) = outline();
    let mut there = here.clone();
    moved(&mut here, &nodes, 1);
    let deltas = moved(&mut there, &nodes, 2);
    Box::new(move || {
        for delta in deltas {
            assert!(here.join(delta));
        }
        assert_eq!(here.iter().count(), NODES);
        (MOVES as u64, Box::new((here, there)))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(outline().0)
}
