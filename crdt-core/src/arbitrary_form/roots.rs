use arbitrary::{Arbitrary, Result, Unstructured};

use super::ArbitraryStore;
use crate::dot_store::Causal;
use crate::{
    AddWinsSet, DisableWinsFlag, EnableWinsFlag, List, LwwMap, MultiValueRegister,
    ObservedRemoveMap, RedactableRegister, RemoveWinsSet, Tree,
};

macro_rules! roots {
    ($([$($generics:tt)*] $root:ty;)*) => {$(
        impl<'a, $($generics)*> Arbitrary<'a> for $root {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                Causal::arbitrary(u).map(Self)
            }
        }
    )*};
}

roots! {
    [E: Arbitrary<'a> + Ord + Clone] AddWinsSet<E>;
    [E: Arbitrary<'a> + Ord + Clone] RemoveWinsSet<E>;
    [V: Arbitrary<'a> + Clone] MultiValueRegister<V>;
    [V: Arbitrary<'a> + Clone, C: Arbitrary<'a> + Ord + Clone] RedactableRegister<V, C>;
    [K: Arbitrary<'a> + Ord + Clone, V: Arbitrary<'a> + Clone, S: Arbitrary<'a> + Clone]
        LwwMap<K, V, S>;
    [K: Arbitrary<'a> + Ord + Clone, S: ArbitraryStore<'a>] ObservedRemoveMap<K, S>;
    [E: Arbitrary<'a> + Clone] List<E>;
    [V: Arbitrary<'a> + Clone] Tree<V>;
    [] EnableWinsFlag;
    [] DisableWinsFlag;
}
