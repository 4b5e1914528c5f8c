//! A set of changes as it travels: headers first, then which container each event belongs
//! to, then what the events of each container do. See `docs/format.md`.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_causal::sync::{ReceiveTables, SendTables};
use crdt_core::causality::{ChangeRun, Lv};
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::collections::OrderedMap;
use crdt_core::{Dot, ReplicaId};
use smallvec::SmallVec;

use super::stream::{Stream, StreamWriter};
use crate::base::BaseBytes;
use crate::op::Piece;
use crate::state::State;
use crate::{Kind, Path};

/// Says, where a container is first named in a body, that its stream holds operations that
/// the sender itself may not know. Only texts need it: their edits have no room for a code.
const FLAG_EXTENDED: u64 = 1;
const FLAG_BITS: u32 = 1;

/// Writes the changes of `ranges`, which is an order that causality allows, and before them the
/// base that they follow, if the reader does not have it.
pub(crate) fn write(
    state: &State,
    base: Option<&[u8]>,
    ranges: &[Range<Lv>],
    tables: &mut SendTables,
    out: &mut Writer,
) {
    if let Some(base) = base {
        out.count(0);
        out.bytes(base);
    }
    let runs = runs(state, ranges);
    out.count(runs.len());
    tables.changes.begin_body();
    for run in &runs {
        tables.changes.write(run, &mut tables.replicas, out);
    }

    let mut numbers: OrderedMap<u32, u32> = OrderedMap::new();
    let mut streams: Vec<(u32, StreamWriter)> = Vec::new();
    let mut placement: Vec<(usize, u32)> = Vec::new();
    for range in ranges {
        for (owner, lvs) in state.owners.runs(range.clone()) {
            let container = &state.containers[owner];
            let number = *numbers.entry(owner).or_insert_with(|| {
                streams.push((owner, StreamWriter::new(container.kind())));
                streams.len() as u32 - 1
            }) as usize;
            match placement.last_mut() {
                Some((last, len)) if *last == number => *len += lvs.len() as u32,
                _ => placement.push((number, lvs.len() as u32)),
            }
            container.for_each_piece(lvs, &mut |_, piece| streams[number].1.push(&piece));
        }
    }

    let mut left: u64 = placement.iter().map(|&(_, len)| u64::from(len)).sum();
    let mut named = 0;
    for (number, len) in placement {
        let first = number == named;
        named += usize::from(first);
        let extended = first && streams[number].1.is_extended();
        let key = state.containers.key(streams[number].0);
        tables.keys.write(&key, u64::from(extended) * FLAG_EXTENDED, FLAG_BITS, out);
        if left > 1 {
            out.varint(u64::from(len));
        }
        left -= u64::from(len);
    }
    for (_, stream) in streams {
        stream.finish(out);
    }
}

/// The headers of `ranges`, in runs as long as they can be.
pub(crate) fn runs(state: &State, ranges: &[Range<Lv>]) -> Vec<ChangeRun> {
    let mut runs: Vec<ChangeRun> = Vec::new();
    for range in ranges {
        for span in state.graph.changes(range.clone()) {
            push_run(
                &mut runs,
                ChangeRun {
                    replica: span.replica,
                    seq: span.seq,
                    change_len: span.change_len,
                    count: span.count,
                    parents: state.graph.explicit_parents(span.lvs.start),
                },
            );
        }
    }
    runs
}

/// Appends changes, to the last run if they continue it.
pub(crate) fn push_run(runs: &mut Vec<ChangeRun>, run: ChangeRun) {
    match runs.last_mut() {
        Some(last)
            if run.parents.is_empty()
                && last.replica == run.replica
                && last.change_len == run.change_len
                && last.last().seq + 1 == run.seq =>
        {
            last.count += run.count;
        }
        _ => runs.push(run),
    }
}

/// A body that was read: well formed, its operations not yet taken out.
#[derive(Debug)]
pub(crate) struct Body {
    /// What the streams refer into.
    bytes: Box<[u8]>,
    replicas: Vec<ReplicaId>,
    rows: Vec<Row>,
    /// Who issued each explicit parent, and its number.
    parent_replicas: Vec<u32>,
    parent_seqs: Vec<u64>,
    placement: Vec<Placement>,
    containers: Vec<BodyContainer>,
    events: u32,
    base: Option<BaseBytes>,
}

