use std::any::Any;
use std::hint::black_box;

use crdt_core::tree::TreeDelta;
use crdt_core::{Dot, Tree};

use super::replica;
use crate::rows::{Run, scattered};

pub(crate) const NODES: usize = 10_000;
pub(crate) const MOVES: usize = 1_000;

/// Each node at the top, where `place` says, by one writer.
fn creating(place: fn(usize) -> usize) -> Run {
    let mut tree = Tree::new();
    let mut writer = tree.writer(replica(0));
    Box::new(move || {
        let create = |number| {
            let created = tree.create(None, place(number), number as u64, &mut writer);
            black_box(created.expect("there is room")).0
        };
        let last = (0..NODES).map(create).last().expect("there are nodes");
        assert_eq!(tree.children(None).len(), NODES);
        assert_eq!(tree.position(last), Some(place(NODES - 1)));
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

/// One of two who moved nodes at once, and what the other one tells.
fn apart() -> (Tree<u64>, Vec<TreeDelta<u64>>) {
    let (mut here, nodes) = outline();
    let mut there = here.clone();
    moved(&mut here, &nodes, 1);
    let deltas = moved(&mut there, &nodes, 2);
    (here, deltas)
}

fn joining(mut here: Tree<u64>, deltas: Vec<TreeDelta<u64>>) -> Run {
    Box::new(move || {
        for delta in deltas {
            assert!(here.join(delta));
        }
        assert_eq!(here.iter().count(), NODES);
        (MOVES as u64, Box::new(here))
    })
}

/// All of the other's moves in one piece.
pub(crate) fn join() -> Run {
    let (here, mut deltas) = apart();
    let mut all = deltas.pop().expect("there are moves");
    deltas.into_iter().for_each(|delta| _ = all.join(delta));
    joining(here, vec![all])
}

pub(crate) fn join_one_by_one() -> Run {
    let (here, deltas) = apart();
    joining(here, deltas)
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(outline().0)
}
