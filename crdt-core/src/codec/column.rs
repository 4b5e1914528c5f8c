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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::vec;
    use alloc::vec::Vec;

    /// The runs of the column as they come in, and how many elements it has.
    fn written(runs: &[(u64, u64)]) -> (Writer, u64) {
        let total = runs.iter().map(|(_, len)| len).sum();
        let (mut out, mut column) = (Writer::new(), RunWriter::new(total));
        runs.iter().for_each(|&(value, len)| column.push(value, len, &mut out));
        column.finish(&mut out);
        (out, total)
    }

    fn read(bytes: &[u8], total: u64) -> Result<Vec<(u64, u64)>, DecodeError> {
        let (mut input, mut column, mut runs) =
            (Reader::new(bytes), RunReader::new(total), Vec::new());
        while let Some(run) = column.next_run(&mut input)? {
            runs.push(run);
        }
        assert_eq!(input.position(), bytes.len(), "a column is read to its end");
        Ok(runs)
    }

    #[test]
    fn a_column_is_its_elements_however_it_was_pushed() {
        fn law(pushed: Vec<(u8, u8)>) -> bool {
            let pushed: Vec<(u64, u64)> = pushed
                .iter()
                .map(|&(value, len)| (u64::from(value % 3), u64::from(len % 4)))
                .collect();
            let elements = |runs: &[(u64, u64)]| -> Vec<u64> {
                runs.iter().flat_map(|&(value, len)| (0..len).map(move |_| value)).collect()
            };
            let (out, total) = written(&pushed);
            let runs = read(out.as_bytes(), total).expect("just written");
            assert_eq!(elements(&runs), elements(&pushed));
            assert!(runs.windows(2).all(|pair| pair[0].0 != pair[1].0), "runs are whole");
            let one_by_one: Vec<_> = elements(&pushed).iter().map(|&value| (value, 1)).collect();
            assert_eq!(written(&one_by_one).0.as_bytes(), out.as_bytes());
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn the_length_of_the_last_one_is_left_out() {
        assert_eq!(written(&[]).0.as_bytes(), []);
        assert_eq!(written(&[(9, 1)]).0.as_bytes(), [9]);
        assert_eq!(written(&[(9, 2)]).0.as_bytes(), [9, 2]);
        assert_eq!(written(&[(7, 1), (8, 0), (1, 2)]).0.as_bytes(), [7, 1, 1, 2]);
        assert_eq!(written(&[(7, 2), (7, 0), (7, 1), (1, 1)]).0.as_bytes(), [7, 3, 1]);
    }

    #[test]
    fn what_no_writer_wrote_is_refused_where_it_stands() {
        assert_eq!(read(&[7, 1, 7, 2], 3), Err(DecodeErrorKind::NotCanonical.at(2)));
        assert_eq!(read(&[7, 2, 7], 3), Err(DecodeErrorKind::NotCanonical.at(2)));
        assert_eq!(read(&[7, 0], 3), Err(DecodeErrorKind::OutOfRange.at(1)));
        assert_eq!(read(&[7, 4], 3), Err(DecodeErrorKind::OutOfRange.at(1)));
        assert_eq!(read(&[7, 2], 3), Err(DecodeErrorKind::UnexpectedEnd.at(2)));
        assert_eq!(read(&[7, 3], 3), Ok(vec![(7, 3)]));
    }

    #[test]
    #[should_panic(expected = "as many elements as it was made for")]
    fn a_column_is_filled() {
        let (mut out, mut column) = (Writer::new(), RunWriter::new(3));
        column.push(1, 2, &mut out);
        column.finish(&mut out);
    }

    #[test]
    #[should_panic(expected = "a column is not overfilled")]
    fn a_column_is_not_overfilled() {
        let (mut out, mut column) = (Writer::new(), RunWriter::new(3));
        column.push(1, 4, &mut out);
        column.finish(&mut out);
    }
}
