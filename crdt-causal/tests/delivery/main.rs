//! The causal delivery buffer against a plain one, and at its bounds.

mod bounds;
mod causal;
mod counts;
mod forks;
mod forsaken;
mod history;
mod hostile;
mod requests;
mod saved;
mod wire;

use crdt_core::laws::cases;
