//! The content of a list, as a store of the kernel.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::order::Order;
use super::span::{Cell, Place, Span};
use crate::canary::is_planted;
use crate::causality::CausalContext;
use crate::dot_store::{DotChange, DotStore, Split};
use crate::{Dot, DotRange};

/// The content of a [`List`](super::List), without a context of its own: each element, and
/// each place that a move gave to one, under the dot of its event.
///
/// It is nested in an [`ObservedRemoveMap`](crate::ObservedRemoveMap): to remove its key takes
/// away what was seen of the list, and what was inserted concurrently stays.
#[derive(Clone)]
pub struct ListStore<E> {
    shape: Shape<E>,
}

#[derive(Clone)]
pub(super) enum Shape<E> {
    /// No node, or one span that is read as it is: of a list that was typed in one go, and
    /// of nearly every delta.
    Few(Option<Span<E>>),
    Many(Box<Order<E>>),
}

impl<E> Default for ListStore<E> {
    fn default() -> Self {
        Self { shape: Shape::Few(None) }
    }
}

/// A span whose elements are all at their first places.
fn is_plain<E>(span: &Span<E>) -> bool {
    !span.has_moves() || !span.has_values()
}

impl<E> ListStore<E> {
    /// The empty list.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn of(spans: Vec<Box<Span<E>>>) -> Self {
        let mut store = Self::new();
        store.add(spans);
        store
    }

    /// How many elements are in the list.
    pub fn len(&self) -> usize {
        (match &self.shape {
            Shape::Few(None) => 0,
            Shape::Few(Some(span)) => span.shown(),
            Shape::Many(order) => order.tree.total().0,
        }) as usize
    }

    /// Whether no element is in the list. It may hold places of elements that were.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at a position. O(log n).
    pub fn get(&self, index: usize) -> Option<&E> {
        let (element, ..) = self.at(index)?;
        self.value(element)
    }

    /// The name of the element at a position, which it keeps wherever it is moved: the event
    /// that inserted it. O(log n).
    pub fn dot_of(&self, index: usize) -> Option<Dot> {
        self.at(index).map(|(element, ..)| element)
    }

    /// The element of that name, if it is in the list. O(log n).
    pub fn value(&self, element: Dot) -> Option<&E> {
        match &self.shape {
            Shape::Few(span) => match span.as_ref()?.cell(span.as_ref()?.offset(element)?)? {
                Cell::Value(value) => Some(value),
                Cell::Move(_) => None,
            },
            Shape::Many(order) => order.value(element),
        }
    }

    /// The position of the element of that name, if it is in the list. O(log n).
    pub fn index_of(&self, element: Dot) -> Option<usize> {
        self.value(element)?;
        match &self.shape {
            Shape::Few(span) => {
                let span = span.as_ref()?;
                Some(span.shown_before(span.offset(element)?) as usize)
            }
            Shape::Many(order) => {
                order.position(self.stand_of(element)).map(|position| position as usize)
            }
        }
    }

    /// The elements, in order.
    pub fn iter(&self) -> Iter<'_, E> {
        let spans = match &self.shape {
            Shape::Few(span) => Spans::Few(span.as_ref()),
            Shape::Many(order) => Spans::Many(order, order.tree.iter()),
        };
        Iter { spans, span: None, offset: 0, left: self.len() }
    }

    /// The concurrent moves of the element at a position that lost against the one that put
    /// it there, the greatest first. O(log n).
    pub fn conflicts(&self, index: usize) -> impl Iterator<Item = LostMove> + use<'_, E> {
        let order = match &self.shape {
            Shape::Many(order) if !order.moves.is_empty() => Some(order),
            _ => None,
        };
        let moves = order.and_then(|order| order.moves.get(&self.dot_of(index)?));
        let lost = moves.into_iter().flatten().rev().skip(1);
        lost.filter_map(move |&dot| Some(LostMove { dot, index: order?.position(dot)? as usize }))
    }

    fn at(&self, index: usize) -> Option<(Dot, usize)> {
        let index = u32::try_from(index).ok()?;
        match &self.shape {
            Shape::Few(span) => {
                let span = span.as_ref().filter(|span| index < span.shown())?;
                let offset = span.find_shown(index);
                Some((span.dot(offset), offset))
            }
            Shape::Many(order) => order.at(index).map(|(element, _, offset)| (element, offset)),
        }
    }

    /// Whether the node is here, and what it holds.
    pub(super) fn node(&self, dot: Dot) -> Option<Option<&Cell<E>>> {
        match &self.shape {
            Shape::Few(span) => {
                let span = span.as_ref()?;
                span.offset(dot).map(|offset| span.cell(offset))
            }
            Shape::Many(order) => order.node(dot),
        }
    }

    /// The nodes with their places and what they hold, in ascending order of their dots.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (Dot, Place, Option<&Cell<E>>)> {
        let of = |span| {
            let span: &Span<E> = span;
            span.nodes().enumerate().map(|(at, (dot, cell))| (dot, span.place_at(at), cell))
        };
        self.spans().into_iter().flat_map(of)
    }

    fn spans(&self) -> Vec<&Span<E>> {
        match &self.shape {
            Shape::Few(span) => span.iter().collect(),
            Shape::Many(order) => order.spans(),
        }
    }

    pub(super) const fn shape(&self) -> &Shape<E> {
        &self.shape
    }

    /// The node at which an element stands that is here.
    pub(super) fn stand_of(&self, element: Dot) -> Dot {
        match &self.shape {
            Shape::Few(_) => element,
            Shape::Many(order) => {
                let moves = order.moves.get(&element);
                moves.and_then(|moves| moves.last()).copied().unwrap_or(element)
            }
        }
    }

    fn into_spans(self) -> Vec<Box<Span<E>>> {
        match self.shape {
            Shape::Few(span) => span.into_iter().map(Box::new).collect(),
            Shape::Many(order) => order.into_spans(),
        }
    }

    /// Passes the pieces of spans that lie in a range of dots.
    pub(super) fn pieces(&self, range: DotRange, visit: &mut impl FnMut(&Span<E>, usize, usize)) {
        match &self.shape {
            Shape::Few(None) => {}
            Shape::Few(Some(span)) => {
                let first = range.first.max(span.first.seq);
                let last = range.last.min(span.last().seq);
                if span.first.replica == range.replica && first <= last {
                    let [first, last] = [first, last].map(|seq| (seq - span.first.seq) as usize);
                    visit(span, first, last + 1);
                }
            }
            Shape::Many(order) => order.pieces(range, visit),
        }
    }

    /// Puts everything in order, so that more than one span can be held.
    pub(super) fn order(&mut self) -> &mut Order<E> {
        if let Shape::Few(span) = &mut self.shape {
            let order = Order::of(span.take().into_iter().map(Box::new).collect());
            self.shape = Shape::Many(Box::new(order));
        }
        match &mut self.shape {
            Shape::Many(order) => order,
            Shape::Few(_) => unreachable!("it was put in order"),
        }
    }

    /// Takes in nodes that are not here.
    pub(super) fn add(&mut self, mut spans: Vec<Box<Span<E>>>) {
        match spans.len() {
            0 => {}
            1 => self.add_one(*spans.remove(0)),
            _ => self.order().add(spans),
        }
    }

    /// Takes in nodes that are not here.
    pub(super) fn add_one(&mut self, mut span: Span<E>) {
        span.show_values();
        if let Shape::Few(held) = &mut self.shape
            && is_plain(&span)
        {
            match held {
                None => {
                    *held = Some(span);
                    return;
                }
                // Both hold elements, or neither does.
                Some(held)
                    if held.continues_with(&span) && held.has_moves() == span.has_moves() =>
                {
                    held.append(span);
                    return;
                }
                Some(_) => {}
            }
        }
        self.order().add_one(span);
    }

    /// Whether a node here refers to one of that name, which is not here.
    pub(super) fn is_awaited(&self, dot: Dot) -> bool {
        match &self.shape {
            Shape::Few(None) => false,
            Shape::Few(Some(span)) => span.place.parent == dot || span.place.right == dot,
            Shape::Many(order) => order.awaited.contains_key(&dot),
        }
    }

    /// The span, if there is no more than one.
    pub(super) const fn few(&mut self) -> Option<&mut Option<Span<E>>> {
        match &mut self.shape {
            Shape::Few(span) => Some(span),
            Shape::Many(_) => None,
        }
    }

    /// Spends a node; whether it held something.
    pub(super) fn spend(&mut self, dot: Dot) -> bool {
        match &mut self.shape {
            Shape::Few(span) => span
                .as_mut()
                .and_then(|span| span.offset(dot).and_then(|offset| span.spend(offset)))
                .is_some(),
            Shape::Many(order) => order.spend(dot),
        }
    }
}

