//! `cargo +nightly fuzz run counters`: see `src/surfaces/counters.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(counters);
