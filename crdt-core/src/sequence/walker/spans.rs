//! The walker's elements in document order, and the index from an element to its place.

use crate::collections::OrderedMap;
use core::cmp::Ordering;

use super::super::tree::{Cursor, Item, Summary, Tree};
use super::views::VIEWS;
use super::{Id, NOWHERE, SETTLED};

/// Elements that were inserted one after the other and have had one fate.
///
/// The left origin of each but the first is the one before it; all have one right origin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) id: Id,
    pub(super) len: u32,
    /// The element that was visible before the first at its insertion.
    pub(super) left: Id,
    /// The element, visible or deleted, that was next at their insertion.
    pub(super) right: Id,
    /// In each view: 0 not yet inserted, 1 visible, 1 + n deleted n times.
    pub(super) states: [u32; VIEWS],
    /// Whether any edit that was applied has deleted them: they are not in the tip's text.
    pub(super) gone: bool,
    /// Whether something was inserted between the first and the element that was before it at
    /// its insertion: a left child, in the paper's tree.
    pub(super) has_left: bool,
}

impl Span {
    pub(super) fn settled(len: u32) -> Self {
        Self {
            id: SETTLED,
            len,
            left: NOWHERE,
            right: NOWHERE,
            states: [1; VIEWS],
            gone: false,
            has_left: false,
        }
    }
}

/// Elements in each view and at the tip.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Lengths {
    pub(super) views: [Seen; VIEWS],
    pub(super) tip: u32,
}

/// Elements in a view.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    pub(super) visible: u32,
    /// All that are inserted, visible or deleted.
    pub(super) there: u32,
}

impl Summary for Lengths {
    fn add(&mut self, other: Self) {
        for (seen, other) in self.views.iter_mut().zip(other.views) {
            seen.visible += other.visible;
            seen.there += other.there;
        }
        self.tip += other.tip;
    }

    fn sub(&mut self, other: Self) {
        for (seen, other) in self.views.iter_mut().zip(other.views) {
            seen.visible -= other.visible;
            seen.there -= other.there;
        }
        self.tip -= other.tip;
    }
}

impl Item for Span {
    type Sum = Lengths;

    fn sum(&self) -> Lengths {
        let views = self.states.map(|state| Seen {
            visible: if state == 1 { self.len } else { 0 },
            there: if state > 0 { self.len } else { 0 },
        });
        Lengths { views, tip: if self.gone { 0 } else { self.len } }
    }
}

#[derive(Clone, Default, Debug)]
pub(super) struct Spans {
    tree: Tree<Span>,
    /// The leaf of each span, by its first element.
    leaf_of: OrderedMap<Id, u32>,
}

impl Spans {
    pub(super) fn total(&self) -> Lengths {
        self.tree.total()
    }

    pub(super) fn first(&self) -> Option<Cursor> {
        let start = self.tree.start();
        self.tree.get(start).map(|_| start)
    }

