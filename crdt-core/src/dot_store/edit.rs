use core::borrow::Borrow;

use super::{Delta, DotFun, DotMap, DotSet, DotStore, Payload, Places, RedactableStore};
use crate::causality::{CausalContext, DotCloud};
use crate::{Dot, DotRange, ReplicaId, SEQ_MAX};

/// How many events one edit has room for. More would take an hour.
const EVENTS_PER_EDIT_MAX: u64 = 1 << 40;

/// A store inside a root, open to one writer's changes.
///
/// A root makes it ([`Causal::edit`](super::Causal::edit),
/// [`ObservedRemoveMap::update`](crate::ObservedRemoveMap::update)) for the length of a
/// closure. Its mutators are those of the store's type; each that puts something there is one
/// event, and all of them together are one [`Delta`]. A change costs what a change of the
/// store costs, and the delta holds the change and not the store.
#[derive(Debug)]
pub struct Edit<'a, S: DotStore> {
    store: &'a mut S,
    // What becomes of the delta: what is put there and still stands, ...
    told: &'a mut S,
    // ... and from where else something was taken out.
    touched: &'a mut S::Places,
    events: &'a mut Events,
}

/// The events of an edit.
#[derive(Debug)]
pub(crate) struct Events {
    replica: ReplicaId,
    before: u64,
    last: u64,
    // Those, and the events that are taken back by them.
    context: CausalContext,
}

impl Events {
    /// The events of `replica` behind `last`, if there is room for an edit.
    pub(super) fn behind(replica: ReplicaId, last: u64) -> Option<Self> {
        (last <= SEQ_MAX - EVENTS_PER_EDIT_MAX).then(|| Self::without_room(replica, last))
    }

    /// As [`behind`](Self::behind), for an edit that takes out and puts nothing there.
    pub(super) const fn without_room(replica: ReplicaId, last: u64) -> Self {
        Self { replica, before: last, last, context: CausalContext::new() }
    }

    /// Names the next event.
    pub(crate) fn next(&mut self) -> Dot {
        self.last += 1;
        assert!(self.last - self.before <= EVENTS_PER_EDIT_MAX, "an edit is endless");
        let dot = Dot::new(self.replica, self.last);
        self.context.insert(dot);
        dot
    }

    /// Notes that the delta tells of an event that was seen.
    pub(crate) fn tell(&mut self, dot: Dot) {
        self.context.insert(dot);
    }

    /// The events that were named.
    pub(super) fn named(&self) -> Option<DotRange> {
        (self.last > self.before).then(|| DotRange::new(self.replica, self.before + 1, self.last))
    }
}

/// Opens `store`, and returns the delta of what `change` does to it.
pub(super) fn record<S: DotStore>(
    store: &mut S,
    events: &mut Events,
    change: impl FnOnce(&mut Edit<'_, S>),
) -> Delta<S> {
    let mut delta = Delta::default();
    change(&mut Edit { store, told: &mut delta.store, touched: &mut delta.touched, events });
    delta.context = core::mem::take(&mut events.context);
    if delta.context.is_empty() {
        delta.touched = S::Places::default();
    }
    delta
}

impl<S: DotStore> Edit<'_, S> {
    /// The store as it is now.
    pub fn get(&self) -> &S {
        self.store
    }

    /// Opens a part of the store, and of what is told of it; `places` finds the places in that
    /// part. `#[derive(Replicated)]` makes methods of it that have the names of the fields.
    pub fn field<F: DotStore>(
        &mut self,
        part: impl Fn(&mut S) -> &mut F,
        places: impl FnOnce(&mut S::Places) -> &mut F::Places,
    ) -> Edit<'_, F> {
        let Self { store, told, touched, events } = self;
        Edit { store: part(store), told: part(told), touched: places(touched), events }
    }

    /// The name that the next event will have.
    pub(crate) const fn next_dot(&self) -> Dot {
        Dot::new(self.events.replica, self.events.last + 1)
    }

    /// The store, the content of the delta, and the events: for the mutators of stores that
    /// are defined elsewhere.
    pub(crate) const fn parts(&mut self) -> (&mut S, &mut S, &mut Events) {
        (self.store, self.told, self.events)
    }

    /// Takes the dots of `put` back, those that still stand; whether one did. They are of an
    /// edit before this one.
    pub(super) fn take_back(&mut self, put: &S) -> bool {
        let mut dots = DotCloud::new();
        put.for_each_dot(&mut |dot| _ = dots.insert(dot));
        let mut stood = false;
        self.store.retain(&mut |dot| {
            let goes = dots.contains(dot);
            if goes {
                stood = true;
                self.events.context.insert(dot);
            }
            !goes
        });
        stood
    }

    /// Notes that all that the store holds is taken back.
    pub(crate) fn retire(&mut self) {
        let Events { context, .. } = &mut *self.events;
        self.store.for_each_dot(&mut |dot| {
            context.insert(dot);
        });
    }
}

