//! Against values, which take in one delta after the other.

use crdt_core::{AddWinsSet, List, MultiValueRegister, Tree};

use crate::Attack;
use crate::documents::id;

pub(crate) fn gaps(count: usize) -> Attack {
    let mut there = AddWinsSet::new();
    let mut writer = there.writer(id(0));
    let mut add = |element: usize| there.add(element, &mut writer).expect("numbers are left");
    let mut deltas: Vec<_> = (0..count).map(&mut add).collect();
    deltas.reverse();
    Box::new(move || {
        let mut here = AddWinsSet::new();
        for delta in deltas {
            assert!(here.join(delta), "it is new");
        }
        here.len()
    })
}

pub(crate) fn add_and_remove(count: usize) -> Attack {
    let add = |number| {
        let mut there = AddWinsSet::new();
        let mut writer = there.writer(id(number));
        there.add("one", &mut writer).expect("numbers are left")
    };
    let mut deltas: Vec<_> = (1..=count).map(add).collect();
    let mut all = AddWinsSet::new();
    for delta in &deltas {
        assert!(all.join(delta.clone()), "it is new");
    }
    let mut writer = all.writer(id(0));
    deltas.push(all.remove("one", &mut writer));
    Box::new(move || {
        let mut here = AddWinsSet::new();
        let joined = deltas.into_iter().filter(|delta| here.join(delta.clone())).count();
        assert!(here.is_empty());
        joined
    })
}

pub(crate) fn siblings(count: usize) -> Attack {
    let write = |number| {
        let mut there = MultiValueRegister::new();
        let mut writer = there.writer(id(number));
        there.set(number, &mut writer).expect("numbers are left")
    };
    let deltas: Vec<_> = (0..count).map(write).collect();
    Box::new(move || {
        let mut here = MultiValueRegister::new();
        for delta in deltas {
            assert!(here.join(delta), "it is new");
        }
        here.len()
    })
}

pub(crate) fn one_element_moved(count: usize) -> Attack {
    let mut first = List::new();
    let mut writer = first.writer(id(0));
    let elements = first.extend(0..64, &mut writer).expect("numbers are left");
    let moved = |number: usize| {
        let mut there = first.clone();
        let mut writer = there.writer(id(number));
        there.move_to(number % 64, 63 - number % 64, &mut writer).expect("numbers are left")
    };
    let deltas: Vec<_> = (1..=count).map(moved).collect();
    Box::new(move || {
        let mut here = List::new();
        here.join(elements);
        deltas.into_iter().filter(|delta| here.join(delta.clone())).count()
    })
}

pub(crate) fn one_parent(count: usize) -> Attack {
    let mut first = Tree::new();
    let mut writer = first.writer(id(0));
    let (parent, told) = first.create(None, 0, 0, &mut writer).expect("there is room");
    let create = |number| {
        let mut there = first.clone();
        let mut writer = there.writer(id(number));
        there.create(Some(parent), 0, number, &mut writer).expect("there is room").1
    };
    let deltas: Vec<_> = (1..=count).map(create).collect();
    Box::new(move || {
        let mut here = Tree::new();
        here.join(told);
        for delta in deltas {
            assert!(here.join(delta), "it is new");
        }
        here.children(Some(parent)).count()
    })
}

/// A tree of pairs of nodes, one below the other, or of single ones, each moved below another node: what says so comes in reverse.
fn moved_in_reverse(count: usize, are_folders: bool) -> Attack {
    let mut first = Tree::new();
    let mut writer = first.writer(id(0));
    let mut create = |parent| first.create(parent, 0, 0, &mut writer).expect("there is room").0;
    let target = create(None);
    let nodes: Vec<_> = (0..count).map(|_| create(None)).collect();
    if are_folders {
        nodes.iter().for_each(|&node| _ = create(Some(node)));
    }
    let mut there = first.clone();
    let mut deltas: Vec<_> = nodes
        .into_iter()
        .map(|node| there.move_to(node, Some(target), 0, &mut writer).expect("it is no circle"))
        .collect();
    deltas.reverse();
    Box::new(move || {
        for delta in deltas {
            assert!(first.join(delta), "it is new");
        }
        assert_eq!(first, there);
        first.children(Some(target)).count()
    })
}

pub(crate) fn leaves_in_reverse(count: usize) -> Attack {
    moved_in_reverse(count, false)
}

pub(crate) fn folders_in_reverse(count: usize) -> Attack {
    moved_in_reverse(count, true)
}

/// Each node stands below the one before, and is asked what stands above it.
pub(crate) fn one_below_the_other(count: usize) -> Attack {
    let (mut first, mut last) = (Tree::new(), None);
    let mut writer = first.writer(id(0));
    let create = |_| {
        let (node, told) = first.create(last, 0, 0, &mut writer).expect("there is room");
        last = Some(node);
        told
    };
    let deltas: Vec<_> = (0..count).map(create).collect();
    Box::new(move || {
        let mut here = Tree::new();
        for delta in deltas {
            assert!(here.join(delta), "it is new");
        }
        here.ancestors(last.expect("there is one")).count()
    })
}
