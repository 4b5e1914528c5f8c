//! A list as runs: what is written of it, and what must hold of what is read.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::span::{Cell, NOWHERE, Place, Span};
use super::store::ListStore;
use crate::codec::DecodeErrorKind;
use crate::{Dot, SEQ_MAX};

/// Nodes of one replica that follow each other, each the right child of the one before.
pub(crate) struct Run<'a, E> {
    pub(crate) first: Dot,
    /// Of the first node.
    pub(crate) place: Place,
    pub(crate) cells: Vec<Option<&'a Cell<E>>>,
}

impl<E> ListStore<E> {
    /// As few runs as possible, in ascending order, so that equal lists have equal ones.
    pub(crate) fn runs(&self) -> Vec<Run<'_, E>> {
        let mut runs: Vec<Run<'_, E>> = Vec::new();
        for (dot, place, cell) in self.nodes() {
            match runs.last_mut() {
                Some(run) if goes_on(run.first, run.place, run.cells.len() as u64, dot, place) => {
                    run.cells.push(cell);
                }
                _ => runs.push(Run { first: dot, place, cells: alloc::vec![cell] }),
            }
        }
        runs
    }
}

fn behind(place: Place) -> Dot {
    if place.left { place.parent } else { place.right }
}

/// Whether a node, right after the last of a run, belongs to the run.
fn goes_on(first: Dot, begun: Place, len: u64, next: Dot, place: Place) -> bool {
    let last = Dot::new(first.replica, first.seq + len - 1);
    next.replica == last.replica
        && next.seq == last.seq + 1
        && place == Place { parent: last, left: false, right: behind(begun) }
}

/// A list that is put together from runs.
pub(crate) struct Assembly<E> {
    spans: Vec<Box<Span<E>>>,
    /// Where the last run began, and its length.
    run: Option<(Dot, Place, u64)>,
    /// The next node of that run.
    next: (Dot, Place),
}

impl<E> Assembly<E> {
    pub(crate) const fn new() -> Self {
        Self { spans: Vec::new(), run: None, next: (NOWHERE, super::span::TOP) }
    }

    /// Begins a run of as many nodes, which are pushed next.
    ///
    /// # Errors
    ///
    /// It is not behind the run before, or is the rest of that, or is of no events; or the first
    /// node refers to what its replica cannot have seen.
    pub(crate) fn begin(
        &mut self,
        first: Dot,
        place: Place,
        len: u64,
    ) -> Result<(), DecodeErrorKind> {
        if first.seq == 0 || first.seq > SEQ_MAX || len == 0 || len > SEQ_MAX - first.seq + 1 {
            return Err(DecodeErrorKind::OutOfRange);
        }
        if is_unseen(first, place.parent) || is_unseen(first, place.right) {
            return Err(DecodeErrorKind::OutOfRange);
        }
        if place.left && (place.parent == NOWHERE || place.right != NOWHERE) {
            return Err(DecodeErrorKind::NotCanonical);
        }
        if let Some((start, begun, len)) = self.run {
            if first.replica < start.replica
                || first.replica == start.replica && first.seq < start.seq + len
            {
                return Err(DecodeErrorKind::NotAscending);
            }
            if goes_on(start, begun, len, first, place) {
                return Err(DecodeErrorKind::NotCanonical);
            }
        }
        self.run = Some((first, place, len));
        self.next = (first, place);
        Ok(())
    }

    /// The next node of the run.
    ///
    /// # Errors
    ///
    /// It moves what its replica cannot have seen.
    pub(crate) fn push(&mut self, cell: Option<Cell<E>>) -> Result<(), DecodeErrorKind> {
        let (dot, place) = self.next;
        if let Some(Cell::Move(element)) = &cell
            && (**element == NOWHERE || is_unseen(dot, **element))
        {
            return Err(DecodeErrorKind::OutOfRange);
        }
        let node = Span::new(dot, place, cell);
        let is_first = self.run.is_some_and(|(first, ..)| first == dot);
        match self.spans.last_mut().filter(|span| !is_first && span.continues_with(&node)) {
            Some(span) => span.append(node),
            None => self.spans.push(Box::new(node)),
        }
        let begun = self.run.map_or(place, |(_, begun, _)| begun);
        let next = Dot::new(dot.replica, dot.seq + 1);
        self.next = (next, Place { parent: dot, left: false, right: behind(begun) });
        Ok(())
    }

    pub(crate) fn finish(self) -> ListStore<E> {
        ListStore::of(self.spans)
    }
}

/// Whether a replica cannot have seen an event of its own when it made another one.
fn is_unseen(by: Dot, origin: Dot) -> bool {
    origin != NOWHERE && origin.replica == by.replica && origin.seq >= by.seq
}