impl Edit<'_, DotSet> {
    /// Takes every dot back.
    pub(crate) fn take_out(&mut self) {
        self.retire();
        self.store.clear();
        self.told.clear();
    }

    /// Replaces what stands there by one event.
    pub(crate) fn put(&mut self) {
        self.take_out();
        self.put_beside();
    }

    /// Puts one event beside what stands there.
    pub(crate) fn put_beside(&mut self) {
        let dot = self.events.next();
        self.store.insert(dot);
        self.told.insert(dot);
    }
}

impl<V: Clone> Edit<'_, DotFun<V>> {
    /// Takes every entry back.
    pub(crate) fn take_out(&mut self) {
        self.retire();
        self.store.clear();
        self.told.clear();
    }

    /// Puts a value beside what stands there; the event is its dot.
    pub(crate) fn put_beside(&mut self, value: V) {
        let dot = self.events.next();
        self.told.insert(dot, value.clone());
        self.store.insert(dot, value);
    }

    /// Replaces what stands there by a value.
    pub(crate) fn put(&mut self, value: V) {
        self.take_out();
        self.put_beside(value);
    }
}

impl<V: Clone, C: Ord + Clone> Edit<'_, RedactableStore<V, C>> {
    /// Takes every entry back.
    pub(crate) fn take_out(&mut self) {
        self.retire();
        self.store.clear();
        self.told.clear();
    }

    /// Puts a payload beside what stands there.
    pub(super) fn put_beside(&mut self, payload: Payload<V, C>) {
        let dot = self.events.next();
        self.told.insert(dot, payload.clone());
        self.store.insert(dot, payload);
    }

    /// Replaces what stands there by a value.
    pub(crate) fn put(&mut self, value: V) {
        self.take_out();
        self.put_beside(Payload::Held(value));
    }

    /// Redacts what stands under `dot`, which is told again, as it is now; whether there was
    /// content. It is no event.
    pub(crate) fn drop_content(&mut self, dot: Dot, commit: impl FnOnce(&V) -> C) -> bool {
        let mut commitment = None;
        let dropped = self.store.redact(dot, |value| commitment.insert(commit(value)).clone());
        if let Some(commitment) = commitment {
            // The edit may itself have put it there.
            if !self.told.redact(dot, |_| commitment.clone()) {
                self.told.insert(dot, Payload::Redacted(commitment));
            }
            self.events.context.insert(dot);
        }
        dropped
    }
}

