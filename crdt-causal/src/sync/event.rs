//! What a session tells its user.

use alloc::vec::Vec;

use crdt_core::{DotRange, ReplicaId};

use super::refusal::Refusal;

/// What happened in a session, in order. See [`Session::poll_event`](super::Session::poll_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer's greeting has come, and fits: the two sides speak one protocol about one thing.
    Established {
        /// The replicas in whose name the peer says that it writes.
        writers: Vec<ReplicaId>,
    },
    /// The peer says that it writes in the name of one more replica.
    WriterClaimed {
        /// Which one.
        replica: ReplicaId,
    },
    /// Changes of the peer were imported.
    Changed {
        /// The dots that came, in ascending order. Some may have been held before.
        ranges: Vec<DotRange>,
    },
    /// More of what is held here is durable at the peer: see
    /// [`Session::acknowledged`](super::Session::acknowledged).
    PeerDurable,
    /// Each side holds durably what the other does, as far as they have told each other. The
    /// event comes again each time that this becomes so again after there was something to send.
    UpToDate,
    /// Something that passes, of which the session knows nothing.
    Presence(Vec<u8>),
    /// The session is over: the peer refuses to go on, or takes nothing as long as a change that
    /// is held here ([`Refusal::BodyTooLarge`]).
    Refused(Refusal),
}
