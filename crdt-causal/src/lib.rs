//! Causal delivery, synchronisation, sessions and consistency levels as sans-I/O machines.
//!
//! What applications have to write themselves otherwise, for messages and logs of any kind:
//!
//! * [`clock`] tells what happened before what.
//! * [`delivery`] holds messages back until everything that they follow was delivered: a
//!   *causal delivery buffer*.
//! * [`sync`] keeps two logs of events in step over a connection that may lose, repeat and
//!   reorder what it carries, and that may end at any time: a *sync session*.
//! * [`cut`] says how far something has got with what the servers of a group have admitted.
//! * [`session`] is what a client has seen and done, in a *token* that it carries from server to server.
//! * [`level`] compares the two, and decides whether a server may answer at a *consistency level*.
//! * [`stability`] finds out what all servers have, and what may be forgotten; [`membership`] says who
//!   they are, and what a slot meant when.
//! * [`quorum`] computes how many replicas have to take part, [`handoff`] keeps what one misses while it
//!   is away, and a [`breaker`] notices that it is.
//! * [`observe`] watches from outside: which promises were broken, and which objectives are missed.
//!
//! They are values and state machines and nothing else. Bytes, messages and the time are arguments;
//! messages, events and the next deadline are polled. There is no socket in here, no clock, no
//! randomness, no thread, and so a test can put two of them on a virtual network and let years
//! pass in a second. Nothing that a peer sends makes them panic, or hold more than their bounds.
//!
//! # Two replicas over a link that loses messages
//!
//! What is replicated can be anything that has [dots](crdt_core::Dot): here it is a notebook, in
//! which each replica writes lines of its own. [`ChangeLog`](sync::ChangeLog) says how to cut it
//! into bodies; the document of `crdt-document` is another one.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use crdt_causal::sync::{
//!     ChainHash, ChangeLog, Config, Event, ReceiveTables, Refusal, SendTables, Session,
//! };
//! use crdt_core::codec::{DecodeError, DecodeErrorKind, Reader, Writer};
//! use crdt_core::{Dot, DotRange, Frontier, ReplicaId, VersionVector};
//!
//! #[derive(Default)]
//! struct Notebook {
//!     lines: BTreeMap<Dot, String>,
//!     version: VersionVector,
//! }
//!
//! impl Notebook {
//!     fn write(&mut self, replica: ReplicaId, line: &str) {
//!         let dot = Dot::new(replica, self.version.get(replica) + 1);
//!         self.lines.insert(dot, line.to_owned());
//!         self.version.observe(replica, dot.seq);
//!     }
//! }
//!
//! impl ChangeLog for Notebook {
//!     type Error = DecodeError;
//!
//!     fn genesis(&self) -> [u8; 16] {
//!         *b"notes, version 1"
//!     }
//!
//!     fn version(&self) -> &VersionVector {
//!         &self.version
//!     }
//!
//!     // Lines of different replicas are concurrent, so each replica's last line is maximal.
//!     fn frontier(&self) -> Frontier {
//!         self.version.iter().map(|(replica, seq)| Dot::new(replica, seq)).collect()
//!     }
//!
//!     fn frontier_of(&self, version: &VersionVector) -> Option<Frontier> {
//!         (version == self.version()).then(|| self.frontier())
//!     }
//!
//!     fn knows(&self, frontier: &Frontier) -> bool {
//!         frontier.iter().all(|dot| self.version().contains(dot))
//!     }
//!
//!     fn version_of(&self, frontier: &Frontier) -> Option<VersionVector> {
//!         let dots = frontier.iter().map(|dot| (dot.replica, dot.seq));
//!         self.knows(frontier).then(|| dots.collect())
//!     }
//!
//!     // Nothing is ever trimmed here, and there are no running hashes.
//!     fn closed(&self, claimed: VersionVector) -> VersionVector {
//!         claimed
//!     }
//!
//!     fn serves(&self, _known: &VersionVector) -> bool {
//!         true
//!     }
//!
//!     fn chain(&self, _dot: Dot) -> Option<ChainHash> {
//!         None
//!     }
//!
//!     fn follows(&self, _ranges: &[DotRange]) -> Vec<Dot> {
//!         Vec::new()
//!     }
//!
//!     fn encode_changes(
//!         &self,
//!         known: &VersionVector,
//!         upto: &VersionVector,
//!         bytes_max: usize,
//!         tables: &mut SendTables,
//!         body: &mut Writer,
//!     ) -> Vec<DotRange> {
//!         let mut sent = Vec::new();
//!         for range in upto.missing_from(known) {
//!             for seq in range.first..=range.last {
//!                 if body.len() >= bytes_max {
//!                     return sent;
//!                 }
//!                 tables.replicas.write(&range.replica, 0, 0, body);
//!                 body.varint(seq);
//!                 body.string(&self.lines[&Dot::new(range.replica, seq)]);
//!                 sent.push(DotRange::new(range.replica, seq, seq));
//!             }
//!         }
//!         sent
//!     }
//!
//!     fn import_changes(
//!         &mut self,
//!         body: &mut Reader<'_>,
//!         tables: &mut ReceiveTables,
//!     ) -> Result<Vec<DotRange>, DecodeError> {
//!         // All or nothing: the lines are kept aside until the last one was read.
//!         let (mut lines, mut version) = (Vec::new(), self.version.clone());
//!         while !body.is_empty() {
//!             let (number, _) = tables.replicas.read(0, body)?;
//!             let replica = *tables.replicas.get(number).expect("it was just read");
//!             let seq = body.seq()?;
//!             if seq > version.get(replica) + 1 {
//!                 return Err(body.error(DecodeErrorKind::OutOfRange));
//!             }
//!             version.observe(replica, seq);
//!             lines.push((Dot::new(replica, seq), body.string()?.to_owned()));
//!         }
//!         let ranges = lines.iter().map(|(dot, _)| DotRange::new(dot.replica, dot.seq, dot.seq));
//!         let ranges = ranges.collect();
//!         self.lines.extend(lines);
//!         self.version = version;
//!         Ok(ranges)
//!     }
//!
//!     fn refusal(_error: &DecodeError) -> Refusal {
//!         Refusal::InvalidChanges
//!     }
//! }
//!
//! // Two people have written while they were apart.
//! let mut notebooks = [Notebook::default(), Notebook::default()];
//! notebooks[0].write(ReplicaId::from_u128(1), "milk");
//! notebooks[1].write(ReplicaId::from_u128(2), "bread");
//!
//! // They meet. The link loses every third message.
//! let mut now = 0;
//! let mut sessions = [1, 2].map(|nonce| Session::new(Config::new(), nonce, now));
//! let mut sent = 0;
//! let mut up_to_date = [false, false];
//! while up_to_date != [true, true] {
//!     for (here, there) in [(0, 1), (1, 0)] {
//!         // Without a disk, what is there is as durable as it gets.
//!         sessions[here].set_durable(notebooks[here].version());
//!         while let Some(message) = sessions[here].poll_transmit(&notebooks[here], now) {
//!             sent += 1;
//!             if sent % 3 != 0 {
//!                 sessions[there].handle(&message, &mut notebooks[there], now)?;
//!             }
//!         }
//!         while let Some(event) = sessions[here].poll_event() {
//!             up_to_date[here] |= event == Event::UpToDate;
//!         }
//!     }
//!     // Nobody sleeps in here: time is what the sessions are told.
//!     now = sessions.iter().filter_map(Session::poll_timeout).min().unwrap_or(now).max(now);
//! }
//! assert_eq!(notebooks[0].lines.len(), 2);
//! assert_eq!(notebooks[0].lines, notebooks[1].lines);
//! # Ok::<(), crdt_causal::sync::SessionError<DecodeError>>(())
//! ```
//!
//! # What is not in here
//!
//! Sockets, storage, an async runtime, and merging: that is the business of the log. A session
//! does not encrypt or authenticate, nor does it notice a message that the transport damaged;
//! it expects both of the connection (TLS, a WebSocket).
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod breaker;
pub mod clock;
pub mod cut;
pub mod delivery;
mod elapsed;
pub mod handoff;
pub mod level;
pub mod membership;
pub mod observe;
pub mod policy;
pub mod quorum;
pub mod reconcile;
pub mod session;
pub mod stability;
pub mod sync;

/// The page's Rust is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/delivery.md")]
struct DeliveryPage;
