use ::serde::de::Error;
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{elements, pairs};
use crate::causality::CausalContext;
use crate::counter::Movement;
use crate::dot_store::{
    Causal, Delta, DotFun, DotMap, DotSet, DotStore, FieldPlaces, NoFields, Payload, Places,
    RedactableStore, Touched,
};
use crate::flag::Toggle;
use crate::map::Whole;

impl Serialize for DotSet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.dots())
    }
}

impl<'de> Deserialize<'de> for DotSet {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(elements(from)?.into_iter().collect())
    }
}

impl<V: Serialize> Serialize for DotFun<V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.entries())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for DotFun<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut values = Self::new();
        for (dot, value) in pairs(from)? {
            values.insert(dot, value);
        }
        Ok(values)
    }
}

impl<K: Serialize, V: Serialize> Serialize for DotMap<K, V> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self)
    }
}

impl<'de, K: Ord + Deserialize<'de>, V: DotStore + Deserialize<'de>> Deserialize<'de>
    for DotMap<K, V>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut map = Self::new();
        for (key, store) in pairs::<K, V, D>(from)? {
            if store.is_empty() {
                return Err(D::Error::custom("something stands under every key"));
            }
            map.restore(key, Some(store));
        }
        Ok(map)
    }
}

impl<K: Serialize, P: Serialize> Serialize for Touched<K, P> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.entries())
    }
}

impl<'de, K: Ord + Deserialize<'de>, P: Deserialize<'de>> Deserialize<'de> for Touched<K, P> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::of_entries(pairs(from)?))
    }
}

impl<const NUMBER: u32, P: Places + Serialize, R: Serialize> Serialize
    for FieldPlaces<NUMBER, P, R>
{
    /// Whether there are places in the field, which, and the fields behind it.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.is_told(), self.places(), self.rest()).serialize(to)
    }
}

impl<'de, const NUMBER: u32, P: Places + Deserialize<'de>, R: Deserialize<'de>> Deserialize<'de>
    for FieldPlaces<NUMBER, P, R>
{
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (is_told, places, rest) = Deserialize::deserialize(from)?;
        Self::of_parts(is_told, places, rest)
            .ok_or_else(|| D::Error::custom("a field is told of where there are places in it"))
    }
}

impl Serialize for NoFields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        ().serialize(to)
    }
}

impl<'de> Deserialize<'de> for NoFields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <()>::deserialize(from).map(|()| Self)
    }
}

const UNCOVERED: &str = "the context covers every dot, and each stands in one place";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CausalShape<C, S> {
    context: C,
    store: S,
}

impl<C: DotStore + Serialize> Serialize for Causal<C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        CausalShape { context: self.context(), store: self.store() }.serialize(to)
    }
}

impl<'de, S: DotStore + Deserialize<'de>> Deserialize<'de> for Causal<S> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let CausalShape { context, store } = Deserialize::deserialize(from)?;
        Self::of_parts(store, context).ok_or_else(|| D::Error::custom(UNCOVERED))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltaShape<C, S, P> {
    context: C,
    store: S,
    touched: P,
}

impl<C: DotStore<Places: Serialize> + Serialize> Serialize for Delta<C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (context, store, touched) = (self.context(), self.store(), self.touched());
        DeltaShape { context, store, touched }.serialize(to)
    }
}

impl<'de, S: DotStore<Places: Deserialize<'de>> + Deserialize<'de>> Deserialize<'de> for Delta<S> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let DeltaShape { context, store, touched } =
            DeltaShape::<CausalContext, S, S::Places>::deserialize(from)?;
        Self::of_parts(store, context, touched).ok_or_else(|| D::Error::custom(UNCOVERED))
    }
}

impl Serialize for Movement {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.amount().serialize(to)
    }
}

impl<'de> Deserialize<'de> for Movement {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let amount = i64::deserialize(from)?;
        Self::of(amount).ok_or_else(|| D::Error::custom("a counter is not moved by 0"))
    }
}

impl Serialize for Toggle {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.enables.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Toggle {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        bool::deserialize(from).map(|enables| Self { enables })
    }
}

impl<L: Serialize> Serialize for Whole<L> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(to)
    }
}

impl<'de, L: Deserialize<'de>> Deserialize<'de> for Whole<L> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        L::deserialize(from).map(Self)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PayloadShape<V, C> {
    Held(V),
    Redacted(C),
}

impl<V: Serialize, C: Serialize> Serialize for Payload<V, C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Held(value) => PayloadShape::<&V, &C>::Held(value),
            Self::Redacted(commitment) => PayloadShape::Redacted(commitment),
        }
        .serialize(to)
    }
}

impl<'de, V: Deserialize<'de>, C: Deserialize<'de>> Deserialize<'de> for Payload<V, C> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match PayloadShape::deserialize(from)? {
            PayloadShape::Held(value) => Self::Held(value),
            PayloadShape::Redacted(commitment) => Self::Redacted(commitment),
        })
    }
}

impl<V: Serialize, C: Serialize> Serialize for RedactableStore<V, C> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, V: Deserialize<'de>, C: Deserialize<'de>> Deserialize<'de> for RedactableStore<V, C> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        DotFun::deserialize(from).map(Self)
    }
}
