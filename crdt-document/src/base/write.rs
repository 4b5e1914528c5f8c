use alloc::vec::Vec;

use crdt_causal::sync::ChainHash;
use crdt_core::causality::Base;
use crdt_core::codec::{Encode, SendTable, Writer};
use crdt_core::collections::sort_by_key;
use crdt_core::dot_store::DotSet;
use crdt_core::{Dot, ReplicaId};

use crate::container::{Container, Content, Counts, MapContent, ResetCounter};
use crate::state::State;

/// Writes what is visible in `state`, which stands at `base`. See `docs/format.md`.
pub(crate) fn write(state: &State, base: &Base) -> Vec<u8> {
    let mut out = Writer::new();
    base.heads().encode(&mut out);
    out.varint(base.lamport());
    base.writers().encode(&mut out);
    let mut shown: Vec<(Vec<u8>, &Container)> = (0..state.containers.len())
        .map(|number| (number, &state.containers[number]))
        .filter(|(_, container)| holds_something(container, base))
        .map(|(number, container)| (state.containers.key(number), container))
        .collect();
    sort_by_key(&mut shown, |(key, _)| key.clone());
    out.count(shown.len());
    let mut contents = ContentWriter { authors: SendTable::new(), base, out };
    for (key, container) in shown {
        contents.out.raw(&key);
        contents.content(&container.content);
    }
    contents.out.into_bytes()
}

/// The same for history that is dropped, with the running hashes of the writers who are remembered: what they
/// write from here on is hashed from there, and their forks are found as if nothing had been trimmed.
///
/// Behind a base that has none, for these are a later addition, there are none either.
pub(super) fn write_with_hashes(state: &State, base: &Base) -> Vec<u8> {
    let mut out = write(state, base);
    let writers = base.writers().iter().map(|(replica, seq)| Dot::new(replica, seq));
    let hashes: Option<Vec<ChainHash>> = writers.map(|dot| state.chains.at(state, dot)).collect();
    out.extend(hashes.into_iter().flatten().flat_map(|hash| hash.0.to_le_bytes()));
    out
}

/// Whether there is more to say of a container than its path.
fn holds_something(container: &Container, base: &Base) -> bool {
    container.has_content()
        || match &container.content {
            Content::Map(map) => !map.created.is_empty(),
            // Who goes on counting goes on from there, though it was reset.
            Content::Counter(counter) => {
                counter.counts().any(|(replica, _)| base.writers().get(replica) > 0)
            }
            _ => false,
        }
}

struct ContentWriter<'a> {
    /// Who wrote what is visible, by number.
    authors: SendTable<ReplicaId>,
    base: &'a Base,
    out: Writer,
}

impl ContentWriter<'_> {
    fn content(&mut self, content: &Content) {
        match content {
            Content::Map(map) => self.map(map),
            Content::Set(set) => {
                self.out.count(set.len());
                for (element, dots) in set.iter() {
                    element.encode(&mut self.out);
                    self.dots(dots);
                }
            }
            Content::Counter(counter) => self.counter(counter),
            Content::Text(text) => {
                let rope = text.rope();
                self.out.count(rope.len_bytes() as usize);
                rope.chunks().for_each(|chunk| self.out.raw(chunk.as_bytes()));
            }
            Content::Unknown => unreachable!("what is not known is not trimmed"),
        }
    }

    fn map(&mut self, map: &MapContent) {
        self.out.count(map.values.len());
        for (key, writes) in map.values.iter() {
            self.out.string(key);
            self.out.count(writes.entries().len());
            for (dot, (stamp, value)) in writes.entries() {
                self.dot(*dot);
                self.out.varint(*stamp);
                value.encode(&mut self.out);
            }
        }
        self.out.count(map.created.len());
        for ((key, kind), dots) in map.created.iter() {
            self.out.string(key);
            kind.encode(&mut self.out);
            self.dots(dots);
        }
    }

    /// What forgotten writers have counted is one sum: they count no more, and whoever resets the
    /// counter from here on has seen all of it.
    fn counter(&mut self, counter: &ResetCounter) {
        let mut settled = counter.settled();
        let mut remembered: Vec<(ReplicaId, Counts)> = Vec::new();
        for (replica, counts) in counter.counts() {
            if self.base.writers().get(replica) > 0 {
                remembered.push((replica, counts));
                continue;
            }
            let (up, down) = (counts.up - counts.up_cancelled, counts.down - counts.down_cancelled);
            if up > 0 || down > 0 {
                *settled.get_or_insert(0) += i128::from(up) - i128::from(down);
            }
        }
        match settled {
            None => self.out.u8(0),
            Some(sum) => {
                self.out.u8(1);
                self.out.signed((sum >> 64) as i64);
                self.out.varint(sum as u64);
            }
        }
        self.out.count(remembered.len());
        for (replica, counts) in remembered {
            self.authors.write(&replica, 0, 0, &mut self.out);
            for count in [counts.up, counts.down, counts.up_cancelled, counts.down_cancelled] {
                self.out.varint(count);
            }
        }
    }

    fn dots(&mut self, dots: &DotSet) {
        self.out.count(dots.dots().len());
        dots.dots().iter().for_each(|&dot| self.dot(dot));
    }

    fn dot(&mut self, dot: Dot) {
        self.authors.write(&dot.replica, 0, 0, &mut self.out);
        self.out.varint(dot.seq);
    }
}
