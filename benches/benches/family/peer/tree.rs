//! The tree of Loro, which moves nodes, too.

use std::any::Any;

use loro::{ExportMode, LoroDoc, LoroTree, TreeID, TreeParentId};

use crate::ours::tree::{MOVES, NODES};
use crate::rows::{Run, scattered};

fn empty(peer: u64) -> (LoroDoc, LoroTree) {
    let doc = LoroDoc::new();
    doc.set_peer_id(peer).expect("nothing is written yet");
    let tree = doc.get_tree("tree");
    tree.enable_fractional_index(0);
    (doc, tree)
}

fn creating(place: fn(usize) -> usize) -> Run {
    Box::new(move || {
        let (doc, tree) = empty(1);
        let create =
            |number| tree.create_at(TreeParentId::Root, place(number)).expect("there is room");
        let nodes: Vec<TreeID> = (0..NODES).map(create).collect();
        doc.commit();
        let roots = tree.roots();
        assert_eq!((roots.len(), roots[place(NODES - 1)]), (NODES, nodes[NODES - 1]));
        (NODES as u64, Box::new(doc))
    })
}

pub(crate) fn create_last() -> Run {
    creating(|len| len)
}

pub(crate) fn create_first() -> Run {
    creating(|_| 0)
}

fn outline() -> (LoroDoc, Vec<TreeID>) {
    let (doc, tree) = empty(1);
    let mut nodes: Vec<TreeID> = Vec::new();
    for number in 0..NODES {
        let parent = number.checked_sub(1).map(|before| nodes[before / 10]);
        let parent = parent.map_or(TreeParentId::Root, TreeParentId::Node);
        let at = number.saturating_sub(1) % 10;
        nodes.push(tree.create_at(parent, at).expect("there is room"));
    }
    doc.commit();
    (doc, nodes)
}

fn fork(doc: &LoroDoc, peer: u64) -> LoroDoc {
    let fork = doc.fork();
    fork.set_peer_id(peer).expect("nothing is written yet");
    fork
}

/// Calls `moved` after each move.
fn move_all(doc: &LoroDoc, nodes: &[TreeID], by: u64, mut moved: impl FnMut()) {
    let tree = doc.get_tree("tree");
    let mut places = scattered(NODES, by);
    let mut moves = 0;
    while moves < MOVES {
        let [node, parent] = [(); 2].map(|()| nodes[places.next().expect("there is no end")]);
        if tree.mov_to(node, parent, 0).is_ok() {
            doc.commit();
            moves += 1;
            moved();
        }
    }
}

fn check(doc: &LoroDoc) {
    assert_eq!(doc.get_tree("tree").get_nodes(false).len(), NODES);
}

pub(crate) fn move_nodes() -> Run {
    let (doc, nodes) = outline();
    let doc = fork(&doc, 2);
    Box::new(move || {
        move_all(&doc, &nodes, 1, || {});
        check(&doc);
        (MOVES as u64, Box::new(doc))
    })
}

/// One of two who moved nodes at once, and what the other one tells of each move.
fn apart() -> (LoroDoc, Vec<Vec<u8>>) {
    let (doc, nodes) = outline();
    let [here, there] = [2, 3].map(|peer| fork(&doc, peer));
    move_all(&here, &nodes, 1, || {});
    let (mut base, mut told) = (doc.oplog_vv(), Vec::new());
    move_all(&there, &nodes, 2, || {
        told.push(there.export(ExportMode::updates(&base)).expect("there is a move"));
        base = there.oplog_vv();
    });
    (here, told)
}

pub(crate) fn join() -> Run {
    let (here, told) = apart();
    Box::new(move || {
        here.import_batch(&told).expect("they are valid");
        check(&here);
        (MOVES as u64, Box::new(here))
    })
}

pub(crate) fn join_one_by_one() -> Run {
    let (here, told) = apart();
    Box::new(move || {
        for told in told {
            here.import(&told).expect("it is valid");
        }
        check(&here);
        (MOVES as u64, Box::new(here))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(outline().0)
}