impl<E: Clone> ListStore<E> {
    /// A node by itself.
    pub(super) fn node_alone(&self, dot: Dot) -> Option<Span<E>> {
        let mut alone = None;
        self.pieces(DotRange::new(dot.replica, dot.seq, dot.seq), &mut |span, start, end| {
            alone = Some(span.piece(start, end));
        });
        alone
    }

    /// Takes in nodes of another store: those of `other` that are not here and that `wants`
    /// wants, and what is spent there.
    pub(super) fn take_in(
        &mut self,
        other: impl IntoIterator<Item = Box<Span<E>>>,
        wants: &mut dyn FnMut(Dot) -> bool,
        report: &mut dyn FnMut(DotChange),
    ) {
        let mut fresh: Vec<Box<Span<E>>> = Vec::new();
        for span in other {
            let mut start = 0;
            let mut skip = |span: &Span<E>, start: usize, end: usize| {
                if start < end {
                    fresh.push(Box::new(span.piece(start, end)));
                }
            };
            for offset in 0..span.len() {
                let dot = span.dot(offset);
                match self.node(dot) {
                    None if wants(dot) => {
                        report(DotChange::Added(dot));
                        continue;
                    }
                    Some(Some(_))
                        if span.cell(offset).is_none() && !is_planted("keep-the-removed") =>
                    {
                        self.spend(dot);
                        report(DotChange::Redacted(dot));
                    }
                    _ => {}
                }
                skip(&span, start, offset);
                start = offset + 1;
            }
            if start == 0 {
                fresh.push(span);
            } else {
                skip(&span, start, span.len());
            }
        }
        self.add(fresh);
    }
}

