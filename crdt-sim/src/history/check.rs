use std::fmt;

use crdt_causal::session::Guarantees;
use crdt_core::canary::is_planted;

use super::anomaly::Violation;
use super::clock::Clock;
use super::index::{INITIAL, Index};
use super::latest::Latest;
use super::order::{self, Graph};
use super::visible::{Inferred, Past, sweep};
use super::{Criterion, EventId, History, memory, prefix};

/// What the checker says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What it was judged by.
    pub criterion: Criterion,
    /// What breaks it, if something does.
    pub violation: Option<Violation>,
    /// How many constraints of the order were inferred, beside those of sessions and reads, that were
    /// not known already.
    pub inferred: usize,
}

/// Why a history cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusable {
    /// Two events write the same value to a key, so that reads of it do not tell from which they read.
    WrittenTwice {
        /// The key.
        key: u64,
        /// The value.
        value: u64,
        /// The first of the two.
        first: EventId,
        /// The second.
        second: EventId,
    },
    /// There is more of something than this criterion can be decided for.
    TooLarge {
        /// Of what.
        what: &'static str,
        /// How much there may be.
        max: u64,
    },
    /// What has to be remembered at once is more than this.
    TooMuchMemory {
        /// In bytes.
        bytes_max: usize,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrittenTwice { key, value, first, second } => {
                write!(f, "the value {value} is written to key {key} twice: {first}, and {second}")
            }
            Self::TooLarge { what, max } => {
                write!(f, "the history has more than {max} {what}, too many for this criterion")
            }
            Self::TooMuchMemory { bytes_max } => {
                write!(
                    f,
                    "the history takes more than {bytes_max} bytes to judge by this criterion"
                )
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// What may be remembered at once, beside the history and its index.
const BYTES_MAX: usize = 2 << 30;

/// How many steps to take where each reader is looked at by itself.
const WORK_MAX: u64 = 1 << 32;

/// Judges a history. [`Criterion`] says what that costs.
///
/// # Errors
///
/// [`Unusable`] if the history is not differentiated, or larger than the criterion can be decided for.
pub fn check(history: &History, criterion: Criterion) -> Result<Verdict, Unusable> {
    let mut verdicts = check_all(history, &[criterion]);
    verdicts.pop().expect("one is asked for").1
}

/// Judges a history by several criteria, each of which gets its own answer. What they share is done once.
#[must_use]
pub fn check_all(
    history: &History,
    criteria: &[Criterion],
) -> Vec<(Criterion, Result<Verdict, Unusable>)> {
    let verdict = |criterion, violation| Verdict { criterion, violation, inferred: 0 };
    let of_all = |answer: Result<Violation, Unusable>| {
        let answers = criteria.iter().map(|&criterion| {
            (criterion, answer.clone().map(|violation| verdict(criterion, Some(violation))))
        });
        answers.collect()
    };
    let index = match Index::new(history) {
        Ok(Ok(index)) => index,
        Ok(Err(anomaly)) => return of_all(Ok(Violation::Read(anomaly))),
        Err(unusable) => return of_all(Err(unusable)),
    };
    let order = order::topological(&index);
    let judge = |criterion| {
        let order = match &order {
            Some(order) => order,
            None if criterion == Criterion::Reads => return Ok(verdict(criterion, None)),
            None => {
                let cycle = Graph::new(&index, Vec::new()).shortest_cycle();
                let cycle = cycle.expect("what has no order has a circle");
                return Ok(verdict(criterion, Some(Violation::Cycle(cycle))));
            }
        };
        let (violation, inferred) = decide(&index, order, criterion)?;
        Ok(Verdict { criterion, violation, inferred })
    };
    criteria.iter().map(|&criterion| (criterion, judge(criterion))).collect()
}

type Decided = (Option<Violation>, usize);

fn decide(index: &Index<'_>, order: &[u32], criterion: Criterion) -> Result<Decided, Unusable> {
    match criterion {
        Criterion::Reads => Ok((None, 0)),
        Criterion::ReadCommitted => acyclic(index, read_committed(index)?),
        Criterion::Session(guarantees) => acyclic(index, saturated(index, order, guarantees)?),
        Criterion::CausalConvergence => acyclic(index, saturated(index, order, Guarantees::ALL)?),
        Criterion::CausalConsistency => causal_consistency(index, order),
        Criterion::CausalMemory => Ok((memory::violation(index, order)?, 0)),
        Criterion::ConsistentPrefix => {
            // The prefix of an order is causal; where already that fails, a circle says more.
            let decided = decide(index, order, Criterion::CausalConvergence)?;
            if decided.0.is_some() {
                return Ok(decided);
            }
            Ok((prefix::violation(index)?, decided.1))
        }
    }
}

/// Whether what was inferred leaves an order.
fn acyclic(index: &Index<'_>, inferred: Vec<Inferred>) -> Result<Decided, Unusable> {
    let count = inferred.len();
    Ok((Graph::new(index, inferred).shortest_cycle().map(Violation::Cycle), count))
}

/// All that the guarantees imply for the order, without what is known otherwise.
fn saturated(
    index: &Index<'_>,
    order: &[u32],
    guarantees: Guarantees,
) -> Result<Vec<Inferred>, Unusable> {
    let guarantees = if is_planted("unsee-earlier-writes") {
        guarantees - Guarantees::MONOTONIC_WRITES
    } else {
        guarantees
    };
    // With monotonic writes, what is visible of a session is a prefix.
    if guarantees.contains(Guarantees::MONOTONIC_WRITES) {
        saturated_by::<Clock>(index, order, guarantees)
    } else {
        saturated_by::<Latest>(index, order, guarantees)
    }
}

fn saturated_by<P: Past>(
    index: &Index<'_>,
    order: &[u32],
    guarantees: Guarantees,
) -> Result<Vec<Inferred>, Unusable> {
    let mut collected = Collected::default();
    sweep::<P>(index, guarantees, order, BYTES_MAX, |transaction, view| {
        view.inferred(index, transaction, &mut |inferred| collected.push(inferred));
        collected.check()
    })?;
    Ok(collected.finish())
}

/// Constraints, in bounds.
#[derive(Default)]
struct Collected {
    all: Vec<Inferred>,
    /// Whether the same constraint from another reader is another one.
    by_reader: bool,
    /// How many were left when repeated ones were last taken out.
    distinct: usize,
}

impl Collected {
    fn push(&mut self, inferred: Inferred) {
        if !is_planted("infer-nothing") {
            self.all.push(inferred);
        }
    }

    /// Takes out what is repeated, now and then; fails if too much remains.
    fn check(&mut self) -> Result<(), Unusable> {
        if self.all.len() < 2 * self.distinct + (1 << 20) {
            return Ok(());
        }
        self.thin();
        if self.all.len() > BYTES_MAX / (2 * size_of::<Inferred>()) {
            return Err(Unusable::TooMuchMemory { bytes_max: BYTES_MAX });
        }
        Ok(())
    }

    fn thin(&mut self) {
        self.all.sort_unstable();
        let by_reader = self.by_reader;
        self.all.dedup_by_key(|i| (i.before, i.after, if by_reader { i.reader } else { 0 }));
        self.distinct = self.all.len();
    }

    fn finish(mut self) -> Vec<Inferred> {
        self.thin();
        self.all
    }
}

/// If a transaction reads from `t2` and later key `x` from `t1`, and `t2` writes `x` too, then `t2`
/// comes before `t1`. Of the later reads of `x` the first that is not from `t2` is enough: the others
/// follow, since it is a transaction that was read from as well.
fn read_committed(index: &Index<'_>) -> Result<Vec<Inferred>, Unusable> {
    let mut collected = Collected::default();
    let (mut by_key, mut seen) = (Vec::new(), Vec::new());
    for reader in 0..index.len() {
        let reads = index.reads(reader);
        // Each key's reads in their order; and each transaction when it was first read from.
        by_key.clear();
        by_key.extend(reads.iter().enumerate().map(|(at, read)| (read.key, at, read.source)));
        by_key.sort_unstable();
        seen.clear();
        seen.extend(reads.iter().enumerate().map(|(at, read)| (read.source, at)));
        seen.sort_unstable();
        seen.dedup_by_key(|(source, _)| *source);
        for &(before, since) in &seen {
            if before == INITIAL || is_planted("forget-what-was-committed") {
                continue;
            }
            let mut later = |key: u32| {
                let from = by_key.partition_point(|&(k, at, _)| (k, at) <= (key, since));
                let mut rest = by_key[from..].iter().take_while(|(k, _, _)| *k == key);
                if let Some(&(_, _, after)) = rest.find(|(_, _, source)| *source != before) {
                    collected.push(Inferred { before, after, reader, key });
                }
            };
            // Through the shorter of what one wrote and what the other read, looking up in the longer.
            let written = index.writes(before);
            if written.len() <= reads.len() {
                written.iter().for_each(|&key| later(key));
            } else {
                let keys = by_key.chunk_by(|a, b| a.0 == b.0).map(|same| same[0].0);
                keys.filter(|key| written.binary_search(key).is_ok()).for_each(&mut later);
            }
        }
        collected.check()?;
    }
    Ok(collected.finish())
}

/// Each transaction's own reads have an explanation: what it implies for the order does not contradict
/// causality. That two transactions contradict each other is allowed.
fn causal_consistency(index: &Index<'_>, order: &[u32]) -> Result<Decided, Unusable> {
    let mut collected = Collected { by_reader: true, ..Collected::default() };
    sweep::<Clock>(index, Guarantees::ALL, order, BYTES_MAX, |transaction, view| {
        view.inferred(index, transaction, &mut |inferred| collected.push(inferred));
        collected.check()
    })?;
    let inferred = collected.finish();
    let count = inferred.len();
    // Where all together have an order, each has. Otherwise only what may be part of a circle matters.
    let mut suspects = Graph::new(index, inferred).on_cycles();
    suspects.sort_unstable_by_key(|inferred| inferred.reader);
    let readers = suspects.chunk_by(|a, b| a.reader == b.reader);
    let work = readers.clone().count() as u64 * u64::from(index.len());
    if work > WORK_MAX {
        return Err(Unusable::TooLarge { what: "reads of concurrent writes", max: WORK_MAX });
    }
    let cycles = readers.filter_map(|of_one| Graph::new(index, of_one.to_vec()).shortest_cycle());
    let shortest = cycles.min_by_key(|cycle| cycle.steps.len());
    let shortest = shortest.filter(|_| !is_planted("forget-what-is-overwritten"));
    Ok((shortest.map(Violation::Cycle), count))
}
