use alloc::vec::Vec;
use core::ops::Range;

use crdt_core::causality::{ChangeRun, Lv};
use crdt_core::codec::Writer;
use crdt_core::collections::OrderedMap;
use crdt_core::{Dot, ReplicaId};

use super::plan::NewRun;
use crate::Kind;
use crate::codec::StreamWriter;
use crate::codec::body::{self, Body};
use crate::op::Piece;
use crate::state::State;

/// What some changes of one replica consist of, in a form that is equal for equal changes,
/// wherever they are taken from and however they are cut.
#[derive(Default)]
pub(super) struct Content {
    runs: Vec<ChangeRun>,
    numbers: OrderedMap<Vec<u8>, u32>,
    streams: Vec<StreamWriter>,
    places: Vec<(usize, u32)>,
}

/// [`Content`] when all is gathered.
#[derive(PartialEq)]
pub(super) struct Finished {
    runs: Vec<ChangeRun>,
    numbers: OrderedMap<Vec<u8>, u32>,
    places: Vec<(usize, u32)>,
    bytes: Vec<u8>,
}

impl Content {
    /// Adds changes of a body: those of `header`, which begin at the body's event `event`.
    pub(super) fn add(&mut self, source: &Body, header: ChangeRun, event: u32) {
        let events = header.events() as u32;
        body::push_run(&mut self.runs, header);
        source.places(event..event + events, |container, local| {
            let key = source.key(container).to_vec();
            let number = self.place(key, source.kind(container), local.len() as u32);
            source.pieces(container, local, &mut |_, piece| self.streams[number].push(&piece));
        });
    }

    /// Adds part of changes that are new themselves. `None` if the part cuts one.
    pub(super) fn add_new(
        &mut self,
        bodies: &[&Body],
        run: &NewRun,
        first: u64,
        last: u64,
    ) -> Option<()> {
        let len = u64::from(run.header.change_len);
        let (before, events) = (first - run.header.seq, last - first + 1);
        if !before.is_multiple_of(len) || !events.is_multiple_of(len) {
            return None;
        }
        let mut header = run.header.clone();
        if before > 0 {
            header.parents.clear();
        }
        header.seq = first;
        header.count = (events / len) as u32;
        self.add(bodies[run.body], header, run.event + before as u32);
        Some(())
    }

    /// Adds changes that are held. `None` if the range cuts one, as it does where it begins before
    /// what was trimmed and ends behind it.
    pub(super) fn add_held(
        &mut self,
        state: &State,
        replica: ReplicaId,
        first: u64,
        last: u64,
    ) -> Option<()> {
        let trimmed = state.graph.base().map_or(0, |base| base.writers().get(replica));
        if first <= trimmed {
            return None;
        }
        let ranges = held_ranges(state, replica, first, last);
        let whole = |range: &Range<Lv>| {
            state.graph.is_change_start(range.start) && state.graph.is_change_start(range.end)
        };
        if !ranges.iter().all(whole) {
            return None;
        }
        for run in body::runs(state, &ranges) {
            body::push_run(&mut self.runs, run);
        }
        for range in ranges {
            for (owner, lvs) in state.owners.runs(range) {
                let container = &state.containers[owner];
                let key = state.containers.key(owner);
                let number = self.place(key, container.kind(), lvs.len() as u32);
                container.for_each_piece(lvs, &mut |_, piece: Piece<'_>| {
                    self.streams[number].push(&piece);
                });
            }
        }
        Some(())
    }

    pub(super) fn finish(self) -> Finished {
        let mut out = Writer::new();
        self.streams.into_iter().for_each(|stream| stream.finish(&mut out));
        let Self { runs, numbers, places, .. } = Self { streams: Vec::new(), ..self };
        Finished { runs, numbers, places, bytes: out.into_bytes() }
    }

    fn place(&mut self, key: Vec<u8>, kind: Kind, events: u32) -> usize {
        let next = self.streams.len();
        let number = *self.numbers.entry(key).or_insert(next as u32) as usize;
        if number == next {
            self.streams.push(StreamWriter::new(kind));
        }
        match self.places.last_mut() {
            Some((last, len)) if *last == number => *len += events,
            _ => self.places.push((number, events)),
        }
        number
    }
}

/// Where a replica's events are in the graph, in their order.
pub(crate) fn held_ranges(
    state: &State,
    replica: ReplicaId,
    first: u64,
    last: u64,
) -> Vec<Range<Lv>> {
    let mut ranges: Vec<Range<Lv>> = Vec::new();
    let mut seq = first;
    while seq <= last {
        let range = state.graph.run_from(Dot::new(replica, seq)).expect("the events are held");
        let len = (range.len() as u64).min(last - seq + 1);
        let end = range.start + len as Lv;
        match ranges.last_mut() {
            Some(held) if held.end == range.start => held.end = end,
            _ => ranges.push(range.start..end),
        }
        seq += len;
    }
    ranges
}
