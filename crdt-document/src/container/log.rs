use std::ops::Range;

use crdt_core::causality::Lv;

use crate::op::Op;

/// What a container's events did, in local order: the history, which is never forgotten.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpLog {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    lv: Lv,
    /// How many consecutive events did it.
    len: u32,
    op: Op,
}

impl OpLog {
    /// The events `lv..lv + len` each did `op`.
    pub(crate) fn push(&mut self, lv: Lv, len: u32, op: Op) {
        match self.entries.last_mut() {
            Some(last) if repeats(&op) && last.lv + last.len == lv && last.op == op => {
                last.len += len;
            }
            _ => self.entries.push(Entry { lv, len, op }),
        }
    }

    /// Forgets the events from `lv` on.
    pub(crate) fn truncate(&mut self, lv: Lv) {
        while let Some(last) = self.entries.last_mut().filter(|last| last.lv + last.len > lv) {
            if last.lv < lv {
                last.len = lv - last.lv;
                break;
            }
            self.entries.pop();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the events in `range` did, cut at its bounds.
    pub(crate) fn pieces(&self, range: Range<Lv>) -> impl Iterator<Item = (Lv, u32, &Op)> {
        let first = self.entries.partition_point(|entry| entry.lv + entry.len <= range.start);
        self.entries[first..].iter().map_while(move |entry| {
            let start = entry.lv.max(range.start);
            let end = (entry.lv + entry.len).min(range.end);
            (start < end).then(|| (start, end - start, &entry.op))
        })
    }

    /// Panics if events overlap. For tests.
    pub(crate) fn check_invariants(&self) {
        assert!(self.entries.iter().all(|entry| entry.len > 0));
        assert!(self.entries.windows(2).all(|pair| pair[0].lv + pair[0].len <= pair[1].lv));
    }
}

/// Whether a run of equal operations is kept as a run. A counter's alone, as on the wire;
/// a text's have their length in themselves.
const fn repeats(op: &Op) -> bool {
    matches!(op, Op::Increment { .. })
}
