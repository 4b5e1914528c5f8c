//! Finding out how two sets differ, in bytes that grow with the difference and not with the
//! sets.
//!
//! What is reconciled is a map from names to 64-bit values: replica ids and their last sequence
//! numbers, or documents and their fingerprints. A name goes in as
//! a keyed hash, so that all [entries](Entry) have one length, and a map is a set of entries.
//!
//! * [`Sketch`] is *rateless set reconciliation*: one side sends coded symbols, the other one
//!   subtracts its own and peels the difference out. For `d` entries that differ it takes 1.4 to 2
//!   times `d` symbols of some 20 bytes, however many entries both sides hold.
//! * [`Exchange`] and [`answer`] carry sketches between two sides that hold whole collections of
//!   named things, such as all documents of two servers.
//!
//! A sync session uses sketches by itself where two sides have no common past to name: see
//! `sync::Config::with_reconciliation`.
//!
//! Yang, Gilad and Alizadeh, *Practical rateless set reconciliation*, SIGCOMM 2024.

mod collection;
mod exchange;
mod indices;
mod limits;
mod message;
mod salt;
mod sketch;
mod symbol;

pub use collection::Collection;
pub use exchange::{Difference, Exchange, ExchangeError, answer};
pub use limits::Limits;
pub use message::{Answer, Offer};
pub use salt::{Entry, Salt};
pub use sketch::{Peeled, Sketch, TooShort};
