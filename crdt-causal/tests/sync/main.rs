//! The sync session against a network that misbehaves and peers that lie.

mod converge;
mod forks;
mod hostile;
mod log;
mod network;
mod protocol;
mod reconcile;

use crdt_core::laws::cases;
