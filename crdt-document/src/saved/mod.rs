//! Documents as they are stored: what is visible first, and the history as bytes that are decoded when
//! something asks for them.

mod asleep;
mod error;
mod file;
mod snapshot;

use alloc::vec::Vec;

use crdt_core::ReplicaId;

use self::file::File;
use crate::Document;

pub(crate) use self::asleep::Asleep;
pub use self::error::SavedError;

/// Saving and opening.
impl Document {
    /// The document for one's own storage: compressed, what is visible first, so that
    /// [`open`](Self::open) takes the time of that and not of the history. Equal sets of events give
    /// equal bytes. An open transaction has no part in it.
    ///
    /// O(n log n) for n runs of the history, and a pass of deflate over it; of a document that was
    /// opened and not written on since it is a copy.
    pub fn save(&self) -> Vec<u8> {
        match self.state.saved() {
            Some(bytes) => bytes.to_vec(),
            None => file::write(self.state.awake(), self.genesis()),
        }
    }

    /// Opens what [`save`](Self::save) wrote, for reading; see [`set_replica`](Self::set_replica).
    /// A vector is kept as it is, other bytes are copied.
    ///
    /// O(what is visible), however many have written it and however much: but for a checksum over the
    /// bytes the history is left alone. Views, [`to_value`](Self::to_value), [`frontier`](Self::frontier),
    /// [`len`](Self::len) and [`genesis`](Self::genesis) do not need it, nor does writing. (Where there
    /// are counters, whoever returns under an old replica id does.) What does need it
    /// decodes it, once, which takes as long as [`decode`](Self::decode): [`version`](Self::version),
    /// every import, [`encode`](Self::encode), [`changes_since`](Self::changes_since),
    /// [`trim`](Self::trim), older versions of texts, a session, and to [`save`](Self::save) what was
    /// written on.
    ///
    /// Until then the document holds its visible state and these bytes.
    ///
    /// What a later release has written cannot be told apart from its history: such a document is
    /// decoded as it is opened.
    ///
    /// ```
    /// use crdt_document::{Document, ReplicaId};
    ///
    /// let mut doc = Document::new(ReplicaId::from_u128(1));
    /// doc.transact(|tx| tx.text("body").insert(0, "Monsoon").map(drop))?;
    /// let saved = doc.save();
    ///
    /// let mut opened = Document::open(saved)?;
    /// opened.set_replica(ReplicaId::from_u128(2))?;
    /// opened.transact(|tx| tx.text("body").push(" plan").map(drop))?;
    /// assert_eq!(opened.text("body"), "Monsoon plan");
    ///
    /// // Here the history is needed.
    /// doc.import(&opened.changes_since(doc.version()))?;
    /// assert_eq!(opened.history(), Ok(()));
    /// assert_eq!(doc.save(), opened.save());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SavedError`] for bytes that are damaged or not in the format.
    pub fn open(bytes: impl Into<Vec<u8>>) -> Result<Self, SavedError> {
        let file = File::read(bytes.into())?;
        let genesis = file.genesis();
        Ok(Self::of_state(asleep::open(file)?, genesis))
    }

    /// Whether these are bytes that [`save`](Self::save) wrote, by how they begin: a storage may hold
    /// documents in the form of [`encode`](Self::encode), too.
    ///
    /// ```
    /// use crdt_document::Document;
    ///
    /// let doc = Document::reader();
    /// assert!(Document::is_saved(&doc.save()) && !Document::is_saved(&doc.encode()));
    /// ```
    #[must_use]
    pub fn is_saved(bytes: &[u8]) -> bool {
        bytes.starts_with(&file::MAGIC)
    }

    /// Whether the history is decoded, so that what needs it does not have to wait. It is, but for
    /// documents that were [opened](Self::open).
    pub fn has_history(&self) -> bool {
        self.state.asleep.is_none() || self.state.is_woken()
    }

    /// Whether the history is there. That of a document that was [opened](Self::open) is decoded by
    /// this, if that was not done yet.
    ///
    /// If it cannot be decoded, or leads to something else than what is visible, the document
    /// stays what was visible, with what was written since: as one that was [trimmed](Self::trim) at
    /// the version that was saved, with all that this means for those who have not seen that version.
    /// Damage does not come so far, as checksums find it; a file that was made so does.
    ///
    /// # Errors
    ///
    /// Why the history is lost.
    pub fn history(&self) -> Result<(), &SavedError> {
        self.lost.as_ref().or_else(|| self.state.lost()).map_or(Ok(()), Err)
    }

    /// Decodes the history for good, if that was not done yet.
    pub(crate) fn wake(&mut self) {
        if let Some(woken) = self.state.wake() {
            self.state = woken.state;
            self.lost = woken.lost;
        }
    }

    /// Makes the state one that `replica` can write on: it has to know the replica's last number.
    pub(crate) fn prepare_writing(&mut self, replica: ReplicaId) {
        if self.state.is_woken() {
            self.wake();
        }
        let returns = self.state.graph.version().get(replica) < self.state.last_of(replica);
        if !returns {
            return;
        }
        match self.state.remembering(replica) {
            Some(mut state) => {
                (state.asleep, state.base) = (self.state.asleep.take(), None);
                self.state = state;
            }
            None => self.wake(),
        }
    }
}
