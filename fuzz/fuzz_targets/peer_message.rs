//! `cargo +nightly fuzz run peer_message`: see `src/surfaces/peer_message.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(peer_message);
