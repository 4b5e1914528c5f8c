//! What is visible to each transaction, by the guarantees of sessions.

use crdt_causal::session::Guarantees;
use crdt_core::canary::is_planted;

use super::check::Unusable;
use super::index::{INITIAL, Index};

/// How much may be joined in all: what a minute is enough for.
const JOINED_BYTES_MAX: u64 = 1 << 36;

/// Some visible transactions.
pub(super) trait Past {
    /// None.
    fn new(index: &Index<'_>) -> Self;
    /// Takes all out.
    fn clear(&mut self);
    /// Puts a transaction in.
    fn add(&mut self, index: &Index<'_>, transaction: u32);
    /// Puts those of another one in.
    fn join(&mut self, other: &Self);
    /// What it holds in memory.
    fn size_bytes(&self) -> usize;
    /// Whether this writer of the key, or a later one in its session, is among them.
    fn covers(&self, index: &Index<'_>, key: u32, writer: u32) -> bool;
    /// Of each session the last writer of the key that is among them.
    fn last_writers(&self, index: &Index<'_>, key: u32, found: impl FnMut(u32));
}

/// One transaction must come before another, as a third one has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inferred {
    pub(super) before: u32,
    /// Or [`INITIAL`], which nothing comes before.
    pub(super) after: u32,
    /// Who read the key from `after`, with `before` visible.
    pub(super) reader: u32,
    pub(super) key: u32,
}

/// The rules that hold.
#[derive(Clone, Copy)]
struct Rules {
    read_your_writes: bool,
    monotonic_reads: bool,
    monotonic_writes: bool,
    writes_follow_reads: bool,
}

impl Rules {
    fn new(guarantees: Guarantees) -> Self {
        let has = |guarantee| guarantees.contains(guarantee);
        Self {
            read_your_writes: has(Guarantees::READ_YOUR_WRITES) && !is_planted("unsee-own-writes"),
            monotonic_reads: has(Guarantees::MONOTONIC_READS) && !is_planted("unsee-what-was-read"),
            monotonic_writes: has(Guarantees::MONOTONIC_WRITES),
            writes_follow_reads: has(Guarantees::WRITES_FOLLOW_READS)
                && !is_planted("unsee-what-writers-read"),
        }
    }
}

/// What each session has come to so far.
struct Progress<P> {
    /// Visible to its next transaction, whatever that reads.
    base: P,
    /// Visible to any of its transactions: what its writes bring along by *writes follow reads*.
    learned: P,
    /// Its writes, with what they bring along: what its later ones bring along by *monotonic writes*.
    written: P,
}

impl<P: Past> Progress<P> {
    fn new(index: &Index<'_>) -> Self {
        Self { base: P::new(index), learned: P::new(index), written: P::new(index) }
    }

    fn size_bytes(&self) -> usize {
        self.base.size_bytes() + self.learned.size_bytes() + self.written.size_bytes()
    }
}

/// The pasts that writes bring along, while somebody still has to read from them.
struct Snapshots<P> {
    of: Vec<Option<P>>,
    readers_left: Vec<u32>,
    free: Vec<P>,
    /// What these hold, and what the sessions' progress does.
    bytes: usize,
}

impl<P: Past> Snapshots<P> {
    fn new(index: &Index<'_>, bytes: usize) -> Self {
        let readers_left = (0..index.len()).map(|t| index.readers(t).len() as u32).collect();
        let of = (0..index.len()).map(|_| None).collect();
        Self { of, readers_left, free: Vec::new(), bytes }
    }

    fn get(&self, transaction: u32) -> &P {
        self.of[transaction as usize].as_ref().expect("it is written before it is read")
    }

    fn keep(&mut self, transaction: u32, past: P) {
        if self.readers_left[transaction as usize] == 0 {
            self.free.push(past);
            return;
        }
        self.bytes += past.size_bytes();
        self.of[transaction as usize] = Some(past);
    }

    fn was_read(&mut self, transaction: u32) {
        self.readers_left[transaction as usize] -= 1;
        if self.readers_left[transaction as usize] == 0 {
            let past = self.of[transaction as usize].take().expect("it was read just now");
            self.bytes -= past.size_bytes();
            self.free.push(past);
        }
    }
}

/// What is visible to one transaction.
pub(super) struct View<'v, P> {
    parts: [&'v P; 2],
    snapshots: &'v Snapshots<P>,
}

impl<P: Past> View<'_, P> {
    /// What must come before what, by what the transaction read; nothing that is known from `after`'s own past.
    pub(super) fn inferred(
        &self,
        index: &Index<'_>,
        reader: u32,
        found: &mut impl FnMut(Inferred),
    ) {
        for read in index.facts(reader) {
            let (key, after) = (read.key, read.source);
            if after == INITIAL && is_planted("trust-initial-values") {
                continue;
            }
            for part in self.parts {
                part.last_writers(index, key, |before| {
                    let known = before == after
                        || before == reader
                        || after != INITIAL && self.snapshots.get(after).covers(index, key, before);
                    if !known {
                        found(Inferred { before, after, reader, key });
                    }
                });
            }
        }
    }
}

/// Goes through all transactions, each after those that it read from, and shows what is visible to it.
///
/// The rules are applied as each transaction comes, so that each costs a few joins; the pasts of writes are
/// dropped with their last reader. O(n) joins: of k numbers each where monotonic writes hold; without
/// them, of as many entries as the transactions that were read from have keys; with *writes follow reads* too, as all
/// that these have seen have, and only small histories are decided.
pub(super) fn sweep<P: Past>(
    index: &Index<'_>,
    guarantees: Guarantees,
    order: &[u32],
    bytes_max: usize,
    mut visit: impl FnMut(u32, &View<'_, P>) -> Result<(), Unusable>,
) -> Result<(), Unusable> {
    let rules = Rules::new(guarantees);
    let bytes = P::new(index).size_bytes().saturating_mul(3 * index.sessions());
    if bytes > bytes_max {
        return Err(Unusable::TooMuchMemory { bytes_max });
    }
    let mut snapshots = Snapshots::<P>::new(index, bytes);
    let mut sessions: Vec<Progress<P>> =
        (0..index.sessions()).map(|_| Progress::new(index)).collect();
    let mut fresh = P::new(index);
    let mut joined_bytes = 0;
    for &transaction in order {
        let session = &mut sessions[index.session(transaction) as usize];
        fresh.clear();
        for &source in index.sources(transaction) {
            joined_bytes += snapshots.get(source).size_bytes() as u64;
            if joined_bytes > JOINED_BYTES_MAX {
                let (what, max) = ("bytes of pasts to join", JOINED_BYTES_MAX);
                return Err(Unusable::TooLarge { what, max });
            }
            if !is_planted("unsee-the-rest-of-it") {
                fresh.join(snapshots.get(source));
            }
        }
        let view = View { parts: [&session.base, &fresh], snapshots: &snapshots };
        visit(transaction, &view)?;
        for &source in index.sources(transaction) {
            snapshots.was_read(source);
        }
        snapshots.bytes -= session.size_bytes();
        if rules.writes_follow_reads {
            session.learned.join(&session.base);
            session.learned.join(&fresh);
        }
        if rules.monotonic_reads {
            session.base.join(&fresh);
        }
        if index.is_writer(transaction) {
            let mut past = snapshots.free.pop().unwrap_or_else(|| P::new(index));
            past.clear();
            past.add(index, transaction);
            if rules.monotonic_writes {
                past.join(&session.written);
            }
            if rules.writes_follow_reads {
                past.join(&session.learned);
            }
            if rules.read_your_writes {
                session.base.join(&past);
            }
            if rules.monotonic_writes {
                session.written.join(&past);
            }
            snapshots.keep(transaction, past);
        }
        snapshots.bytes += session.size_bytes();
        if snapshots.bytes > bytes_max {
            return Err(Unusable::TooMuchMemory { bytes_max });
        }
    }
    Ok(())
}
