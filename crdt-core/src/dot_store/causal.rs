use alloc::vec::Vec;
use core::borrow::Borrow;
use core::hash::{Hash, Hasher};

use super::delta::{Parts, decode_parts};
use super::edit::{self, Events};
use super::{
    DecodeStore, Delta, DotChange, DotMap, DotStore, Edit, EncodeStore, Split, StoreWriter, Touched,
};
use crate::causality::{CausalContext, DotCloud};
use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::collections::{Entry, Place};
use crate::lattice::{Decompose, Lattice};
use crate::writer::WriteError;
use crate::{Dot, ReplicaId, writer};

/// A dot store with its causal context: a root, and the lattice of every causal type.
///
/// The types of this crate wrap it and give it mutators. Its join costs O(m log n) for a
/// delta of size m that a mutator made, whatever the size n of the value, and O(n + m) for
/// a delta that removes from keys it does not name, such as a whole state.
#[derive(Clone, Debug)]
pub struct Causal<S> {
    store: S,
    context: CausalContext,
    // The dots of the store. Derived from it; tells a join that a delta removes nothing, or
    // nothing more, without a walk through the store.
    live: DotCloud,
}

impl<S: Default> Default for Causal<S> {
    fn default() -> Self {
        Self { store: S::default(), context: CausalContext::new(), live: DotCloud::new() }
    }
}

impl<S: PartialEq> PartialEq for Causal<S> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.store == other.store
    }
}

impl<S: Eq> Eq for Causal<S> {}

impl<S: Hash> Hash for Causal<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.store.hash(state);
        self.context.hash(state);
    }
}

impl<S: DotStore> Causal<S> {
    /// The value before the first event.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, if the context covers the store.
    #[cfg(feature = "serde")]
    pub(crate) fn of_parts(store: S, context: CausalContext) -> Option<Self> {
        super::delta::live_dots(&store, &context).map(|live| Self { store, context, live })
    }

    /// The content.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The content, without its context.
    pub fn into_store(self) -> S {
        self.store
    }

    /// All events that the value has seen.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// The dots of the content.
    pub(super) const fn live(&self) -> &DotCloud {
        &self.live
    }

    /// Takes in a delta or another value; whether it brought news.
    pub fn join(&mut self, other: impl Into<Delta<S>>) -> bool {
        let Delta { store, context, touched } = other.into();
        let (live, mut changed) = (&mut self.live, false);
        // How many dots that are held here the other side has seen. If all of them lie under
        // keys that it names, nothing is removed elsewhere.
        let is_local = !self.store.is_passed_through(&store) && {
            let covered = context.ranges().map(|range| live.count_in(range)).sum::<u64>();
            covered == 0 || covered == self.store.count_at(&store, &context, &touched)
        };
        let mut near = Place::START;
        let report = &mut |change| {
            changed = true;
            match change {
                DotChange::Added(dot) => live.insert_near(dot, &mut near),
                DotChange::Removed(dot) => drop(live.remove(dot)),
                DotChange::Redacted(_) => {}
            }
        };
        if is_local {
            self.store.join_at(&self.context, store, &context, &touched, report);
        } else {
            self.store.join(&self.context, store, &context, report);
        }
        changed |= self.context.join(&context);
        changed
    }

    /// A writer for `replica`, which goes on behind the last of its events seen here.
    pub fn writer(&self, replica: ReplicaId) -> writer::Writer {
        writer::Writer::new(replica, self.context.last_seq(replica))
    }

    /// Changes the content; the delta tells all that `change` does. Costs what the delta is
    /// large, beside the changes themselves.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name. Nothing has
    /// changed then, and `change` was not called.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn edit(
        &mut self,
        writer: &mut writer::Writer,
        change: impl FnOnce(&mut Edit<'_, S>),
    ) -> Result<Delta<S>, WriteError> {
        let (replica, last) = (writer.replica(), self.meet(writer));
        let events =
            Events::behind(replica, last).ok_or(WriteError::SequenceExhausted { replica })?;
        Ok(self.record(events, writer, change))
    }

