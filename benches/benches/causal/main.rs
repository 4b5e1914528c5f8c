//! What the causal delivery buffer costs, beside a plain one that looks at everything that waits
//! after each delivery; and what it costs to open a document that many have written.
//!
//! Each row is a history of messages with 16 bytes of payload, made before the clock starts and
//! handed over message by message, or in batches of 64 Ki; the time is that of the processor, with
//! taking the messages out and dropping them in it. `CRDT_MESSAGES` says how many messages, a
//! million by default.

mod history;
mod opening;
mod rescanning;
mod rows;

fn main() {
    // `cargo bench` and `cargo test` pass flags of a harness that is not there.
    rows::print();
    opening::print();
}
