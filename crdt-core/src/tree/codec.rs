//! The bytes of a tree.

use super::assembly::Moves;
use super::step::{ROOT, Step};
use super::store::TreeStore;
use crate::Dot;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode};
use crate::dot_store::{DecodeStore, EncodeStore, StoreReader, StoreWriter};

impl<V: Encode> EncodeStore for TreeStore<V> {
    /// The count of moves, then each, in the order of replay. Among the dots: its own, its
    /// node's and the parent's, number 0 being the top. In the body: how much greater the stamp
    /// is than the last one, doubled, with 1 for the creation of a node that was removed; and
    /// the key. Then the count of values, and each, in ascending order: its dot and its node's
    /// among the dots, the value in the body.
    fn encode_store(&self, _: Option<&Self>, out: &mut StoreWriter) {
        let steps = self.replay.steps();
        out.body().count(steps.clone().count());
        let mut last = 0;
        for step in steps {
            out.name(step.dot);
            out.name(step.node);
            let top = Dot::new(step.dot.replica, 0);
            out.name(if step.parent == ROOT { top } else { step.parent });
            out.body().varint((step.stamp - last) << 1 | u64::from(step.spent));
            out.body().bytes(&step.key);
            last = step.stamp;
        }
        out.body().count(self.values().len());
        for (&dot, (node, value)) in self.values() {
            out.name(dot);
            out.name(*node);
            value.encode(out.body());
        }
    }
}

/// A dot that a move refers to, or the top.
fn read_parent(by: Dot, input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    let (at, dot) = input.name()?;
    match dot.seq {
        0 if dot.replica == by.replica => Ok(ROOT),
        0 => Err(DecodeErrorKind::NotCanonical.at(at)),
        _ => Ok(dot),
    }
}

/// The fewest bytes of a move in the body: its stamp, the length of the key and a digit.
const STEP_BYTES_MIN: usize = 3;

impl<V: Decode> DecodeStore for TreeStore<V> {
    const STORE_BYTES_MIN: usize = 2;

    fn decode_store(_: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let count = input.body().count(STEP_BYTES_MIN)?;
        let mut moves = Moves::with_capacity(input.body().capacity(count, size_of::<Step>()));
        let (mut last, begun) = (0, input.body().position());
        for _ in 0..count {
            let (at, dot) = input.name()?;
            let (_, node) = input.name()?;
            let parent = read_parent(dot, input)?;
            let word = input.body().varint()?;
            last += word >> 1;
            let key = input.body().bytes()?.into();
            let mut step = Step::new(last, dot, node, parent, key);
            step.spent = word & 1 == 1;
            moves.push(step).map_err(|kind| kind.at(at))?;
        }
        let mut tree = moves.replay().map_err(|kind| kind.at(begun))?;
        // Nothing is reserved on the word of this count, and each value takes a dot.
        for _ in 0..input.body().varint()? {
            let (at, dot) = input.name()?;
            let node = read_parent(dot, input)?;
            let value = V::decode(input.body())?;
            tree.push(dot, node, value).map_err(|kind| kind.at(at))?;
        }
        Ok(tree.finish())
    }
}
