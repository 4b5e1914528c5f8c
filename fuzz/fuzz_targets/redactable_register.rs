//! `cargo +nightly fuzz run redactable_register`: see `src/surfaces/redactable_register.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(redactable_register);
