//! What the causal delivery buffer costs, beside a plain one that looks at everything that waits
//! after each delivery; what it costs to open a document that many have written,
//! and what the running hash of a replica's events costs.
//!
//! Each row is a history of messages with 16 bytes of payload, made before the clock starts and
//! handed over message by message, or in batches of 64 Ki; the time is that of the processor, with
//! taking the messages out and dropping them in it; of five runs the one in the middle is printed.
//! `CRDT_MESSAGES` says how many messages, a million by default.
//!
//! There is no row of another crate's buffer, with or without the feature `peers`: of the published
//! ones `tcb` (0.1.202, of 2020) delivers inside threads that own the sockets, and cannot be handed a
//! message; the orderer of `p2panda-stream` (0.8) is a transaction with a database for each message;
//! `vclock`, `crdts` and the like have clocks and no buffer.

mod opening;
mod rescanning;
mod rows;
mod running_hash;

fn main() {
    // `cargo bench` and `cargo test` pass flags of a harness that is not there.
    rows::print();
    running_hash::print();
    opening::print();
}
