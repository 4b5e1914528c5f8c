//! Names: of replicas, and of the events that replicas issue.

mod dot;
mod replica;

pub use dot::{Dot, DotRange, SEQ_MAX};
pub use replica::ReplicaId;
