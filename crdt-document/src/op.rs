use alloc::boxed::Box;
use alloc::sync::Arc;

use crdt_core::sequence::TextOp;

use crate::{Kind, Value};

/// One primitive change of one container: what an event does there.
///
/// Which of them a container can hold follows from its kind. The edits of a text are held by
/// the text store and travel as [`TextOp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// Map: the plain value of a key is another one.
    Set { key: Arc<str>, value: Arc<Value> },
    /// Map: what is visible under a key goes, the plain value and every container.
    Remove { key: Arc<str> },
    /// Map: a container exists under a key, whether it has content or not.
    Create { key: Arc<str>, kind: Kind },
    /// Set: an element is in.
    Add { element: Arc<Value> },
    /// Set: an element goes.
    Discard { element: Arc<Value> },
    /// Counter: so much is added, never 0 and never `i64::MIN`.
    Increment { amount: i64 },
    /// Map, set, counter: all that is visible goes, in a map with all that is below it.
    Clear,
    /// What a later release has written: kept as it came.
    Extension(Arc<Extension>),
    /// Text, after an operation that this release does not know: kept, not applied.
    Text(Arc<OwnedTextOp>),
}

impl Op {
    /// About how many bytes it takes in a stream.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Set { key, value } => 4 + key.len() + value.size(),
            Self::Remove { key } | Self::Create { key, .. } => 6 + key.len(),
            Self::Add { element } | Self::Discard { element } => 4 + element.size(),
            Self::Increment { .. } => 10,
            Self::Clear => 1,
            Self::Extension(extension) => 10 + extension.payload.len(),
            Self::Text(op) => match &**op {
                OwnedTextOp::Insert { content, .. } => 4 + content.len(),
                _ => 4,
            },
        }
    }
}

/// An operation that this release does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) code: u32,
    pub(crate) payload: Box<[u8]>,
}

/// A [`TextOp`] that owns its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OwnedTextOp {
    Insert { at: u32, content: Box<str> },
    Delete { at: u32, len: u32, forward: bool },
    Clear { len: u32 },
}

/// Part of what a container's events do, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// The same operation by `len` consecutive events of the container. Only increments and
    /// counter resets repeat.
    Op { op: Op, len: u32 },
    /// An edit of a text, with its length in itself.
    Text(TextOp<'a>),
}

impl OwnedTextOp {
    pub(crate) fn new(op: TextOp<'_>) -> Self {
        match op {
            TextOp::Insert { at, content } => Self::Insert { at, content: content.into() },
            TextOp::Delete { at, len, forward } => Self::Delete { at, len, forward },
            TextOp::Clear { len } => Self::Clear { len },
        }
    }

    pub(crate) fn borrow(&self) -> TextOp<'_> {
        match *self {
            Self::Insert { at, ref content } => TextOp::Insert { at, content },
            Self::Delete { at, len, forward } => TextOp::Delete { at, len, forward },
            Self::Clear { len } => TextOp::Clear { len },
        }
    }
}
