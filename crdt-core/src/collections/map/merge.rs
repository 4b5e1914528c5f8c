//! Two maps made one.

use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::OrderedMap;

/// The entries of a map that are still to be met. The next one is looked at where it lies.
struct Rest<K, V> {
    chunk: vec::IntoIter<(K, V)>,
    chunks: vec::IntoIter<Vec<(K, V)>>,
}

impl<K, V> Rest<K, V> {
    fn of(map: OrderedMap<K, V>) -> Self {
        Self { chunk: Vec::new().into_iter(), chunks: map.chunks.into_iter() }
    }

    fn peek(&mut self) -> Option<&K> {
        while self.chunk.as_slice().is_empty() {
            self.chunk = self.chunks.next()?.into_iter();
        }
        self.chunk.as_slice().first().map(|(key, _)| key)
    }
}

impl<K: Ord, V: Default> OrderedMap<K, V> {
    /// Joins what stands under each key of either map with what the other has there, or with the default where that
    /// has nothing, in ascending order of keys; what `join` says no to is left out. A single pass, in which
    /// what is held under a key of both stays where it is.
    pub(crate) fn merge(&mut self, other: Self, mut join: impl FnMut(&mut V, V) -> bool) {
        let mut theirs = Rest::of(other);
        // Those of theirs whose keys are not here.
        let mut strangers = Vec::new();
        let mut take_in = |(key, theirs), join: &mut dyn FnMut(&mut V, V) -> bool| {
            let mut value = V::default();
            if join(&mut value, theirs) {
                strangers.push((key, value));
            }
        };
        for chunk in &mut self.chunks {
            chunk.retain_mut(|(key, value)| {
                loop {
                    let order = theirs.peek().map_or(Ordering::Greater, |other| other.cmp(key));
                    let met = if order.is_le() { theirs.chunk.next() } else { None };
                    match met {
                        Some(stranger) if order.is_lt() => take_in(stranger, &mut join),
                        met => {
                            break join(value, met.map_or_else(V::default, |(_, theirs)| theirs));
                        }
                    }
                }
            });
        }
        while theirs.peek().is_some() {
            theirs.chunk.next().into_iter().for_each(|stranger| take_in(stranger, &mut join));
        }
        if self.chunks.iter().map(Vec::len).sum::<usize>() < self.len {
            self.tidy();
        }
        if !strangers.is_empty() {
            self.weave(strangers);
        }
    }

    /// Puts in entries whose keys are not here, and ascend.
    fn weave(&mut self, strangers: Vec<(K, V)>) {
        let total = self.len + strangers.len();
        let mut strangers = strangers.into_iter().peekable();
        let put = |map: &mut Self, (key, value)| map.append(key, value, total - map.len);
        for entry in core::mem::take(self) {
            while let Some(stranger) = strangers.next_if(|(stranger, _)| *stranger < entry.0) {
                put(self, stranger);
            }
            put(self, entry);
        }
        strangers.for_each(|stranger| put(self, stranger));
    }
}
