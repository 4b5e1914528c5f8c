use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt_causal::cut::{Cut, Slot};
use crdt_core::DotRange;
use tokio::sync::watch;

/// Events of one replica that become durable with a [`Write`](super::Write), and have to be
/// numbered with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The events.
    pub range: DotRange,
    /// The server that they came from; `None` for those of clients.
    pub from: Option<Slot>,
}

/// An entry of the admission log: events of one replica in one document, at consecutive
/// positions.
///
/// A server numbers *every* event that becomes visible at it, whether a client or another server
/// brought it, in the order in which it does. So a position names a state of the whole server,
/// and whoever holds everything up to it holds what this server has ever shown up to then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The position of the first of the events.
    pub first: u64,
    /// The document.
    pub document: Arc<str>,
    /// The events.
    pub range: DotRange,
    /// The server that they came from; `None` for those of clients.
    pub from: Option<Slot>,
    /// When they were committed, in milliseconds since 1970.
    pub admitted_at: u64,
}

impl LogEntry {
    /// The position of the last of the events.
    pub const fn last(&self) -> u64 {
        self.first + (self.range.last - self.range.first)
    }
}

/// What a store keeps of its server's place in the realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RealmState {
    /// Tells this log of admissions from any other, a later one under the same slot in particular.
    pub log_id: u64,
    /// The last position that was given out, 0 if none was.
    pub head: u64,
    /// Entries up to this position were forgotten.
    pub forgotten: u64,
    /// What other servers have said, and this one has held durably ever since.
    pub applied: Cut,
    /// Up to which of the positions given out here the other servers have everything.
    pub acknowledged: BTreeMap<Slot, u64>,
    /// Which admission logs the positions of other servers are of.
    pub logs: BTreeMap<Slot, u64>,
    /// What was last noted of the server's part in trimming.
    pub stability: Option<Vec<u8>>,
    /// What has no row of its own in the table of what is [held](super::Held) was admitted up to
    /// this position; `None` if there is no such table.
    pub held_since: Option<u64>,
}

/// What a store is told of its server's place in the realm, from time to time: should it be
/// lost in a crash, it only has to be found out again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RealmNote {
    /// As in [`RealmState`].
    pub applied: Cut,
    /// As in [`RealmState`].
    pub acknowledged: BTreeMap<Slot, u64>,
    /// As in [`RealmState`].
    pub logs: BTreeMap<Slot, u64>,
    /// Entries of the log up to this position are no longer needed.
    pub forget: u64,
    /// The server's part in trimming, if that has changed. It must not be lost.
    pub stability: Option<Vec<u8>>,
}

/// The end of the admission log, in memory.
#[derive(Debug)]
pub(super) struct Tail {
    head: watch::Sender<u64>,
    recent: Mutex<VecDeque<LogEntry>>,
    stratum: Mutex<Option<u64>>,
}

/// How many entries are kept in memory, for other servers that are nearly up to date.
const RECENT_MAX: usize = 4096;

impl Tail {
    pub(super) fn new(head: u64) -> Self {
        Self { head: watch::Sender::new(head), recent: Mutex::default(), stratum: Mutex::default() }
    }

    /// The stratum that goes on, if there are any.
    pub(super) fn stratum(&self) -> Option<u64> {
        *self.stratum.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a stratum. Only the writer does, between two commits.
    pub(super) fn begin_stratum(&self) {
        let head = *self.head.borrow();
        *self.stratum.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    pub(super) fn head(&self) -> &watch::Sender<u64> {
        &self.head
    }

    /// Numbers what a group of writes admits. Nobody else does: there is one writer.
    pub(super) fn number(&self, group: &[super::Write], now: u64) -> Vec<LogEntry> {
        let mut next = *self.head.borrow() + 1;
        let mut entries = Vec::new();
        for write in group {
            for &Admitted { range, from } in &write.admitted {
                let document = Arc::clone(&write.document);
                let entry = LogEntry { first: next, document, range, from, admitted_at: now };
                next = entry.last() + 1;
                entries.push(entry);
            }
        }
        entries
    }

    /// What was numbered is durable now.
    pub(super) fn append(&self, entries: Vec<LogEntry>) {
        let Some(last) = entries.last().map(LogEntry::last) else { return };
        let mut recent = self.recent();
        recent.extend(entries);
        let surplus = recent.len().saturating_sub(RECENT_MAX);
        recent.drain(..surplus);
        drop(recent);
        self.head.send_replace(last);
    }

    /// The entries beyond `after`, `max` of them at most; `None` if some of them are no longer
    /// in memory.
    pub(super) fn since(&self, after: u64, max: usize) -> Option<Vec<LogEntry>> {
        if after >= *self.head.borrow() {
            return Some(Vec::new());
        }
        let recent = self.recent();
        recent.front().filter(|entry| entry.first <= after + 1)?;
        let from = recent.partition_point(|entry| entry.last() <= after);
        Some(recent.range(from..).take(max).cloned().collect())
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<LogEntry>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Content, Write};
    use crdt_core::ReplicaId;

    fn write(document: &str, ranges: &[(u64, u64)]) -> Write {
        let admit = |&(first, last): &(u64, u64)| {
            let range = DotRange::new(ReplicaId::from_u128(1), first, last);
            Admitted { range, from: None }
        };
        let mut write = Write::new(document, Content::Changes(vec![0]));
        write.admitted = ranges.iter().map(admit).collect();
        write
    }

    #[test]
    fn positions_follow_one_another_over_documents_and_groups() {
        let tail = Tail::new(7);
        let group = [write("a", &[(1, 3), (4, 4)]), write("b", &[]), write("c", &[(1, 2)])];
        let entries = tail.number(&group, 5);
        let positions: Vec<_> =
            entries.iter().map(|entry| (&*entry.document, entry.first, entry.last())).collect();
        assert_eq!(positions, [("a", 8, 10), ("a", 11, 11), ("c", 12, 13)]);
        assert_eq!(*tail.head().borrow(), 7, "nothing is durable yet");
        tail.append(entries.clone());
        assert_eq!(*tail.head().borrow(), 13);
        assert_eq!(tail.number(&group[..1], 5)[0].first, 14);
        for (after, expected) in [(7, &entries[..]), (9, &entries), (10, &entries[1..]), (13, &[])]
        {
            assert_eq!(tail.since(after, 10).as_deref(), Some(expected), "after {after}");
        }
        assert_eq!(tail.since(7, 1).as_deref(), Some(&entries[..1]));
        assert_eq!(tail.since(6, 10), None, "from before this process");
    }

    #[test]
    fn only_the_end_stays_in_memory() {
        let tail = Tail::new(0);
        for round in 1..=RECENT_MAX as u64 + 10 {
            tail.append(tail.number(&[write("a", &[(round, round)])], 0));
        }
        assert_eq!(tail.recent().len(), RECENT_MAX);
        assert_eq!(tail.since(9, usize::MAX), None);
        assert_eq!(tail.since(10, usize::MAX).map(|entries| entries.len()), Some(RECENT_MAX));
    }
}
