use super::Undo;
use crate::dot_store::{Delta, Inverse, RedactableStore, UndoStore};
use crate::flag::{DisableWinsStore, EnableWinsStore};
use crate::map::LwwStore;
use crate::register::MultiValueStore;
use crate::sequence::ListStore;
use crate::set::{AddWinsStore, RemoveWinsStore};
use crate::tree::TreeStore;
use crate::{
    AddWinsSet, DisableWinsFlag, EnableWinsFlag, List, LwwMap, MultiValueRegister,
    ObservedRemoveMap, RedactableRegister, RemoveWinsSet, Tree, WriteError, Writer,
};

/// Roots that wrap a store with its context.
macro_rules! roots {
    ($([$($generics:tt)*] $root:ty, $store:ty;)*) => {$(
        impl<$($generics)*> Undo for $root {
            type Inverse = Inverse<$store>;
            type Error = WriteError;

            fn inverse(&self, delta: &Delta<$store>) -> Inverse<$store> {
                self.0.inverse(delta)
            }

            #[track_caller]
            fn undo(
                &mut self,
                inverse: &Inverse<$store>,
                writer: &mut Writer,
            ) -> Result<Delta<$store>, WriteError> {
                self.0.undo(inverse, writer)
            }
        }
    )*};
}

roots! {
    [E: Ord + Clone] AddWinsSet<E>, AddWinsStore<E>;
    [E: Ord + Clone] RemoveWinsSet<E>, RemoveWinsStore<E>;
    [V: Clone] MultiValueRegister<V>, MultiValueStore<V>;
    [K: Ord + Clone, V: Clone, S: Ord + Clone] LwwMap<K, V, S>, LwwStore<K, V, S>;
    [K: Ord + Clone, S: UndoStore] ObservedRemoveMap<K, S>, crate::dot_store::DotMap<K, S>;
    [V: Clone, C: Ord + Clone] RedactableRegister<V, C>, RedactableStore<V, C>;
    [E: Clone] List<E>, ListStore<E>;
    [V: Clone] Tree<V>, TreeStore<V>;
    [] EnableWinsFlag, EnableWinsStore;
    [] DisableWinsFlag, DisableWinsStore;
}
