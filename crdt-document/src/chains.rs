use alloc::vec::Vec;

use crdt_causal::sync::ChainHash;
use crdt_core::codec::Writer;
use crdt_core::collections::OrderedMap;
use crdt_core::sequence::TextOp;
use crdt_core::{Dot, DotRange, ReplicaId};

use crate::codec::StreamWriter;
use crate::import::held_ranges;
use crate::op::Piece;
use crate::state::State;

/// The running hash of each replica's events, at every 256th or so: what lies between is
/// computed from the events when somebody asks.
///
/// It takes 16 bytes for each 256 events of a replica, and nothing for a replica with fewer;
/// a local change costs a comparison, and each event once four to six nanoseconds, measured by the
/// benchmark `causal`.
#[derive(Debug, Default)]
pub(crate) struct Chains(OrderedMap<ReplicaId, Vec<(u64, ChainHash)>>);

/// About so many events of a replica are hashed for one question, twice as many at most, and those
/// of one change.
const STEP: u64 = 256;

const OP: u64 = 0;
const INSERT: u64 = 1;
const DELETE: u64 = 2;
const CLEAR: u64 = 3;
const CODE_BITS: u32 = 3;
/// The event begins a change.
const STARTS: u64 = 4;
/// What no event is: an insertion of no character.
const INSIDE: u64 = u64::MAX;

impl Chains {
    /// The running hash up to the event `dot`; `None` if it is not held, or if it was trimmed and is not the last
    /// one of a replica that is remembered.
    pub(crate) fn at(&self, state: &State, dot: Dot) -> Option<ChainHash> {
        if !state.graph.version().contains(dot) {
            return None;
        }
        if let Some(lv) = state.graph.lv_of(dot)
            && !state.graph.is_change_start(lv + 1)
        {
            // Changes are seen whole, so that whoever asks has another one, which ends here: any
            // hash will do that no change has.
            let end = state.graph.dot_of(state.graph.change_of(lv).end - 1);
            return self.at(state, end).map(|hash| hash.word(INSIDE));
        }
        let held = self.0.get(&dot.replica).map_or(&[][..], Vec::as_slice);
        let before = held.partition_point(|&(seq, _)| seq <= dot.seq).checked_sub(1);
        let (seq, hash) = before.map_or((0, ChainHash::START), |index| held[index]);
        go_on(state, dot.replica, seq, dot.seq, hash)
    }

    /// Remembers the hash up to the last trimmed event of a replica.
    pub(crate) fn begin(&mut self, last: Dot, hash: ChainHash) {
        self.0.insert(last.replica, alloc::vec![(last.seq, hash)]);
    }

    /// Whether there may be something to remember after new events, as is seldom so.
    pub(crate) const fn grows_by(new: &DotRange) -> bool {
        (new.first - 1) / STEP != new.last / STEP
    }

    /// Remembers the hashes of a replica that has more events now.
    pub(crate) fn extend(&mut self, state: &State, replica: ReplicaId) {
        let last = state.graph.version().get(replica);
        loop {
            let held = self.0.get(&replica).and_then(|held| held.last());
            let (seq, hash) = held.copied().unwrap_or((0, ChainHash::START));
            if last - seq < STEP {
                return;
            }
            // Changes are hashed whole.
            let Some(lv) = state.graph.lv_of(Dot::new(replica, seq + STEP)) else { return };
            let end = state.graph.dot_of(state.graph.change_of(lv).end - 1).seq;
            let Some(hash) = go_on(state, replica, seq, end, hash) else { return };
            self.0.entry(replica).or_default().push((end, hash));
        }
    }
}

/// The hash up to event `last`, from that up to event `seq`.
fn go_on(
    state: &State,
    replica: ReplicaId,
    seq: u64,
    last: u64,
    mut hash: ChainHash,
) -> Option<ChainHash> {
    let graph = &state.graph;
    let trimmed = graph.base().map_or(0, |base| base.writers().get(replica));
    if seq < trimmed {
        return None;
    }
    // The container of the last piece, and the hash of its path.
    let mut place: Option<(u32, u64)> = None;
    for range in held_ranges(state, replica, seq + 1, last) {
        if !graph.is_change_start(range.start) || !graph.is_change_start(range.end) {
            return None;
        }
        for span in graph.changes(range) {
            for parent in graph.explicit_parents(span.lvs.start) {
                hash = hash.bytes(&parent.replica.to_bytes()).word(parent.seq);
            }
            let mut starts = span.lvs.start;
            state.for_each_piece(span.lvs, |number, kind, mut lv, piece| {
                let path = match place {
                    Some((held, path)) if held == number => path,
                    _ => ChainHash::START.bytes(&state.containers.key(number)).0,
                };
                place = Some((number, path));
                // What an event does, but for its code and whether it starts a change.
                let mut event = |code: u64, what: u64| {
                    let start = if lv == starts { STARTS } else { 0 };
                    starts += if lv == starts { span.change_len } else { 0 };
                    lv += 1;
                    hash = hash.word(path ^ (what << CODE_BITS | start | code));
                };
                match piece {
                    Piece::Text(TextOp::Insert { at, content }) => {
                        for (at, character) in (u64::from(at)..).zip(content.chars()) {
                            event(INSERT, at << 21 | u64::from(character));
                        }
                    }
                    Piece::Text(TextOp::Delete { at, len, forward }) => {
                        for index in 0..len {
                            let at = if forward { at } else { at + (len - 1 - index) };
                            event(DELETE, at.into());
                        }
                    }
                    Piece::Text(TextOp::Clear { len }) => {
                        (0..len).for_each(|_| event(CLEAR, 0));
                    }
                    Piece::Op { op, len } => {
                        let mut stream = StreamWriter::new(kind);
                        stream.push(&Piece::Op { op, len: 1 });
                        let mut bytes = Writer::new();
                        stream.finish(&mut bytes);
                        let what = ChainHash::START.bytes(bytes.as_bytes()).0;
                        (0..len).for_each(|_| event(OP, what));
                    }
                }
            });
        }
    }
    Some(hash)
}
