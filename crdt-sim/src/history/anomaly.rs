//! What can be wrong with a history.

use super::{EventId, TransactionId};

/// Why a history is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// A read is wrong whatever the order is: the first one.
    Read(ReadAnomaly),
    /// What must come before what is a circle.
    Cycle(Cycle),
    /// No order of these transactions explains what they read. None of them can be left out, but for
    /// those that another one of them read from.
    NoOrder(Vec<TransactionId>),
}

/// A read that no order explains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadAnomaly {
    /// What is wrong.
    pub kind: Misread,
    /// The read.
    pub read: EventId,
    /// The write of what was read, if there is one.
    pub write: Option<EventId>,
    /// What was read: the key.
    pub key: u64,
    /// And the value.
    pub value: Option<u64>,
}

/// What is wrong with a single read. The names are those of Liu and others, *Plume* (2024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Misread {
    /// Nobody wrote what was read.
    ThinAir,
    /// It was written by a transaction that was aborted.
    Aborted,
    /// It was written by the same transaction, later.
    Future,
    /// The transaction had written the key itself, and read what another one wrote.
    NotOwnWrite,
    /// The transaction had written the key itself twice, and read what is not the last of it.
    NotLastOwnWrite,
    /// Another transaction wrote it, and then something else to the same key.
    Intermediate,
}

/// Transactions that must each come before the next, and the last before the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Each begins where the one before ends.
    pub steps: Vec<Step>,
    /// Whether there is none with fewer steps. Only in histories that are wrong in
    /// very many ways the search for a shorter one is given up.
    pub is_shortest: bool,
}

/// One transaction must come before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The first; `None` for the initial values.
    pub before: Option<TransactionId>,
    /// The second; `None` for the initial values.
    pub after: Option<TransactionId>,
    /// Why.
    pub because: Because,
}

/// Why one transaction must come before another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    /// They are of one session.
    Session,
    /// The second read what the first wrote to this key.
    ReadFrom(u64),
    /// The initial values come before everything.
    Initial,
    /// Both wrote the key; a third transaction read it from the second, and the first was visible to it.
    Overwritten {
        /// The third transaction.
        reader: TransactionId,
        /// What it read.
        key: u64,
        /// Why the first is visible to it: each step leads from one transaction to a later one, by their session
        /// or by a read, from the first to the third. In causal memory another constraint of this kind may be one of
        /// these steps, without its own reasons.
        visible: Vec<Step>,
    },
}