    /// As [`edit`](Self::edit), for a change that only takes out, which names no event.
    #[track_caller]
    pub(crate) fn edit_out(
        &mut self,
        writer: &mut writer::Writer,
        change: impl FnOnce(&mut Edit<'_, S>),
    ) -> Delta<S> {
        let last = self.meet(writer);
        self.record(Events::without_room(writer.replica(), last), writer, change)
    }

    /// As [`edit`](Self::edit), by someone who has seen the events in `seen`, perhaps at
    /// another replica, and takes all of them back.
    #[track_caller]
    pub(crate) fn edit_after(
        &mut self,
        seen: &CausalContext,
        writer: &mut writer::Writer,
        change: impl FnOnce(&mut Edit<'_, S>),
    ) -> Result<Delta<S>, WriteError> {
        let replica = writer.replica();
        let last = self.meet(writer).max(seen.last_seq(replica));
        let events =
            Events::behind(replica, last).ok_or(WriteError::SequenceExhausted { replica })?;
        let over = || Delta { context: seen.clone(), ..Delta::default() };
        self.join(over());
        let mut delta = over();
        delta.join(self.record(events, writer, change));
        Ok(delta)
    }

    fn record(
        &mut self,
        mut events: Events,
        writer: &mut writer::Writer,
        change: impl FnOnce(&mut Edit<'_, S>),
    ) -> Delta<S> {
        let delta = edit::record(&mut self.store, &mut events, change);
        let named = events.named();
        // What was named is new and was not held; of the rest all was.
        for range in delta.context.ranges() {
            let fresh = named.filter(|named| named.replica == range.replica);
            for seq in
                range.first..=fresh.map_or(range.last, |named| range.last.min(named.first - 1))
            {
                self.live.remove(Dot::new(range.replica, seq));
            }
        }
        let near = writer.near();
        delta.store.for_each_dot(&mut |dot| self.live.insert_near(dot, &mut near.held));
        match named {
            Some(named) if named.len() == 1 => {
                self.context.insert_next(Dot::new(named.replica, named.last), &mut near.known);
            }
            Some(named) => self.context.insert_range(named),
            None => {}
        }
        if let Some(named) = named {
            writer.advance(named.last);
        }
        delta
    }

    /// Checks that the writer is this root's; returns the number of its last event.
    #[track_caller]
    pub(crate) fn meet(&self, writer: &mut writer::Writer) -> u64 {
        let last = self.context.last_seq_near(writer.replica(), &mut writer.near().known);
        writer.meet(last);
        last
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.store.check_invariants();
        self.context.check_invariants();
        self.live.check_invariants();
        let mut live = DotCloud::new();
        self.store.for_each_dot(&mut |dot| {
            assert!(self.context.contains(dot), "the context covers the store");
            assert!(live.insert(dot), "a dot stands in one place");
        });
        assert_eq!(live, self.live, "the live dots are those of the store");
    }
}

impl<K: Ord + Clone, S: DotStore + Clone> Causal<DotMap<K, S>> {
    /// Replaces what stands under `key` by what the next event puts there: `make` gives it
    /// twice, for here and for the delta, or nothing if all is to stay as it is.
    #[track_caller]
    pub(crate) fn put(
        &mut self,
        key: K,
        writer: &mut writer::Writer,
        make: impl FnOnce(Dot, Option<&S>) -> Option<[S; 2]>,
    ) -> Result<Delta<DotMap<K, S>>, WriteError> {
        let replica = writer.replica();
        let dot = Dot::new(replica, self.meet(writer));
        let dot = dot.next().ok_or(WriteError::SequenceExhausted { replica })?;
        let mut context = CausalContext::of(dot);
        let (key, told) = match self.store.entry(key) {
            Entry::Vacant(entry) => {
                let Some([store, told]) = make(dot, None) else { return Ok(Delta::default()) };
                let key = entry.key().clone();
                entry.insert(store);
                (key, told)
            }
            Entry::Occupied(mut entry) => {
                let Some([store, told]) = make(dot, Some(entry.get())) else {
                    return Ok(Delta::default());
                };
                entry.insert(store).for_each_dot(&mut |dot| {
                    self.live.remove(dot);
                    context.insert(dot);
                });
                (entry.key().clone(), told)
            }
        };
        let near = writer.near();
        self.context.insert_next(dot, &mut near.known);
        self.live.insert_near(dot, &mut near.held);
        writer.advance(dot.seq);
        Ok(Delta { store: DotMap::of(key, told), context, touched: Default::default() })
    }

    /// Takes out a key and all that stands under it.
    #[track_caller]
    pub(crate) fn take_out<Q: Ord + ?Sized>(
        &mut self,
        key: &Q,
        writer: &mut writer::Writer,
    ) -> Delta<DotMap<K, S>>
    where
        K: Borrow<Q>,
    {
        self.meet(writer);
        let near = writer.near();
        let mut delta = Delta::default();
        if let Some((key, removed)) = self.store.remove_near(key, &mut near.taken_out) {
            removed.for_each_dot(&mut |dot| {
                self.live.remove_near(dot, &mut near.retired);
                delta.context.insert(dot);
            });
            delta.touched = Touched::of(key);
        }
        delta
    }

    /// Takes out every key.
    pub(crate) fn take_out_all(&mut self) -> Delta<DotMap<K, S>> {
        Delta {
            store: DotMap::default(),
            context: core::mem::take(&mut self.live).into(),
            touched: core::mem::take(&mut self.store).into_keys().collect(),
        }
    }
}

impl<S: Split + Clone> Decompose for Causal<S>
where
    S::Places: Clone,
{
    /// A part for each event that was seen, with its dot if that is held.
    fn decompose(&self) -> Vec<Delta<S>> {
        let part = |dot: Dot, store: S| Delta {
            store,
            context: [dot].into_iter().collect(),
            ..Delta::default()
        };
        let mut parts = Vec::new();
        for range in self.context.ranges() {
            let dots = (range.first..=range.last).map(|seq| Dot::new(range.replica, seq));
            let removed = dots.filter(|&dot| !self.live.contains(dot));
            parts.extend(removed.map(|dot| part(dot, S::default())));
        }
        self.store.clone().split(&mut |dot, store| parts.push(part(dot, store)));
        parts
    }

    fn difference(&self, other: &Self) -> Delta<S> {
        self.missing_from(&other.digest())
    }
}

impl<S: DotStore> From<Causal<S>> for Delta<S> {
    fn from(value: Causal<S>) -> Self {
        Self { store: value.store, context: value.context, touched: Default::default() }
    }
}

impl<S: DotStore + Clone> From<&Causal<S>> for Delta<S> {
    fn from(value: &Causal<S>) -> Self {
        value.clone().into()
    }
}

impl<S: DotStore> Lattice for Causal<S> {
    type Delta = Delta<S>;

    fn join(&mut self, other: impl Into<Delta<S>>) -> bool {
        Self::join(self, other)
    }
}

#[cfg(test)]
impl<S: DotStore> Causal<S> {
    pub(super) fn uncovered(store: S) -> Self {
        Self { store, ..Self::default() }
    }

    pub(super) fn with_a_dot_that_stands_nowhere(dot: Dot) -> Self {
        let (context, live) = (CausalContext::of(dot), DotCloud::from_iter([dot]));
        Self { context, live, ..Self::default() }
    }
}

const VERSION: u8 = 0;

impl<S: EncodeStore> Encode for Causal<S> {
    /// The format version, the context, then the store.
    fn encode(&self, out: &mut Writer) {
        out.u8(VERSION);
        StoreWriter::write(&self.context, &self.store, out);
    }
}

impl<S: DotStore + DecodeStore> Decode for Causal<S> {
    const BYTES_MIN: usize = 2 + S::STORE_BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let Parts { store, context, live } = decode_parts(VERSION, input)?;
        Ok(Self { store, context, live })
    }
}
