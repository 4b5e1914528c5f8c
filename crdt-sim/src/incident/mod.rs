//! What went wrong, told from a trace: which kind of incident it was, when, between whom; and everything that
//! happened, causes before effects.
//!
//! A trace has what machines themselves could have noted: what they sent and received, stored, and when they started. What
//! the plan had done to them, which the trace of a simulation has as well, is not looked at. From the
//! symptoms follows the [`Class`] of the incident ([`classify`]); and [`timeline`] puts the events of all machines
//! into one order, by the hybrid clocks that they would have had, since their own are wrong by years.

mod classify;
mod packets;
mod timeline;

pub use classify::{Class, Incident, classify};
pub use timeline::{Entry, timeline};
