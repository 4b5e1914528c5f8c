//! Conflict-free replicated data types as plain values.
#![no_std]
extern crate alloc;
