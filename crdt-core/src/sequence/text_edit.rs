//! Writing to a text.

use alloc::string::ToString;

use smallvec::SmallVec;

use super::delta::{Changes, Form, TextDelta};
use super::error::{InvalidTextOp, TextError};
use super::one_edit::OneEdit;
use super::run::{Run, TextOp};
use super::text::Text;
use crate::causality::{ChangeRun, Lv};
use crate::{Dot, ReplicaId, Writer};

/// Writing. Every mutator returns the delta to send; each call is one change.
impl Text {
    /// A writer for `replica`; see [`Writer`].
    #[must_use]
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.version().get(replica))
    }

    /// Inserts `content` so that it begins at code point `at`. O(log n).
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root; so do the other mutators.
    #[track_caller]
    pub fn insert(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(at, 0, content, writer)
    }

    /// Deletes `len` code points from `at` on. O(log n) and the text that goes.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn delete(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(at, len, "", writer)
    }

    /// Puts `content` in the place of the `deleted` code points from `at` on, as one change.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn splice(
        &mut self,
        at: u32,
        deleted: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.store.check_bounds(at, deleted)?;
        let Ok(chars) = u32::try_from(content.chars().count()) else {
            return Err(TextError::TooLong);
        };
        if deleted == 0 && chars == 0 {
            return Ok(TextDelta::default());
        }
        let events = deleted.saturating_add(chars);
        let ChangeStart { lv, seq, parents } = self.begin_change(events, content.len(), writer)?;
        if deleted > 0 {
            self.note_deletion(&TextOp::Delete { at, len: deleted, forward: true });
        }
        self.store.splice(lv, at, deleted, (content, chars));
        let event = (writer.replica(), seq);
        let edit = OneEdit::new(event, &parents, (at, deleted), (content, chars));
        Ok(TextDelta { form: Form::Edit(edit) })
    }

    /// Makes the text equal to `content`, keeping what the two have in common at the
    /// beginning and at the end.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`]; nothing is changed.
    #[track_caller]
    pub fn replace(&mut self, content: &str, writer: &mut Writer) -> Result<TextDelta, TextError> {
        let old = self.to_string();
        let mut old = old.as_str();
        let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> (u32, usize) {
            let equal = pairs.take_while(|(a, b)| a == b);
            equal.fold((0, 0), |(chars, bytes), (c, _)| (chars + 1, bytes + c.len_utf8()))
        };
        let (at, bytes) = common(&mut old.chars().zip(content.chars()));
        old = &old[bytes..];
        let content = &content[bytes..];
        let (_, bytes) = common(&mut old.chars().rev().zip(content.chars().rev()));
        let deleted = old[..old.len() - bytes].chars().count() as u32;
        self.splice(at, deleted, &content[..content.len() - bytes], writer)
    }

    /// Deletes everything that is visible, by one event however long the text is.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`]; nothing is changed.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> Result<TextDelta, TextError> {
        self.edit(&[TextOp::Clear { len: 1 }], writer)
    }

    /// Inserts at a UTF-16 offset; see [`insert`](Self::insert).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an offset between the halves of a surrogate pair.
    #[track_caller]
    pub fn insert_utf16(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(self.utf16_to_char(at)?, 0, content, writer)
    }

    /// Deletes a range of UTF-16 offsets; see [`delete`](Self::delete).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an end between the halves of a surrogate pair.
    #[track_caller]
    pub fn delete_utf16(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        let end = self.utf16_to_char(at.saturating_add(len))?;
        let at = self.utf16_to_char(at)?;
        self.splice(at, end - at, "", writer)
    }

    /// Inserts at a UTF-8 offset; see [`insert`](Self::insert).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an offset inside of a code point.
    #[track_caller]
    pub fn insert_bytes(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(self.byte_to_char(at)?, 0, content, writer)
    }

    /// Deletes a range of UTF-8 offsets; see [`delete`](Self::delete).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an end inside of a code point.
    #[track_caller]
    pub fn delete_bytes(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        let end = self.byte_to_char(at.saturating_add(len))?;
        let at = self.byte_to_char(at)?;
        self.splice(at, end - at, "", writer)
    }

    /// Applies edits one after the other, as one change that others see whole. Positions are
    /// those that the edit before leaves.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn edit(
        &mut self,
        ops: &[TextOp<'_>],
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        // What does not fit is found before anything is changed.
        let mut length = self.len_chars();
        let (mut events, mut bytes) = (0u32, 0);
        for op in ops {
            let (position, change) = match *op {
                TextOp::Insert { at, .. } => (at, Run::of(op)),
                TextOp::Delete { at, len, .. } => (at.saturating_add(len), Run::of(op)),
                TextOp::Clear { .. } => (0, Run::of(op)),
            };
            if position > length {
                return Err(TextError::OutOfBounds { position, length });
            }
            match change {
                Ok(run) => {
                    length = run.length_after(length).expect("it was found to be in bounds");
                    events = events.saturating_add(run.len);
                    bytes += op.content().len();
                }
                Err(InvalidTextOp::Empty) => {}
                Err(_) => return Err(TextError::TooLong),
            }
        }
        if events == 0 {
            return Ok(TextDelta::default());
        }
        let ChangeStart { mut lv, seq, parents } = self.begin_change(events, bytes, writer)?;
        let mut delta = Changes::default();
        for op in ops {
            if let Ok(run) = Run::of(op) {
                self.note_deletion(op);
                self.store.write(lv, run, op.content());
                lv += run.len;
                delta.ops.push(*op);
            }
        }
        let replica = writer.replica();
        delta.headers.push(&ChangeRun { replica, seq, change_len: events, count: 1, parents });
        Ok(delta.into())
    }

    /// Adds a change of so many events with so many bytes of text to the graph; what it does is
    /// still to be written.
    #[inline]
    #[track_caller]
    fn begin_change(
        &mut self,
        events: u32,
        bytes: usize,
        writer: &mut Writer,
    ) -> Result<ChangeStart, TextError> {
        if self.past.is_some() {
            return self.begin_change_of_loaded(events, bytes, writer);
        }
        let replica = writer.replica();
        writer.meet(self.graph.last_of(replica));
        if !self.store.has_room(self.graph.len(), events, bytes) {
            return Err(TextError::TooLong);
        }
        let pushed = self.graph.push_at_tip(replica, events);
        let (lv, seq) = pushed.map_err(|_| TextError::TooLong)?;
        writer.advance(seq + u64::from(events) - 1);
        Ok(ChangeStart { lv, seq, parents: self.graph.explicit_parents(lv) })
    }
}

/// A change in the graph that is about to be written.
pub(super) struct ChangeStart {
    pub(super) lv: Lv,
    pub(super) seq: u64,
    /// The explicit parents.
    pub(super) parents: SmallVec<[Dot; 2]>,
}
