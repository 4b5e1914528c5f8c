//! The containers of a document, made of core's types.

mod counter;
mod log;
mod tree;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ops::Range;

use crdt_core::causality::Lv;
use crdt_core::collections::OrderedMap;
use crdt_core::map::LwwStore;
use crdt_core::sequence::TextStore;
use crdt_core::set::AddWinsStore;
use smallvec::SmallVec;

use crate::op::{Op, Piece};
use crate::{Kind, Step, Value};

pub(crate) use counter::{Counts, ResetCounter};
pub(crate) use log::OpLog;
pub(crate) use tree::{Containers, ROOT};

/// One container: what is visible in it, what its events did, and what is below it.
#[derive(Debug)]
pub(crate) struct Container {
    /// The map above; the root is its own.
    pub(crate) parent: u32,
    /// The last step of the path; the root has none.
    pub(crate) step: Option<Step>,
    pub(crate) children: OrderedMap<Arc<[u8]>, Siblings>,
    pub(crate) content: Content,
    /// All events of maps, sets, counters and unknown kinds. A text keeps its edits itself,
    /// and here only what came from the first operation on that this release does not know.
    pub(crate) log: OpLog,
    /// Whether it holds an operation that this release does not know, or is of such a kind.
    pub(crate) unsupported: bool,
    /// Whether it has content, a live creation, or a child that is live.
    pub(crate) live: bool,
    pub(crate) live_children: u32,
}

/// The containers under one key: seldom more than one.
type Siblings = SmallVec<[(Kind, u32); 1]>;

/// What is visible in a container.
#[derive(Debug)]
pub(crate) enum Content {
    Map(MapContent),
    Set(AddWinsStore<Arc<Value>>),
    Counter(ResetCounter),
    Text(Box<TextStore>),
    Unknown,
}

/// A map's plain values, and which of its children were created explicitly.
#[derive(Debug, Default)]
pub(crate) struct MapContent {
    /// The stamp is the Lamport time of the write, as the graph gives it.
    pub(crate) values: LwwStore<Arc<str>, Arc<Value>, u64>,
    pub(crate) created: AddWinsStore<(Arc<str>, Kind)>,
}

impl Container {
    fn new(parent: u32, step: Option<Step>) -> Self {
        let kind = step.as_ref().map_or(Kind::Map, Step::kind);
        Self {
            parent,
            step,
            children: OrderedMap::new(),
            content: match kind {
                Kind::Map => Content::Map(MapContent::default()),
                Kind::Set => Content::Set(AddWinsStore::default()),
                Kind::Counter => Content::Counter(ResetCounter::default()),
                Kind::Text => Content::Text(Box::default()),
                Kind::Unknown(_) => Content::Unknown,
            },
            log: OpLog::default(),
            unsupported: matches!(kind, Kind::Unknown(_)),
            live: false,
            live_children: 0,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.step.as_ref().map_or(Kind::Map, Step::kind)
    }

    /// Whether something in it is visible, leaving aside what is below it.
    pub(crate) fn has_content(&self) -> bool {
        let visible = match &self.content {
            Content::Map(map) => !map.values.is_empty(),
            Content::Set(set) => !set.is_empty(),
            Content::Counter(counter) => counter.has_content(),
            Content::Text(text) => !text.is_empty(),
            Content::Unknown => false,
        };
        visible || (self.unsupported && !self.log.is_empty())
    }

    /// Calls `found` with what the container's events in `lvs` did.
    pub(crate) fn for_each_piece(&self, lvs: Range<Lv>, found: &mut dyn FnMut(Lv, Piece<'_>)) {
        if let Content::Text(text) = &self.content {
            text.ops(lvs.clone()).for_each(|(lv, op)| found(lv, Piece::Text(op)));
        }
        for (lv, len, op) in self.log.pieces(lvs) {
            let piece = match op {
                Op::Text(ref edit) => Piece::Text(edit.borrow()),
                op => Piece::Op { op, len },
            };
            found(lv, piece);
        }
    }

    pub(crate) fn text(&self) -> Option<&TextStore> {
        if let Content::Text(text) = &self.content { Some(text) } else { None }
    }

    pub(crate) fn map(&self) -> Option<&MapContent> {
        if let Content::Map(map) = &self.content { Some(map) } else { None }
    }
}
