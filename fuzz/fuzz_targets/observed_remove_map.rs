//! `cargo +nightly fuzz run observed_remove_map`: see `src/surfaces/observed_remove_map.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(observed_remove_map);
