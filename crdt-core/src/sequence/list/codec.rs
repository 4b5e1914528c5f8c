//! The bytes of a list.

use alloc::boxed::Box;

use super::runs::Assembly;
use super::span::{Cell, NOWHERE, Place};
use super::store::ListStore;
use crate::Dot;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode};
use crate::dot_store::{DecodeStore, EncodeStore, StoreReader, StoreWriter};

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

/// A dot that a node refers to, or nothing.
fn read_origin(by: Dot, input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    let (at, dot) = input.name()?;
    match dot.seq {
        0 if dot.replica == by.replica => Ok(NOWHERE),
        0 => Err(DecodeErrorKind::NotCanonical.at(at)),
        _ => Ok(dot),
    }
}

/// The fewest bytes of a run among keys and values: the length and a node.
const RUN_BYTES_MIN: usize = 2;

impl<E: Decode> DecodeStore for ListStore<E> {
    const STORE_BYTES_MIN: usize = 1 + RUN_BYTES_MIN;

    fn decode_store(_: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let mut runs = Assembly::new();
        for _ in 0..input.body().count(RUN_BYTES_MIN)? {
            let (at, first) = input.name()?;
            let parent = read_origin(first, input)?;
            let right = read_origin(first, input)?;
            let word = input.body().varint()?;
            let (len, left) = (word >> 1, word & 1 == 1);
            let place = Place { parent, left, right };
            runs.begin(first, place, len).map_err(|kind| kind.at(at))?;
            for _ in 0..len {
                let at = input.body().position();
                let cell = match input.body().u8()? {
                    SPENT => None,
                    VALUE => Some(Cell::Value(E::decode(input.body())?)),
                    MOVE => Some(Cell::Move(Box::new(read_origin(first, input)?))),
                    _ => return Err(DecodeErrorKind::UnknownTag.at(at)),
                };
                runs.push(cell).map_err(|kind| kind.at(at))?;
            }
        }
        Ok(runs.finish())
    }
}
