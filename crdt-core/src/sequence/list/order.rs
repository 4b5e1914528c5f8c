//! The nodes in document order, with an index from a node to its place.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use smallvec::SmallVec;

use super::span::{Cell, NOWHERE, Place, Span};
use crate::collections::OrderedMap;
use crate::sequence::tree::{Cursor, Tree};
use crate::{Dot, DotRange};

/// Nodes in the order of the list, and who moved which element.
///
/// The order is a function of the set of nodes alone: the tree that their origins make, read in
/// order.
#[derive(Clone, Debug)]
pub(super) struct Order<E> {
    pub(super) tree: Tree<Box<Span<E>>>,
    /// The leaf of each span, by its first node.
    leaf_of: OrderedMap<Dot, u32>,
    /// The children of a node on one side (the left one if `true`), in order, where there
    /// are several. An only child is found by its place.
    pub(super) kids: OrderedMap<(Dot, bool), Vec<Dot>>,
    /// The moves of each element that no other has seen, in ascending order.
    pub(super) moves: OrderedMap<Dot, SmallVec<[Dot; 1]>>,
    /// What nodes here refer to, and is not here.
    pub(super) awaited: OrderedMap<Dot, ()>,
    /// Nodes that hang on each other in a circle, or on such: a forgery, and in no order.
    pub(super) circular: OrderedMap<Dot, Box<Span<E>>>,
}

impl<E> Default for Order<E> {
    fn default() -> Self {
        Self {
            tree: Tree::default(),
            leaf_of: OrderedMap::new(),
            kids: OrderedMap::new(),
            moves: OrderedMap::new(),
            awaited: OrderedMap::new(),
            circular: OrderedMap::new(),
        }
    }
}

impl<E> Order<E> {
    /// The span of a node that has a place in the order, and the node's offset there.
    pub(super) fn locate(&self, dot: Dot) -> Option<(Cursor, usize)> {
        let (&first, &leaf) = self.leaf_of.range(..=dot).next_back()?;
        let items = self.tree.leaf_items(leaf);
        let index = items.iter().position(|span| span.first == first).expect("the index is right");
        let offset = items[index].offset(dot)?;
        Some((Cursor { leaf, index: index as u32 }, offset))
    }

    pub(super) fn span(&self, at: Cursor) -> &Span<E> {
        self.tree.item(at)
    }

    /// Whether the node is here, in the order or not, and what it holds.
    pub(super) fn node(&self, dot: Dot) -> Option<Option<&Cell<E>>> {
        if let Some((at, offset)) = self.locate(dot) {
            return Some(self.span(at).cell(offset));
        }
        let (_, span) = self.circular.range(..=dot).next_back()?;
        span.offset(dot).map(|offset| span.cell(offset))
    }

    /// The element of that name, if it is here.
    pub(super) fn value(&self, element: Dot) -> Option<&E> {
        let (at, offset) = self.locate(element)?;
        match self.span(at).cell(offset) {
            Some(Cell::Value(value)) => Some(value),
            _ => None,
        }
    }

    /// All spans, in ascending order of their dots.
    pub(super) fn spans(&self) -> Vec<&Span<E>> {
        let placed = self.leaf_of.keys().map(|&first| {
            let (at, _) = self.locate(first).expect("the index is right");
            self.span(at)
        });
        let mut circular = self.circular.values().peekable();
        let mut spans = Vec::with_capacity(self.leaf_of.len() + self.circular.len());
        for span in placed {
            while let Some(before) = circular.next_if(|other| other.first < span.first) {
                spans.push(&**before);
            }
            spans.push(span);
        }
        spans.extend(circular.map(|span| &**span));
        spans
    }

