//! `cargo +nightly fuzz run version_vector`: see `src/surfaces/version_vector.rs`.
#![cfg_attr(fuzzing, no_main)]

crdt_fuzz::target!(version_vector);
