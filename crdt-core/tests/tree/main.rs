//! Trees: what concurrent moves lead to, and what can be forgotten of them.

use crdt_core::causality::VersionVector;
use crdt_core::laws::trials;
use crdt_core::laws::{Arbitrary, Gen};
use crdt_core::tree::TreeError;
use crdt_core::undo::Undo;
use crdt_core::{Dot, ReplicaId, Tree, Writer};

fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

fn fork<V: Clone>(tree: &Tree<V>, number: u128) -> (Tree<V>, Writer) {
    (tree.clone(), tree.writer(id(number)))
}

fn read(tree: &Tree<&'static str>) -> String {
    tree.check_invariants();
    let line = |(depth, node)| format!("{}{}", "-".repeat(depth), tree.get(node).unwrap());
    tree.iter().map(line).collect::<Vec<_>>().join(" ")
}

/// Three folders, and writers at two replicas that have seen them.
fn folders() -> ([Dot; 3], [(Tree<&'static str>, Writer); 2]) {
    let (mut tree, mut writer) = fork(&Tree::new(), 1);
    let nodes = ["a", "b", "c"].map(|name| {
        let at = tree.children(None).count();
        let (node, _delta) = tree.create(None, at, name, &mut writer).unwrap();
        node
    });
    let other = fork(&tree, 2);
    (nodes, [(tree, writer), other])
}

/// A creation that arrives after all that is about its node, in the order of which it is early: a move that
/// would have made a circle then, and that another has replaced since, is skipped as elsewhere.
#[test]
fn a_creation_that_comes_last_is_in_the_way_of_what_came_before() {
    let (mut tree, mut writer) = fork(&Tree::new(), 1);
    let [z, p] = ["z", "p"].map(|name| tree.create(None, 0, name, &mut writer).unwrap().0);
    let (mut other, mut others) = fork(&tree, 2);
    let mut late = tree.clone();
    let (x, created) = tree.create(Some(p), 0, "x", &mut writer).unwrap();
    let below_z = other.move_to(p, Some(z), 0, &mut others).unwrap();
    let below_x = tree.move_to(z, Some(x), 0, &mut writer).unwrap();
    let back = tree.move_to(z, None, 0, &mut writer).unwrap();
    tree.join(&below_z);
    for delta in [below_z, below_x, back, created] {
        late.join(delta);
        late.check_invariants();
    }
    assert_eq!((read(&late).as_str(), &late), ("z -p --x", &tree));
    assert!(tree.skipped().map(|step| step.node).eq([z]));
    assert!(late.skipped().map(|step| step.node).eq([z]));
}

/// The paper's first figure: one moves a below b, the other b below a. Both cannot be, neither may
/// get lost, nor be there twice.
#[test]
fn two_moves_into_each_other_make_no_circle() {
    let ([a, b, _], [(mut left, mut on_left), (mut right, mut on_right)]) = folders();
    let one = left.move_to(a, Some(b), 0, &mut on_left).unwrap();
    let other = right.move_to(b, Some(a), 0, &mut on_right).unwrap();
    left.join(other);
    right.join(one);
    assert_eq!((read(&left).as_str(), &left), ("b -a c", &right));
    let skipped: Vec<_> = left.skipped().collect();
    assert_eq!((skipped.len(), skipped[0].node, skipped[0].parent), (1, b, a));
    assert_eq!(skipped[0].dot.replica, id(2));
}

/// The paper's second figure: both move the same node, to two places.
#[test]
fn a_node_moved_to_two_places_is_at_one() {
    let ([a, b, c], [(mut left, mut on_left), (mut right, mut on_right)]) = folders();
    let one = left.move_to(c, Some(a), 0, &mut on_left).unwrap();
    let other = right.move_to(c, Some(b), 0, &mut on_right).unwrap();
    left.join(other);
    right.join(one);
    assert_eq!((read(&left).as_str(), &left), ("a b -c", &right));
    assert_eq!(left.ancestors(c).collect::<Vec<_>>(), [b]);
}

/// A node that was moved out of a removed one stays; what was left in it, or came to it, goes.
#[test]
fn a_removal_takes_what_stands_below() {
    let ([a, b, c], [(mut left, mut on_left), (mut right, mut on_right)]) = folders();
    for node in [b, c] {
        right.join(left.move_to(node, Some(a), 0, &mut on_left).unwrap());
    }
    let removed = left.remove(a, &mut on_left).unwrap();
    let saved = right.move_to(b, None, 0, &mut on_right).unwrap();
    let (new, late) = right.create(Some(a), 0, "new", &mut on_right).unwrap();
    left.join(late);
    left.join(saved);
    right.join(removed);
    assert_eq!((read(&left).as_str(), &left), ("b", &right));
    assert!(!left.contains(new) && !left.contains(c) && left.get(c).is_none());
    assert_eq!([a, b, c, new].map(|node| left.position(node)), [None, Some(0), None, None]);
    assert_eq!((left.children(Some(a)).len(), left.children(None).len()), (0, 1));
    assert!(left.ancestors(c).next().is_none());
    assert_eq!(left.remove(c, &mut on_left), Err(TreeError::NoSuchNode { node: c }));
}

/// Siblings that two replicas put at one place share a key; one more goes between them all the
/// same.
#[test]
fn there_is_room_between_siblings_with_one_key() {
    let (_, [(mut left, mut on_left), (mut right, mut on_right)]) = folders();
    let (_, one) = left.create(None, 1, "left", &mut on_left).unwrap();
    let (_, other) = right.create(None, 1, "right", &mut on_right).unwrap();
    left.join(other);
    right.join(one);
    assert_eq!(read(&left), "a left right b c");
    let places: Vec<_> = left.children(None).map(|node| left.position(node)).collect();
    assert_eq!(places, [0, 1, 2, 3, 4].map(Some));
    let (_, between) = right.create(None, 2, "between", &mut on_right).unwrap();
    left.join(between);
    assert_eq!((read(&left).as_str(), &left), ("a left between right b c", &right));
}

#[test]
fn a_node_does_not_go_below_itself() {
    let ([a, b, _], [(mut tree, mut writer), _]) = folders();
    let _delta = tree.move_to(b, Some(a), 0, &mut writer).unwrap();
    let before = tree.clone();
    for parent in [a, b] {
        let refused = tree.move_to(a, Some(parent), 0, &mut writer);
        assert_eq!(refused, Err(TreeError::BelowItself { node: a, parent }));
    }
    let refused = tree.move_to(a, None, 2, &mut writer);
    assert_eq!(refused, Err(TreeError::BeyondEnd { index: 2, len: 1 }));
    assert_eq!(tree, before);
}

#[derive(Clone, Debug)]
struct Step {
    by: u8,
    node: u8,
    parent: u8,
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Self {
        Self { by: u8::arbitrary(g), node: u8::arbitrary(g), parent: u8::arbitrary(g) }
    }
}

fn act(trees: &mut [(Tree<&'static str>, Writer); 3], nodes: &[Dot], step: &Step) {
    let by = usize::from(step.by) % 3;
    if step.node.is_multiple_of(4) {
        let from = trees[usize::from(step.parent) % 3].0.clone();
        trees[by].0.join(from);
        return;
    }
    let (tree, writer) = &mut trees[by];
    let node = nodes[usize::from(step.node) % nodes.len()];
    let parent = nodes.get(usize::from(step.parent) % (nodes.len() + 1)).copied();
    if let Err(error) = tree.move_to(node, parent, 0, writer) {
        assert!(matches!(error, TreeError::BelowItself { .. }));
    }
}

/// What is compacted where all is stable shows the same tree, and goes on to do so.
#[test]
fn a_compacted_tree_is_the_same_tree() {
    fn law(before: Vec<Step>, behind: Vec<Step>) -> bool {
        let (mut base, mut writer) = fork(&Tree::new(), 9);
        let nodes: Vec<Dot> =
            (0..5).map(|_| base.create(None, 0, "node", &mut writer).unwrap().0).collect();
        let mut trees = [1, 2, 3].map(|number| fork(&base, number));
        before.iter().for_each(|step| act(&mut trees, &nodes, step));
        let mut whole = base;
        trees.iter().for_each(|(tree, _)| _ = whole.join(tree));
        let stable: VersionVector = whole.context().vector().clone();

        let mut compact = whole.clone();
        let delta = compact.compact(&stable, &mut writer);
        assert_eq!(read(&compact), read(&whole));
        let held = compact.digest().live().ranges().map(|range| range.len()).sum::<u64>();
        assert!(compact.skipped().next().is_none(), "what is skipped is forgotten");
        assert!(held >= 10, "what is in force is held");

        let mut ways = [whole, compact].map(|tree| [1, 2, 3].map(|number| fork(&tree, number)));
        for trees in &mut ways {
            behind.iter().for_each(|step| act(trees, &nodes, step));
        }
        let [long, short] = ways;
        for ((mut long, _), (short, _)) in long.into_iter().zip(short) {
            assert!(long.iter().eq(short.iter()));
            long.join(delta.clone());
            assert!(long.iter().eq(short.iter()), "on the long way it can be forgotten too");
            assert_eq!(read(&long), read(&short));
        }
        true
    }
    trials().quickcheck(law as fn(Vec<Step>, Vec<Step>) -> bool);
}

/// Siblings that were put at one place at once share a key. When some of them are removed, and that is taken back as one,
/// all stand again as they stood.
#[test]
fn removed_siblings_come_back_in_their_order() {
    fn law(rounds: Vec<[u8; 3]>, gone: u32) -> bool {
        let mut trees = [1, 2, 3].map(|number| fork(&Tree::new(), number));
        for (round, places) in rounds.iter().take(5).enumerate() {
            for (by, ((tree, writer), place)) in trees.iter_mut().zip(places).enumerate() {
                let at = usize::from(*place) % (3 * round + 1);
                let _delta = tree.create(None, at, 3 * round + by, writer).unwrap();
            }
            for reader in 0..3 {
                for writer in 0..3 {
                    let from = trees[writer].0.clone();
                    trees[reader].0.join(from);
                }
            }
        }
        let [(mut tree, mut writer), (mut other, mut on_other), _] = trees;
        let read = |tree: &Tree<usize>| -> Vec<usize> {
            tree.check_invariants();
            tree.children(None).map(|node| *tree.get(node).unwrap()).collect()
        };
        let (before, nodes) = (read(&tree), tree.children(None).collect::<Vec<Dot>>());
        let mut removal = None;
        for (_, &node) in nodes.iter().enumerate().filter(|(at, _)| gone >> at & 1 == 1) {
            let delta = other.remove(node, &mut on_other).unwrap();
            match &mut removal {
                None => removal = Some(delta),
                Some(removal) => _ = removal.join(delta),
            }
        }
        let Some(removal) = removal else { return true };
        let inverse = tree.inverse(&removal);
        tree.join(removal);
        assert!(tree.children(None).count() < before.len());
        let _delta = tree.undo(&inverse, &mut writer).unwrap();
        read(&tree) == before
    }
    trials().quickcheck(law as fn(Vec<[u8; 3]>, u32) -> bool);
}
