//! `cargo +nightly fuzz run lww_register`: see `src/surfaces/lww_register.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(lww_register);
