use super::{DecodeError, DecodeErrorKind, Reader, Writer};

/// Writes a column of integers, of which the reader will know how many there are, as runs
/// of equal values.
///
/// A run is its value and its length; the length is left out where only one element is
/// missing, so that a column of one element costs one varint.
///
/// ```
/// use crdt_core::codec::{Reader, RunReader, RunWriter, Writer};
///
/// let column = [7, 7, 7, 1];
/// let mut out = Writer::new();
/// let mut runs = RunWriter::new(column.len() as u64);
/// for value in column {
///     runs.push(value, 1, &mut out);
/// }
/// runs.finish(&mut out);
/// assert_eq!(out.as_bytes(), [7, 3, 1]);
///
/// let mut input = Reader::new(out.as_bytes());
/// let mut runs = RunReader::new(column.len() as u64);
/// assert_eq!(runs.next_run(&mut input)?, Some((7, 3)));
/// assert_eq!(runs.next_run(&mut input)?, Some((1, 1)));
/// assert_eq!(runs.next_run(&mut input)?, None);
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Debug)]
pub struct RunWriter {
    left: u64,
    value: u64,
    len: u64,
}

impl RunWriter {
    /// A column of `total` elements.
    pub const fn new(total: u64) -> Self {
        Self { left: total, value: 0, len: 0 }
    }

    /// The next `len` elements are `value`.
    pub fn push(&mut self, value: u64, len: u64, out: &mut Writer) {
        if len == 0 {
            return;
        }
        if self.len > 0 && self.value == value {
            self.len += len;
            return;
        }
        self.flush(out);
        self.value = value;
        self.len = len;
    }

    /// Ends the column.
    ///
    /// # Panics
    ///
    /// If the elements pushed are not as many as the column was made for.
    pub fn finish(mut self, out: &mut Writer) {
        self.flush(out);
        assert_eq!(self.left, 0, "a column has as many elements as it was made for");
    }

    fn flush(&mut self, out: &mut Writer) {
        if self.len == 0 {
            return;
        }
        out.varint(self.value);
        if self.left > 1 {
            out.varint(self.len);
        }
        self.left = self.left.checked_sub(self.len).expect("a column is not overfilled");
        self.len = 0;
    }
}

/// Reads what [`RunWriter`] wrote, a run at a time.
#[derive(Debug)]
pub struct RunReader {
    left: u64,
    last: Option<u64>,
}

impl RunReader {
    /// A column of `total` elements.
    pub const fn new(total: u64) -> Self {
        Self { left: total, last: None }
    }

    /// The next run, a value and how often it stands, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::OutOfRange`] for an empty run or one past the column's end, and
    /// [`DecodeErrorKind::NotCanonical`] for two neighbouring runs of one value.
    pub fn next_run(&mut self, input: &mut Reader<'_>) -> Result<Option<(u64, u64)>, DecodeError> {
        if self.left == 0 {
            return Ok(None);
        }
        let at = input.position();
        let value = input.varint()?;
        if self.last == Some(value) {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        let at = input.position();
        let len = if self.left == 1 { 1 } else { input.varint_max(self.left)? };
        if len == 0 {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        self.left -= len;
        self.last = Some(value);
        Ok(Some((value, len)))
    }
}
