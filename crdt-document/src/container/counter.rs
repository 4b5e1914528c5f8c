use core::ops::Range;

use crdt_core::canary::is_planted;
use crdt_core::causality::Lv;
use crdt_core::collections::OrderedMap;
use crdt_core::counter::CounterError;
use crdt_core::{EventGraph, PnCounter, ReplicaId};

use super::log::OpLog;
use crate::op::Op;

/// A counter that can be reset: a reset cancels exactly the increments in its past, so that
/// 5, then a reset concurrent with +1, is 1.
///
/// Increments of one replica are in an order, and what a reset has seen of them is a prefix.
/// So two sums for each replica and direction say it all: what was counted, and how much of
/// it the farthest-seeing reset has cancelled; both only grow, and resets join by maximum.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResetCounter {
    counted: PnCounter,
    cancelled: PnCounter,
    /// What those have counted who were forgotten as their events were trimmed, if it has not been
    /// reset since: whoever resets the counter has seen that.
    settled: Option<i128>,
}

impl ResetCounter {
    pub(crate) fn value(&self) -> i128 {
        self.counted.value() - self.cancelled.value() + self.settled.unwrap_or(0)
    }

    /// Whether an increment is visible; two that sum up to zero are.
    pub(crate) fn has_content(&self) -> bool {
        self.counted != self.cancelled || self.settled.is_some()
    }

    /// What forgotten writers have counted.
    pub(crate) const fn settled(&self) -> Option<i128> {
        self.settled
    }

    /// What every other writer has counted, in ascending order.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (ReplicaId, Counts)> + '_ {
        let mut cancelled = self.cancelled.iter().peekable();
        self.counted.iter().map(move |(replica, up, down)| {
            let (_, up_cancelled, down_cancelled) =
                cancelled.next_if(|&(of, _, _)| of == replica).unwrap_or((replica, 0, 0));
            (replica, Counts { up, down, up_cancelled, down_cancelled })
        })
    }

    /// The counter of so much; the inverse of [`settled`](Self::settled) and
    /// [`counts`](Self::counts).
    pub(crate) fn of(settled: Option<i128>, counts: &[(ReplicaId, Counts)]) -> Self {
        let counted = counts.iter().map(|&(replica, counts)| (replica, counts.up, counts.down));
        let cancelled = counts
            .iter()
            .filter(|(_, counts)| counts.up_cancelled > 0 || counts.down_cancelled > 0);
        let cancelled = cancelled
            .map(|&(replica, counts)| (replica, counts.up_cancelled, counts.down_cancelled));
        Self { counted: counted.collect(), cancelled: cancelled.collect(), settled }
    }

    /// `len` events of `replica` each add `amount`.
    pub(crate) fn increment(
        &mut self,
        replica: ReplicaId,
        amount: i64,
        len: u32,
    ) -> Result<(), CounterError> {
        let total = amount
            .unsigned_abs()
            .checked_mul(u64::from(len))
            .ok_or(CounterError::Overflow { replica })?;
        count(&mut self.counted, replica, total, amount > 0)
    }

    /// A reset that has seen everything.
    pub(crate) fn reset(&mut self) {
        self.cancelled = self.counted.clone();
        self.settled = None;
    }

    /// A reset that has seen all that was counted but for the events in `unseen`.
    pub(crate) fn reset_before(&mut self, graph: &EventGraph, log: &OpLog, unseen: &[Range<Lv>]) {
        let mut later: OrderedMap<ReplicaId, (u64, u64)> = OrderedMap::new();
        // A planted bug: a reset cancels what it has not seen.
        let unseen = if is_planted("reset-the-unseen") { &[] } else { unseen };
        for range in unseen {
            for (lv, len, op) in log.pieces(range.clone()) {
                let Op::Increment { amount } = op else { continue };
                add_run(graph, lv..lv + len, amount, &mut later);
            }
        }
        let seen: PnCounter = self
            .counted
            .iter()
            .map(|(replica, up, down)| {
                let (later_up, later_down) = later.get(&replica).copied().unwrap_or((0, 0));
                (replica, up - later_up, down - later_down)
            })
            .collect();
        self.cancelled.join(seen);
        self.settled = None;
    }
}

/// How much a replica has counted up and down, and how much of it was reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) up_cancelled: u64,
    pub(crate) down_cancelled: u64,
}

/// Adds up the run of increments by their replicas.
fn add_run(
    graph: &EventGraph,
    lvs: Range<Lv>,
    amount: i64,
    sums: &mut OrderedMap<ReplicaId, (u64, u64)>,
) {
    // A run in the log may go on over several replicas' events.
    let mut lv = lvs.start;
    while lv < lvs.end {
        let replica = graph.replica_of(lv);
        let change = graph.change_of(lv);
        let end = change.end.min(lvs.end);
        let total = amount.unsigned_abs() * u64::from(end - lv);
        let (up, down) = sums.entry(replica).or_default();
        *if amount > 0 { up } else { down } += total;
        lv = end;
    }
}

/// Counts an amount of up to 64 bits in steps of 63, which is what one event may have.
fn count(
    counter: &mut PnCounter,
    replica: ReplicaId,
    total: u64,
    upwards: bool,
) -> Result<(), CounterError> {
    let mut left = total;
    while left > 0 {
        let step = left.min(i64::MAX as u64) as i64;
        counter.apply(replica, if upwards { step } else { -step })?;
        left -= step as u64;
    }
    Ok(())
}
