use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::dot_store::{Causal, DotStore};
use crate::{
    AddWinsSet, DisableWinsFlag, EnableWinsFlag, List, LwwMap, MultiValueRegister,
    ObservedRemoveMap, RedactableRegister, RemoveWinsSet, Tree,
};

/// Roots that wrap a store with its context are written as that is.
macro_rules! roots {
    ($($root:ident [$($write:tt)*] [$($read:tt)*] [$($type:tt)*];)*) => {$(
        impl<$($write)*> Serialize for $root $($type)* {
            fn serialize<To: Serializer>(&self, to: To) -> Result<To::Ok, To::Error> {
                self.0.serialize(to)
            }
        }

        impl<'de, $($read)*> Deserialize<'de> for $root $($type)* {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Causal::deserialize(from).map(Self)
            }
        }
    )*};
}

roots! {
    AddWinsSet [E: Ord + Serialize] [E: Ord + Deserialize<'de>] [<E>];
    RemoveWinsSet [E: Ord + Serialize] [E: Ord + Deserialize<'de>] [<E>];
    MultiValueRegister [V: Serialize] [V: Deserialize<'de>] [<V>];
    LwwMap
        [K: Ord + Serialize, V: Serialize, S: Serialize]
        [K: Ord + Deserialize<'de>, V: Deserialize<'de>, S: Deserialize<'de>]
        [<K, V, S>];
    ObservedRemoveMap
        [K: Ord + Serialize, S: DotStore + Serialize]
        [K: Ord + Deserialize<'de>, S: DotStore + Deserialize<'de>]
        [<K, S>];
    RedactableRegister
        [V: Serialize, C: Ord + Clone + Serialize]
        [V: Deserialize<'de>, C: Ord + Clone + Deserialize<'de>]
        [<V, C>];
    List [E: Clone + Serialize] [E: Clone + Deserialize<'de>] [<E>];
    Tree [V: Serialize] [V: Deserialize<'de>] [<V>];
    EnableWinsFlag [] [] [];
    DisableWinsFlag [] [] [];
}