impl<E: Clone> DotStore for ListStore<E> {
    type Places = ();
    const REDACTABLE: bool = true;

    fn is_empty(&self) -> bool {
        match &self.shape {
            Shape::Few(span) => span.is_none(),
            Shape::Many(order) => {
                order.tree.get(order.tree.start()).is_none() && order.circular.is_empty()
            }
        }
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        for span in self.spans() {
            (0..span.len()).for_each(|offset| visit(span.dot(offset)));
        }
    }

    fn for_each_redacted(&self, visit: &mut dyn FnMut(Dot)) {
        for span in self.spans() {
            let spent = span.nodes().filter(|(_, cell)| cell.is_none());
            spent.for_each(|(dot, _)| visit(dot));
        }
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        let mut kept: Vec<Box<Span<E>>> = Vec::new();
        let mut all = true;
        for span in self.spans() {
            let mut start = None;
            for offset in 0..=span.len() {
                let stays = offset < span.len() && keep(span.dot(offset));
                match start {
                    None if stays => start = Some(offset),
                    Some(from) if !stays => {
                        kept.push(Box::new(span.piece(from, offset)));
                        start = None;
                    }
                    _ => {}
                }
                all &= stays || offset == span.len();
            }
        }
        if !all {
            *self = Self::of(kept);
        }
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        let mut removed: Vec<Dot> = Vec::new();
        for range in others.ranges() {
            self.pieces(range, &mut |span, start, end| {
                let dots = (start..end).map(|offset| span.dot(offset));
                removed.extend(dots.filter(|&dot| other.node(dot).is_none()));
            });
        }
        if !removed.is_empty() {
            crate::collections::sort(&mut removed);
            self.retain(&mut |dot| removed.binary_search(&dot).is_err());
            removed.into_iter().for_each(|dot| report(DotChange::Removed(dot)));
        }
        self.take_in(other.into_spans(), &mut |dot| !own.contains(dot), report);
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        (): &(),
        report: &mut dyn FnMut(DotChange),
    ) {
        self.join(own, other, others, report);
    }

