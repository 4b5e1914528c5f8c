//! Strong operations: what decides them, and what may come of them.
//!
//! Causality and tokens cannot give one order that everybody agrees on at once. Whatever has to be
//! linearizable (a name that only one may take, a stock that must not go below zero) goes to an
//! *engine*: something with a majority, a leader and a log, such as a database. This crate holds no
//! such thing. It holds the seam, [`Engine`], and [`MemoryEngine`], which is one for tests, with every
//! fault that a real one has.

mod memory;

pub use memory::{Fault, Machine, MemoryEngine, MemoryNode};

use crate::cut::Cut;

/// The name of an operation under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What became of a strong operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome<A> {
    /// It was done, or read, after everything that was done before it was asked for.
    Committed {
        /// The engine's position behind it: a session that has seen it must not see less.
        position: u64,
        /// What it returned.
        answer: A,
    },
    /// Its condition did not hold, and nothing was done.
    Conflict {
        /// The engine's position at which that was so.
        position: u64,
    },
    /// It was not done, and will not be: there is no majority.
    Unavailable,
    /// Nobody knows: it may have been done, and may still be. Not an error that can be retried
    /// blindly, unless doing it twice does no harm.
    Indeterminate,
}

/// Where strong operations are decided, as one server sees it.
///
/// It does no waiting: an operation is begun, and what became of it is polled. Before one that depends
/// on causal events is begun, these have to be in [`durable`](Self::durable):
/// [`decide`](crate::level::decide) sees to it.
pub trait Engine {
    /// What changes something, under a condition or none.
    type Command;
    /// What changes nothing.
    type Query;
    /// What either returns.
    type Answer;

    /// Begins a change.
    fn propose(&mut self, command: Self::Command, now: u64) -> Ticket;

    /// Begins a linearizable read: of a state no older than what was committed when it was asked for.
    fn read(&mut self, query: Self::Query, now: u64) -> Ticket;

    /// What has become of something that was begun.
    fn poll(&mut self, now: u64) -> Option<(Ticket, Outcome<Self::Answer>)>;

    /// When to poll next, at the latest.
    fn poll_timeout(&self) -> Option<u64>;

    /// The causal events that survive whatever the engine survives.
    fn durable(&self) -> &Cut;
}