    /// The nodes of a range, as pieces of spans.
    pub(super) fn pieces(&self, range: DotRange, visit: &mut impl FnMut(&Span<E>, usize, usize)) {
        let [start, end] = [range.first, range.last].map(|seq| Dot::new(range.replica, seq));
        let mut pass = |span: &Span<E>| {
            if span.first.replica != range.replica || span.last().seq < range.first {
                return;
            }
            let first = range.first.saturating_sub(span.first.seq) as usize;
            let last = (range.last - span.first.seq).min(span.len() as u64 - 1) as usize;
            visit(span, first, last + 1);
        };
        let before = self.leaf_of.range(..start).next_back();
        for (&first, _) in before.into_iter().chain(self.leaf_of.range(start..=end)) {
            let (at, _) = self.locate(first).expect("the index is right");
            pass(self.span(at));
        }
        for span in self.circular.values().filter(|span| span.first <= end) {
            pass(span);
        }
    }

    /// The order of two nodes that have a place in it.
    pub(super) fn compare(&self, a: Dot, b: Dot) -> Ordering {
        let find = |dot| self.locate(dot).expect("the node has a place");
        let (a, b) = (find(a), find(b));
        if a.0 == b.0 { a.1.cmp(&b.1) } else { self.tree.compare(a.0, b.0) }
    }

    /// Inserts a span before the one at `at`.
    pub(super) fn insert_before(&mut self, at: Cursor, span: Box<Span<E>>) -> Cursor {
        let leaf_of = &mut self.leaf_of;
        self.tree.insert(at, span, &mut |span, leaf| {
            leaf_of.insert(span.first, leaf);
        })
    }

    pub(super) fn insert_after(&mut self, at: Cursor, span: Box<Span<E>>) -> Cursor {
        self.insert_before(Cursor { index: at.index + 1, ..at }, span)
    }

    /// Makes a span begin at the node of an offset, and returns where it is.
    pub(super) fn split_before(&mut self, at: Cursor, offset: usize) -> Cursor {
        if offset == 0 {
            return at;
        }
        let rest = self.tree.update(at, |span| span.split_off(offset));
        self.insert_after(at, Box::new(rest))
    }

    /// Makes a span end with the node of an offset, and returns where it is.
    pub(super) fn split_after(&mut self, at: Cursor, offset: usize) -> Cursor {
        if offset + 1 == self.span(at).len() {
            return at;
        }
        let first = self.span(at).first;
        self.split_before(at, offset + 1);
        self.locate(first).expect("it was split").0
    }

    /// Spends a node; whether it held something.
    pub(super) fn spend(&mut self, dot: Dot) -> bool {
        let cell = if let Some((at, offset)) = self.locate(dot) {
            self.tree.update(at, |span| span.spend(offset))
        } else {
            let Some(first) = self.circular.range(..=dot).next_back().map(|(&first, _)| first)
            else {
                return false;
            };
            let span = self.circular.get_mut(&first).expect("it was found");
            return span.offset(dot).and_then(|offset| span.spend(offset)).is_some();
        };
        match cell {
            None => false,
            Some(Cell::Value(_)) => {
                self.show_element(dot);
                true
            }
            Some(Cell::Move(element)) => {
                if let Some(moves) = self.moves.get_mut(&element) {
                    moves.retain(|held| *held != dot);
                    if moves.is_empty() {
                        self.moves.remove(&*element);
                    }
                }
                self.show_element(*element);
                true
            }
        }
    }

    /// The moves of an element that no other has seen.
    pub(super) fn moves_of(&self, element: Dot) -> SmallVec<[Dot; 1]> {
        self.moves.get(&element).cloned().unwrap_or_default()
    }

    /// Notes the moves of a span that has got its place.
    pub(super) fn note_moves(&mut self, first: Dot, len: usize) {
        let mut touched: SmallVec<[Dot; 1]> = SmallVec::new();
        for seq in first.seq..first.seq + len as u64 {
            let dot = Dot::new(first.replica, seq);
            let (at, offset) = self.locate(dot).expect("it has a place");
            match self.span(at).cell(offset) {
                Some(Cell::Value(_)) if self.moves.contains_key(&dot) => touched.push(dot),
                Some(Cell::Move(element)) => {
                    let element = **element;
                    let moves = self.moves.entry(element).or_default();
                    if let Err(slot) = moves.binary_search(&dot) {
                        moves.insert(slot, dot);
                    }
                    touched.push(element);
                }
                _ => {}
            }
        }
        touched.into_iter().for_each(|element| self.show_element(element));
    }

