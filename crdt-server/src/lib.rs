//! The sync server of [`crdt_document`], and the client that Rust programs reach it with.
//!
//! A server keeps documents in step that are edited in many places at once, most of the time
//! without a connection. It merges with the same code as everyone else, and adds what a
//! meeting point has to add: it is always there, it keeps what it has acknowledged, and it
//! lets in who may come in.
//!
//! * **Durable before acknowledged.** A change is acknowledged to its writer and shown to
//!   others after it is on the disk. A server that is killed, or a machine that loses power,
//!   comes back with everything that was acknowledged ([`store`]).
//! * **Closed by default.** It listens on the loopback address; anything else takes tokens.
//!   Pages of other origins are turned away, and events are taken only from connections that
//!   may issue them ([`auth`]).
//! * **Bounded.** Messages, queues, connections, documents and time ([`limits`]).
//!
//! # From a socket to the disk
//!
//! ```text
//! listener ─► http ─► websocket ─► rooms ─► room ─► store
//!   TCP       origin    frames      one     sessions   one thread,
//!   counts    token     channels    task    document   group commit
//!                                   each    claims
//! ```
//!
//! A [`server::Server`] can be embedded, with a [`store::Store`] of one's own; the binary
//! `crdt-server` is the same with a command line ([`config::Arguments`]).
//!
//! # Features
//!
//! * `server` (default): everything but the client.
//! * `client`: a WebSocket client, `client::Client`. A program that only needs the client
//!   turns the default off and compiles neither HTTP server nor storage engine.

#[cfg(feature = "server")]
mod api;
#[cfg(feature = "server")]
pub mod auth;
#[cfg(any(feature = "client", feature = "server"))]
pub mod backoff;
#[cfg(feature = "server")]
mod bucket;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
pub mod clock;
#[cfg(feature = "server")]
pub mod config;
pub mod frame;
#[cfg(feature = "server")]
mod gate;
#[cfg(feature = "server")]
mod http;
#[cfg(feature = "server")]
pub mod limits;
#[cfg(feature = "server")]
mod listener;
#[cfg(feature = "server")]
pub mod log;
#[cfg(feature = "server")]
mod outbound;
#[cfg(feature = "server")]
mod peer;
pub mod peer_message;
#[cfg(feature = "server")]
pub mod realm;
#[cfg(feature = "server")]
mod room;
#[cfg(feature = "server")]
mod rooms;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "server")]
mod static_files;
#[cfg(feature = "server")]
pub mod store;
#[cfg(feature = "server")]
pub mod strong;
#[cfg(feature = "server")]
pub mod tls;
#[cfg(feature = "server")]
mod trimming;
#[cfg(feature = "server")]
mod watching;
#[cfg(feature = "server")]
mod websocket;
