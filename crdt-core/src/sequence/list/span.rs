//! Nodes that were put there one after the other, as one record.

use alloc::boxed::Box;

use smallvec::{SmallVec, smallvec};

use crate::sequence::tree::{Item, Summary};
use crate::{Dot, ReplicaId};

/// No node: before the first, or behind the last.
pub(crate) const NOWHERE: Dot = Dot::new(ReplicaId::from_u128(0), 0);

/// The most nodes of a span: one bit each.
pub(super) const LEN_MAX: usize = 64;

/// Where a node hangs in the tree that the order is read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The node that it is a child of, or [`NOWHERE`].
    pub(crate) parent: Dot,
    /// Whether it stands before its parent.
    pub(crate) left: bool,
    /// What came next in the list when a node was put behind its parent, or [`NOWHERE`].
    pub(crate) right: Dot,
}

/// The place of a node that hangs on nothing: behind the beginning, with nothing behind it.
pub(super) const TOP: Place = Place { parent: NOWHERE, left: false, right: NOWHERE };

/// What a node holds. A node that is spent holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cell<E> {
    /// An element, of which the node is the name and the first place.
    Value(E),
    /// Another place for the element of that name.
    Move(Box<Dot>),
}

/// Consecutive nodes of one replica, each but the first the right child of the one before,
/// with one thing behind all of them.
#[derive(Clone, Debug)]
pub(super) struct Span<E> {
    pub(super) first: Dot,
    /// Of the first node.
    pub(super) place: Place,
    len: u8,
    /// Whether the first node has left children.
    pub(super) kids_left: bool,
    /// Whether the last node has right children.
    pub(super) kids_right: bool,
    /// Which nodes hold something, ...
    held: u64,
    /// ... which of them stand for an element in the list, ...
    shown: u64,
    /// ... and what it is, in their order.
    cells: SmallVec<[Cell<E>; 1]>,
}

const fn bits_below(offset: usize) -> u64 {
    if offset >= LEN_MAX { u64::MAX } else { (1 << offset) - 1 }
}

impl<E> Span<E> {
    pub(super) fn new(first: Dot, place: Place, cell: Option<Cell<E>>) -> Self {
        let held = u64::from(cell.is_some());
        let cells = cell.map_or_else(SmallVec::new, |cell| smallvec![cell]);
        let mut span = Self {
            first,
            place,
            len: 1,
            kids_left: false,
            kids_right: false,
            held,
            shown: 0,
            cells,
        };
        span.show_values();
        span
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) const fn dot(&self, offset: usize) -> Dot {
        Dot::new(self.first.replica, self.first.seq + offset as u64)
    }

    pub(super) const fn last(&self) -> Dot {
        self.dot(self.len() - 1)
    }

    /// The offset of a node of this span.
    pub(super) fn offset(&self, dot: Dot) -> Option<usize> {
        let offset = dot.seq.checked_sub(self.first.seq)?;
        (dot.replica == self.first.replica && offset < u64::from(self.len))
            .then_some(offset as usize)
    }

    /// What stood behind each node of the span when it was put there.
    pub(super) const fn behind(&self) -> Dot {
        if self.place.left { self.place.parent } else { self.place.right }
    }

    pub(super) const fn place_at(&self, offset: usize) -> Place {
        if offset == 0 {
            return self.place;
        }
        Place { parent: self.dot(offset - 1), left: false, right: self.behind() }
    }

    pub(super) fn cell(&self, offset: usize) -> Option<&Cell<E>> {
        (self.held >> offset & 1 == 1).then(|| &self.cells[self.rank(offset)])
    }

