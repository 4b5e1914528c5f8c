//! `cargo +nightly fuzz run document_saved`: see `src/surfaces/document_saved.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(document_saved);
