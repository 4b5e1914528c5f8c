//! The offline checker of histories: what some clients did and saw, and whether any store of a
//! consistency level could have let them.
//!
//! A [`History`] is a list of *sessions*; a session is a list of transactions, in the order in which
//! its client made them; a transaction is a list of reads and writes of keys. Every value is
//! written to a key at most once (the history is *differentiated*), so that a read says which
//! write it read from. Nothing else is known: no clocks, no servers, no log. So the checker judges
//! any system from outside, ours or another, and it knows nothing of how either works.
//!
//! [`check`] answers with a [`Verdict`]; where the history breaks its [`Criterion`], that names
//! the first read that is wrong by itself, or the shortest cycle: which transaction must come before
//! which, and because of what.
//!
//! ```
//! use crdt_sim::history::{Criterion, History, check};
//!
//! // One session writes a question and then an answer; another sees the answer alone.
//! let (question, answer) = (0, 1);
//! let mut history = History::new();
//! history.begin_session();
//! history.begin_transaction(true);
//! history.write(question, 1);
//! history.begin_transaction(true);
//! history.write(answer, 2);
//! history.begin_session();
//! history.begin_transaction(true);
//! history.read(answer, Some(2));
//! history.begin_transaction(true);
//! history.read(question, None);
//!
//! let verdict = check(&history, Criterion::CausalConvergence)?;
//! let violation = verdict.violation.expect("an effect was seen without its cause");
//! assert!(violation.to_string().contains("session 1, transaction 1 must come before the initial values"));
//! // Nobody promised that answers follow questions: with read committed it is in order.
//! assert_eq!(check(&history, Criterion::ReadCommitted)?.violation, None);
//! # Ok::<(), crdt_sim::history::Unusable>(())
//! ```
//!
//! # How it is decided
//!
//! Biswas and Enea, *On the complexity of checking transactional consistency* (2019): a level is an
//! axiom about a total *commit order* of the transactions, one that extends the order of sessions
//! and "was read from". All axioms have one form: if `t3` reads key `x` from `t1`, then every other
//! transaction `t2` that writes `x` and *is visible* to `t3` comes before `t1`. Levels differ in what is visible.
//! Where that follows from sessions and reads alone, the order exists if and only if what it
//! must contain has no cycle: one pass *saturates*, a second looks for a cycle. [`Criterion`] has the table.
//!
//! Of the writers of a key in one session only the last visible one matters (Møldrup and Pavlogiannis, *AWDIT*,
//! 2025), so that the causal levels cost O(n · k) for n events and k sessions. Causal memory is
//! a fixed point, O(n³) at worst, and a consistent prefix is NP-complete: both are for small histories.
//!
//! The two formats that are read and written, [`plume`] and [`dbcop`], are those of published checkers.

mod anomaly;
mod check;
mod clock;
mod criterion;
pub mod dbcop;
mod generate;
mod index;
mod latest;
mod memory;
mod order;
pub mod plume;
mod prefix;
mod visible;
mod words;

pub use anomaly::{Because, Cycle, Misread, ReadAnomaly, Step, Violation};
pub use check::{Unusable, Verdict, check, check_all};
pub use criterion::{Criterion, CriterionError};
pub use generate::{Shape, generate};

use std::fmt;
use std::ops::Range;

/// A read or a write of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The value that the key had, or `None` for the initial one, which nobody wrote.
    Read {
        /// Of what.
        key: u64,
        /// What was read.
        value: Option<u64>,
    },
    /// The value that the key got.
    Write {
        /// Of what.
        key: u64,
        /// What was written: no other event writes the same to this key.
        value: u64,
    },
}

/// A transaction, by its place: both numbers begin at 1, as people count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransactionId {
    /// Which session.
    pub session: usize,
    /// Which transaction of it, whether committed or not.
    pub number: usize,
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {}, transaction {}", self.session, self.number)
    }
}

/// An event, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    /// In which transaction.
    pub transaction: TransactionId,
    /// Which event of it, from 1.
    pub number: usize,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, event {}", self.transaction, self.number)
    }
}

/// Sessions of transactions of reads and writes, in three flat lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    events: Vec<Event>,
    transactions: Vec<Transaction>,
    /// The first transaction of each session.
    sessions: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transaction {
    /// Its first event.
    begin: usize,
    committed: bool,
}

impl History {
    /// Nothing happened.
    #[must_use]
    pub const fn new() -> Self {
        Self { events: Vec::new(), transactions: Vec::new(), sessions: Vec::new() }
    }

    /// From here on it is about another session.
    pub fn begin_session(&mut self) {
        self.sessions.push(self.transactions.len());
    }

    /// From here on it is about another transaction of the session. One that was not committed
    /// was aborted: nobody may have read from it.
    ///
    /// # Panics
    ///
    /// If no session has begun.
    pub fn begin_transaction(&mut self, committed: bool) {
        assert!(!self.sessions.is_empty(), "a transaction is a session's");
        self.transactions.push(Transaction { begin: self.events.len(), committed });
    }

    /// The transaction read a value, or the initial one.
    ///
    /// # Panics
    ///
    /// If no transaction has begun.
    pub fn read(&mut self, key: u64, value: Option<u64>) {
        self.push(Event::Read { key, value });
    }

    /// The transaction wrote a value.
    ///
    /// # Panics
    ///
    /// If no transaction has begun.
    pub fn write(&mut self, key: u64, value: u64) {
        self.push(Event::Write { key, value });
    }

    /// The transaction did this.
    ///
    /// # Panics
    ///
    /// If no transaction has begun.
    pub fn push(&mut self, event: Event) {
        assert!(!self.transactions.is_empty(), "an event is a transaction's");
        self.events.push(event);
    }

    /// How many sessions there are.
    #[must_use]
    pub const fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// How many transactions there are, aborted ones included.
    #[must_use]
    pub const fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// All events, in the order of sessions.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The transactions of a session, counted through all of them from 0.
    #[must_use]
    pub fn transactions_of(&self, session: usize) -> Range<usize> {
        let end = self.sessions.get(session + 1).copied().unwrap_or(self.transactions.len());
        self.sessions[session]..end
    }

    /// The events of a transaction, counted through all of them from 0.
    #[must_use]
    pub fn events_of(&self, transaction: usize) -> Range<usize> {
        let end = self.transactions.get(transaction + 1).map_or(self.events.len(), |t| t.begin);
        self.transactions[transaction].begin..end
    }

    /// Whether the transaction was committed.
    #[must_use]
    pub fn is_committed(&self, transaction: usize) -> bool {
        self.transactions[transaction].committed
    }

    /// Puts another event in the place of one: to spoil a history on purpose.
    pub fn replace(&mut self, at: usize, event: Event) {
        self.events[at] = event;
    }

    /// The place of a transaction.
    fn transaction_id(&self, transaction: usize) -> TransactionId {
        let session = self.sessions.partition_point(|&first| first <= transaction);
        TransactionId { session, number: transaction - self.sessions[session - 1] + 1 }
    }

    /// The place of an event.
    fn event_id(&self, event: usize) -> EventId {
        let transaction = self.transactions.partition_point(|t| t.begin <= event) - 1;
        let number = event - self.transactions[transaction].begin + 1;
        EventId { transaction: self.transaction_id(transaction), number }
    }
}
