//! Saving and loading texts, and writing on one that was loaded.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::error::HistoryError;
use super::file::File;
use super::history::Decoded;
use super::past::Past;
use super::write;
use crate::causality::ChangeRun;
use crate::codec::DecodeError;
use crate::sequence::Rope;
use crate::sequence::error::TextError;
use crate::sequence::run::TextOp;
use crate::sequence::text::Text;
use crate::sequence::text_edit::ChangeStart;
use crate::sequence::text_store::TextStore;
use crate::{SEQ_MAX, Writer};

/// Saving and loading.
impl Text {
    /// The text with all the history that it holds, compressed and with checksums. Equal texts have
    /// equal bytes, however their changes came. For less history there is
    /// [`encode_with`](Self::encode_with).
    ///
    /// O(history); on a text whose history was not decoded, O(text and what was written since it
    /// was loaded): what was stored before stays as it is, but for the last 1,024 events and now
    /// and then more of each who wrote.
    ///
    /// # Errors
    ///
    /// [`HistoryError`], if the part of a loaded history that has to be written anew is damaged.
    pub fn encode(&self) -> Result<Vec<u8>, HistoryError> {
        let file = match &self.past {
            Some(past) => past.to_file(self.store.log(), self.rope())?,
            None => write::file(&self.graph, &self.store),
        };
        Ok(file.write(&self.to_string()))
    }

    /// Reads what [`encode`](Self::encode) wrote: one's own storage, whose checksum stands for
    /// its history. For what others send there is [`import`](Self::import).
    ///
    /// O(text). The history stays as it is until something needs it: joining changes that do not
    /// follow everything that is known, exporting, looking back. Then it is decoded, which may fail
    /// although loading did not.
    ///
    /// ```
    /// use crdt_core::{ReplicaId, Text};
    ///
    /// let mut text = Text::new();
    /// let mut anna = text.writer(ReplicaId::from_u128(1));
    /// let _delta = text.insert(0, "HELLO", &mut anna)?;
    /// let saved = text.encode()?;
    ///
    /// let mut loaded = Text::decode(&saved)?;
    /// let mut bela = loaded.writer(ReplicaId::from_u128(2));
    /// let _delta = loaded.insert(5, "!", &mut bela)?;
    /// assert_eq!(loaded.to_string(), "HELLO!");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DecodeError`], for bytes that are not in the format, or damaged.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (file, text) = File::read(bytes)?;
        if file.authors.is_empty() && text.is_empty() {
            return Ok(Self::new());
        }
        let past = Past::new(file);
        let store = TextStore::loaded(Rope::from(&*text), past.end());
        Ok(Self { past: Some(Box::new(past)), store, ..Self::default() })
    }

    /// Reads what another replica's [`encode`](Self::encode) wrote, and trusts it in nothing: the
    /// whole history is decoded and replayed, and has to lead to the text.
    ///
    /// # Errors
    ///
    /// [`HistoryError`].
    pub fn import(bytes: &[u8]) -> Result<Self, HistoryError> {
        let mut text = Self::decode(bytes)?;
        text.load_history()?;
        Ok(text)
    }

    /// Whether the history is decoded, so that what needs it does not have to wait.
    #[must_use]
    pub fn has_history(&self) -> bool {
        self.past.is_none()
    }

    /// Decodes the history of a text that was loaded, if that has not been done. What needs it and
    /// may change the text does so by itself; what only reads decodes it anew each time.
    ///
    /// # Errors
    ///
    /// [`HistoryError`]; nothing is changed.
    pub fn load_history(&mut self) -> Result<(), HistoryError> {
        if let Some(past) = &self.past {
            let Decoded { graph, log, merge, base } = past.decode(self.store.log(), self.rope())?;
            self.store.set_history(&graph, (&base, log, merge));
            self.graph = graph;
            self.past = None;
        }
        Ok(())
    }

    /// This text with its history decoded.
    pub(in crate::sequence) fn with_history(&self) -> Result<Cow<'_, Self>, HistoryError> {
        if self.has_history() {
            return Ok(Cow::Borrowed(self));
        }
        let mut text = self.clone();
        text.load_history()?;
        Ok(Cow::Owned(text))
    }

    /// Adds a change of so many events with so many bytes of text to those that were made since
    /// the text was loaded; what it does is still to be written.
    pub(in crate::sequence) fn begin_change_of_loaded(
        &mut self,
        events: u32,
        bytes: usize,
        writer: &mut Writer,
    ) -> Result<ChangeStart, TextError> {
        let past = self.past.as_mut().expect("called for a text that was loaded");
        let replica = writer.replica();
        let (lv, before) = (past.end(), past.version().get(replica));
        writer.meet(before);
        let has_room = SEQ_MAX - before >= u64::from(events)
            && past.has_room(lv, events.into())
            && self.store.has_room(lv, events, bytes);
        if !has_room {
            return Err(TextError::TooLong);
        }
        let parents: SmallVec<_> =
            past.frontier().iter().filter(|parent| parent.replica != replica).collect();
        let seq = before + 1;
        past.push(&ChangeRun {
            replica,
            seq,
            change_len: events,
            count: 1,
            parents: parents.clone(),
        });
        writer.advance(before + u64::from(events));
        Ok(ChangeStart { lv, seq, parents })
    }

    /// Notes the text that an edit is about to delete, which is in bounds, where it would
    /// otherwise have to be looked for in the history.
    pub(in crate::sequence) fn note_deletion(&mut self, op: &TextOp<'_>) {
        if let Some(past) = &mut self.past {
            past.note(&self.store, op);
        }
    }
}
