//! Orders of changes that causality allows.
//!
//! Both functions take nodes by index, each with the indices of the nodes that it follows.
//! Nodes that follow themselves by a detour have no place in any order and are left out, so
//! that the result is shorter than the input if, and only if, someone made that up.

use crate::collections::sort_by_key;
use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use smallvec::SmallVec;

/// For each node, which nodes it follows.
pub type Follows = [SmallVec<[u32; 2]>];

/// The one order in which the node with the smallest key comes first, again and again,
/// among those of which all predecessors have come: a function of the set alone.
///
/// O((n + edges) log n).
///
/// # Panics
///
/// If there are not as many keys as nodes, or a node follows an index that is none.
pub fn canonical_order<K: Ord>(keys: &[K], follows: &Follows) -> Vec<u32> {
    assert_eq!(keys.len(), follows.len(), "each node has a key");
    let mut graph = Successors::new(follows);
    let mut ready: BinaryHeap<Reverse<(&K, u32)>> =
        graph.roots().map(|node| Reverse((&keys[node as usize], node))).collect();
    let mut order = Vec::with_capacity(keys.len());
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        graph.done(node, |next| ready.push(Reverse((&keys[next as usize], next))));
    }
    order
}

/// An order that follows a branch as far as it goes before it turns to another, the one
/// with the shortest way to go first (by the nodes' `sizes`): a merge of texts then goes
/// back and forth as little as it may. On the history of git's Makefile that is a third of
/// what the plain depth-first order costs, and a ninth of the order of time.
///
/// O((n + edges) log n).
///
/// # Panics
///
/// If there are not as many sizes as nodes, or a node follows an index that is none.
pub fn branch_order(sizes: &[u64], follows: &Follows) -> Vec<u32> {
    assert_eq!(sizes.len(), follows.len(), "each node has a size");
    // A first pass, in any order, tells how far it is from each node to the end.
    let mut graph = Successors::new(follows);
    let mut ready: Vec<u32> = graph.roots().collect();
    let mut order = Vec::with_capacity(follows.len());
    while let Some(node) = ready.pop() {
        order.push(node);
        graph.done(node, |next| ready.push(next));
    }
    let mut ahead: Vec<u64> = alloc::vec![0; follows.len()];
    for &node in order.iter().rev() {
        let further = ahead[node as usize].saturating_add(sizes[node as usize]);
        for &before in &follows[node as usize] {
            ahead[before as usize] = ahead[before as usize].max(further);
        }
    }

    graph.reset(follows);
    order.clear();
    let mut ready: Vec<u32> = graph.roots().collect();
    let nearest_last = |nodes: &mut [u32]| {
        let way = |node: u32| ahead[node as usize].saturating_add(sizes[node as usize]);
        sort_by_key(nodes, |&node| Reverse((way(node), node)));
    };
    nearest_last(&mut ready);
    while let Some(node) = ready.pop() {
        order.push(node);
        let before = ready.len();
        graph.done(node, |next| ready.push(next));
        nearest_last(&mut ready[before..]);
    }
    order
}

/// The first of `count` nodes that an order lacks: one that follows itself.
pub fn left_out(order: &[u32], count: usize) -> Option<u32> {
    if order.len() >= count {
        return None;
    }
    let mut came = alloc::vec![false; count];
    for &node in order {
        came[node as usize] = true;
    }
    came.iter().position(|&came| !came).map(|node| node as u32)
}

/// The edges the other way round, and how many predecessors each node still waits for.
struct Successors {
    starts: Vec<u32>,
    successors: Vec<u32>,
    waits: Vec<u32>,
}

impl Successors {
    fn new(follows: &Follows) -> Self {
        let mut starts: Vec<u32> = alloc::vec![0; follows.len() + 1];
        for &before in follows.iter().flatten() {
            starts[before as usize + 1] += 1;
        }
        for node in 0..follows.len() {
            starts[node + 1] += starts[node];
        }
        let mut fill = starts.clone();
        let mut successors = alloc::vec![0; starts[follows.len()] as usize];
        for (node, before) in follows.iter().enumerate() {
            for &before in before {
                let slot = &mut fill[before as usize];
                successors[*slot as usize] = node as u32;
                *slot += 1;
            }
        }
        let mut this = Self { starts, successors, waits: Vec::new() };
        this.reset(follows);
        this
    }

    fn reset(&mut self, follows: &Follows) {
        self.waits = follows.iter().map(|before| before.len() as u32).collect();
    }

    fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.waits.len() as u32).filter(|&node| self.waits[node as usize] == 0)
    }

    /// Calls `ready` with each node that waited for this one last.
    fn done(&mut self, node: u32, mut ready: impl FnMut(u32)) {
        let range = self.starts[node as usize]..self.starts[node as usize + 1];
        for edge in range {
            let next = self.successors[edge as usize];
            let waits = &mut self.waits[next as usize];
            *waits -= 1;
            if *waits == 0 {
                ready(next);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;

    fn follows(edges: &[Vec<u8>]) -> Vec<SmallVec<[u32; 2]>> {
        edges
            .iter()
            .enumerate()
            .map(|(node, before)| {
                let mut before: SmallVec<[u32; 2]> = before
                    .iter()
                    .take(3)
                    .filter(|_| node > 0)
                    .map(|&b| u32::from(b) % node.max(1) as u32)
                    .collect();
                before.sort_unstable();
                before.dedup();
                before
            })
            .collect()
    }

    #[test]
    fn predecessors_come_first() {
        fn law(edges: Vec<Vec<u8>>, keys: Vec<u8>) -> bool {
            let follows = follows(&edges);
            let key = |node: usize| keys.get(node).copied().unwrap_or(0);
            let keys: Vec<(u8, usize)> = (0..follows.len()).map(|node| (key(node), node)).collect();
            let canonical = canonical_order(&keys, &follows);
            let sizes: Vec<u64> = keys.iter().map(|key| u64::from(key.0)).collect();
            for order in [branch_order(&sizes, &follows), canonical.clone()] {
                let mut place = alloc::vec![usize::MAX; follows.len()];
                for (at, &node) in order.iter().enumerate() {
                    place[node as usize] = at;
                }
                assert_eq!(order.len(), follows.len());
                for (node, before) in follows.iter().enumerate() {
                    assert!(before.iter().all(|&b| place[b as usize] < place[node]));
                }
            }
            // Greedy, the slow way.
            let mut left: Vec<usize> = (0..follows.len()).collect();
            for &node in &canonical {
                let ready = |n: &usize| follows[*n].iter().all(|b| !left.contains(&(*b as usize)));
                let smallest = left.iter().copied().filter(ready).min_by_key(|&n| keys[n]);
                assert_eq!(smallest, Some(node as usize));
                left.retain(|&n| n != node as usize);
            }
            true
        }
        trials().quickcheck(law as fn(_, _) -> _);
    }

    #[test]
    fn what_follows_itself_is_left_out() {
        let follows: Vec<SmallVec<[u32; 2]>> =
            [&[][..], &[2], &[1], &[0]].iter().map(|&f| SmallVec::from_slice(f)).collect();
        assert_eq!(branch_order(&[1; 4], &follows), [0, 3]);
        assert_eq!(canonical_order(&[1, 2, 3, 4], &follows), [0, 3]);
        assert_eq!(left_out(&[0, 3], 4), Some(1));
        assert_eq!(left_out(&[0, 1], 2), None);
    }
}