    pub(super) fn next(&self, at: Cursor) -> Option<Cursor> {
        self.tree.next(at)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Span> {
        self.tree.iter()
    }

    pub(super) fn get(&self, at: Cursor) -> &Span {
        self.tree.item(at)
    }

    pub(super) fn update(&mut self, at: Cursor, change: impl FnOnce(&mut Span)) {
        self.tree.update(at, change);
    }

    pub(super) fn push(&mut self, span: Span) {
        let leaf_of = &mut self.leaf_of;
        self.tree.push(span, &mut |span, leaf| {
            leaf_of.insert(span.id, leaf);
        });
    }

    /// Inserts `span` after the one at `at`, at the beginning if there is none.
    pub(super) fn insert_after(&mut self, at: Option<Cursor>, span: Span) -> Cursor {
        let place = match at {
            Some(at) => Cursor { leaf: at.leaf, index: at.index + 1 },
            None => self.tree.start(),
        };
        self.insert_at(place, span)
    }

    /// Inserts `span` at a place, before the one there.
    pub(super) fn insert_at(&mut self, place: Cursor, span: Span) -> Cursor {
        let leaf_of = &mut self.leaf_of;
        self.tree.insert(place, span, &mut |span, leaf| {
            leaf_of.insert(span.id, leaf);
        })
    }

    /// The span that holds the `position`-th element visible in a view.
    pub(super) fn find_visible(&self, view: usize, position: u32) -> (Cursor, u32) {
        self.tree.find(position, |sum| sum.views[view].visible).expect("positions were checked")
    }

    /// The next span after `at`, or the first, that is inserted in a view.
    pub(super) fn next_there(&self, view: usize, at: Option<Cursor>) -> Option<Cursor> {
        let before = at.map_or(0, |at| {
            self.tree.before(at).views[view].there + self.get(at).sum().views[view].there
        });
        self.tree.find(before, |sum| sum.views[view].there).map(|(at, _)| at)
    }

    /// The span that holds an element.
    pub(super) fn locate(&self, id: Id) -> (Cursor, u32) {
        let (&start, &leaf) = self.leaf_of.range(..=id).next_back().expect("the element is known");
        let items = self.tree.leaf_items(leaf);
        let index = items.iter().position(|span| span.id == start).expect("the index is right");
        debug_assert!(id - start < items[index].len, "the element is known");
        (Cursor { leaf, index: index as u32 }, id - start)
    }

    /// The order of two elements in the document; [`NOWHERE`] comes before all others.
    pub(super) fn compare_left(&self, a: Id, b: Id) -> Ordering {
        match (a, b) {
            _ if a == b => Ordering::Equal,
            (NOWHERE, _) => Ordering::Less,
            (_, NOWHERE) => Ordering::Greater,
            _ => self.compare(a, b),
        }
    }

    /// The order of two elements in the document; [`NOWHERE`] comes after all others.
    pub(super) fn compare_right(&self, a: Id, b: Id) -> Ordering {
        match (a, b) {
            _ if a == b => Ordering::Equal,
            (NOWHERE, _) => Ordering::Greater,
            (_, NOWHERE) => Ordering::Less,
            _ => self.compare(a, b),
        }
    }

    fn compare(&self, a: Id, b: Id) -> Ordering {
        let (a, b) = (self.locate(a), self.locate(b));
        if a.0 == b.0 { a.1.cmp(&b.1) } else { self.tree.compare(a.0, b.0) }
    }

    /// Makes the span begin `offset` elements later, and returns where it is.
    pub(super) fn split_before(&mut self, at: Cursor, offset: u32) -> Cursor {
        if offset == 0 {
            return at;
        }
        let whole = *self.get(at);
        debug_assert!(offset < whole.len);
        self.tree.update(at, |span| span.len = offset);
        let id = whole.id + offset;
        self.insert_after(
            Some(at),
            Span { id, len: whole.len - offset, left: id - 1, has_left: false, ..whole },
        )
    }

    /// Makes the span at most `len` elements long, and returns where it is.
    pub(super) fn split_after(&mut self, at: Cursor, len: u32) -> Cursor {
        let whole = *self.get(at);
        if whole.len <= len {
            return at;
        }
        self.split_before(at, len);
        // The leaf may have been split.
        self.locate(whole.id).0
    }

    /// How many elements before the span are in the tip's text.
    pub(super) fn tip_position(&self, at: Cursor) -> u32 {
        self.tree.before(at).tip
    }

    pub(super) fn check_invariants(&self) {
        self.tree.check_invariants();
        let mut count = 0;
        for span in self.tree.iter() {
            assert!(span.len > 0);
            let is_deleted = span.states.iter().any(|&state| state > 1);
            assert!(!is_deleted || span.gone, "what is deleted somewhere is gone at the tip");
            assert_eq!(self.get(self.locate(span.id).0), span);
            count += 1;
        }
        assert_eq!(count, self.leaf_of.len());
    }
}