    /// Shows an element at the place that the greatest move gave it, and nowhere else.
    fn show_element(&mut self, element: Dot) {
        let is_here = self.value(element).is_some();
        let moves = self.moves.get(&element).cloned().unwrap_or_default();
        let winner = moves.last().copied().unwrap_or(element);
        // What a forged move calls an element may be the place of another one, which stays.
        for dot in moves.into_iter().chain(is_here.then_some(element)) {
            if let Some((at, offset)) = self.locate(dot) {
                let shown = is_here && dot == winner;
                if self.span(at).is_shown(offset) != shown {
                    self.tree.update(at, |span| span.show(offset, shown));
                }
            }
        }
    }

    /// The element that is shown at a position: its name, and the node that it stands at.
    pub(super) fn at(&self, index: u32) -> Option<(Dot, Cursor, usize)> {
        let (at, nth) = self.tree.find(index, |sum| sum.0)?;
        let span = self.span(at);
        let offset = span.find_shown(nth);
        let element = match span.cell(offset) {
            Some(Cell::Move(element)) => **element,
            _ => span.dot(offset),
        };
        Some((element, at, offset))
    }

    /// How many elements are shown before a node, if that has a place.
    pub(super) fn position(&self, dot: Dot) -> Option<u32> {
        let (at, offset) = self.locate(dot)?;
        Some(self.tree.before(at).0 + self.span(at).shown_before(offset))
    }

    /// Where a node is hung: on its parent, or behind the beginning of the list if that is
    /// not here.
    pub(super) fn hook(&self, place: Place) -> Place {
        let is_here = |dot| dot != NOWHERE && self.locate(dot).is_some();
        if !is_here(place.parent) {
            let right = if is_here(place.right) { place.right } else { NOWHERE };
            return Place { parent: NOWHERE, left: false, right };
        }
        if place.right != NOWHERE && !is_here(place.right) {
            return Place { right: NOWHERE, ..place };
        }
        place
    }

    /// Takes all spans out, as they were before they were placed.
    pub(super) fn take_spans(&mut self) -> Vec<Box<Span<E>>> {
        core::mem::take(self).into_spans()
    }

    /// The spans, as they were before they were placed.
    pub(super) fn into_spans(self) -> Vec<Box<Span<E>>> {
        let mut spans = self.tree.into_items();
        spans.extend(self.circular.into_values());
        for span in &mut spans {
            (span.kids_left, span.kids_right) = (false, false);
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::ReplicaId;

    fn node(seq: u64, cell: Cell<u8>) -> Box<Span<u8>> {
        let replica = ReplicaId::from_u128(1);
        let parent = if seq == 1 { NOWHERE } else { Dot::new(replica, seq - 1) };
        let place = Place { parent, left: false, right: NOWHERE };
        Box::new(Span::new(Dot::new(replica, seq), place, Some(cell)))
    }

    /// Nobody moves a move. One that says so moves nothing, and what it names stays where it is.
    #[test]
    fn a_forged_move_of_a_move_changes_nothing() {
        let dot = |seq| Dot::new(ReplicaId::from_u128(1), seq);
        let element = node(1, Cell::Value(7));
        let moved = node(2, Cell::Move(Box::new(dot(1))));
        let forged = node(3, Cell::Move(Box::new(dot(2))));
        let mut at_once = Order::of(vec![element.clone(), moved.clone(), forged.clone()]);
        let mut one_by_one = Order::default();
        for span in [element, moved, forged] {
            one_by_one.add_one(*span);
            one_by_one.check_invariants();
        }
        for order in [&mut at_once, &mut one_by_one] {
            order.check_invariants();
            assert_eq!(order.at(0).map(|(element, ..)| element), Some(dot(1)));
            assert_eq!(order.position(dot(2)), Some(0));
            // Spent, it leaves everything as it is, too.
            assert!(order.spend(dot(3)));
            order.check_invariants();
            assert_eq!(order.at(0).map(|(element, ..)| element), Some(dot(1)));
        }
    }
}
