//! What holds of a replay.

use alloc::vec;
use alloc::vec::Vec;

use super::node::{NONE, TOP};
use super::replay::Replay;
use super::step::{ROOT, Step};
use crate::Dot;

impl Replay {
    /// Panics if the tree is not what the moves make.
    pub(super) fn check_invariants(&self) {
        assert!(self.order.is_sorted_by(|&a, &b| self.when(a) < self.when(b)));
        assert_eq!(self.order.len(), self.steps.len());
        self.check_names();
        self.check_places();
        let anew = Self::of(self.steps().cloned());
        assert!(anew.steps().map(|step| step.skipped).eq(self.steps().map(|step| step.skipped)));
        let before = |replay: &Self, step: &Step| {
            let before = replay.steps.get(step.before as usize).filter(|_| !step.skipped);
            before.map(|step| step.dot)
        };
        for (held, other) in self.steps().zip(anew.steps()) {
            assert_eq!(
                before(self, held),
                before(&anew, other),
                "moves follow each other as from the beginning"
            );
        }
        let place = |replay: &Self, node| replay.place(node).map(|step| step.dot);
        assert!(
            self.names.keys().all(|&node| place(&anew, node) == place(self, node)),
            "the tree is that of a replay from the beginning"
        );
    }

    fn check_names(&self) {
        assert_eq!(self.dots().count(), self.steps.len(), "every move is named once");
        let number = |name: Dot| {
            if name == ROOT { TOP } else { self.names.get(&name).map_or(NONE, |name| name.node) }
        };
        for step in &self.steps {
            assert!(self.get(step.dot).is_some_and(|held| held.dot == step.dot));
            assert!(step.is_creation() || !step.spent, "nodes are removed");
            assert_eq!((step.of, step.below), (number(step.node), number(step.parent)));
        }
        let named = self.steps.iter().flat_map(|step| [step.node, step.parent]);
        let mut named: Vec<Dot> = named.filter(|&name| name != ROOT).collect();
        named.sort_unstable();
        named.dedup();
        let nodes = self.names.iter().filter(|(_, name)| name.node != NONE);
        let (nodes, mut numbers): (Vec<Dot>, Vec<u32>) =
            nodes.map(|(&dot, name)| (dot, name.node)).unzip();
        assert_eq!(nodes, named, "nodes are what moves name");
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(1..(self.nodes.len() as u32).max(1)));
        assert!(self.names.values().all(|name| name.step != NONE || name.node != NONE));
        for &node in &nodes {
            let is_alive = self.get(node).is_some_and(|step| step.is_creation() && !step.spent);
            assert_eq!(self.is_alive(node), is_alive);
        }
    }

    fn check_places(&self) {
        let mut named = vec![0; self.nodes.len()];
        self.steps.iter().for_each(|step| named[step.below as usize] += 1);
        assert!(self.nodes.iter().map(|node| node.named).eq(named), "moves to a node are counted");
        let (mut below, mut shown) = (vec![0; self.nodes.len()], 0);
        for (number, node) in (0..).zip(&self.nodes) {
            if node.place == NONE {
                assert_eq!(node.parent, TOP);
                continue;
            }
            let step = self.step(node.place);
            assert!(step.of == number && step.below == node.parent && !step.skipped);
            assert!(!self.leads_to(number, node.parent), "no node is below itself");
            below[node.parent as usize] += 1;
            if node.is_alive {
                shown += 1;
                assert!(self.nodes[node.parent as usize].kids.contains(&node.place));
            }
        }
        assert!(self.nodes.iter().map(|node| node.below).eq(below), "what stands below is counted");
        let kids: usize = self.nodes.iter().map(|node| node.kids.len()).sum();
        assert_eq!(kids, shown, "every node that is alive is noted once");
        for node in &self.nodes {
            let name = |at: u32| (&self.step(at).key, self.step(at).node);
            assert!(node.kids.is_sorted_by(|&a, &b| name(a) < name(b)));
        }
    }
}
