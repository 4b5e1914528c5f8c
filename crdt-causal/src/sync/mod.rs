//! Keeping two logs of events in step.
//!
//! There is one [`Session`] for each peer and log. Both sides greet each other at once:
//!
//! ```text
//!   A ── hello: genesis, limits, frontier, vector beyond a base, writers ──▶ B
//!   A ◀── hello ──────────────────────────────────────────────────────────── B
//!   A ── changes 1, 2, … (what B lacks, and is durable at A) ──────────────▶ B
//!   A ◀── changes 1, 2, … ────────────────────────────────────────────────── B
//!   A ◀── acknowledgement: received 2, durable 2 ─────────────────────────── B
//! ```
//!
//! *Summaries.* A side that holds all events of the other's frontier knows from its own graph
//! what the other one holds. A side that does not uses the vector, which is given relative to a
//! version that both are likely to hold, so that its length does not grow with the number of
//! replicas that ever wrote. One round trip brings each side what the other has; only where
//! neither works, because there is no common past, is a longer vector asked for, or, if both sides
//! [reconcile](Config::with_reconciliation), a sketch of it sent, so that the bytes grow with the
//! difference and not with the number of replicas.
//!
//! *Names.* Ids and keys are written once for each connection, and are small numbers from then
//! on: [`SendTables`]. That is sound because bodies are imported exactly once and in order.
//!
//! *Forks.* With each dot of a frontier goes the [running hash](ChainHash) of its replica up to
//! there, and with changes those of what they build on, as far as the two sides have not compared
//! it yet. So two logs that hold different events under one name, because a replica was cloned or
//! restored from a backup, find out when they meet, and refuse each other instead of merging.
//!
//! *Loss.* Numbered messages are kept until they are received, and sent again with identical
//! bytes (go-back-N). An acknowledgement tells what was received and, apart from that, what is
//! durable: a slow disk causes no retransmission, and only what survives a crash counts as
//! known.
//!
//! *Limits.* See [`Limits`]. A transaction is never split, but a body is: it travels in
//! fragments where a message would be too long.

mod chain;
mod error;
mod event;
mod handshake;
mod hello;
mod inbox;
mod limits;
mod log;
mod message;
mod outbox;
mod presence;
mod reconciling;
mod refusal;
mod session;
mod summary;
mod table;
mod timer;
mod window;

pub use chain::{ChainHash, fingerprint};
pub use error::SessionError;
pub use event::Event;
pub use hello::{Hello, RelativeVector, Summary};
pub use limits::{Config, HELLO_BYTES_MAX, Limits, Retry, WRITERS_MAX};
pub use log::ChangeLog;
pub use message::{Acknowledgement, Content, Last, Message};
pub use presence::PresenceTooLarge;
pub use reconciling::Reconciling;
pub use refusal::Refusal;
pub use session::Session;
pub use table::{Mark, ReceiveTables, SendTables};
