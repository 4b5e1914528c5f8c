use alloc::collections::BTreeMap;

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

/// Writes headers of changes, a row each.
///
/// A row is the replica's number in the table with two flags, the first sequence number
/// (only where it does not follow from the replica's previous row), the change length, the
/// count if it is not 1, and the explicit parents if there are any. A typed character on an
/// established connection takes three to five bytes.
#[derive(Debug, Default)]
pub struct ChangeWriter {
    /// The last sequence number mentioned, by replica.
    last: BTreeMap<ReplicaId, u64>,
}

impl ChangeWriter {
    /// For the rows of one bundle.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one row. A replica's rows must follow each other without a gap.
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
        table.write(&run.replica, flags, FLAG_BITS, out);
        let end = run.last().seq;
        match self.last.insert(run.replica, end) {
            None => out.varint(run.seq),
            Some(last) => assert_eq!(last + 1, run.seq, "a replica's rows have no gap"),
        }
        out.varint(u64::from(run.change_len));
        if run.count != 1 {
            out.varint(u64::from(run.count));
        }
        if !run.parents.is_empty() {
            out.count(run.parents.len());
            for parent in &run.parents {
                table.write(&parent.replica, 0, 0, out);
                let last = self.last.get(&parent.replica).copied().unwrap_or(0);
                out.signed(parent.seq as i64 - last as i64);
            }
        }
    }
}

/// Reads what [`ChangeWriter`] wrote.
#[derive(Debug, Default)]
pub struct ChangeReader {
    last: BTreeMap<ReplicaId, u64>,
}

impl ChangeReader {
    /// For the rows of one bundle.
    pub fn new() -> Self {
        Self::default()
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
        let seq = match self.last.get(&replica) {
            None => input.seq()?,
            Some(last) => last + 1,
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
        self.last.insert(replica, seq + events - 1);
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
        &self,
        table: &mut ReceiveTable<ReplicaId>,
        input: &mut Reader<'_>,
    ) -> Result<Dot, DecodeError> {
        let (number, _) = table.read(0, input)?;
        let replica = lookup(table, number);
        let last = self.last.get(&replica).copied().unwrap_or(0);
        let at = input.position();
        let seq = last.checked_add_signed(input.signed()?);
        match seq {
            Some(seq) if (1..=SEQ_MAX).contains(&seq) => Ok(Dot::new(replica, seq)),
            _ => Err(DecodeErrorKind::OutOfRange.at(at)),
        }
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
