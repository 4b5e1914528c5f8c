//! Causal memory: each session has an order of its own that explains what it read.
//!
//! Ahamad, Neiger, Burns, Kohli and Hutto, *Causal memory* (1995), as Bouajjani and others (2017) decide it: for
//! each session the least order of what is in its causal past that contains causality, and `w1` before
//! `w2` whenever the session read key `x` from `w2`, and `w1`, which writes `x` too, is before that read. There is
//! an explanation if and only if that has no cycle. It is enough to look at the last transaction of
//! each session, since what holds for an earlier one holds for that.

use crdt_core::canary::is_planted;

use super::anomaly::Violation;
use super::check::Unusable;
use super::index::{INITIAL, Index};
use super::order::Graph;
use super::visible::Inferred;

/// How many transactions there may be: a set of these is kept for each.
const TRANSACTIONS_MAX: u32 = 4096;

/// A set of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set(Vec<u64>);

impl Set {
    fn new(count: u32) -> Self {
        Self(vec![0; count.div_ceil(64) as usize])
    }

    fn contains(&self, item: u32) -> bool {
        self.0[item as usize / 64] >> (item % 64) & 1 == 1
    }

    fn insert(&mut self, item: u32) {
        self.0[item as usize / 64] |= 1 << (item % 64);
    }

    fn join(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own |= other;
        }
    }
}

/// The shortest cycle in the order of the first session that has none. O(n³/64) for each session.
pub(super) fn violation(index: &Index<'_>, order: &[u32]) -> Result<Option<Violation>, Unusable> {
    let count = index.len();
    if count > TRANSACTIONS_MAX {
        let max = u64::from(TRANSACTIONS_MAX);
        return Err(Unusable::TooLarge { what: "committed transactions", max });
    }
    let mut pasts = vec![Set::new(count); count as usize];
    for &transaction in order {
        let previous = (index.position(transaction) > 1).then(|| transaction - 1);
        for &before in previous.iter().chain(index.sources(transaction)) {
            let mut past = pasts[before as usize].clone();
            past.insert(before);
            pasts[transaction as usize].join(&past);
        }
    }
    let broken = (0..index.sessions() as u32).find_map(|session| saturate(index, session, &pasts));
    Ok(broken
        .and_then(|inferred| Graph::new(index, inferred).shortest_cycle())
        .map(Violation::Cycle))
}

/// What one session implies for its order, if that has a cycle.
fn saturate(index: &Index<'_>, session: u32, pasts: &[Set]) -> Option<Vec<Inferred>> {
    let mut pasts = pasts.to_vec();
    let mut inferred: Vec<Inferred> = Vec::new();
    loop {
        let known = inferred.len();
        for reader in index.of_session(session) {
            for read in index.facts(reader) {
                let (key, after) = (read.key, read.source);
                for &before in index.writers(key) {
                    let applies = before != after
                        && before != reader
                        && pasts[reader as usize].contains(before);
                    if !applies || after != INITIAL && pasts[after as usize].contains(before) {
                        continue;
                    }
                    inferred.push(Inferred { before, after, reader, key });
                    if after == INITIAL || pasts[before as usize].contains(after) {
                        return Some(inferred);
                    }
                    if !is_planted("forget-to-saturate") {
                        put_before(&mut pasts, before, after);
                    }
                }
            }
        }
        if inferred.len() == known || is_planted("forget-to-saturate") {
            return None;
        }
    }
}

/// Puts one before another, and what is before the one before what is after the other.
fn put_before(pasts: &mut [Set], before: u32, after: u32) {
    let mut past = pasts[before as usize].clone();
    past.insert(before);
    for (transaction, own) in (0..).zip(pasts) {
        if transaction == after || own.contains(after) {
            own.join(&past);
        }
    }
}
