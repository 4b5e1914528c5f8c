//! Writing to a text.

use alloc::string::ToString;

use smallvec::SmallVec;

use super::delta::TextDelta;
use super::error::TextError;
use super::run::TextOp;
use super::text::Text;
use crate::causality::ChangeRun;
use crate::{ReplicaId, Writer};

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
        let mut ops: SmallVec<[TextOp<'_>; 2]> = SmallVec::new();
        if deleted > 0 {
            ops.push(TextOp::Delete { at, len: deleted, forward: true });
        }
        if !content.is_empty() {
            ops.push(TextOp::Insert { at, content });
        }
        self.edit(&ops, writer)
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
        let before = self.graph.last_of(writer.replica());
        writer.meet(before);
        let mut delta = TextDelta::default();
        let lv = self.graph.len();
        let replica = writer.replica();
        let result = ops.iter().try_for_each(|op| {
            let next = lv + delta.ops.events();
            self.store.edit(next, op)?;
            if op.events() > 0 {
                delta.ops.push(*op);
            }
            Ok(())
        });
        if result.is_ok() && delta.ops.events() == 0 {
            return Ok(delta);
        }
        let parents: SmallVec<[_; 2]> = self.graph.frontier().into();
        let pushed = result.and_then(|()| {
            let pushed = self.graph.push(replica, delta.ops.events(), 1, &parents);
            pushed.map_err(|_| TextError::TooLong)
        });
        if let Err(error) = pushed {
            self.store.roll_back();
            return Err(error);
        }
        self.store.keep();
        writer.advance(before + u64::from(delta.ops.events()));
        delta.headers.push(&ChangeRun {
            replica,
            seq: before + 1,
            change_len: delta.ops.events(),
            count: 1,
            parents: self.graph.explicit_parents(lv),
        });
        Ok(delta)
    }
}
