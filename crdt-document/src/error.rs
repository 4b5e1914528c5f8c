use alloc::vec::Vec;
use core::fmt;

use crdt_core::causality::GraphError;
use crdt_core::codec::DecodeError;
use crdt_core::sequence::TextError;
use crdt_core::{Dot, DotRange, Frontier, ReplicaId};

use crate::{Genesis, Path};

/// Why a transaction did not take place. The document is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// The document was made for reading: it has no replica id to write under. See
    /// [`Document::set_replica`](crate::Document::set_replica).
    NoReplica,
    /// A transaction is open already.
    TransactionOpen,
    /// No transaction is open.
    NoTransaction,
    /// An edit of a text is out of bounds, inside of a code point, or makes it too long.
    Text(TextError),
    /// A counter is as far as it can go, or the amount is `i64::MIN`.
    CounterOverflow(Path),
    /// Lists and maps in a value are nested deeper than [`VALUE_DEPTH_MAX`](crate::VALUE_DEPTH_MAX).
    ValueTooDeep,
    /// A path has more than [`PATH_STEPS_MAX`](crate::PATH_STEPS_MAX) steps.
    PathTooLong,
    /// The container holds what a later release wrote, or is of a kind that this release
    /// does not know.
    Unsupported(Path),
    /// The document, or the replica's sequence, is full.
    Full(GraphError),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReplica => f.write_str("the document has no replica id to write under"),
            Self::TransactionOpen => f.write_str("a transaction is open already"),
            Self::NoTransaction => f.write_str("no transaction is open"),
            Self::Text(error) => error.fmt(f),
            Self::CounterOverflow(path) => write!(f, "the counter at {path} cannot go that far"),
            Self::ValueTooDeep => f.write_str("the value is nested too deep"),
            Self::PathTooLong => f.write_str("the path has too many steps"),
            Self::Unsupported(path) => write!(f, "a later release wrote the container at {path}"),
            Self::Full(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for EditError {}

impl From<TextError> for EditError {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

/// Why changes from elsewhere were not taken in. The document is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportError {
    /// The bytes are damaged, or of another format.
    Decode(DecodeError),
    /// The changes belong to a document with another beginning.
    UnrelatedGenesis {
        /// The genesis of this document.
        ours: Genesis,
        /// The genesis that the changes name.
        theirs: Genesis,
    },
    /// The changes build on events that are not held here. Ask for these, then offer the
    /// changes again.
    Missing(Vec<DotRange>),
    /// Two different events under one dot: a replica id is used twice, by a restored backup,
    /// a cloned profile or on purpose.
    Equivocation {
        /// Whose events they claim to be.
        replica: ReplicaId,
        /// The first event of the change that differs, as far as it is known.
        seq: u64,
    },
    /// A change that no honest replica makes.
    InvalidChange(Dot),
    /// A change that was made without knowledge of what was [trimmed](crate::Document::trim)
    /// here: before it, or concurrently. It cannot be merged any more. Whoever made it goes on
    /// with what is held here, and makes the change anew as an edit of that.
    BeforeTrim(Dot),
    /// The changes follow a version that is not held here, and the history up to it is gone where
    /// they come from. A document that has nothing of its own to lose begins anew with what they
    /// bring; this one does.
    HistoryNeeded(Frontier),
    /// The document would hold too many events.
    Full(GraphError),
    /// The caller's admission refused a change of this replica.
    NotAdmitted {
        /// Who issued the change.
        replica: ReplicaId,
    },
    /// A transaction is open.
    TransactionOpen,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::UnrelatedGenesis { ours, theirs } => {
                write!(f, "the changes begin at {theirs}, this document at {ours}")
            }
            Self::Missing(ranges) => {
                f.write_str("the changes build on missing events:")?;
                ranges.iter().try_for_each(|range| write!(f, " {range}"))
            }
            Self::Equivocation { replica, seq } => {
                write!(f, "replica {replica} has issued two events as its number {seq}")
            }
            Self::InvalidChange(dot) => write!(f, "the change at {dot} is not valid"),
            Self::BeforeTrim(dot) => {
                write!(f, "the change at {dot} has not seen the history that was trimmed here")
            }
            Self::HistoryNeeded(base) => {
                f.write_str("the changes follow a trimmed history that is not held here, up to")?;
                base.iter().try_for_each(|head| write!(f, " {head}"))
            }
            Self::Full(error) => error.fmt(f),
            Self::NotAdmitted { replica } => write!(f, "changes of {replica} are not admitted"),
            Self::TransactionOpen => f.write_str("a transaction is open"),
        }
    }
}

impl core::error::Error for ImportError {}

impl From<DecodeError> for ImportError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}
