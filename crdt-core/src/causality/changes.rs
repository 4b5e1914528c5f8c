use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::codec::{DecodeError, DecodeErrorKind, Reader, ReceiveTable, SendTable, Writer};
use crate::{Dot, ReplicaId, SEQ_MAX};

/// The header of consecutive changes of one replica: what they are called and what they
/// follow, without what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRun {
    /// Who issued them.
    pub replica: ReplicaId,
    /// The first event's sequence number.
    pub seq: u64,
    /// How many events each change has, at least 1.
    pub change_len: u32,
    /// How many changes there are, at least 1; each follows the one before.
    pub count: u32,
    /// The *explicit* parents of the first change: the frontier at its start without the
    /// replica's own predecessor, in ascending order.
    pub parents: SmallVec<[Dot; 2]>,
}

impl ChangeRun {
    /// How many events there are.
    pub fn events(&self) -> u64 {
        u64::from(self.change_len) * u64::from(self.count)
    }

    /// The first event.
    pub fn first(&self) -> Dot {
        Dot::new(self.replica, self.seq)
    }

    /// The last event.
    pub fn last(&self) -> Dot {
        Dot::new(self.replica, self.seq + self.events() - 1)
    }
}

const FLAG_PARENTS: u64 = 1;
const FLAG_COUNT: u64 = 2;
const FLAG_BITS: u32 = 2;

/// Writes headers of changes, a row each, always with the same table.
///
/// A row is the replica's number in the table with two flags, the first sequence number
/// (only where it does not follow from the replica's previous row; relative to the greatest
/// one mentioned, if there is one), the change length, the
/// count if it is not 1, and the explicit parents if there are any.
///
/// On a connection one writer serves all bodies, each begun by
/// [`begin_body`](Self::begin_body): a replica's first row in a body then says how far its
/// sequence number is from what the connection would expect, and the header of a typed
/// character takes three bytes, or six if it follows another replica's.
#[derive(Clone, Debug, Default)]
pub struct ChangeWriter {
    mentioned: ByNumber,
    body: u64,
}

/// What both sides remember of a replica.
#[derive(Clone, Copy, Debug, Default)]
struct Mentioned {
    /// The greatest sequence number so far, of a row's last event or of a parent.
    seq: u64,
    /// Of the last row: where it ended, and in which body that was.
    row: Option<(u64, u64)>,
}

impl Mentioned {
    /// Where the last row ended, if it was in this body.
    fn in_body(&self, body: u64) -> Option<u64> {
        self.row.filter(|&(_, held)| held == body).map(|(end, _)| end)
    }

    fn row(&mut self, end: u64, body: u64) {
        self.row = Some((end, body));
        self.seq = self.seq.max(end);
    }
}

/// What is remembered of each replica, by its number in the table.
#[derive(Clone, Debug, Default)]
struct ByNumber(Vec<Mentioned>);

impl ByNumber {
    /// Of the replica with a number that the table has.
    fn at(&mut self, number: u32) -> &mut Mentioned {
        let number = number as usize;
        if number >= self.0.len() {
            self.0.resize(number + 1, Mentioned::default());
        }
        &mut self.0[number]
    }
}

impl ChangeWriter {
    /// For the rows of one bundle, or of the first body of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins another body of the same connection.
    pub fn begin_body(&mut self) {
        self.body += 1;
    }

    /// Appends one row. A replica's rows in a body must follow each other without a gap.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn write(&mut self, run: &ChangeRun, table: &mut SendTable<ReplicaId>, out: &mut Writer) {
        let mut flags = 0;
        if !run.parents.is_empty() {
            flags |= FLAG_PARENTS;
        }
        if run.count != 1 {
            flags |= FLAG_COUNT;
        }
        let number = table.write(&run.replica, flags, FLAG_BITS, out);
        let end = run.last().seq;
        let mentioned = self.mentioned.at(number);
        match mentioned.in_body(self.body) {
            Some(last) => assert_eq!(last + 1, run.seq, "a replica's rows have no gap"),
            None if mentioned.seq == 0 => out.varint(run.seq),
            None => out.signed(run.seq as i64 - (mentioned.seq + 1) as i64),
        }
        mentioned.row(end, self.body);
        out.varint(u64::from(run.change_len));
        if run.count != 1 {
            out.varint(u64::from(run.count));
        }
        if !run.parents.is_empty() {
            out.count(run.parents.len());
            for parent in &run.parents {
                let number = table.write(&parent.replica, 0, 0, out);
                let mentioned = self.mentioned.at(number);
                out.signed(parent.seq as i64 - mentioned.seq as i64);
                mentioned.seq = mentioned.seq.max(parent.seq);
            }
        }
    }
}

