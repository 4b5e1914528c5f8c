use super::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Structs of which only the fields that hold something are written, each behind its number, in
/// ascending order of those; 0 ends them.
///
/// So bytes of a struct are bytes of any later one that has the same fields and more.
impl Writer {
    /// The number of a field whose content is written next. It is not 0.
    pub fn field(&mut self, number: u32) {
        debug_assert_ne!(number, 0, "the numbers of fields begin at 1");
        self.varint(u64::from(number));
    }

    /// The end of a struct's fields.
    pub fn end_of_fields(&mut self) {
        self.u8(0);
    }
}

impl Reader<'_> {
    /// Whether a field's content comes next; the reader goes on behind its number.
    ///
    /// # Errors
    ///
    /// What is there is no number.
    pub fn has_field(&mut self, number: u32) -> Result<bool, DecodeError> {
        let mut ahead = self.clone();
        let is_next = ahead.varint()? == u64::from(number);
        if is_next {
            *self = ahead;
        }
        Ok(is_next)
    }

    /// A field's content, as `read` reads it, or the default if it was left out.
    ///
    /// # Errors
    ///
    /// Those of `read`, and [`DecodeErrorKind::NotCanonical`] for a content that `is_left_out`
    /// of what is written.
    pub fn field<T: Default>(
        &mut self,
        number: u32,
        is_left_out: impl FnOnce(&T) -> bool,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let at = self.position();
        if !self.has_field(number)? {
            return Ok(T::default());
        }
        let content = read(self)?;
        if is_left_out(&content) { Err(DecodeErrorKind::NotCanonical.at(at)) } else { Ok(content) }
    }

    /// The end of a struct's fields.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnknownTag`]: a field comes next that is not known, or was to come
    /// earlier.
    pub fn end_of_fields(&mut self) -> Result<(), DecodeError> {
        let at = self.position();
        if self.varint()? == 0 { Ok(()) } else { Err(DecodeErrorKind::UnknownTag.at(at)) }
    }
}
