use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hex::{hex, unhex};
use super::{Bytes, pairs};
use crate::Dot;
use crate::canary::is_planted;
use crate::tree::{Moves, ROOT, Step, TreeStore};

/// Where a node stands among its siblings: a fraction, as its bytes.
struct Key(Box<[u8]>);

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            hex(&self.0).serialize(to)
        } else {
            to.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = if from.is_human_readable() {
            unhex(&String::deserialize(from)?)?
        } else {
            from.deserialize_byte_buf(Bytes)?
        };
        Ok(Self(bytes.into()))
    }
}

/// A move; the one of a node's own dot creates it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveShape {
    stamp: u64,
    dot: Dot,
    node: Dot,
    /// None is the top.
    parent: Option<Dot>,
    key: Key,
    removed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TreeShape<M, W> {
    moves: M,
    values: W,
}

/// The values with their nodes, by the events that wrote them.
struct Values<'a, V>(&'a TreeStore<V>);

impl<V: Serialize> Serialize for Values<'_, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.values())
    }
}

struct ValuesRead<V>(Vec<(Dot, (Dot, V))>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for ValuesRead<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        pairs(from).map(Self)
    }
}

impl<V: Serialize> Serialize for TreeStore<V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let shape = |step: &Step| {
            let &Step { stamp, dot, node, parent, spent, ref key, .. } = step;
            let parent = (parent != ROOT).then_some(parent);
            let removed = spent && !is_planted("serialize-no-removals");
            MoveShape { stamp, dot, node, parent, key: Key(key.clone()), removed }
        };
        let moves: Vec<MoveShape> = self.steps().map(shape).collect();
        TreeShape { moves, values: Values(self) }.serialize(to)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for TreeStore<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let TreeShape::<Vec<MoveShape>, ValuesRead<V>> { moves, values } =
            Deserialize::deserialize(from)?;
        let otherwise =
            |_| D::Error::custom("moves ascend, each is one event, and refers to what came before");
        let mut read = Moves::with_capacity(moves.len());
        for MoveShape { stamp, dot, node, parent, key, removed } in moves {
            let mut step = Step::new(stamp, dot, node, parent.unwrap_or(ROOT), key.0);
            step.spent = removed;
            read.push(step).map_err(otherwise)?;
        }
        let mut tree = read.replay().map_err(otherwise)?;
        for (dot, (node, value)) in values.0 {
            let otherwise = |_| D::Error::custom("a value is of a node that came before it");
            tree.push(dot, node, value).map_err(otherwise)?;
        }
        Ok(tree.finish())
    }
}