/// Reads what [`ChangeWriter`] wrote, always with the same table.
#[derive(Clone, Debug, Default)]
pub struct ChangeReader {
    mentioned: ByNumber,
    body: u64,
}

impl ChangeReader {
    /// For the rows of one bundle, or of the first body of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins another body of the same connection.
    pub fn begin_body(&mut self) {
        self.body += 1;
    }

    /// The next row.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes; a row that is returned has sequence numbers within
    /// [`SEQ_MAX`], and parents in strictly ascending order of which none is the replica's own.
    pub fn read(
        &mut self,
        table: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<ChangeRun, DecodeError> {
        let (number, flags) = table.read(FLAG_BITS, input)?;
        let replica = lookup(table, number);
        let at = input.position();
        let mentioned = *self.mentioned.at(number);
        let seq = match mentioned.in_body(self.body) {
            Some(last) => last + 1,
            None if mentioned.seq == 0 => input.seq()?,
            None => (mentioned.seq + 1)
                .checked_add_signed(input.signed()?)
                .filter(|seq| (1..=SEQ_MAX).contains(seq))
                .ok_or(DecodeErrorKind::OutOfRange.at(at))?,
        };
        let at = input.position();
        let change_len = positive(input)?;
        let count = if flags & FLAG_COUNT == 0 {
            1
        } else {
            let at = input.position();
            match positive(input)? {
                1 => return Err(DecodeErrorKind::NotCanonical.at(at)),
                count => count,
            }
        };
        let events = u64::from(change_len) * u64::from(count);
        if events > SEQ_MAX.saturating_sub(seq - 1) {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        self.mentioned.at(number).row(seq + events - 1, self.body);
        let mut parents: SmallVec<[Dot; 2]> = SmallVec::new();
        if flags & FLAG_PARENTS != 0 {
            let at = input.position();
            let count = input.count(2)?;
            if count == 0 {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
            for _ in 0..count {
                let at = input.position();
                let parent = self.read_parent(table, input)?;
                // Of two events of one replica the earlier is in the later one's past.
                let descends = |last: &Dot| last.replica >= parent.replica;
                if parent.replica == replica || parents.last().is_some_and(descends) {
                    return Err(DecodeErrorKind::NotAscending.at(at));
                }
                parents.push(parent);
            }
        }
        Ok(ChangeRun { replica, seq, change_len, count, parents })
    }

    fn read_parent(
        &mut self,
        table: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Dot, DecodeError> {
        let (number, _) = table.read(0, input)?;
        let replica = lookup(table, number);
        let mentioned = self.mentioned.at(number);
        let at = input.position();
        let seq = mentioned
            .seq
            .checked_add_signed(input.signed()?)
            .filter(|seq| (1..=SEQ_MAX).contains(seq))
            .ok_or(DecodeErrorKind::OutOfRange.at(at))?;
        mentioned.seq = mentioned.seq.max(seq);
        Ok(Dot::new(replica, seq))
    }
}

fn lookup(table: &ReceiveTable<ReplicaId>, number: u32) -> ReplicaId {
    *table.get(number).expect("the table returns only numbers that it knows")
}

fn positive(input: &mut Reader<'_>) -> Result<u32, DecodeError> {
    let at = input.position();
    match input.varint_u32()? {
        0 => Err(DecodeErrorKind::OutOfRange.at(at)),
        value => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smallvec::smallvec;

    const A: ReplicaId = ReplicaId::from_u128(1);
    const B: ReplicaId = ReplicaId::from_u128(2);
    const C: ReplicaId = ReplicaId::from_u128(3);

    fn run(replica: ReplicaId, seq: u64, (change_len, count): (u32, u32)) -> ChangeRun {
        ChangeRun { replica, seq, change_len, count, parents: SmallVec::new() }
    }

    /// What a writer makes of the rows of each body, all of one connection.
    fn written(bodies: &[&[ChangeRun]]) -> Vec<Vec<u8>> {
        let (mut table, mut writer) = (SendTable::new(), ChangeWriter::new());
        let body = |(index, rows): (usize, &&[ChangeRun])| {
            if index > 0 {
                writer.begin_body();
            }
            let mut out = Writer::new();
            rows.iter().for_each(|row| writer.write(row, &mut table, &mut out));
            out.into_bytes()
        };
        bodies.iter().enumerate().map(body).collect()
    }

    fn read(bodies: &[Vec<u8>]) -> Result<Vec<Vec<ChangeRun>>, DecodeError> {
        let (mut table, mut reader) = (ReceiveTable::new(), ChangeReader::new());
        let mut read = Vec::new();
        for (index, body) in bodies.iter().enumerate() {
            if index > 0 {
                reader.begin_body();
            }
            let (mut input, mut rows) = (Reader::new(body), Vec::new());
            while !input.is_empty() {
                rows.push(reader.read(&mut table, &mut input)?);
            }
            read.push(rows);
        }
        Ok(read)
    }

    fn read_again(bodies: &[&[ChangeRun]]) -> Vec<Vec<u8>> {
        let bytes = written(bodies);
        let read = read(&bytes).expect("just written");
        assert!(read.iter().eq(bodies.iter()), "{read:?}");
        bytes
    }

    #[test]
    fn each_body_says_where_a_replica_goes_on() {
        let after = |parent| ChangeRun { parents: smallvec![parent], ..run(B, 1, (1, 1)) };
        let bodies: [&[ChangeRun]; 4] = [
            &[run(A, 1, (2, 3)), run(A, 7, (1, 1)), after(Dot::new(A, 7))],
            &[run(A, 8, (1, 1)), run(B, 2, (1, 1)), run(A, 9, (1, 1))],
            // What is in between came by another way, and what is again comes again.
            &[run(A, 20, (1, 1)), run(B, 1, (1, 1))],
            &[run(A, 21, (1, 1))],
        ];
        let bytes = read_again(&bodies);
        // Without a table entry: who, where and how many; within a body nobody says where.
        assert_eq!(bytes[1].len(), 3 + 3 + 2);
        assert_eq!(bytes[3].len(), 3);
    }

    #[test]
    #[should_panic(expected = "a replica's rows have no gap")]
    fn a_replica_s_rows_in_a_body_have_no_gap() {
        let _bytes = written(&[&[run(A, 1, (2, 3)), run(A, 8, (1, 1))]]);
    }

    #[test]
    fn sequence_numbers_end() {
        for last in [(1, 1), (2, 1), (2, 3), (1, 6)] {
            let events = u64::from(last.0 * last.1);
            let bytes = read_again(&[&[run(A, SEQ_MAX - events + 1, last)]]);
            // One event more in each change, or one more in all.
            let mut beyond = bytes[0].clone();
            let at = beyond.len() - if last.1 == 1 { 1 } else { 2 };
            beyond[at] += 1;
            assert_eq!(read(&[beyond]), Err(DecodeErrorKind::OutOfRange.at(at)));
        }
        // A parent may be the last there is.
        let follows = |seq| ChangeRun { parents: smallvec![Dot::new(B, seq)], ..run(A, 1, (1, 1)) };
        read_again(&[&[follows(SEQ_MAX)]]);
    }

    #[test]
    fn what_no_writer_wrote_is_refused() {
        let rows = |parents: &[Dot]| {
            let bytes = written(&[&[ChangeRun { parents: parents.into(), ..run(B, 1, (1, 1)) }]]);
            read(&bytes).map(|_| ()).map_err(|error| error.kind)
        };
        let [of_a, own, of_c] = [A, B, C].map(|replica| Dot::new(replica, 5));
        assert_eq!(rows(&[of_a, of_c]), Ok(()));
        let refused = Err(DecodeErrorKind::NotAscending);
        assert_eq!(rows(&[own]), refused, "the own predecessor is implicit");
        assert_eq!(rows(&[of_c, of_a]), refused);
        assert_eq!(rows(&[of_a, Dot::new(A, 6)]), refused, "one is in the other's past");
    }
}
