use core::ops::Range;

use super::{create, expect};
use crate::error::EditError;
use crate::transaction::Transaction;
use crate::view::{TextView, out_of_bounds};
use crate::{Kind, Path};

/// A text in a transaction.
///
/// Positions count Unicode code points; the methods whose names end in `_utf16` count UTF-16
/// units, as JavaScript does. Text that replicas type at one place at the same time stands
/// there in whole runs, never interleaved.
///
/// A method that returns an error has changed nothing, and the transaction can go on.
#[derive(Debug)]
pub struct TextEdit<'a> {
    tx: Transaction<'a>,
    path: Path,
}

impl<'a> TextEdit<'a> {
    pub(crate) fn new(tx: Transaction<'a>, path: Path) -> Self {
        expect(&path, Kind::Text);
        Self { tx, path }
    }

    /// Inserts text at a position. O(log n) plus its length.
    ///
    /// # Errors
    ///
    /// [`EditError::Text`] if the position is beyond the end; [`EditError::Unsupported`].
    pub fn insert(&mut self, at: usize, content: &str) -> Result<&mut Self, EditError> {
        self.splice(at..at, content)
    }

    /// Appends text.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn push(&mut self, content: &str) -> Result<&mut Self, EditError> {
        let end = self.view().len();
        self.splice(end..end, content)
    }

    /// Deletes the text between two positions.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn delete(&mut self, range: Range<usize>) -> Result<&mut Self, EditError> {
        self.splice(range, "")
    }

    /// Replaces the text between two positions.
    ///
    /// # Errors
    ///
    /// As for [`insert`](Self::insert).
    pub fn splice(&mut self, range: Range<usize>, content: &str) -> Result<&mut Self, EditError> {
        let length = self.view().len();
        if range.start > range.end || range.end > length {
            // The container's own troubles come first.
            self.tx.enter(&self.path)?;
            return Err(out_of_bounds(range.start.max(range.end), length).into());
        }
        let (at, len) = (range.start as u32, (range.end - range.start) as u32);
        self.tx.splice(&self.path, at, len, content)?;
        Ok(self)
    }

    /// Inserts text at an offset in UTF-16 units.
    ///
    /// # Errors
    ///
    /// [`EditError::Text`] if the offset is beyond the end or between the halves of a
    /// surrogate pair; [`EditError::Unsupported`].
    pub fn insert_utf16(&mut self, at: usize, content: &str) -> Result<&mut Self, EditError> {
        self.splice_utf16(at..at, content)
    }

    /// Deletes the text between two offsets in UTF-16 units.
    ///
    /// # Errors
    ///
    /// As for [`insert_utf16`](Self::insert_utf16).
    pub fn delete_utf16(&mut self, range: Range<usize>) -> Result<&mut Self, EditError> {
        self.splice_utf16(range, "")
    }

    /// Replaces the text between two offsets in UTF-16 units.
    ///
    /// # Errors
    ///
    /// As for [`insert_utf16`](Self::insert_utf16).
    pub fn splice_utf16(
        &mut self,
        range: Range<usize>,
        content: &str,
    ) -> Result<&mut Self, EditError> {
        self.tx.enter(&self.path)?;
        let view = self.view();
        let range = view.utf16_to_char(range.start)?..view.utf16_to_char(range.end)?;
        self.splice(range, content)
    }

    /// Deletes all text by one event. What others type at the same time stays.
    pub fn clear(&mut self) -> &mut Self {
        if let Err(error) = self.tx.clear_own(&self.path) {
            self.tx.fail(error);
        }
        self
    }

    /// Makes the text exist, even empty.
    pub fn create(&mut self) -> &mut Self {
        create(&mut self.tx, &self.path);
        self
    }

    /// The text as it is now.
    pub fn view(&self) -> TextView<'_> {
        TextView::new(self.tx.state(), self.tx.find(&self.path))
    }

    /// How many code points there are now.
    pub fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether there is no text now.
    pub fn is_empty(&self) -> bool {
        self.view().is_empty()
    }
}