/// Header of consecutive changes; the small form of a [`ChangeRun`].
#[derive(Clone, Copy, Debug)]
struct Row {
    seq: u64,
    replica: u32,
    change_len: u32,
    count: u32,
    /// The first event's place among all events of the body.
    start: u32,
    /// Where this row's parents end.
    parents_end: u32,
}

/// From event `start` of the body on, events belong to a container.
#[derive(Clone, Copy, Debug)]
struct Placement {
    start: u32,
    container: u32,
    /// The first event's place among those of the container.
    local: u32,
}

#[derive(Debug)]
struct BodyContainer {
    key: Box<[u8]>,
    stream: Stream,
}

impl Body {
    /// Reads a body from the front of `input`.
    pub(crate) fn read(
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Self, DecodeError> {
        let mut body = Self {
            bytes: Box::default(),
            replicas: Vec::new(),
            rows: Vec::new(),
            parent_replicas: Vec::new(),
            parent_seqs: Vec::new(),
            placement: Vec::new(),
            containers: Vec::new(),
            events: 0,
            base: None,
        };
        body.read_headers(input, tables)?;
        let containers = body.read_placement(input, tables)?;
        body.read_streams(containers, input, tables)?;
        Ok(body)
    }

    fn read_headers(
        &mut self,
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<(), DecodeError> {
        let mut count = input.count(2)?;
        if count == 0 && !input.is_empty() {
            let bytes = input.bytes()?;
            let at = input.position() - bytes.len();
            self.base = Some(BaseBytes { bytes: bytes.into(), at });
            count = input.count(2)?;
        }
        self.rows.reserve_exact(input.capacity(count, size_of::<Row>()));
        tables.changes.begin_body();
        let mut numbers: OrderedMap<ReplicaId, u32> = OrderedMap::new();
        let mut number = |replica: ReplicaId, replicas: &mut Vec<ReplicaId>| {
            *numbers.entry(replica).or_insert_with(|| {
                replicas.push(replica);
                replicas.len() as u32 - 1
            })
        };
        for _ in 0..count {
            let at = input.position();
            let run = tables.changes.read(&mut tables.replicas, input)?;
            let start = self.events;
            self.events = u32::try_from(run.events())
                .ok()
                .and_then(|events| start.checked_add(events))
                .ok_or(DecodeErrorKind::OutOfRange.at(at))?;
            for parent in &run.parents {
                self.parent_replicas.push(number(parent.replica, &mut self.replicas));
                self.parent_seqs.push(parent.seq);
            }
            self.rows.push(Row {
                seq: run.seq,
                replica: number(run.replica, &mut self.replicas),
                change_len: run.change_len,
                count: run.count,
                start,
                parents_end: self.parent_seqs.len() as u32,
            });
        }
        Ok(())
    }

    /// Reads which container each event belongs to; returns each container's number in the
    /// table, how many events it has, and whether its stream is extended.
    fn read_placement(
        &mut self,
        input: &mut Reader<'_>,
        tables: &mut ReceiveTables,
    ) -> Result<Vec<(u32, u32, bool)>, DecodeError> {
        let mut containers: Vec<(u32, u32, bool)> = Vec::new();
        let mut numbers: OrderedMap<u32, u32> = OrderedMap::new();
        let mut start = 0;
        while start < self.events {
            let at = input.position();
            let (number, flags) = tables.keys.read(FLAG_BITS, input)?;
            let left = self.events - start;
            let container = match numbers.get(&number) {
                Some(&container) if flags == 0 => container,
                Some(_) => return Err(DecodeErrorKind::NotCanonical.at(at)),
                None => {
                    containers.push((number, 0, flags == FLAG_EXTENDED));
                    numbers.insert(number, containers.len() as u32 - 1);
                    containers.len() as u32 - 1
                }
            };
            if self.placement.last().is_some_and(|last| last.container == container) {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            let at = input.position();
            let len = if left == 1 { 1 } else { input.varint_max(u64::from(left))? as u32 };
            if len == 0 {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let local = &mut containers[container as usize].1;
            self.placement.push(Placement { start, container, local: *local });
            *local += len;
            start += len;
        }
        Ok(containers)
    }

    fn read_streams(
        &mut self,
        containers: Vec<(u32, u32, bool)>,
        input: &mut Reader<'_>,
        tables: &ReceiveTables,
    ) -> Result<(), DecodeError> {
        let base = input.position();
        let moved = |error: DecodeError| DecodeError { at: base + error.at, ..error };
        let mut rest = Reader::new(input.rest());
        self.containers.reserve_exact(containers.len());
        for (number, events, extended) in containers {
            let key = tables.keys.get(number).expect("the table returns numbers that it knows");
            let mut path = Reader::new(key);
            let kind = Path::skip(&mut path)
                .and_then(|kind| path.finish().map(|()| kind))
                .map_err(|error| error.kind.at(base))?;
            if extended && kind != Kind::Text {
                return Err(DecodeErrorKind::NotCanonical.at(base));
            }
            let stream = Stream::read(kind, events, extended, &mut rest).map_err(moved)?;
            self.containers.push(BodyContainer { key: key[..].into(), stream });
        }
        self.bytes = input.take(rest.position())?.into();
        Ok(())
    }

    /// What its changes follow, if it brings that.
    pub(crate) const fn base(&self) -> Option<&BaseBytes> {
        self.base.as_ref()
    }

    /// How many rows of headers there are.
    pub(crate) fn rows(&self) -> u32 {
        self.rows.len() as u32
    }

    /// How many containers there are.
    pub(crate) fn containers(&self) -> u32 {
        self.containers.len() as u32
    }

    /// The bytes that name a container.
    pub(crate) fn key(&self, container: u32) -> &[u8] {
        &self.containers[container as usize].key
    }

    /// The kind of a container.
    pub(crate) fn kind(&self, container: u32) -> Kind {
        self.containers[container as usize].stream.kind()
    }

    /// The path of a container.
    pub(crate) fn path(&self, container: u32) -> Path {
        let mut key = Reader::new(&self.containers[container as usize].key);
        Path::decode(&mut key).expect("the path was read before")
    }

    /// The header of `count` changes of row `row`, after its first `skip`.
    pub(crate) fn header(&self, row: u32, skip: u32, count: u32) -> ChangeRun {
        let index = row as usize;
        let row = self.rows[index];
        let first = index.checked_sub(1).map_or(0, |before| self.rows[before].parents_end);
        let mut parents: SmallVec<[Dot; 2]> = SmallVec::new();
        if skip == 0 {
            let range = first as usize..row.parents_end as usize;
            parents.extend(range.map(|parent| {
                let replica = self.replicas[self.parent_replicas[parent] as usize];
                Dot::new(replica, self.parent_seqs[parent])
            }));
        }
        ChangeRun {
            replica: self.replicas[row.replica as usize],
            seq: row.seq + u64::from(skip) * u64::from(row.change_len),
            change_len: row.change_len,
            count,
            parents,
        }
    }

    /// The first event of a row's change.
    pub(crate) fn first(&self, row: u32, change: u32) -> Dot {
        let row = self.rows[row as usize];
        let seq = row.seq + u64::from(change) * u64::from(row.change_len);
        Dot::new(self.replicas[row.replica as usize], seq)
    }

    /// How many changes row `row` has.
    pub(crate) fn changes(&self, row: u32) -> u32 {
        self.rows[row as usize].count
    }

    /// The place among all events of the body of the first event of a row's change.
    pub(crate) fn event(&self, row: u32, change: u32) -> u32 {
        let row = self.rows[row as usize];
        row.start + change * row.change_len
    }

    /// Calls `found` with the container and the stream's events of each piece of the body's
    /// events `first..end`.
    pub(crate) fn places(&self, events: Range<u32>, mut found: impl FnMut(u32, Range<u32>)) {
        let mut index = self.placement.partition_point(|place| place.start <= events.start);
        let mut event = events.start;
        while event < events.end {
            let place = self.placement[index - 1];
            let end = self.placement.get(index).map_or(self.events, |next| next.start);
            let end = end.min(events.end);
            let local = place.local + (event - place.start);
            found(place.container, local..local + (end - event));
            event = end;
            index += 1;
        }
    }

    /// Calls `found` with what the events of a container's stream do, each piece with the
    /// stream's index of its first event.
    pub(crate) fn pieces<'a>(
        &'a self,
        container: u32,
        local: Range<u32>,
        found: &mut dyn FnMut(u32, Piece<'a>),
    ) {
        self.containers[container as usize].stream.pieces(local, &self.bytes, found);
    }
}

/// The bytes under which a table holds a container.
pub(crate) fn key(path: &Path) -> Vec<u8> {
    let mut out = Writer::new();
    path.encode(&mut out);
    out.into_bytes()
}
