//! The bytes of a list.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::span::{Cell, NOWHERE, Place, Span};
use super::store::ListStore;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode};
use crate::dot_store::{DecodeStore, EncodeStore, StoreReader, StoreWriter};
use crate::{Dot, SEQ_MAX};

/// Nodes of one replica that follow each other, each the right child of the one before.
struct Run<'a, E> {
    first: Dot,
    place: Place,
    cells: Vec<Option<&'a Cell<E>>>,
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

impl<E> ListStore<E> {
    /// As few runs as possible, so that equal lists have equal ones.
    fn runs(&self) -> Vec<Run<'_, E>> {
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

const SPENT: u8 = 0;
const VALUE: u8 = 1;
const MOVE: u8 = 2;

impl<E: Encode> EncodeStore for ListStore<E> {
    /// The count of runs, then each, in ascending order. Among the dots: its first, its parent
    /// and what was next when it was put there, number 0 being nothing. In the body: the length
    /// doubled with the side of the first node (1 for the left one), then the nodes: 0 for one
    /// that is spent, 1 and the element, or 2 for a move, of which the dot that it moves goes
    /// among the dots.
    fn encode_store(&self, _: Option<&Self>, out: &mut StoreWriter) {
        let runs = self.runs();
        out.body().count(runs.len());
        for run in runs {
            out.name(run.first);
            for dot in [run.place.parent, run.place.right] {
                let none = Dot::new(run.first.replica, 0);
                out.name(if dot == NOWHERE { none } else { dot });
            }
            out.body().varint((run.cells.len() as u64) << 1 | u64::from(run.place.left));
            for cell in run.cells {
                match cell {
                    None => out.body().u8(SPENT),
                    Some(Cell::Value(value)) => {
                        out.body().u8(VALUE);
                        value.encode(out.body());
                    }
                    Some(Cell::Move(element)) => {
                        out.body().u8(MOVE);
                        out.name(**element);
                    }
                }
            }
        }
    }
}

/// A dot that the event `by` refers to, one that its replica had seen before; or nothing.
fn read_origin(by: Dot, input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    let (at, dot) = input.name()?;
    let is_own = dot.replica == by.replica;
    match dot.seq {
        0 if is_own => Ok(NOWHERE),
        0 => Err(DecodeErrorKind::NotCanonical.at(at)),
        seq if is_own && seq >= by.seq => Err(DecodeErrorKind::OutOfRange.at(at)),
        _ => Ok(dot),
    }
}

/// As [`read_origin`], where there has to be one.
fn read_seen(by: Dot, input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    let at = input.body().position();
    match read_origin(by, input)? {
        NOWHERE => Err(DecodeErrorKind::OutOfRange.at(at)),
        dot => Ok(dot),
    }
}

/// The fewest bytes of a run among keys and values: the length and a node.
const RUN_BYTES_MIN: usize = 2;

impl<E: Decode> DecodeStore for ListStore<E> {
    const STORE_BYTES_MIN: usize = 1 + RUN_BYTES_MIN;

    fn decode_store(_: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let mut spans: Vec<Box<Span<E>>> = Vec::new();
        // Where the last run began, and its length.
        let mut before: Option<(Dot, Place, u64)> = None;
        for _ in 0..input.body().count(RUN_BYTES_MIN)? {
            let (at, first) = input.name()?;
            if first.seq == 0 {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let parent = read_origin(first, input)?;
            let right = read_origin(first, input)?;
            let len_at = input.body().position();
            let word = input.body().varint()?;
            let (len, left) = (word >> 1, word & 1 == 1);
            if len == 0 || len > SEQ_MAX - first.seq + 1 {
                return Err(DecodeErrorKind::OutOfRange.at(len_at));
            }
            if left && (parent == NOWHERE || right != NOWHERE) {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            let place = Place { parent, left, right };
            if let Some((start, begun, len)) = before {
                if first.replica < start.replica
                    || first.replica == start.replica && first.seq < start.seq + len
                {
                    return Err(DecodeErrorKind::NotAscending.at(at));
                }
                if goes_on(start, begun, len, first, place) {
                    return Err(DecodeErrorKind::NotCanonical.at(at));
                }
            }
            before = Some((first, place, len));
            let mut dot = first;
            let mut node_place = place;
            let mut joined = false;
            for _ in 0..len {
                let tag_at = input.body().position();
                let cell = match input.body().u8()? {
                    SPENT => None,
                    VALUE => Some(Cell::Value(E::decode(input.body())?)),
                    MOVE => Some(Cell::Move(Box::new(read_seen(dot, input)?))),
                    _ => return Err(DecodeErrorKind::UnknownTag.at(tag_at)),
                };
                let node = Span::new(dot, node_place, cell);
                match spans.last_mut().filter(|span| joined && span.continues_with(&node)) {
                    Some(span) => span.append(node),
                    None => spans.push(Box::new(node)),
                }
                joined = true;
                node_place = Place { parent: dot, left: false, right: behind(place) };
                dot = Dot::new(dot.replica, dot.seq + 1);
            }
        }
        Ok(Self::of(spans))
    }
}
