//! Policies: the rows C11 to C19, C21 to C23, C26 and C28 of the situations that they are for.

mod bytes;
mod degrade;
mod layers;
mod offline;
mod outbox;
#[path = "../levels/random.rs"]
mod random;
mod rules;
mod saga;

/// How many cases a law is tried on: 4,096, or what `CRDT_CASES` says.
fn cases() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
}
