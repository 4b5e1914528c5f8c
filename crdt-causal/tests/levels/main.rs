//! Sessions and consistency levels over servers that lag, against what the guarantees say.

mod bounded;
mod client;
mod clocks;
mod eventual;
mod guarantees;
mod hostile;
#[allow(dead_code, reason = "the log of the tests of `sync`")]
#[path = "../sync/log.rs"]
mod log;
mod prefix;
mod random;
mod register;
mod roaming;
mod strong;
mod world;

/// How many histories a property is tried on: 200, or as `CRDT_CASES` says, of 4,096, more or fewer,
/// but not so few that what may go wrong does not.
fn histories() -> u64 {
    let cases = std::env::var("CRDT_CASES").ok().and_then(|cases| cases.parse().ok());
    cases.map_or(200, |cases: u64| (cases * 200).div_ceil(4096).max(50))
}
