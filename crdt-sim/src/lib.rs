//! The convergence laboratory: a deterministic world of replicas in which everything goes wrong.
//!
//! Replicas, servers and clients run in one process, on a virtual network, virtual disks and
//! virtual clocks. They are the machines that ship, `crdt-causal`'s sessions and buffers and
//! `crdt-document`'s documents, as they are: these are sans-I/O, so there is nothing to replace.
//! What happens is a function of a [plan](plan::Plan), and a plan is drawn from a seed.
//!
//! ```
//! use crdt_sim::campaign::{self, Keep};
//! use crdt_sim::plan::Plan;
//!
//! let report = campaign::play(&Plan::draw(7), Keep::default());
//! assert_eq!(report.violation, None);
//! // Everything that happened, as one number: the same wherever the seed is played.
//! assert_eq!(report.hash, campaign::play(&Plan::draw(7), Keep::default()).hash);
//! ```
//!
//! Each seed draws [its own mix](plan) of [faults](faults::Fault). While they last, nothing may
//! be applied before its past, or believed to be stored and not be so, or read otherwise than a
//! [model] says that knows nothing of how anything is implemented. When they end, all have
//! to hold the same, in the same bytes, and fall silent. The checkers are in [`world`].
//!
//! What any system, not only this one, let its clients do and see is judged from outside by the checker of
//! [histories](history), which knows nothing of the laboratory.
//!
//! The same runs on [types and documents of your own](laboratory), and situations that many systems have been in
//! are played, and judged, as [scenarios](scenario).
//!
//! A seed that fails is [shrunk](shrink) to a small plan, which is a text to be edited and played
//! again, and [drawn](diagram).
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod campaign;
pub mod clock;
pub mod diagram;
pub mod disk;
pub mod document;
pub mod faults;
pub mod history;
pub mod incident;
pub mod journal;
pub mod laboratory;
pub mod messages;
pub mod model;
pub mod network;
pub mod plan;
mod queue;
pub mod random;
pub mod replica;
pub mod scenario;
pub mod shrink;
pub mod trace;
pub mod world;
