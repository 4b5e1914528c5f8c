//! Joining changes as they come, each of which has all that it follows before it.

use smallvec::SmallVec;

use super::offer::Offer;
use crate::causality::Lv;
use crate::sequence::delta::{Changes, Form};
use crate::sequence::one_edit::OneEdit;
use crate::sequence::{Text, TextDelta};
use crate::{Dot, ReplicaId};

/// From so many replicas on, the order of changes makes a difference to a merge.
pub(super) const MANY: usize = if cfg!(test) { 4 } else { 17 };

/// Whether deltas have changes of so many replicas that they are better ordered.
pub(super) fn are_of_many(deltas: &[&TextDelta]) -> bool {
    let mut replicas: SmallVec<[ReplicaId; MANY]> = SmallVec::new();
    for delta in deltas {
        let all = match &delta.form {
            Form::Edit(edit) => core::slice::from_ref(&edit.replica),
            Form::Changes(changes) => changes.headers.replicas(),
        };
        for replica in all {
            if !replicas.contains(replica) {
                replicas.push(*replica);
            }
            if replicas.len() == MANY {
                return true;
            }
        }
    }
    false
}

impl Text {
    /// Takes in an ordinary edit that follows everything known, if it is one.
    pub(super) fn join_edit(&mut self, edit: &OneEdit) -> bool {
        let fits = self.store.check_bounds(edit.at, edit.deleted).is_ok();
        let placed = if fits { self.place_edit(edit) } else { None };
        let Some(parents) = placed.filter(|parents| parents[..] == *self.graph.frontier()) else {
            return false;
        };
        let lv = self.graph.len();
        if self.graph.push(edit.replica, edit.events(), 1, &parents).is_err() {
            return false;
        }
        self.store.splice(lv, edit.at, edit.deleted, (edit.inserted(), edit.chars));
        true
    }

    /// The parents of an edit, if it is new, nothing that it follows is missing, and there is
    /// room for it.
    fn place_edit(&self, edit: &OneEdit) -> Option<SmallVec<[Lv; 2]>> {
        if edit.seq != self.graph.last_of(edit.replica) + 1
            || !self.store.has_room(self.graph.len(), edit.events(), edit.inserted_bytes())
        {
            return None;
        }
        self.graph.full_parents(edit.replica, &edit.parents).ok()
    }

    /// Adds what is new in deltas to the graph and to the log, unless something is missing or
    /// refused; then a part of it may be in the graph, or in both. Returns whether each change
    /// follows everything that came before it.
    pub(super) fn log_in_order(&mut self, deltas: &[&TextDelta]) -> Option<bool> {
        let mut in_line = true;
        for delta in deltas {
            match &delta.form {
                Form::Edit(edit) => {
                    let parents = self.place_edit(edit)?;
                    in_line &= parents[..] == *self.graph.frontier();
                    let pushed = self.graph.push(edit.replica, edit.events(), 1, &parents);
                    let mut lv = pushed.ok()?.start;
                    for op in edit.ops() {
                        lv += self.store.log_other(lv, &op).ok()?;
                    }
                }
                Form::Changes(changes) => in_line &= self.log_changes(changes)?,
            }
        }
        Some(in_line)
    }

    fn log_changes(&mut self, changes: &Changes) -> Option<bool> {
        let offer = Offer::new(changes);
        let headers = offer.headers;
        self.graph.reserve(headers.runs());
        self.store.reserve(offer.ops);
        let mut in_line = true;
        // The events that are new and not in the log yet are `from..at` of the stream.
        let (mut from, mut at) = (0, 0);
        for (index, row) in headers.rows().iter().enumerate() {
            let replica = headers.replica(row.replica);
            let last = self.graph.last_of(replica);
            if row.seq > last + 1 {
                return None;
            }
            let (events, known) = (row.events() as u32, last + 1 - row.seq);
            let mut skip = 0;
            let explicit: SmallVec<[Dot; 2]> = if known == 0 {
                headers.parents(index).iter().map(|&event| headers.dot(event)).collect()
            } else {
                let known = known.min(row.events()) as u32;
                if !self.holds(&offer, index, known, at) {
                    return None;
                }
                self.log_others(&offer, from..at)?;
                from = at + known;
                skip = known / row.change_len;
                SmallVec::new()
            };
            at += events;
            if skip == row.count {
                continue;
            }
            let parents = self.graph.full_parents(replica, &explicit).ok()?;
            in_line &= parents[..] == *self.graph.frontier();
            self.graph.push(replica, row.change_len, row.count - skip, &parents).ok()?;
        }
        self.log_others(&offer, from..at)?;
        Some(in_line)
    }

    /// Logs events of an offer's stream, which are the newest of the graph.
    fn log_others(&mut self, offer: &Offer<'_>, events: core::ops::Range<u32>) -> Option<()> {
        let lv = self.graph.len() - (events.end - events.start);
        self.store.log_others(offer.ops, events, lv).ok()
    }
}
