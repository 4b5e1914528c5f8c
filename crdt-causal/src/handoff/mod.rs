//! Hinted hand-off: what a replica misses while it is away is kept for it, within bounds.

mod limits;
mod machine;
mod target;

pub use limits::HandoffLimits;
pub use machine::{AntiEntropy, FellBack, Given, Handoff, Held, Hint, Overflow};
