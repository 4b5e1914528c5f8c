//! The right to change a root under one replica's name.

use core::fmt;

use crate::ReplicaId;
use crate::collections::Place;

/// The right to change one root under one replica's name.
///
/// A *root* is a replicated value with its own sequence of events per replica: an
/// [`AddWinsSet`](crate::AddWinsSet), a [`PnCounter`](crate::PnCounter), a text, … It makes
/// its writers (`root.writer(replica)`), its mutators take one, and a writer serves no other
/// root: that is what keeps each replica's events in a root numbered without gaps.
///
/// The writer remembers how far it has brought its replica's sequence. A root that has not
/// come as far did not take part in that: it is another root, or a copy made earlier. To
/// write there would give one name to two events, so the mutator **panics**. A root that has
/// come further, because the replica's own earlier events came back from a peer, is served;
/// the sequence goes on behind what the root knows.
///
/// A writer cannot be cloned. Make one per root and process, and mint a new [`ReplicaId`]
/// wherever a second process may run.
///
/// ```should_panic
/// use crdt_core::{AddWinsSet, ReplicaId};
///
/// let mut tags = AddWinsSet::new();
/// let mut fork = tags.clone();
/// let mut writer = tags.writer(ReplicaId::from_u128(1));
/// let _delta = tags.add("crdt", &mut writer)?;
/// let _delta = fork.add("event", &mut writer)?; // panics: both would be event 1
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    replica: ReplicaId,
    position: u64,
    near: Near,
}

/// Where a root's tables of replicas had a writer's last, to be looked at first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    /// How much is known of it, or counted.
    pub(crate) known: Place,
    /// The run of its last dots that are held.
    pub(crate) held: Place,
    /// What it took out last,
    pub(crate) taken_out: Place,
    /// and the run of its dot.
    pub(crate) retired: Place,
}

impl Near {
    const START: Self = Self {
        known: Place::START,
        held: Place::START,
        taken_out: Place::START,
        retired: Place::START,
    };
}

impl Writer {
    /// A writer for a root that has come to `position` in the replica's sequence.
    pub(crate) const fn new(replica: ReplicaId, position: u64) -> Self {
        Self { replica, position, near: Near::START }
    }

    /// The replica it writes for.
    pub const fn replica(&self) -> ReplicaId {
        self.replica
    }

    /// How far the writer has brought its replica's sequence: the number of the last event,
    /// or what the root counts instead.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Where to look for the replica first.
    pub(crate) const fn near(&mut self) -> &mut Near {
        &mut self.near
    }

    /// Meets a root that has come to `position`.
    ///
    /// Only a position that is behind is a mistake: peers can move a root forwards, under
    /// whatever name they please, and must not be able to cause a panic.
    #[track_caller]
    pub(crate) const fn meet(&self, position: u64) {
        assert!(self.position <= position, "a writer serves only the root that made it");
    }

    /// Notes that the root has come to `position`.
    pub(crate) const fn advance(&mut self, position: u64) {
        self.position = position;
    }
}

/// Why a root cannot be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The replica has no event numbers left below [`SEQ_MAX`](crate::SEQ_MAX).
    ///
    /// No replica gets there by writing; a peer has forged events under its name. Mint a new
    /// id to go on.
    SequenceExhausted {
        /// The replica whose name was used up.
        replica: ReplicaId,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SequenceExhausted { replica } => {
                write!(f, "replica {replica} has no event numbers left")
            }
        }
    }
}

impl core::error::Error for WriteError {}
