//! `cargo +nightly fuzz run session_token`: see `src/surfaces/session_token.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(session_token);
