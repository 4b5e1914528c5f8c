//! Consistent prefix: one order of all transactions, of which each reads a prefix.
//!
//! Each transaction is two points: where it reads, and where it commits what it wrote. An order of all
//! points is searched for in which sessions keep theirs, and each read sees the last commit of its key:
//! Biswas and Enea (2019), who also show that it is NP-complete. That a transaction reads as soon as it
//! can is no restriction, so only the order of commits is searched.

use std::collections::BTreeSet;

use crdt_core::canary::is_planted;

use super::anomaly::Violation;
use super::check::Unusable;
use super::index::{INITIAL, Index};

/// How many transactions there may be: the search calls itself as often.
const TRANSACTIONS_MAX: u32 = 256;
/// How many sets of committed transactions are tried.
const STATES_MAX: usize = 1 << 18;

/// The transactions that no order explains, if there is none.
pub(super) fn violation(index: &Index<'_>) -> Result<Option<Violation>, Unusable> {
    if index.len() > TRANSACTIONS_MAX {
        let max = u64::from(TRANSACTIONS_MAX);
        return Err(Unusable::TooLarge { what: "committed transactions", max });
    }
    let mut kept = vec![true; index.len() as usize];
    if is_explained(index, &kept)? || is_planted("believe-in-an-order") {
        return Ok(None);
    }
    // Leave out what can be left out: what nobody who is left has read from.
    for transaction in (0..index.len()).rev() {
        let is_read = index.readers(transaction).iter().any(|&reader| kept[reader as usize]);
        if !is_read {
            kept[transaction as usize] = false;
            // Where it takes too long to tell, it stays.
            if is_explained(index, &kept).unwrap_or(true) {
                kept[transaction as usize] = true;
            }
        }
    }
    let left = (0..index.len()).filter(|&t| kept[t as usize]).map(|t| index.id(t));
    Ok(Some(Violation::NoOrder(left.collect())))
}

fn is_explained(index: &Index<'_>, kept: &[bool]) -> Result<bool, Unusable> {
    Search::new(index, kept).explain()
}

struct Search<'i, 'h> {
    index: &'i Index<'h>,
    /// The transactions of each session.
    sessions: Vec<Vec<u32>>,
    /// Of each session how many points lie behind: two of each transaction.
    progress: Vec<u16>,
    /// Who wrote each key last.
    current: Vec<u32>,
    /// Of each key how many still have to read what is current.
    awaited: Vec<u32>,
    /// How many read each key from each transaction, by the place of the key in what that wrote.
    readers: Vec<Vec<u32>>,
    tried: BTreeSet<Vec<u16>>,
}

impl<'i, 'h> Search<'i, 'h> {
    fn new(index: &'i Index<'h>, kept: &[bool]) -> Self {
        let kept_of = |session| index.of_session(session).filter(|&t| kept[t as usize]).collect();
        let sessions: Vec<Vec<u32>> = (0..index.sessions() as u32).map(kept_of).collect();
        let mut readers: Vec<Vec<u32>> =
            (0..index.len()).map(|t| vec![0; index.writes(t).len()]).collect();
        let mut awaited = vec![0; index.keys()];
        for &reader in sessions.iter().flatten() {
            for read in index.facts(reader) {
                if read.source == INITIAL {
                    awaited[read.key as usize] += 1;
                } else {
                    let place = index.writes(read.source).binary_search(&read.key);
                    readers[read.source as usize][place.expect("it wrote what was read")] += 1;
                }
            }
        }
        let progress = vec![0; sessions.len()];
        let current = vec![INITIAL; index.keys()];
        Self { index, sessions, progress, current, awaited, readers, tried: BTreeSet::new() }
    }

    fn explain(&mut self) -> Result<bool, Unusable> {
        let read = self.read_all_that_can();
        let is_explained = self.commit_one()?;
        if !is_explained {
            self.unread(&read);
        }
        Ok(is_explained)
    }

    /// The transaction of a session that is next, and whether it has read.
    fn next(&self, session: usize) -> Option<(u32, bool)> {
        let progress = usize::from(self.progress[session]);
        let transaction = self.sessions[session].get(progress / 2)?;
        Some((*transaction, progress % 2 == 1))
    }

    fn read_all_that_can(&mut self) -> Vec<usize> {
        let mut read = Vec::new();
        for session in 0..self.sessions.len() {
            let Some((transaction, false)) = self.next(session) else { continue };
            let facts = self.index.facts(transaction);
            if facts.iter().all(|fact| self.current[fact.key as usize] == fact.source) {
                facts.iter().for_each(|fact| self.awaited[fact.key as usize] -= 1);
                self.progress[session] += 1;
                read.push(session);
            }
        }
        read
    }

    fn unread(&mut self, read: &[usize]) {
        for &session in read {
            self.progress[session] -= 1;
            let (transaction, _) = self.next(session).expect("it was read");
            for fact in self.index.facts(transaction) {
                self.awaited[fact.key as usize] += 1;
            }
        }
    }

    fn commit_one(&mut self) -> Result<bool, Unusable> {
        if (0..self.sessions.len()).all(|session| self.next(session).is_none()) {
            return Ok(true);
        }
        // What is current follows from what is committed, as far as anybody still reads it.
        if !self.tried.insert(self.progress.clone()) {
            return Ok(false);
        }
        if self.tried.len() > STATES_MAX {
            return Err(Unusable::TooLarge { what: "orders to try", max: STATES_MAX as u64 });
        }
        for session in 0..self.sessions.len() {
            let Some((transaction, true)) = self.next(session) else { continue };
            let index = self.index;
            let writes = index.writes(transaction);
            let overwrites = |key: &u32| self.awaited[*key as usize] > 0;
            if writes.iter().any(overwrites) {
                continue;
            }
            let mut before = Vec::with_capacity(writes.len());
            for (place, &key) in writes.iter().enumerate() {
                before.push((self.current[key as usize], self.awaited[key as usize]));
                self.current[key as usize] = transaction;
                self.awaited[key as usize] = self.readers[transaction as usize][place];
            }
            self.progress[session] += 1;
            if self.explain()? {
                return Ok(true);
            }
            self.progress[session] -= 1;
            for (&key, (current, awaited)) in writes.iter().zip(before) {
                self.current[key as usize] = current;
                self.awaited[key as usize] = awaited;
            }
        }
        Ok(false)
    }
}
