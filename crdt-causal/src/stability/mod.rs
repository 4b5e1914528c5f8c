//! Causal stability: what everybody has, and what may be forgotten.
//!
//! Histories, tables of writers and removed slots can be dropped once nothing can come any more that
//! needs them. Three machines find out when that is:
//!
//! * [`StabilityTracker`]: the *stable cut*, what every live member of the realm holds.
//! * [`Horizon`]: what has been here for longer than a browser may be away.
//! * [`Trimmer`]: the *trim cut*, which follows from both and from what the other servers still
//!   admit. This is what a server runs; it has the other two in it.
//!
//! [`HeldLeases`] tells a member whether the others still count on it.

mod config;
mod horizon;
mod lease;
mod peer;
mod report;
mod tournament;
mod tracker;
mod trimmer;

pub use config::StabilityConfig;
pub use horizon::{Horizon, HorizonConfig};
pub use lease::HeldLeases;
pub use report::Report;
pub use tracker::{StabilityTracker, UnknownMember};
pub use trimmer::Trimmer;
