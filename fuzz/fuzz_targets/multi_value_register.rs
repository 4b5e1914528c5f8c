//! `cargo +nightly fuzz run multi_value_register`: see `src/surfaces/multi_value_register.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(multi_value_register);
