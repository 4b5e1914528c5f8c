use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crdt_causal::sync::{ReceiveTables, SendTables};
use crdt_core::causality::Lv;
use crdt_core::codec::{Reader, Writer};
use crdt_core::{Frontier, ReplicaId, VersionVector};

use super::{BaseBytes, write_with_hashes};
use crate::ChangeSet;
use crate::codec::body::{self, Body};
use crate::history;
use crate::import;
use crate::op::Op;
use crate::state::State;

/// What [`Document::trim`](crate::Document::trim) did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trimmed {
    /// The version that the history begins with now.
    pub base: Frontier,
    /// How many events were dropped.
    pub events: u64,
    /// How many replica ids have left the table.
    pub forgotten: usize,
}

/// The state without the history below the greatest cut in `stable`, if there is any to drop and a base
/// can stand for it.
pub(crate) fn trim(
    state: &State,
    stable: &VersionVector,
    remember: &dyn Fn(ReplicaId) -> bool,
) -> Option<(State, Trimmed)> {
    let graph = &state.graph;
    let mut cut = graph.trim_point(stable);
    if let Some(first) = first_unsupported(state).filter(|&first| first < cut) {
        // Nobody here can say what is visible after it.
        let mut before = graph.clone();
        before.truncate(graph.change_of(first).start);
        cut = graph.trim_point(before.version());
    }
    if cut == 0 {
        return None;
    }
    let base = graph.base_before(cut, remember);
    // Where there is no more to drop there may be writers to forget.
    if graph.base() == Some(&base) {
        return None;
    }
    let (mut below, mut above) = (Vec::new(), Vec::new());
    for range in history::canonical_order(graph) {
        let middle = cut.clamp(range.start, range.end);
        below.extend(Some(range.start..middle).filter(|part| !part.is_empty()));
        above.extend(Some(middle..range.end).filter(|part| !part.is_empty()));
    }
    let then = replay(state, state.base.clone(), &below);
    let bytes: Arc<[u8]> = write_with_hashes(&then, &base).into();
    drop(then);
    // Where somebody has written under an id that was forgotten its numbers mean two things, and no
    // base can say so.
    let begun = BaseBytes { bytes, at: 0 }.begin().ok()?.state;
    let trimmed = replay_on(begun, state, &above);
    let told = Trimmed {
        base: base.heads().clone(),
        events: u64::from(cut - graph.first()),
        forgotten: graph.version().len() - trimmed.graph.version().len(),
    };
    Some((trimmed, told))
}

/// The state that events of another one lead to, from a base on.
pub(crate) fn replay(source: &State, base: Option<Arc<[u8]>>, ranges: &[Range<Lv>]) -> State {
    let begun = match base {
        None => State::new(),
        Some(bytes) => BaseBytes { bytes, at: 0 }.begin().expect("a base can be read").state,
    };
    replay_on(begun, source, ranges)
}

/// A state with the events of another one, which follow it.
fn replay_on(mut state: State, source: &State, ranges: &[Range<Lv>]) -> State {
    let mut out = Writer::new();
    body::write(source, None, ranges, &mut SendTables::new(), &mut out);
    let mut input = Reader::new(out.as_bytes());
    let body = Body::read(&mut input, &mut ReceiveTables::new()).expect("it was just written");
    for piece in ChangeSet::pieces(body, import::PIECE_ROWS_MIN) {
        import::import(&mut state, &piece, &mut |_| true, None, None)
            .expect("what is held is valid");
    }
    state
}

/// The first event that did what this release does not know.
fn first_unsupported(state: &State) -> Option<Lv> {
    let containers = (0..state.containers.len()).map(|number| &state.containers[number]);
    let logs = containers.filter(|container| container.unsupported).map(|container| &container.log);
    logs.filter_map(|log| {
        let mut pieces = log.pieces(0..Lv::MAX);
        pieces.find(|(.., op)| matches!(op, Op::Extension(_) | Op::Text(_))).map(|(lv, ..)| lv)
    })
    .min()
}
