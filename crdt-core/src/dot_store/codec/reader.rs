use smallvec::{Array, SmallVec};

use super::lanes::{Foresight, Lanes};
use super::{DecodeStore, EXPECTED, STEPS, WRITTEN_OUT};
use crate::causality::CausalContext;
use crate::codec::{DecodeError, DecodeErrorKind, InternedDecode, Reader, ReceiveTable, unzigzag};
use crate::{Dot, ReplicaId, SEQ_MAX};

/// Reads what [`StoreWriter`](super::StoreWriter) wrote.
#[derive(Debug)]
pub struct StoreReader<'a> {
    replicas: ReceiveTable<ReplicaId>,
    lanes: Lanes,
    foresight: Foresight,
    dots: Reader<'a>,
    unusual: Reader<'a>,
    // How many usual leaves come before the next unusual one, and how many dots that has.
    next_unusual: Option<(u64, u64)>,
    body: Reader<'a>,
}

/// The dots of one leaf, some of them still to be read.
#[derive(Debug)]
pub struct Leaf {
    left: u64,
    last: Option<Dot>,
}

impl Leaf {
    /// Makes room for one more of a leaf's items: for half as many again as there are, and no
    /// more than the leaf has.
    pub(in crate::dot_store) fn make_room<A: Array>(&self, items: &mut SmallVec<A>) {
        if items.len() == items.capacity() {
            let more = 1 + items.len() / 2;
            items.reserve_exact(usize::try_from(self.left).map_or(more, |left| more.min(1 + left)));
        }
    }
}

impl<'a> StoreReader<'a> {
    /// A context, and the store behind it.
    pub(in crate::dot_store) fn read<S: DecodeStore>(
        input: &mut Reader<'a>,
    ) -> Result<(CausalContext, S), DecodeError> {
        let mut replicas = ReceiveTable::new();
        let context = CausalContext::decode_interned(&mut replicas, input)?;
        let (dots, mut unusual) = (input.section()?, input.section()?);
        let next_unusual = next(&mut unusual)?;
        let lanes = Lanes::of(context.vector());
        let (foresight, body) = (Foresight::new(&lanes), input.clone());
        let mut reader = Self { replicas, lanes, foresight, dots, unusual, next_unusual, body };
        let store = S::decode_store(None, &mut reader)?;
        let Self { dots, unusual, next_unusual, body, .. } = reader;
        dots.finish()?;
        if next_unusual.is_some() {
            return Err(unusual.error(DecodeErrorKind::TrailingBytes));
        }
        *input = body;
        Ok((context, store))
    }

    /// Where keys and values are.
    pub fn body(&mut self) -> &mut Reader<'a> {
        &mut self.body
    }

    /// A dot by its name, of which the number may be 0, and where it stands.
    pub(crate) fn name(&mut self) -> Result<(usize, Dot), DecodeError> {
        let at = self.dots.position();
        let replica = self.replicas.read_key(&mut self.dots)?;
        let seq = self.dots.varint_max(SEQ_MAX)?;
        Ok((at, Dot::new(replica, seq)))
    }

    /// The next leaf; its dots follow by [`dot`](Self::dot).
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::CountTooLarge`] if it has more dots than there can be.
    pub fn leaf(&mut self) -> Result<Leaf, DecodeError> {
        let left = match &mut self.next_unusual {
            Some((0, dots)) => {
                let dots = *dots;
                self.next_unusual = next(&mut self.unusual)?;
                dots
            }
            Some((usual, _)) => {
                *usual -= 1;
                1
            }
            None => 1,
        };
        // All but the first are a number of the table and a sequence number.
        if left > 1 + self.dots.remaining() as u64 / 2 {
            return Err(self.dots.error(DecodeErrorKind::CountTooLarge));
        }
        Ok(Leaf { left, last: None })
    }

    /// The next dot of a leaf, or `None` at its end.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes; dots that are not in ascending order.
    pub fn dot(&mut self, leaf: &mut Leaf) -> Result<Option<Dot>, DecodeError> {
        if leaf.left == 0 {
            return Ok(None);
        }
        let at = self.dots.position();
        let dot = if let Some(last) = leaf.last {
            let dot = Dot::decode_interned(&mut self.replicas, &mut self.dots)?;
            if last >= dot {
                return Err(DecodeErrorKind::NotAscending.at(at));
            }
            dot
        } else {
            self.first_dot()?
        };
        leaf.left -= 1;
        leaf.last = Some(dot);
        Ok(Some(dot))
    }

    fn first_dot(&mut self) -> Result<Dot, DecodeError> {
        let at = self.dots.position();
        let expected = self.foresight.expected(&self.lanes);
        let number = match self.dots.varint()? {
            WRITTEN_OUT => {
                let dot = Dot::decode_interned(&mut self.replicas, &mut self.dots)?;
                return match self.lanes.number(dot) {
                    Some(_) => Err(DecodeErrorKind::NotCanonical.at(at)),
                    None => Ok(dot),
                };
            }
            EXPECTED => expected,
            step => {
                let step = step.checked_sub(STEPS).ok_or(DecodeErrorKind::NotCanonical.at(at))?;
                let base = self.foresight.base(&self.lanes);
                let number = base.wrapping_add(unzigzag(step) as u64);
                if expected == Some(number) {
                    return Err(DecodeErrorKind::NotCanonical.at(at));
                }
                Some(number)
            }
        };
        let number = number.filter(|&number| number < self.lanes.len());
        let number = number.ok_or(DecodeErrorKind::OutOfRange.at(at))?;
        let dot = self.lanes.dot(number);
        self.foresight.learn(dot, number, &self.lanes);
        Ok(dot)
    }
}

/// The next leaf that does not hold one dot: how many usual ones come before it, and how many
/// dots it has.
fn next(unusual: &mut Reader<'_>) -> Result<Option<(u64, u64)>, DecodeError> {
    if unusual.is_empty() {
        return Ok(None);
    }
    let usual = unusual.varint()?;
    let at = unusual.position();
    match unusual.varint()? {
        1 => Err(DecodeErrorKind::NotCanonical.at(at)),
        dots => Ok(Some((usual, dots))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn room_is_made_for_half_as_many_again_and_for_no_more_than_come() {
        let room = |held: usize, left: u64| {
            let mut items: SmallVec<[u8; 1]> = SmallVec::from_vec(vec![0; held]);
            assert_eq!(items.capacity(), held);
            Leaf { left, last: None }.make_room(&mut items);
            items.capacity()
        };
        assert_eq!([1, 2, 10, 11].map(|held| room(held, 100)), [2, 4, 16, 17]);
        // The one that is there already, and those that are left.
        assert_eq!([0, 1, 2, 5, 6].map(|left| room(10, left)), [11, 12, 13, 16, 16]);
        let mut items: SmallVec<[u8; 1]> = SmallVec::from_vec(vec![0; 10]);
        items.pop();
        Leaf { left: 100, last: None }.make_room(&mut items);
        assert_eq!(items.capacity(), 10, "there is room for one");
    }
}
