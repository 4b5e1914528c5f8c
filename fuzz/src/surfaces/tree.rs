//! `Tree`, states and deltas, with moves that exclude each other.

use crdt_core::Tree;

use super::replicas;
use crate::values::{encode, join};

/// Decodes and joins trees.
pub fn run(bytes: &[u8]) {
    join::<Tree<String>>(bytes, |tree| {
        tree.check_invariants();
        assert!(tree.iter().all(|(_, node)| tree.contains(node)));
    });
    join::<Tree<()>>(bytes, Tree::check_invariants);
}

/// Nodes, moved into each other by two replicas, one removed, with the deltas.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut tree: Tree<String> = Tree::new();
    let mut seeds = vec![[vec![0], encode(&tree), encode(&tree)].concat()];
    let mut push = |before: Vec<u8>, delta: Vec<u8>| seeds.push([vec![1], before, delta].concat());
    let mut writer = tree.writer(replicas()[0]);
    let mut nodes = Vec::new();
    for name in ["ünïcode", "", "x"] {
        let before = encode(&tree);
        let created = tree.create(None, 0, name.to_owned(), &mut writer);
        let (node, delta) = created.expect("there is room");
        push(before, encode(&delta));
        nodes.push(node);
    }
    let mut other = tree.clone();
    let mut at_other = other.writer(replicas()[2]);
    let before = encode(&tree);
    let below = tree.move_to(nodes[0], Some(nodes[1]), 0, &mut writer).expect("it is free");
    push(before, encode(&below));
    let above = other.move_to(nodes[1], Some(nodes[0]), 0, &mut at_other).expect("it is free");
    push(encode(&tree), encode(&above));
    tree.join(above);
    for step in 0..3 {
        let before = encode(&tree);
        let stable = tree.context().vector().clone();
        let delta = match step {
            0 => tree.set_value(nodes[1], "new".to_owned(), &mut writer).expect("it is there"),
            1 => tree.remove(nodes[2], &mut writer).expect("it is there"),
            _ => tree.compact(&stable, &mut writer),
        };
        push(before, encode(&delta));
    }
    seeds
}
