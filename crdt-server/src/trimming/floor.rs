use crdt_core::{Frontier, VersionVector};
use crdt_document::Document;

use crate::store::{Held, before_stratum};

/// What changes of a document have to have seen that come from a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Floor {
    /// The position that it is of.
    position: u64,
    heads: Frontier,
}

impl Floor {
    /// That of a document at a position, which is the beginning of a stratum. `held` was read after
    /// everything in `durable` was.
    pub(crate) fn of(
        document: &Document,
        durable: &VersionVector,
        held: &[Held],
        position: u64,
    ) -> Self {
        if position == 0 {
            return Self::default();
        }
        let old = before_stratum(held, durable, position);
        Self { position, heads: document.heads_within(&old) }
    }

    /// The maximal ones of the events.
    pub(crate) fn heads(&self) -> &Frontier {
        &self.heads
    }

    pub(crate) const fn position(&self) -> u64 {
        self.position
    }
}
