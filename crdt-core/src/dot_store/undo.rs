use super::{
    Causal, Delta, DotFun, DotMap, DotSet, DotStore, Edit, FieldPlaces, Places, RedactableStore,
};
use crate::causality::DotCloud;
use crate::undo::Undo;
use crate::{WriteError, Writer};

/// A store in which what a delta did can be taken back.
///
/// `#[derive(Replicated)]` implements it if all fields do.
pub trait UndoStore: DotStore + Clone {
    /// What a delta takes out of this store: the content of the dots in `gone`, which are held
    /// here and will not be, and what else it changes here that an undo has to know of.
    ///
    /// What is returned is for [`undo`](Self::undo) alone: a store of which the dots need not be
    /// those of events. Costs what the store is large.
    fn taken(&self, delta: &Self, gone: &DotCloud) -> Self;

    /// As [`taken`](Self::taken), of a delta that takes nothing out but under its own keys and those of
    /// `places`. Costs what it takes out.
    fn taken_by(&self, delta: &Self, places: &Self::Places, gone: &DotCloud) -> Self {
        let _ = places;
        self.taken(delta, gone)
    }

    /// Takes back what was `put`, and where that stood or nothing was put, puts back what was
    /// `taken`, each under an event of its own.
    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self);
}

/// What takes one delta back: see [`Undo`](crate::undo::Undo).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Inverse<S> {
    put: S,
    taken: S,
}

impl<S: DotStore> Inverse<S> {
    /// Whether there is nothing to take back.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.taken.is_empty()
    }

    /// What the delta put there, and is to be taken out.
    pub fn put(&self) -> &S {
        &self.put
    }

    /// What the delta took out, and is to be put back. In lists and trees the dots are not those of
    /// events, for what stands there tells where it comes back.
    pub fn taken(&self) -> &S {
        &self.taken
    }
}

impl<S: UndoStore> Undo for Causal<S> {
    type Inverse = Inverse<S>;
    type Error = WriteError;

    fn inverse(&self, delta: &Delta<S>) -> Inverse<S> {
        let put = delta.store.select(&mut |dot| !self.context().contains(dot));
        let mut gone = DotCloud::new();
        let ranges = delta.context.ranges();
        ranges
            .flat_map(|range| self.live().ranges_in(range))
            .for_each(|held| gone.insert_range(held));
        let covered = gone.ranges().map(|range| range.len()).sum::<u64>();
        delta.store.for_each_dot(&mut |dot| _ = gone.remove(dot));
        // As a join does: if the delta names all places that it takes something out of, there is
        // nothing to look for elsewhere.
        let taken =
            if covered == self.store().count_at(&delta.store, &delta.context, &delta.touched) {
                self.store().taken_by(&delta.store, &delta.touched, &gone)
            } else {
                self.store().taken(&delta.store, &gone)
            };
        Inverse { put, taken }
    }

    #[track_caller]
    fn undo(&mut self, inverse: &Inverse<S>, writer: &mut Writer) -> Result<Delta<S>, WriteError> {
        self.edit(writer, |edit| S::undo(edit, &inverse.put, &inverse.taken))
    }
}

/// The content of dots that are gone.
fn select<S: DotStore + Clone>(store: &S, gone: &DotCloud) -> S {
    if gone.is_empty() { S::default() } else { store.select(&mut |dot| gone.contains(dot)) }
}

impl UndoStore for DotSet {
    fn taken(&self, _: &Self, gone: &DotCloud) -> Self {
        select(self, gone)
    }

    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        let stood = edit.take_back(put);
        if (stood || put.is_empty()) && !taken.is_empty() {
            edit.put_beside();
        }
    }
}

impl<V: Clone> UndoStore for DotFun<V> {
    fn taken(&self, _: &Self, gone: &DotCloud) -> Self {
        select(self, gone)
    }

    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        let stood = edit.take_back(put);
        if stood || put.is_empty() {
            // In the order of their dots, so that which of them wins stays the same.
            taken.entries().iter().for_each(|(_, value)| edit.put_beside(value.clone()));
        }
    }
}

impl<V: Clone, C: Ord + Clone> UndoStore for RedactableStore<V, C> {
    fn taken(&self, _: &Self, gone: &DotCloud) -> Self {
        select(self, gone)
    }

    /// A redaction is no event and is not taken back; what was redacted when it was taken out comes
    /// back redacted.
    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        let stood = edit.take_back(put);
        if stood || put.is_empty() {
            taken.entries().iter().for_each(|(_, payload)| edit.put_beside(payload.clone()));
        }
    }
}

impl<K: Ord + Clone, S: UndoStore> UndoStore for DotMap<K, S> {
    fn taken(&self, delta: &Self, gone: &DotCloud) -> Self {
        let (mut taken, none) = (Self::default(), S::default());
        for (key, held) in self {
            let below = held.taken(delta.get(key).unwrap_or(&none), gone);
            taken.replace(key.clone(), below);
        }
        taken
    }

    fn taken_by(&self, delta: &Self, places: &Self::Places, gone: &DotCloud) -> Self {
        let (mut taken, none) = (Self::default(), S::default());
        let untold = places.keys.keys().filter(|key| !delta.contains_key(*key));
        for key in delta.keys().chain(untold) {
            let Some(held) = self.get(key) else { continue };
            let theirs = delta.get(key).unwrap_or(&none);
            let below = match places.keys.get(key) {
                Some(places) if places.is_whole() => held.taken(theirs, gone),
                Some(places) => held.taken_by(theirs, places, gone),
                None => held.taken_by(theirs, &Default::default(), gone),
            };
            taken.replace(key.clone(), below);
        }
        taken
    }

    fn undo(edit: &mut Edit<'_, Self>, put: &Self, taken: &Self) {
        let none = S::default();
        for key in put.keys().chain(taken.keys().filter(|key| !put.contains_key(*key))) {
            let below = |map: &Self| map.get(key).cloned();
            let (put, taken) = (below(put), below(taken));
            edit.update(key.clone(), |edit| {
                S::undo(edit, put.as_ref().unwrap_or(&none), taken.as_ref().unwrap_or(&none));
            });
        }
    }
}

impl<const NUMBER: u32, P: Places, R> FieldPlaces<NUMBER, P, R> {
    /// What a delta takes out of the field.
    pub fn taken_by<S: UndoStore<Places = P>>(&self, store: &S, delta: &S, gone: &DotCloud) -> S {
        if !delta.is_empty() || self.is_told() {
            store.taken_by(delta, self.places(), gone)
        } else {
            S::default()
        }
    }
}
