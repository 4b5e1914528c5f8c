//! What a document begins with where its older history was trimmed: everything that was visible
//! at one version, as bytes.
//!
//! The bytes are a function of the events that were trimmed and of which writers are remembered,
//! so that two documents that were trimmed alike are saved alike. They are kept as they are: who
//! saves the document needs them again, and what is visible *now* cannot tell what was *then*.

mod read;
mod trim;
mod write;

use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::ReplicaId;
use crdt_core::causality::Base;
use crdt_core::codec::DecodeError;

use crate::journal::Journal;
use crate::state::State;

pub(crate) use read::begin;
pub use trim::Trimmed;
#[cfg(feature = "rebase")]
pub(crate) use trim::replay;
pub(crate) use trim::trim;
#[cfg(feature = "saved")]
pub(crate) use write::write;
use write::write_with_hashes;

/// The bytes of a base, and where they were found among others.
#[derive(Clone, Debug)]
pub(crate) struct BaseBytes {
    pub(crate) bytes: Arc<[u8]>,
    /// For the positions in errors.
    pub(crate) at: usize,
}

/// A base that was read.
pub(crate) struct Begun {
    /// What is visible at it.
    pub(crate) state: State,
    /// Who has written what is visible.
    pub(crate) authors: Vec<ReplicaId>,
}

impl BaseBytes {
    /// Which version it is.
    pub(crate) fn version(&self) -> Result<Base, DecodeError> {
        read::version(&self.bytes).map_err(|error| self.moved(error))
    }

    /// The document at that version.
    pub(crate) fn begin(&self) -> Result<Begun, DecodeError> {
        let mut begun = begin(&self.bytes).map_err(|error| self.moved(error))?;
        begun.state.base = Some(self.bytes.clone());
        Ok(begun)
    }

    fn moved(&self, error: DecodeError) -> DecodeError {
        DecodeError { at: self.at + error.at, ..error }
    }
}

/// Tells a journal that everything in a document has come from nothing.
pub(crate) fn appear(state: &State, journal: &mut Journal) {
    let Some(by) = state.graph.base().and_then(|base| base.heads().iter().next()) else { return };
    (0..state.containers.len()).for_each(|number| {
        journal.appear(&state.containers, number, by.replica);
    });
}
