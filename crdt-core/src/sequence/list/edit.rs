//! Changing a list.

use alloc::boxed::Box;
use core::ops::{Bound, RangeBounds};

use smallvec::SmallVec;

use super::order::Order;
use super::span::{Cell, NOWHERE, Place, Span, TOP};
use super::store::{ListStore, Shape};
use crate::Dot;
use crate::dot_store::{DotChange, Edit};
use crate::sequence::tree::Cursor;

/// The place between two elements, until the list changes.
struct Gap {
    place: Place,
    /// The node of the element before it.
    after: Option<(Cursor, usize)>,
}

impl<E> Order<E> {
    /// The place before the element at `index`, of which there may be as many as elements.
    fn gap(&self, index: usize) -> Gap {
        let Some(before) = index.checked_sub(1) else {
            let place = match self.tree.get(self.tree.start()) {
                Some(first) => Place { parent: first.first, left: true, right: NOWHERE },
                None => TOP,
            };
            return Gap { place, after: None };
        };
        let end = if index as u32 == self.tree.total().0 { self.end() } else { None };
        let found = || self.at(before as u32).map(|(_, at, offset)| (at, offset));
        let (at, offset) = end.or_else(found).expect("the position was checked");
        Gap { place: self.behind(at, offset), after: Some((at, offset)) }
    }

    /// The place right behind a node.
    fn behind(&self, at: Cursor, offset: usize) -> Place {
        let span = self.span(at);
        if offset + 1 < span.len() {
            return Place { parent: span.dot(offset + 1), left: true, right: NOWHERE };
        }
        let next = self.tree.next(at).map_or(NOWHERE, |next| self.span(next).first);
        if span.kids_right {
            Place { parent: next, left: true, right: NOWHERE }
        } else {
            Place { parent: span.last(), left: false, right: next }
        }
    }

    /// The last node, if an element is shown there. Most that is written is written behind it.
    fn end(&self) -> Option<(Cursor, usize)> {
        let at = self.tree.last()?;
        let offset = self.span(at).len() - 1;
        self.span(at).is_shown(offset).then_some((at, offset))
    }

    /// Inserts a span of elements where it belongs, which is right at the gap: it is nobody's
    /// sibling.
    fn insert_in(&mut self, gap: &Gap, mut span: Span<E>) {
        span.show_values();
        let Some((at, offset)) = gap.after else {
            let start = self.tree.start();
            if gap.place.left {
                self.tree.update(start, |first| first.kids_left = true);
            }
            self.insert_before(start, Box::new(span));
            return;
        };
        if offset + 1 < self.span(at).len() {
            let behind = self.split_before(at, offset + 1);
            self.tree.update(behind, |next| next.kids_left = true);
            self.insert_before(behind, Box::new(span));
        } else if self.span(at).kids_right {
            let behind = self.tree.next(at).expect("the children stand behind it");
            self.tree.update(behind, |next| next.kids_left = true);
            self.insert_after(at, Box::new(span));
        } else if self.span(at).continues_with(&span) {
            self.tree.update(at, |before| before.append(span));
        } else {
            self.tree.update(at, |before| before.kids_right = true);
            self.insert_after(at, Box::new(span));
        }
    }
}

/// The place right behind a node of a span that is alone.
fn behind_alone<E>(span: &Span<E>, offset: usize) -> Place {
    if offset + 1 < span.len() {
        Place { parent: span.dot(offset + 1), left: true, right: NOWHERE }
    } else {
        Place { parent: span.last(), left: false, right: NOWHERE }
    }
}

impl<E: Clone> ListStore<E> {
    fn gap(&mut self, index: usize) -> Gap {
        assert!(index <= self.len(), "position {index} of a list of {} elements", self.len());
        let Some(few) = self.few() else { return self.order().gap(index) };
        let place = match (few, index.checked_sub(1)) {
            (None, _) => TOP,
            (Some(span), None) => Place { parent: span.first, left: true, right: NOWHERE },
            (Some(span), Some(before)) => behind_alone(span, span.find_shown(before as u32)),
        };
        Gap { place, after: None }
    }

    /// The place right behind a node, if that has one itself.
    pub(super) fn place_behind(&self, node: Dot) -> Option<Place> {
        match self.shape() {
            Shape::Few(span) => {
                let span = span.as_ref()?;
                Some(behind_alone(span, span.offset(node)?))
            }
            Shape::Many(order) => {
                let (at, offset) = order.locate(node)?;
                Some(order.behind(at, offset))
            }
        }
    }

    fn insert_in(&mut self, gap: &Gap, span: Span<E>) {
        if self.few().is_some() {
            self.add_one(span);
            return;
        }
        let order = self.order();
        if span.has_moves() || order.is_awaited(&span) {
            self.add_one(span);
        } else {
            order.insert_in(gap, span);
        }
    }
}

