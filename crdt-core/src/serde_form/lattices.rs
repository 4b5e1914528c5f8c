use alloc::vec::Vec;

use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{by_replica, elements, pairs};
use crate::counter::{GCounterDelta, PnCounterDelta};
use crate::lattice::Part;
use crate::register::LwwRegisterDelta;
use crate::{
    BoundedCounter, Dot, GCounter, GrowOnlySet, LwwRegister, MaxRegister, MinRegister, PnCounter,
    ReplicaId, TwoPhaseSet,
};

impl Serialize for GCounter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for GCounter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(nonzero::<_, D::Error>(by_replica(from)?)?.into_iter().collect())
    }
}

fn nonzero<K, E: Error>(amounts: Vec<(K, u64)>) -> Result<Vec<(K, u64)>, E> {
    let any_zero = amounts.iter().any(|&(_, amount)| amount == 0);
    if any_zero { Err(E::custom("an amount of 0 is left out")) } else { Ok(amounts) }
}

impl Serialize for PnCounter {
    /// How much each replica has counted upwards and downwards.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter().map(|(replica, up, down)| (replica, (up, down))))
    }
}

impl<'de> Deserialize<'de> for PnCounter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let counted: Vec<(ReplicaId, (u64, u64))> = by_replica(from)?;
        if counted.iter().any(|&(_, amounts)| amounts == (0, 0)) {
            return Err(D::Error::custom("an amount of 0 is left out"));
        }
        Ok(counted.into_iter().map(|(replica, (up, down))| (replica, up, down)).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundedShape {
    /// From whom, to whom, how much; what a replica has created is from it to itself.
    moved: Vec<((ReplicaId, ReplicaId), u64)>,
    consumed: Vec<(ReplicaId, u64)>,
}

impl Serialize for BoundedCounter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let moved = self.moved.iter().map(|(&pair, &amount)| (pair, amount)).collect();
        let consumed = self.consumed.iter().map(|(&replica, &amount)| (replica, amount)).collect();
        BoundedShape { moved, consumed }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for BoundedCounter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let BoundedShape { moved, consumed } = Deserialize::deserialize(from)?;
        if !moved.is_sorted_by(|a, b| a.0 < b.0) || !consumed.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(D::Error::custom("keys ascend"));
        }
        let moved = nonzero::<_, D::Error>(moved)?.into_iter().collect();
        let consumed = nonzero::<_, D::Error>(consumed)?.into_iter().collect();
        Ok(Self { moved, consumed })
    }
}

/// A value that may be missing, where the value itself may be what stands for nothing.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "V: Deserialize<'de>"))]
struct ValueShape<V> {
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "some", default = "none")]
    value: Option<V>,
}

fn some<'de, V: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<V>, D::Error> {
    V::deserialize(from).map(Some)
}

const fn none<V>() -> Option<V> {
    None
}

macro_rules! extreme {
    ($($name:ident)*) => {$(
        impl<V: Serialize> Serialize for $name<V> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let value = self.value.as_ref();
                // Formats of bytes do not leave out members.
                if to.is_human_readable() {
                    ValueShape { value }.serialize(to)
                } else {
                    value.serialize(to)
                }
            }
        }

        impl<'de, V: Deserialize<'de>> Deserialize<'de> for $name<V> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let value = if from.is_human_readable() {
                    ValueShape::deserialize(from)?.value
                } else {
                    Deserialize::deserialize(from)?
                };
                Ok(Self { value })
            }
        }
    )*};
}

extreme!(MaxRegister MinRegister);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenShape<V, S> {
    value: V,
    stamp: S,
    dot: Dot,
}

impl<V: Serialize, T: Serialize> Serialize for LwwRegister<V, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let written = self.written.as_ref();
        written
            .map(|of| WrittenShape { value: &of.value, stamp: &of.stamp, dot: of.dot })
            .serialize(to)
    }
}

impl<'de, V: Deserialize<'de>, S: Deserialize<'de>> Deserialize<'de> for LwwRegister<V, S> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let written = Option::<WrittenShape<V, S>>::deserialize(from)?;
        Ok(Self::of_written(written.map(|of| (of.stamp, of.dot, of.value))))
    }
}

impl<E: Serialize> Serialize for GrowOnlySet<E> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self)
    }
}

impl<'de, E: Ord + Deserialize<'de>> Deserialize<'de> for GrowOnlySet<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(elements(from)?.into_iter().collect())
    }
}

impl<E: Serialize> Serialize for TwoPhaseSet<E> {
    /// Each element that ever was, with whether it is removed.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(&self.out)
    }
}

impl<'de, E: Ord + Deserialize<'de>> Deserialize<'de> for TwoPhaseSet<E> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut set = Self::new();
        for (element, is_out) in pairs(from)? {
            set.raise(element, is_out);
        }
        Ok(set)
    }
}

/// Deltas that are written as the value of which they are a part.
macro_rules! parts {
    ($($delta:ident [$($generics:ident),*] $value:ty;)*) => {$(
        impl<$($generics: Serialize),*> Serialize for $delta<$($generics),*> {
            fn serialize<To: Serializer>(&self, to: To) -> Result<To::Ok, To::Error> {
                self.0.serialize(to)
            }
        }

        impl<'de, $($generics: Deserialize<'de>),*> Deserialize<'de> for $delta<$($generics),*> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                <$value>::deserialize(from).map(Self)
            }
        }
    )*};
}

parts! {
    GCounterDelta [] GCounter;
    PnCounterDelta [] PnCounter;
    LwwRegisterDelta [V, S] LwwRegister<V, S>;
    Part [L] L;
}
