use alloc::sync::Arc;
use alloc::vec::Vec;

use crdt_core::DotRange;
use crdt_core::sequence::TextOp;

use crate::import::held_ranges;
use crate::op::{Op, Piece};
use crate::{Document, Kind, Path, Value};

/// What one event does in its container.
///
/// It is what was asked for, not what came of it: two concurrent removals of a key are two deeds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Deed {
    /// The plain value of a key of a map is another one.
    Set {
        /// The key.
        key: Arc<str>,
        /// The value.
        value: Arc<Value>,
    },
    /// What is under a key of a map goes.
    Remove {
        /// The key.
        key: Arc<str>,
    },
    /// A container exists under a key of a map.
    Create {
        /// The key.
        key: Arc<str>,
        /// The kind of the container.
        kind: Kind,
    },
    /// An element is in a set.
    Add(Arc<Value>),
    /// An element of a set goes.
    Discard(Arc<Value>),
    /// So much is added to a counter.
    Increment(i64),
    /// All that is visible in the container goes.
    Clear,
    /// A character stands at this position of a text.
    Insert(u32, char),
    /// The character at this position of a text goes.
    Delete(u32),
    /// Something that this release does not know.
    Unsupported,
}

impl Document {
    /// What some events did, one by one, and where: those of the range that are held and were not
    /// [trimmed](Self::trim), in their order. Positions in texts are those of the version that each event followed.
    ///
    /// For what has to know exactly what a [rebase](Self::rebase) has written: a log of it, or a judge. O(events).
    ///
    /// ```
    /// use crdt_document::{Deed, Document, Path, ReplicaId};
    ///
    /// let mut doc = Document::new(ReplicaId::from_u128(1));
    /// doc.begin()?;
    /// doc.transaction()?.text("body").insert(0, "a")?;
    /// let range = doc.commit()?.expect("there was an edit");
    /// assert_eq!(doc.deeds(range), [(Path::root().text("body"), Deed::Insert(0, 'a'))]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn deeds(&self, range: DotRange) -> Vec<(Path, Deed)> {
        let state = self.state.awake();
        let mut deeds = Vec::new();
        let trimmed = state.graph.base().map_or(0, |base| base.writers().get(range.replica));
        let first = range.first.max(trimmed + 1);
        let last = range.last.min(state.graph.version().get(range.replica));
        for lvs in held_ranges(state, range.replica, first, last) {
            state.for_each_piece(lvs, |number, _, _, piece| {
                let path = state.containers.path(number);
                each(&piece, &mut |deed| deeds.push((path.clone(), deed)));
            });
        }
        deeds
    }
}

fn each(piece: &Piece<'_>, found: &mut dyn FnMut(Deed)) {
    match piece {
        Piece::Text(TextOp::Insert { at, content }) => {
            (*at..).zip(content.chars()).for_each(|(at, letter)| found(Deed::Insert(at, letter)));
        }
        Piece::Text(TextOp::Delete { at, len, forward }) => {
            let place = |index| if *forward { *at } else { at + (len - 1 - index) };
            (0..*len).for_each(|index| found(Deed::Delete(place(index))));
        }
        Piece::Text(TextOp::Clear { len }) => (0..*len).for_each(|_| found(Deed::Clear)),
        Piece::Op { op, len } => (0..*len).for_each(|_| found(of(op))),
    }
}

fn of(op: &Op) -> Deed {
    match op {
        Op::Set { key, value } => Deed::Set { key: key.clone(), value: value.clone() },
        Op::Remove { key } => Deed::Remove { key: key.clone() },
        Op::Create { key, kind } => Deed::Create { key: key.clone(), kind: *kind },
        Op::Add { element } => Deed::Add(element.clone()),
        Op::Discard { element } => Deed::Discard(element.clone()),
        Op::Increment { amount } => Deed::Increment(*amount),
        Op::Clear => Deed::Clear,
        Op::Extension(_) | Op::Text(_) => Deed::Unsupported,
    }
}