/// Lists inside a root.
impl<E: Clone> Edit<'_, ListStore<E>> {
    /// Inserts an element, so that it stands at position `at`. O(log n).
    ///
    /// # Panics
    ///
    /// If `at` is greater than the length.
    #[track_caller]
    pub fn insert(&mut self, at: usize, element: E) {
        self.put(at, |_| Cell::Value(element));
    }

    /// Inserts an element at the end. O(log n).
    pub fn push(&mut self, element: E) {
        self.insert(self.get().len(), element);
    }

    /// Inserts elements, so that the first of them stands at position `at`. No concurrent
    /// insertion comes between them.
    ///
    /// # Panics
    ///
    /// If `at` is greater than the length.
    #[track_caller]
    pub fn insert_many(&mut self, at: usize, elements: impl IntoIterator<Item = E>) {
        for (done, element) in elements.into_iter().enumerate() {
            self.insert(at + done, element);
        }
    }

    /// Inserts elements at the end.
    pub fn extend(&mut self, elements: impl IntoIterator<Item = E>) {
        self.insert_many(self.get().len(), elements);
    }

    /// Removes the element at a position. O(log n).
    ///
    /// # Panics
    ///
    /// If there is none.
    #[track_caller]
    pub fn remove(&mut self, at: usize) {
        self.remove_range(at..=at);
    }

    /// Removes the elements at some positions.
    ///
    /// # Panics
    ///
    /// If the range ends beyond the end, or before it begins.
    #[track_caller]
    pub fn remove_range(&mut self, range: impl RangeBounds<usize>) {
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before + 1,
            Bound::Unbounded => 0,
        };
        let len = self.get().len();
        let end = match range.end_bound() {
            Bound::Included(&last) => last + 1,
            Bound::Excluded(&end) => end,
            Bound::Unbounded => len,
        };
        assert!(start <= end && end <= len, "positions {start}..{end} of a list of {len} elements");
        for _ in start..end {
            let element = self.get().dot_of(start).expect("the range was checked");
            self.spend(element);
        }
    }

    /// Moves the element at position `from`, so that it stands at position `to`. O(log n).
    ///
    /// # Panics
    ///
    /// If one of the positions is that of no element.
    #[track_caller]
    pub fn move_to(&mut self, from: usize, to: usize) {
        let len = self.get().len();
        assert!(from < len && to < len, "positions {from} and {to} of a list of {len} elements");
        if from == to {
            return;
        }
        let element = self.get().dot_of(from).expect("the position was checked");
        let seen: SmallVec<[Dot; 1]> = self.parts().0.order().moves_of(element);
        self.put(if from < to { to + 1 } else { to }, |_| Cell::Move(Box::new(element)));
        seen.into_iter().for_each(|moved| self.spend(moved));
    }

    /// Takes away all that was seen of the list, as the removal of a key above it does: O(n)
    /// here, and nothing is kept of it.
    pub fn clear(&mut self) {
        self.retire();
        let (store, told, _) = self.parts();
        *store = ListStore::new();
        *told = ListStore::new();
    }

    /// Puts a node at a position.
    #[track_caller]
    fn put(&mut self, at: usize, cell: impl FnOnce(Dot) -> Cell<E>) {
        let (store, told, events) = self.parts();
        let mut gap = store.gap(at);
        let dot = events.next();
        if store.is_awaited(dot) {
            // A peer has forged a node that hangs on this one before it was made. Were this one
            // to hang on that, they would be a circle; so it hangs on nothing.
            gap.place = TOP;
        }
        let span = Span::new(dot, gap.place, Some(cell(dot)));
        told.add_one(span.clone());
        store.insert_in(&gap, span);
    }

    /// Puts a node at a place that was found before, where something else may stand by now.
    pub(super) fn put_at(&mut self, mut place: Place, cell: Cell<E>) -> Dot {
        let (store, told, events) = self.parts();
        let dot = events.next();
        // As where a node is put at a position. And if the place was found by somebody who has seen
        // more of this replica than it has itself, that is a place no more.
        let is_later = |origin: Dot| origin.replica == dot.replica && origin >= dot;
        if store.is_awaited(dot) || is_later(place.parent) || is_later(place.right) {
            place = TOP;
        }
        let span = Span::new(dot, place, Some(cell));
        told.add_one(span.clone());
        store.add_one(span);
        dot
    }

    /// Spends a node that holds something.
    pub(super) fn spend(&mut self, dot: Dot) {
        let (store, told, events) = self.parts();
        store.spend(dot);
        let spent = store.node_alone(dot).expect("a node that is spent is here");
        told.take_in([Box::new(spent)], &mut |_| true, &mut |_: DotChange| {});
        events.tell(dot);
    }
}
