//! `cargo +nightly fuzz run document_sync`: see `src/surfaces/document_sync.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(document_sync);
