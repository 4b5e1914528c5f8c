//! `cargo +nightly fuzz run lww_map`: see `src/surfaces/lww_map.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(lww_map);
