//! The sync server of `crdt-document`, as a library.
#[cfg(feature = "server")]
pub mod auth;
#[cfg(feature = "server")]
pub mod config;
pub mod frame;
#[cfg(feature = "server")]
mod gate;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
pub mod log;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "server")]
pub mod store;
