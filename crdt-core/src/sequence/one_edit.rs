//! The change that is made most often: something is deleted, something inserted, at one place.

use alloc::string::String;

use smallvec::SmallVec;

use super::delta::Changes;
use super::run::TextOp;
use crate::causality::ChangeRun;
use crate::{Dot, ReplicaId};

/// One change by one replica that deletes code points and then inserts others there. A typed
/// character takes no memory of its own, nor do a few, nor does what another replica did before.
#[derive(Clone, Debug)]
pub(super) struct OneEdit {
    pub(super) replica: ReplicaId,
    /// The first event's sequence number.
    pub(super) seq: u64,
    /// The explicit parents, in ascending order.
    pub(super) parents: SmallVec<[Dot; 1]>,
    inserted: Inserted,
    /// How many bytes are inserted.
    bytes: u32,
    /// How many code points are inserted.
    pub(super) chars: u32,
    pub(super) at: u32,
    /// How many code points are deleted, first to last.
    pub(super) deleted: u32,
}

/// What is inserted, in place if it is short; the rest is zeros then.
#[derive(Clone, Debug)]
enum Inserted {
    Short([u8; SHORT_MAX]),
    Long(String),
}

/// So many bytes take no more room than a `String` does.
const SHORT_MAX: usize = 16;

impl OneEdit {
    /// The edit that `replica` makes with its event `seq` as the first: where, how many code
    /// points it deletes, and what it inserts, which has so many.
    pub(super) fn new(
        (replica, seq): (ReplicaId, u64),
        parents: &[Dot],
        (at, deleted): (u32, u32),
        (inserted, chars): (&str, u32),
    ) -> Self {
        let bytes = inserted.len() as u32;
        let inserted = if inserted.len() <= SHORT_MAX {
            // In one piece, which can be copied the moment that it is made.
            let word = inserted.bytes().rev().fold(0, |word, byte| word << 8 | u128::from(byte));
            Inserted::Short(word.to_le_bytes())
        } else {
            Inserted::Long(inserted.into())
        };
        let parents = SmallVec::from_slice(parents);
        Self { replica, seq, parents, inserted, bytes, chars, at, deleted }
    }

    /// What is inserted.
    pub(super) fn inserted(&self) -> &str {
        match &self.inserted {
            Inserted::Short(bytes) => {
                core::str::from_utf8(&bytes[..self.bytes as usize]).expect("it was a text")
            }
            Inserted::Long(text) => text,
        }
    }

    /// How many bytes are inserted.
    pub(super) fn inserted_bytes(&self) -> usize {
        self.bytes as usize
    }

    /// How many events it has: at least one, and few enough to be in a log.
    pub(super) fn events(&self) -> u32 {
        self.deleted + self.chars
    }

    pub(super) fn header(&self) -> ChangeRun {
        ChangeRun {
            replica: self.replica,
            seq: self.seq,
            change_len: self.events(),
            count: 1,
            parents: SmallVec::from_slice(&self.parents),
        }
    }

    /// What it does, one after the other.
    pub(super) fn ops(&self) -> impl Iterator<Item = TextOp<'_>> {
        let (at, len) = (self.at, self.deleted);
        let deletion = (len > 0).then_some(TextOp::Delete { at, len, forward: true });
        let content = (self.chars > 0).then(|| self.inserted());
        deletion.into_iter().chain(content.map(|content| TextOp::Insert { at, content }))
    }

    /// The same in the form that all deltas have on their way.
    pub(super) fn to_changes(&self) -> Changes {
        let mut changes = Changes::default();
        changes.headers.push(&self.header());
        self.ops().for_each(|op| changes.ops.push(op));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;

    fn edit(inserted: &str) -> OneEdit {
        let chars = inserted.chars().count() as u32;
        OneEdit::new((ReplicaId::from_u128(1), 1), &[], (3, 2), (inserted, chars))
    }

    #[test]
    fn short_and_long_texts_are_kept() {
        fn law(text: String) -> bool {
            edit(&text).inserted() == text && edit(&text).inserted_bytes() == text.len()
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn an_ordinary_edit_is_small() {
        let places = (0..20).map(|len| "x".repeat(len)).map(|text| edit(&text).inserted().len());
        assert!(places.eq(0..20));
        assert!(size_of::<OneEdit>() <= 96);
    }
}
