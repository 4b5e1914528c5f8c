//! Writers that come and go.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::{Dot, ReplicaId};

use crate::cut::{Admission, Cut};

/// The last that was admitted of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastWrite {
    /// The number of its last event.
    pub seq: u64,
    /// Where that came in.
    pub admission: Admission,
}

impl LastWrite {
    /// Whether the writer retires at this trim cut: it has been silent since before it. Trim cuts are
    /// causally closed, and so everything else that it wrote is in there too.
    #[must_use]
    pub fn is_retired_by(&self, trim: &Cut) -> bool {
        trim.contains(self.admission)
    }
}

/// What a writer is to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterStanding {
    /// It is in the table, and this is its last event there.
    Known {
        /// The number of that.
        seq: u64,
    },
    /// It writes for the first time.
    New,
    /// It was in the table, and was silent for so long that it left: its event is refused, and it mints
    /// a new id.
    Retired,
}

/// The writers of a document, or of all of a realm: a row for each replica id, until it retires.
///
/// Each browser that ever wrote has an id, and nobody signs off. So a writer *retires by the trim cut*: once
/// its last event is in there, its row is dropped, and costs nothing any more. Should it write again
/// after all, it gets [`WriterStanding::Retired`], and goes on under a new id.
///
/// No row is needed to recognise it, and so nothing can run out:
///
/// * An event with a number above 1 whose writer is not in the table follows one that was trimmed, since
///   events are looked at only when what they follow is here.
/// * One with number 1 is that of a writer that begins. Or it is an old one that comes again, from a
///   backup for instance; then it has not seen the trim cut, and is refused as being from before.
///
/// So the rule is to be asked together with the floor, and after it. Costs O(log W) for W writers,
/// [`trim`](Self::trim) O(W).
///
/// ```
/// use crdt_causal::cut::{Admission, Cut, Slot};
/// use crdt_causal::membership::{WriterStanding, WriterTable};
/// use crdt_core::{Dot, ReplicaId};
///
/// let (ann, bob) = (ReplicaId::from_u128(1), ReplicaId::from_u128(2));
/// let mut writers = WriterTable::new();
/// writers.observe(Dot::new(ann, 1), Admission::new(Slot(0), 1));
/// writers.observe(Dot::new(bob, 1), Admission::new(Slot(0), 2));
/// writers.observe(Dot::new(ann, 2), Admission::new(Slot(0), 3));
///
/// // A month later: Bob has been silent, Ann has not.
/// assert_eq!(writers.trim(&Cut::from_iter([(Slot(0), 2)])), [bob]);
/// assert_eq!(writers.standing(Dot::new(ann, 3)), WriterStanding::Known { seq: 2 });
/// assert_eq!(writers.standing(Dot::new(bob, 2)), WriterStanding::Retired);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriterTable {
    writers: BTreeMap<ReplicaId, LastWrite>,
}

impl WriterTable {
    /// No writers.
    #[must_use]
    pub const fn new() -> Self {
        Self { writers: BTreeMap::new() }
    }

    /// An event was admitted. One that is not the last of its writer changes nothing.
    pub fn observe(&mut self, dot: Dot, admission: Admission) {
        let last = LastWrite { seq: dot.seq, admission };
        let held = self.writers.entry(dot.replica).or_insert(last);
        if dot.seq > held.seq {
            *held = last;
        }
    }

    /// What the writer of an event is, whose predecessors are all here or trimmed.
    #[must_use]
    pub fn standing(&self, dot: Dot) -> WriterStanding {
        match self.writers.get(&dot.replica) {
            Some(last) => WriterStanding::Known { seq: last.seq },
            None if dot.seq == 1 => WriterStanding::New,
            None => WriterStanding::Retired,
        }
    }

    /// Drops those who have been silent since before the trim cut, and says who they are.
    pub fn trim(&mut self, trim: &Cut) -> Vec<ReplicaId> {
        let mut retired = Vec::new();
        self.writers.retain(|replica, last| {
            let is_retired = last.is_retired_by(trim);
            if is_retired {
                retired.push(*replica);
            }
            !is_retired
        });
        retired
    }

    /// The writers in the table, in the order of their ids.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ReplicaId, LastWrite)> + '_ {
        self.writers.iter().map(|(replica, last)| (*replica, *last))
    }

    /// How many writers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writers.is_empty()
    }
}

impl FromIterator<(ReplicaId, LastWrite)> for WriterTable {
    fn from_iter<I: IntoIterator<Item = (ReplicaId, LastWrite)>>(writers: I) -> Self {
        let mut table = Self::new();
        for (replica, last) in writers {
            table.observe(Dot::new(replica, last.seq), last.admission);
        }
        table
    }
}
