//! How much history is saved with a text.

use alloc::vec::Vec;

use super::error::HistoryError;
use crate::VersionVector;
use crate::sequence::text::Text;

/// How much history [`Text::encode_with`] saves with a text.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SavedHistory<'v> {
    /// All that is held.
    Whole,
    /// What is later than the last place in this version which everything later has in its past.
    Since(&'v VersionVector),
    /// None: the state alone. Who loads it can write on, and takes in what was written by those
    /// who have seen all of it.
    Nothing,
}

impl Text {
    /// The text with as much of its history as is asked for. What is left out is
    /// [trimmed](Self::trim) from what is saved, and every writer remembered; the text itself stays
    /// as it is. So it is loaded as any other: by [`decode`](Self::decode), or by
    /// [`import`](Self::import) where it comes from a peer.
    ///
    /// O(history).
    ///
    /// ```
    /// use crdt_core::{ReplicaId, Text};
    /// use crdt_core::sequence::SavedHistory;
    ///
    /// let mut text = Text::new();
    /// let mut anna = text.writer(ReplicaId::from_u128(1));
    /// let _delta = text.insert(0, "HELLO", &mut anna)?;
    /// let _delta = text.delete(0, 1, &mut anna)?;
    /// let state = text.encode_with(SavedHistory::Nothing)?;
    ///
    /// let mut copy = Text::import(&state)?;
    /// let mut bela = copy.writer(ReplicaId::from_u128(2));
    /// text.join(&copy.insert(0, "J", &mut bela)?)?;
    /// assert_eq!(text.to_string(), "JELLO");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HistoryError`], if the history of a text that was loaded is damaged.
    pub fn encode_with(&self, history: SavedHistory<'_>) -> Result<Vec<u8>, HistoryError> {
        let all = self.version();
        let stable = match history {
            SavedHistory::Whole => return self.encode(),
            SavedHistory::Since(version) => version,
            SavedHistory::Nothing => all,
        };
        let mut copy = self.with_history()?.into_owned();
        copy.trim(stable, |_| true)?;
        copy.encode()
    }
}
