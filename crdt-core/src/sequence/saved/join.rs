//! Joining what goes straight on, without a look at the history.

use alloc::vec::Vec;

use smallvec::SmallVec;

use super::past::Past;
use crate::causality::{ChangeRun, Lv};
use crate::collections::OrderedMap;
use crate::sequence::run::{Run, TextOp};
use crate::sequence::text_store::TextStore;
use crate::sequence::{Text, TextDelta, TextPatch};
use crate::{Dot, ReplicaId, SEQ_MAX};

impl Text {
    /// Takes in deltas of which each change follows everything that came before it, and tells what
    /// they changed, unless they are others or something is wrong with them: then the history
    /// has to be looked at, and nothing is changed.
    pub(in crate::sequence) fn join_line(
        &mut self,
        deltas: &[&TextDelta],
        mut patches: Option<&mut Vec<TextPatch>>,
    ) -> bool {
        let Self { past: Some(past), store, .. } = self else { return false };
        if !Line::new(past, store).goes_on(deltas) {
            return false;
        }
        for delta in deltas {
            let changes = delta.changes();
            let mut at = 0;
            for change in delta.headers() {
                let (mut lv, events) = (past.end(), change.events() as u32);
                past.push(&change);
                for (_, op) in changes.ops.pieces(at..at + events) {
                    let run = Run::of(&op).expect("what was read is well formed");
                    if let Some(patches) = &mut patches {
                        patches.extend(patch(store, &op));
                    }
                    past.note(store, &op);
                    store.write(lv, run, op.content());
                    lv += run.len;
                }
                at += events;
            }
        }
        true
    }
}

/// What an edit is about to change.
fn patch(store: &TextStore, op: &TextOp<'_>) -> Option<TextPatch> {
    let (at, deleted) = match *op {
        TextOp::Insert { at, .. } => (at, 0),
        TextOp::Delete { at, len, .. } => (at, len),
        TextOp::Clear { .. } => (0, store.len_chars()),
    };
    let utf16 = |at| store.rope().char_to_utf16(at).expect("it was found to be in bounds");
    let at_utf16 = utf16(at);
    let deleted_utf16 = utf16(at + deleted) - at_utf16;
    let inserted = op.content().into();
    let patch = TextPatch { at, deleted, inserted, at_utf16, deleted_utf16 };
    (patch.deleted > 0 || !patch.inserted.is_empty()).then_some(patch)
}

/// The end of a line of changes, moved on by those that are looked at.
struct Line<'a> {
    past: &'a Past,
    store: &'a TextStore,
    /// The maximal events, ascending.
    tips: SmallVec<[Dot; 2]>,
    /// The last sequence numbers of those who went on.
    last: OrderedMap<ReplicaId, u64>,
    lv: Lv,
    bytes: usize,
    length: u32,
}

impl<'a> Line<'a> {
    fn new(past: &'a Past, store: &'a TextStore) -> Self {
        let (lv, length) = (past.end(), store.len_chars());
        let tips = past.frontier().iter().collect();
        Self { past, store, tips, last: OrderedMap::new(), lv, bytes: 0, length }
    }

    /// Whether each change of the deltas goes on with the line, and fits.
    fn goes_on(mut self, deltas: &[&TextDelta]) -> bool {
        deltas.iter().all(|delta| {
            let changes = delta.changes();
            let mut ops = changes.ops.pieces(0..changes.ops.events());
            delta.headers().all(|change| self.takes(&change))
                && ops.all(|(_, op)| self.fits(&op))
                && self.store.has_room(self.lv, 0, self.bytes)
        })
    }

    fn takes(&mut self, change: &ChangeRun) -> bool {
        let ChangeRun { replica, seq, parents, .. } = change;
        let known = self.last.get(replica).copied();
        let known = known.unwrap_or_else(|| self.past.version().get(*replica));
        let explicit = self.tips.iter().filter(|tip| tip.replica != *replica);
        let events = change.events();
        let Some(lv) = u32::try_from(events).ok().and_then(|events| self.lv.checked_add(events))
        else {
            return false;
        };
        let has_room = events <= SEQ_MAX - known && self.past.has_room(self.lv, events);
        if *seq != known + 1 || !has_room || !explicit.eq(parents.iter()) {
            return false;
        }
        self.last.insert(*replica, change.last().seq);
        self.tips = SmallVec::from_slice(&[change.last()]);
        self.lv = lv;
        true
    }

    fn fits(&mut self, op: &TextOp<'_>) -> bool {
        self.bytes += op.content().len();
        let after = Run::of(op).ok().and_then(|run| run.length_after(self.length));
        after.inspect(|&length| self.length = length).is_some()
    }
}
