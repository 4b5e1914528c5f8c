//! What the integration tests share; each of them uses a part.
#![allow(dead_code, unreachable_pub)]

pub mod gated_store;
pub mod medium;
