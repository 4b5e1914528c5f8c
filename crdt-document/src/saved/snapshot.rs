//! What a saved document shows, and what has to be known to write on it.
//!
//! It is the [base](crate::base) that the document would begin with if all of its history were
//! trimmed, and of the writers only those of its heads remembered. Before it stand how many events
//! there are and how many more there is room for, and the texts that had content once and have none:
//! asked for an older version they have some again.

use alloc::vec::Vec;

use crdt_core::VersionVector;
use crdt_core::causality::{Base, Lv};
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Reader, Writer};
use crdt_core::collections::sort_by_key;

use crate::base;
use crate::container::Container;
use crate::state::State;
use crate::{Kind, Path};

/// Writes what is visible in a state whose history is at hand. `None` if that cannot be told apart
/// from its history: nothing has happened yet, a later release has written what this one cannot
/// read, there is no room for a Lamport time, or somebody wrote under an id that was forgotten, so that
/// its numbers mean two things.
pub(super) fn write(state: &State) -> Option<Vec<u8>> {
    let graph = &state.graph;
    let containers =
        || (0..state.containers.len()).map(|number| (number, &state.containers[number]));
    if containers().any(|(_, container)| container.unsupported) {
        return None;
    }
    let lamport = graph.frontier().iter().map(|&tip| graph.lamport(tip)).max()?;
    let base = Base::new(graph.frontier_dots(), lamport, VersionVector::new()).ok()?;
    let mut out = Writer::new();
    out.varint(graph.len().into());
    out.varint(graph.room().into());
    let silent = containers().filter(|(_, container)| is_silent(container));
    let mut silent: Vec<Vec<u8>> = silent.map(|(number, _)| state.containers.key(number)).collect();
    sort_by_key(&mut silent, Clone::clone);
    out.count(silent.len());
    silent.iter().for_each(|path| out.raw(path));
    out.raw(&base::write(state, &base));
    let bytes = out.into_bytes();
    Snapshot::read(&bytes).is_ok().then_some(bytes)
}

/// Whether it is a text that had content once, and has none.
fn is_silent(container: &Container) -> bool {
    let text = container.text().filter(|text| text.is_empty());
    text.is_some_and(|text| !text.base_text().is_empty() || text.ops(0..Lv::MAX).next().is_some())
}

/// A snapshot that was read.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// What is visible, as if all that led to it had been trimmed.
    pub(super) state: State,
    /// How many events there are.
    pub(super) events: Lv,
    /// For how many more there is room.
    pub(super) room: Lv,
}

impl Snapshot {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (events, room, silent, at) = parts(bytes)?;
        let moved = |error: DecodeError| error.kind.at(at + error.at);
        let mut state = base::begin(&bytes[at..]).map_err(moved)?.state;
        let heads = state.graph.len();
        if events < heads || room > Lv::MAX - events {
            return Err(DecodeErrorKind::OutOfRange.at(0));
        }
        for path in &silent {
            state.containers.enter(path);
        }
        Ok(Self { state, events, room })
    }
}

/// The silent texts and the base of a snapshot that was read before.
pub(super) fn silent_and_base(bytes: &[u8]) -> (Vec<Path>, &[u8]) {
    let (.., silent, at) = parts(bytes).expect("it was read before");
    (silent, &bytes[at..])
}

/// The events, the room for more, the silent texts, and where the base begins.
fn parts(bytes: &[u8]) -> Result<(Lv, Lv, Vec<Path>, usize), DecodeError> {
    let mut input = Reader::new(bytes);
    let (events, room) = (input.varint_u32()?, input.varint_u32()?);
    let count = input.count(3)?;
    let mut silent: Vec<Path> = Vec::new();
    let mut last: Option<&[u8]> = None;
    for _ in 0..count {
        let at = input.position();
        let path = Path::decode(&mut input)?;
        let key = &bytes[at..input.position()];
        // Of what a later release has written there is no snapshot.
        let is_known = path.steps().iter().all(|step| !matches!(step.kind(), Kind::Unknown(_)));
        if path.kind() != Kind::Text || !is_known || last.is_some_and(|last| last >= key) {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        last = Some(key);
        silent.push(path);
    }
    Ok((events, room, silent, input.position()))
}