/// Maps, whatever stands under their keys: those of an
/// [`ObservedRemoveMap`](crate::ObservedRemoveMap), of any depth.
impl<K: Ord + Clone, S: DotStore> Edit<'_, DotMap<K, S>> {
    /// Changes what stands under a key, which `change` finds empty if the key is absent. The
    /// key is present afterwards if something stands under it.
    pub fn update(&mut self, key: K, change: impl FnOnce(&mut Edit<'_, S>)) {
        let Self { store, told, touched, events } = self;
        let removed_before = touched.take(&key);
        let is_whole = removed_before.as_ref().is_some_and(Places::is_whole);
        let mut places = removed_before.unwrap_or_default();
        let mut fragment = told.remove_entry(&key).map_or_else(S::default, |(_, told)| told);
        let open = |store: &mut S| {
            change(&mut Edit { store, told: &mut fragment, touched: &mut places, events });
        };
        let is_touched = if let Some(held) = store.get_mut(&key) {
            open(held);
            if held.is_empty() {
                store.remove_entry(&key);
            }
            // A store without keys is found by the key that the fragment stands under.
            if S::Places::DIVIDED { !places.is_whole() } else { fragment.is_empty() }
        } else {
            // What is new here is new everywhere: nothing is removed below this key but what the
            // edit has removed before.
            let mut fresh = S::default();
            open(&mut fresh);
            store.replace(key.clone(), fresh);
            S::Places::DIVIDED && !places.is_whole()
        };
        if is_whole {
            touched.put(key.clone(), S::Places::default());
        } else if is_touched {
            touched.put(key.clone(), places);
        }
        if told.is_empty() && !fragment.is_empty() {
            **told = DotMap::of(key, fragment);
        } else {
            told.replace(key, fragment);
        }
    }

    /// Takes out a key with all that stands under it and was seen; whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        let Some((key, removed)) = self.store.remove_entry(key) else { return false };
        removed.for_each_dot(&mut |dot| {
            self.events.context.insert(dot);
        });
        self.told.remove_entry(key.borrow());
        self.touched.put(key, S::Places::default());
        true
    }

    /// Takes out every key. Costs O(n).
    pub fn clear(&mut self) {
        self.retire();
        *self.told = DotMap::default();
        let removed = core::mem::take(self.store);
        for key in removed.into_keys() {
            self.touched.put(key, S::Places::default());
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use crate::laws::trials;

    use super::*;
    use crate::dot_store::Causal;
    use crate::set::AddWinsStore;

    type Inner = DotMap<u8, AddWinsStore<u8>>;
    type Root = Causal<DotMap<u8, Inner>>;

    fn act(map: &mut Edit<'_, DotMap<u8, Inner>>, (kind, keys): (u8, u8)) {
        let [a, b, c] = [keys % 2, keys / 2 % 2, keys / 4 % 4];
        match kind % 8 {
            0..=2 => map.update(a, |inner| inner.update(b, |set| set.add(c))),
            3 => map.update(a, |inner| inner.update(b, |set| _ = set.remove(&c))),
            4 => map.update(a, |inner| inner.update(b, |set| set.clear())),
            5 => map.update(a, |inner| _ = inner.remove(&b)),
            6 => map.update(a, |inner| inner.clear()),
            _ => _ = map.remove(&a),
        }
    }

    /// A delta names every place that it takes something out of, so that a side that has seen
    /// what its writer had seen finds all of it without a walk through the store. It holds no
    /// more places than the edit had steps.
    #[test]
    fn a_delta_says_where_it_removes() {
        fn law(edits: Vec<Vec<(u8, u8)>>) -> bool {
            let (mut here, mut there) = (Root::new(), Root::new());
            let mut writer = here.writer(ReplicaId::from_u128(7));
            edits.into_iter().all(|steps| {
                let delta =
                    here.edit(&mut writer, |map| steps.into_iter().for_each(|s| act(map, s)));
                let delta = delta.expect("there is room");
                here.check_invariants();
                delta.check_invariants();
                let covered = super::super::count_covered(there.store(), delta.context());
                let found = there.store().count_at(&delta.store, &delta.context, &delta.touched);
                there.join(delta);
                there.check_invariants();
                covered == found && here == there
            })
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn an_edit_that_changes_nothing_tells_nothing() {
        let mut root = Root::new();
        let mut writer = root.writer(ReplicaId::from_u128(7));
        for _ in 0..2 {
            let delta = root.edit(&mut writer, |map| {
                map.update(1, |inner| inner.update(2, |set| _ = set.remove(&3)));
                map.remove(&5);
                map.update(4, |inner| inner.clear());
                map.clear();
            });
            assert_eq!(delta, Ok(Delta::default()));
            let _kept = root.edit(&mut writer, |map| {
                map.update(1, |inner| inner.update(2, |set| set.add(4)));
                map.remove(&1);
            });
        }
        assert!(root.store().is_empty());
        root.check_invariants();
    }
}
