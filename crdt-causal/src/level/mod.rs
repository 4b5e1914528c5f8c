//! Consistency levels: what a read promises, and whether a server can keep it now.
//!
//! All levels are one mechanism. A node has an *applied cut*, a session has a token that says what it
//! depends on, and a request asks for a [`Level`]. They are compared, and then [`decide`] says to serve,
//! to wait, to ask someone else, to ask the engine for strong operations, or to refuse. The function is
//! pure and total: whatever it is given, it answers, and with the same the same.

mod decide;
mod decision;
pub mod engine;
mod lattice;
mod node;
mod progress;
mod spec;

#[cfg(test)]
mod tests;

pub use decide::{decide, decide_write, dependencies};
pub use decision::{Achieved, Candidates, Decision, Lacking, Refusal};
pub use lattice::{Bound, Level, LevelError};
pub use node::{EngineView, Held, NodeView, Peer};
pub use progress::{Progress, ProgressConfig, Staleness};
pub use spec::{ReadSpec, Scope, Spec, WriteSpec};
