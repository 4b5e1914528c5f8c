//! `cargo +nightly fuzz run document`: see `src/surfaces/document.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(document);
