//! A WebSocket client: one socket, many documents.
//!
//! A [`Client`] is a connection, shared by any number of [`Channel`]s. A channel keeps one
//! log, usually a [`Document`](crdt_document::Document), in step with the server's document
//! of a name. The log stays the caller's: it is lent to the channel for each call, so that
//! nothing is locked and nothing changes behind the caller's back.
//!
//! ```no_run
//! use crdt_core::ReplicaId;
//! use crdt_document::Document;
//! use crdt_server::client::{ChannelOptions, Client};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let replica = ReplicaId::from_u128(7);
//! let mut notes = Document::new(replica);
//! notes.transact(|tx| tx.text("body").insert(0, "hello").map(drop))?;
//!
//! let client = Client::connect("ws://127.0.0.1:8080/v1/sync").await?;
//! let options = ChannelOptions::new().with_writers([replica]);
//! let mut channel = client.open("notes", options).await?;
//! channel.until_up_to_date(&mut notes).await?; // sent, stored there, and the other way round
//!
//! // Later: whatever comes first, an edit of one's own or a message.
//! loop {
//!     tokio::select! {
//!         event = channel.next_event(&mut notes) => println!("{:?}", event?),
//!         edit = next_edit() => {
//!             notes.transact(|tx| tx.text("body").insert(0, &edit).map(drop))?;
//!         }
//!     }
//! }
//! # }
//! # async fn next_edit() -> String { std::future::pending().await }
//! ```
//!
//! The log may be anything that implements [`ChangeLog`](crdt_causal::sync::ChangeLog): a
//! program that shows what has come, yet merges it when its user says so, receives into one
//! document and imports from it into another.
//!
//! When a connection is lost, drop its client and channels, wait for the next of the pauses
//! of a [`Backoff`], and connect again: the greetings of the new session find out what was
//! missed.

mod channel;
mod error;
mod options;
mod socket;

pub use crate::backoff::Backoff;
pub use channel::{Channel, Traffic};
pub use error::{ChannelError, ConnectError};
pub use options::ChannelOptions;
pub use socket::{Client, ConnectOptions};
