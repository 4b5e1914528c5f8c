//! The bytes of a tree.

use alloc::vec::Vec;

use super::key::is_key;
use super::replay::{ROOT, Replay, Step};
use super::store::TreeStore;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode};
use crate::dot_store::{DecodeStore, EncodeStore, StoreReader, StoreWriter};
use crate::{Dot, SEQ_MAX};

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

/// A dot of an event that `by` refers to, or of the top.
fn read_seen(by: Dot, input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    let (at, dot) = input.name()?;
    let is_own = dot.replica == by.replica;
    match dot.seq {
        0 if is_own => Ok(ROOT),
        0 => Err(DecodeErrorKind::NotCanonical.at(at)),
        seq if is_own && seq >= by.seq => Err(DecodeErrorKind::OutOfRange.at(at)),
        _ => Ok(dot),
    }
}

/// The dot of an event that is told of.
fn read_own(input: &mut StoreReader<'_>) -> Result<Dot, DecodeError> {
    match input.name()? {
        (at, Dot { seq: 0, .. }) => Err(DecodeErrorKind::OutOfRange.at(at)),
        (_, dot) => Ok(dot),
    }
}

/// The fewest bytes of a move in the body: its stamp, the length of the key and a digit.
const STEP_BYTES_MIN: usize = 3;

impl<V: Decode> DecodeStore for TreeStore<V> {
    const STORE_BYTES_MIN: usize = 2;

    fn decode_store(_: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        let count = input.body().count(STEP_BYTES_MIN)?;
        let mut steps: Vec<Step> = Vec::new();
        steps.reserve_exact(input.body().capacity(count, size_of::<Step>()));
        let (mut last, begun) = ((0, ROOT), input.body().position());
        for _ in 0..count {
            let dot = read_own(input)?;
            let (node_at, node) = input.name()?;
            let is_later = node.replica == dot.replica && node.seq > dot.seq;
            if node.seq == 0 || is_later {
                return Err(DecodeErrorKind::OutOfRange.at(node_at));
            }
            let parent = read_seen(dot, input)?;
            let at = input.body().position();
            let word = input.body().varint()?;
            let spent = word & 1 == 1;
            let stamp = (word >> 1) + last.0;
            if stamp == 0 || stamp > SEQ_MAX || spent && node != dot {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            if (stamp, dot) <= last {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            last = (stamp, dot);
            let at = input.body().position();
            let key = input.body().bytes()?;
            if !is_key(key) {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            let mut step = Step::new(stamp, dot, node, parent, key.into());
            step.spent = spent;
            steps.push(step);
        }
        let replay = Replay::of(steps);
        // One event is one move.
        if replay.dots().count() != count {
            return Err(DecodeErrorKind::OutOfRange.at(begun));
        }
        let mut store = Self::of(replay);
        let mut last = None;
        // Nothing is reserved on the word of this count, and each value takes a dot.
        for _ in 0..input.body().varint()? {
            let at = input.body().position();
            let dot = read_own(input)?;
            if last.is_some_and(|last| last >= dot) {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            last = Some(dot);
            let node = match read_seen(dot, input)? {
                ROOT => return Err(DecodeErrorKind::OutOfRange.at(at)),
                node => node,
            };
            let value = V::decode(input.body())?;
            store.put_value(dot, node, value);
        }
        Ok(store)
    }
}
