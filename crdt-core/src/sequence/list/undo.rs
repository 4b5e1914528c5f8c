//! Taking back what was done to a list.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::span::{Cell, Span, TOP};
use super::store::ListStore;
use crate::canary::is_planted;
use crate::causality::DotCloud;
use crate::collections::OrderedMap;
use crate::dot_store::{Edit, UndoStore};
use crate::{Dot, ReplicaId};

impl<E: Clone> ListStore<E> {
    /// What the nodes hold that a delta spends or takes out.
    fn lost_by(&self, delta: &Self, gone: &DotCloud) -> Vec<(Dot, Cell<E>)> {
        let mut lost: Vec<(Dot, Cell<E>)> = Vec::new();
        for range in gone.ranges() {
            self.pieces(range, &mut |span, start, end| {
                let held = |at| Some((span.dot(at), span.cell(at)?.clone()));
                lost.extend((start..end).filter_map(held));
            });
        }
        let spent = delta.nodes().filter(|(.., cell)| cell.is_none());
        lost.extend(spent.filter_map(|(dot, ..)| Some((dot, self.node(dot)??.clone()))));
        lost
    }
}

impl<E: Clone> UndoStore for ListStore<E> {
    /// The elements in their order, then the moves in that of their dots, numbered as if the
    /// nil replica had put them there. Each stands where it comes back: right behind the node that it
    /// stood at, or at the top, if that will not be here any more.
    ///
    /// The places are those before the delta, so that what comes back stands at one place, whatever
    /// others have done by then.
    fn taken(&self, delta: &Self, gone: &DotCloud) -> Self {
        let lost = self.lost_by(delta, gone);
        let mut elements: Vec<(usize, Dot, Cell<E>)> = Vec::new();
        let mut moves: Vec<(Dot, Cell<E>)> = Vec::new();
        for (dot, cell) in lost {
            match &cell {
                Cell::Value(_) => {
                    let index = self.index_of(dot);
                    elements.extend(index.map(|index| (index, self.stand_of(dot), cell)));
                }
                // An element that goes itself comes back at one place.
                Cell::Move(of) if gone.contains(**of) || matches!(delta.node(**of), Some(None)) => {
                }
                Cell::Move(_) => moves.push((dot, cell)),
            }
        }
        crate::collections::sort_by_key(&mut elements, |&(index, ..)| index);
        crate::collections::sort_by_key(&mut moves, |&(dot, _)| dot);
        let elements = elements.into_iter().map(|(_, stand, cell)| (stand, cell));
        let spans = (1..).zip(elements.chain(moves)).map(|(seq, (stand, cell))| {
            let place = if gone.contains(stand) || is_planted("undo-at-the-top") {
                None
            } else {
                self.place_behind(stand)
            };
            let dot = Dot::new(ReplicaId::from_u128(0), seq);
            Box::new(Span::new(dot, place.unwrap_or(TOP), Some(cell)))
        });
        Self::of(spans.collect())
    }

    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        // Which elements the delta moved, and whether they still stand there.
        let mut moved: OrderedMap<Dot, bool> = OrderedMap::new();
        for (dot, _, cell) in put.nodes() {
            let stands = matches!(edit.get().node(dot), Some(Some(_)));
            if let Some(Cell::Move(element)) = cell {
                *moved.entry(**element).or_default() |= stands;
            }
            if stands {
                edit.spend(dot);
            }
        }
        let mut last = None;
        for (_, mut place, cell) in taken.nodes() {
            let Some(cell) = cell else { continue };
            if let Cell::Move(element) = cell {
                let replaced = moved.get(&**element).is_some_and(|stood| !stood);
                let next = edit.next_dot();
                if replaced || element.replica == next.replica && **element >= next {
                    continue;
                }
            }
            // What has no place any more stands together, in its order.
            let is_homeless = place == TOP;
            if let Some(parent) = last.filter(|_| is_homeless) {
                place.parent = parent;
            }
            let dot = edit.put_at(place, cell.clone());
            if is_homeless {
                last = Some(dot);
            }
        }
    }
}
