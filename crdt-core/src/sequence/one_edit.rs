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
    pub(super) inserted: ShortText,
    /// How many code points are inserted.
    pub(super) chars: u32,
    pub(super) at: u32,
    /// How many code points are deleted, first to last.
    pub(super) deleted: u32,
}

impl OneEdit {
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
        let content = (self.chars > 0).then(|| self.inserted.as_str());
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

/// A text that lies in place if it is short.
#[derive(Clone, Debug)]
pub(super) enum ShortText {
    Short { len: u8, bytes: [u8; SHORT_MAX] },
    Long(String),
}

/// So many bytes take no more room than a `String` does.
const SHORT_MAX: usize = 15;

impl ShortText {
    pub(super) fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Short { len: text.len() as u8, bytes }
            }
            None => Self::Long(text.into()),
        }
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Short { len, .. } => usize::from(*len),
            Self::Long(text) => text.len(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { len, bytes } => {
                core::str::from_utf8(&bytes[..usize::from(*len)]).expect("it was a text")
            }
            Self::Long(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    quickcheck! {
        fn short_and_long_texts_are_kept(text: String) -> bool {
            ShortText::new(&text).as_str() == text && ShortText::new(&text).len() == text.len()
        }
    }

    #[test]
    fn an_ordinary_edit_is_small() {
        assert_eq!(size_of::<ShortText>(), size_of::<String>());
        assert!(size_of::<OneEdit>() <= 96);
    }
}