    fn count_at(&self, _: &Self, others: &CausalContext, (): &()) -> u64 {
        let mut count = 0;
        for range in others.ranges() {
            self.pieces(range, &mut |_, start, end| count += (end - start) as u64);
        }
        count
    }

    fn check_invariants(&self) {
        match &self.shape {
            Shape::Few(span) => {
                if let Some(span) = span {
                    span.check_invariants();
                    assert!(is_plain(span), "a span alone is read as it is");
                    assert_eq!(
                        span.shown() as usize,
                        if span.has_moves() {
                            0
                        } else {
                            span.nodes().filter(|(_, cell)| cell.is_some()).count()
                        }
                    );
                }
            }
            Shape::Many(order) => order.check_invariants(),
        }
    }
}

impl<E: Clone> Split for ListStore<E> {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        for span in self.into_spans() {
            for offset in 0..span.len() {
                let alone = span.piece(offset, offset + 1);
                visit(span.dot(offset), Self::of(alloc::vec![Box::new(alone)]));
            }
        }
    }
}

impl<E: PartialEq> PartialEq for ListStore<E> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.nodes().eq(other.nodes())
    }
}

impl<E: Eq> Eq for ListStore<E> {}

impl<E: Hash> Hash for ListStore<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.nodes().for_each(|node| node.hash(state));
    }
}

impl<E: fmt::Debug> fmt::Debug for ListStore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// A move that lost against a concurrent one of the same element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LostMove {
    /// The event: who moved it.
    pub dot: Dot,
    /// How many elements of the list stand before the place that it was moved to.
    pub index: usize,
}

/// The elements of a list, in order.
pub struct Iter<'a, E> {
    spans: Spans<'a, E>,
    span: Option<&'a Span<E>>,
    offset: usize,
    left: usize,
}

enum Spans<'a, E> {
    Few(Option<&'a Span<E>>),
    Many(&'a Order<E>, crate::sequence::tree::Items<'a, Box<Span<E>>>),
}

impl<E> Clone for Iter<'_, E> {
    fn clone(&self) -> Self {
        let spans = match &self.spans {
            Spans::Few(span) => Spans::Few(*span),
            Spans::Many(order, spans) => Spans::Many(order, spans.clone()),
        };
        Self { spans, ..*self }
    }
}

impl<'a, E> Iterator for Iter<'a, E> {
    type Item = &'a E;

    fn next(&mut self) -> Option<&'a E> {
        loop {
            let Some(span) = self.span else {
                self.offset = 0;
                self.span = Some(match &mut self.spans {
                    Spans::Few(span) => span.take()?,
                    Spans::Many(_, spans) => spans.find(|span| span.shown() > 0)?,
                });
                continue;
            };
            if self.offset == span.len() {
                self.span = None;
                continue;
            }
            let offset = self.offset;
            self.offset += 1;
            if !span.is_shown(offset) {
                continue;
            }
            self.left -= 1;
            return match (span.cell(offset)?, &self.spans) {
                (Cell::Value(value), _) => Some(value),
                (Cell::Move(element), Spans::Many(order, _)) => order.value(**element),
                (Cell::Move(_), Spans::Few(_)) => None,
            };
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E> ExactSizeIterator for Iter<'_, E> {}

impl<E: fmt::Debug> fmt::Debug for Iter<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'a, E> IntoIterator for &'a ListStore<E> {
    type Item = &'a E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}
