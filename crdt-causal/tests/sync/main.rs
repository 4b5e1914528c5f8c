//! The sync session against a network that misbehaves and peers that lie.

mod converge;
mod forks;
mod hostile;
mod log;
mod network;
mod protocol;
mod reconcile;

/// How many cases a property is tried on: 4,096, or what `CRDT_CASES` says.
fn cases() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
}
