//! Stable cuts, horizons and trim cuts against plain computations of them.

mod horizon;
mod random;
mod tracker;
mod trimmer;

/// How many cases a property is tried on: 4,096, or what `CRDT_CASES` says.
fn cases() -> u64 {
    std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4096)
}
