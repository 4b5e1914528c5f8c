//! `cargo +nightly fuzz run sync_message`: see `src/surfaces/sync_message.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(sync_message);
