//! A sequence as somebody sees it who writes in it: what stands there, and what was taken out between.

use std::collections::BTreeMap;

use crdt_core::Dot;

use super::text::{Place, Tree};

/// The items of a text or a list, in order, with the tree that the order comes from.
///
/// It is what the model computes from all events of a version, and then kept up by whoever goes on
/// writing at that version, so that long histories need not be read again for each letter.
#[derive(Debug, Default)]
pub struct Letters<T> {
    tree: Tree,
    /// All there ever were; without the item where it was taken out.
    order: Vec<(Dot, Option<T>)>,
}

impl<T: Copy> Letters<T> {
    /// Those that `shown` still has, among all that were ever put into a tree.
    #[must_use]
    pub fn new(tree: Tree, shown: &BTreeMap<Dot, T>) -> Self {
        let order = tree.order().into_iter().map(|dot| (dot, shown.get(&dot).copied())).collect();
        Self { tree, order }
    }

    /// What is there, in order.
    pub fn shown(&self) -> impl Iterator<Item = (Dot, T)> + '_ {
        self.order.iter().filter_map(|(dot, item)| Some((*dot, (*item)?)))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown().count()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// What stands right before a position.
    #[must_use]
    pub fn before(&self, position: usize) -> Option<Dot> {
        self.shown().nth(position.checked_sub(1)?).map(|(dot, _)| dot)
    }

    /// Puts an item right after another one, or at the beginning; says where it stands.
    ///
    /// # Panics
    ///
    /// If the other one was never there.
    pub fn insert_after(&mut self, left: Option<Dot>, dot: Dot, item: T) -> Place {
        let at = left.map_or(0, |left| 1 + self.position(left));
        let next = self.order.get(at).map(|(dot, _)| *dot);
        let place = self.tree.place_between(left, next);
        self.tree.insert(dot, place);
        self.order.insert(at, (dot, Some(item)));
        place
    }

    /// Takes an item out.
    ///
    /// # Panics
    ///
    /// If it was never there.
    pub fn take(&mut self, dot: Dot) {
        let at = self.position(dot);
        self.order[at].1 = None;
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.order.iter_mut().for_each(|(_, item)| *item = None);
    }

    fn position(&self, dot: Dot) -> usize {
        self.order.iter().position(|(held, _)| *held == dot).expect("it was put there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crdt_core::ReplicaId;

    /// What is kept up is what is computed from all of it.
    #[test]
    fn the_order_is_that_of_the_tree() {
        for seed in 0..300 {
            let random = &mut Random::new(seed, 31);
            let mut letters: Letters<u8> = Letters::default();
            let mut all: Vec<(Dot, Place)> = Vec::new();
            for seq in 1..=random.between(1, 40) {
                let dot = Dot::new(ReplicaId::from_u128(u128::from(random.below(3))), seq);
                let position = random.below(letters.len() as u64 + 1) as usize;
                if random.permille(300) && position > 0 {
                    letters.take(letters.before(position).expect("there is one"));
                    continue;
                }
                all.push((dot, letters.insert_after(letters.before(position), dot, seq as u8)));
                let kept: Vec<Dot> = letters.order.iter().map(|(dot, _)| *dot).collect();
                assert_eq!(kept, Tree::of(all.iter().copied()).order(), "seed {seed}");
            }
        }
    }
}