    /// The nodes with their cells.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (Dot, Option<&Cell<E>>)> {
        (0..self.len()).map(|offset| (self.dot(offset), self.cell(offset)))
    }

    pub(super) const fn shown(&self) -> u32 {
        self.shown.count_ones()
    }

    pub(super) const fn is_shown(&self, offset: usize) -> bool {
        self.shown >> offset & 1 == 1
    }

    /// How many elements that are shown stand before a node of the span.
    pub(super) const fn shown_before(&self, offset: usize) -> u32 {
        (self.shown & bits_below(offset)).count_ones()
    }

    /// The offset of the node of the `nth` element that is shown.
    pub(super) fn find_shown(&self, nth: u32) -> usize {
        if self.shown == bits_below(self.len()) {
            return nth as usize;
        }
        let mut rest = self.shown;
        for _ in 0..nth {
            rest &= rest - 1;
        }
        rest.trailing_zeros() as usize
    }

    pub(super) const fn show(&mut self, offset: usize, shown: bool) {
        if shown {
            self.shown |= 1 << offset;
        } else {
            self.shown &= !(1 << offset);
        }
    }

    /// As it is before any move is known: each element at its first place.
    pub(super) fn show_values(&mut self) {
        if !self.has_moves() {
            self.shown = self.held;
            return;
        }
        for offset in 0..self.len() {
            let is_value = matches!(self.cell(offset), Some(Cell::Value(_)));
            self.show(offset, is_value);
        }
    }

    /// Whether some node is a move.
    pub(super) fn has_moves(&self) -> bool {
        self.cells.iter().any(|cell| matches!(cell, Cell::Move(_)))
    }

    /// Whether some node holds an element.
    pub(super) fn has_values(&self) -> bool {
        self.cells.iter().any(|cell| matches!(cell, Cell::Value(_)))
    }

    /// Spends a node, and returns what it held.
    pub(super) fn spend(&mut self, offset: usize) -> Option<Cell<E>> {
        if self.held >> offset & 1 == 0 {
            return None;
        }
        let cell = self.cells.remove(self.rank(offset));
        self.held &= !(1 << offset);
        self.shown &= !(1 << offset);
        Some(cell)
    }

    /// Whether `next` could be the rest of this span.
    pub(super) fn continues_with(&self, next: &Self) -> bool {
        self.len() + next.len() <= LEN_MAX
            && next.first.seq == self.last().seq + 1
            && next.first.replica == self.first.replica
            && next.place == self.place_at(self.len())
    }

    /// Takes in the rest of this span, which has no right children yet.
    pub(super) fn append(&mut self, next: Self) {
        debug_assert!(!self.kids_right && !next.kids_left);
        let at = self.len;
        self.held |= next.held << at;
        self.shown |= next.shown << at;
        self.len += next.len;
        self.kids_right = next.kids_right;
        self.cells.extend(next.cells);
    }

    /// Ends the span before a node that is not the first, and returns the rest.
    pub(super) fn split_off(&mut self, offset: usize) -> Self {
        debug_assert!(offset > 0 && offset < self.len());
        let rank = self.rank(offset);
        let rest = Self {
            first: self.dot(offset),
            place: self.place_at(offset),
            len: self.len - offset as u8,
            kids_left: false,
            kids_right: self.kids_right,
            held: self.held >> offset,
            shown: self.shown >> offset,
            cells: self.cells.drain(rank..).collect(),
        };
        self.len = offset as u8;
        self.held &= bits_below(offset);
        self.shown &= bits_below(offset);
        self.kids_right = true;
        rest
    }

    const fn rank(&self, offset: usize) -> usize {
        (self.held & bits_below(offset)).count_ones() as usize
    }

    pub(super) fn check_invariants(&self) {
        assert!((1..=LEN_MAX).contains(&self.len()));
        assert_eq!(self.held & !bits_below(self.len()), 0);
        assert_eq!(self.shown & !self.held, 0, "only what is held is shown");
        assert_eq!(self.held.count_ones() as usize, self.cells.len());
        assert!(!self.place.left || self.place.right == NOWHERE);
    }
}

impl<E: Clone> Span<E> {
    /// The nodes of some offsets, by themselves.
    pub(super) fn piece(&self, start: usize, end: usize) -> Self {
        let (rank, rank_end) = (self.rank(start), self.rank(end));
        let held = self.held >> start & bits_below(end - start);
        Self {
            first: self.dot(start),
            place: self.place_at(start),
            len: (end - start) as u8,
            kids_left: false,
            kids_right: false,
            held,
            shown: self.shown >> start & bits_below(end - start),
            cells: self.cells[rank..rank_end].iter().cloned().collect(),
        }
    }
}

/// How many elements are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown(pub(super) u32);

impl Summary for Shown {
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn sub(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl<E> Item for Box<Span<E>> {
    type Sum = Shown;

    fn sum(&self) -> Shown {
        Shown(self.shown())
    }
}
