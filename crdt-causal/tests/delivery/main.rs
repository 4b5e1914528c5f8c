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

/// How many cases a property is tried on: 4,096, or what `CRDT_CASES` says.
fn cases() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
}
