//! Names that a connection writes once and then refers to by small numbers.

use alloc::vec::Vec;

use crdt_core::ReplicaId;
use crdt_core::causality::{ChangeReader, ChangeWriter};
use crdt_core::codec::{ReceiveTable, SendTable};

/// Keys that a table may hold when a body goes on with it. A sender whose table has reached
/// this starts its next body with empty tables, and says so.
pub(super) const KEYS_MAX: usize = 1 << 16;

/// The names that one side of a connection has introduced to the other.
///
/// A body introduces a name where it first uses it. Bodies are imported once and in the order
/// in which they were encoded, so that both sides number the names alike.
#[derive(Clone, Debug, Default)]
pub struct SendTables {
    /// The replicas whose events were sent, or named as parents.
    pub replicas: SendTable<ReplicaId>,
    /// Whatever else the log names often, containers for instance, as opaque bytes.
    pub keys: SendTable<Vec<u8>>,
    /// What the headers of changes refer back to. A log that uses it begins each body with
    /// [`ChangeWriter::begin_body`], and leaves it alone where it writes nothing.
    pub changes: ChangeWriter,
}

/// What [`SendTables`] held at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    replicas: usize,
    keys: usize,
}

impl SendTables {
    /// Tables without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers what the tables hold now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { replicas: self.replicas.len(), keys: self.keys.len() }
    }

    /// Forgets the names introduced since `mark`, because the bytes that introduce them are
    /// not going to be sent. O(names) if there are any.
    pub fn roll_back(&mut self, mark: Mark) {
        self.replicas.truncate(mark.replicas);
        self.keys.truncate(mark.keys);
    }

    pub(super) fn is_full(&self) -> bool {
        self.replicas.len() >= KEYS_MAX || self.keys.len() >= KEYS_MAX
    }
}

/// The names that the other side of a connection has introduced.
///
/// A peer can fill them up to 2¹⁶ names of each sort, and with what one body holds beyond that.
#[derive(Clone, Debug, Default)]
pub struct ReceiveTables {
    /// What [`SendTables::replicas`] holds at the other side.
    pub replicas: ReceiveTable<ReplicaId>,
    /// What [`SendTables::keys`] holds at the other side.
    pub keys: ReceiveTable<Vec<u8>>,
    /// What [`SendTables::changes`] is at the other side.
    pub changes: ChangeReader,
}

impl ReceiveTables {
    /// Tables without names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.replicas.len() >= KEYS_MAX || self.keys.len() >= KEYS_MAX
    }
}
