//! The window's elements: runs of them that have had one fate.

use super::versions::{SETTLED, Version};
use super::{Id, UNNAMED};
use crate::causality::Lv;

/// Elements that stand side by side: settled text, or what one run of insertions typed.
///
/// An inserted element is named by its event, so that the names in a span ascend by one. Of
/// settled text only the outermost elements have names, and only where an insertion took them
/// for its neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) first: Id,
    pub(super) last: Id,
    pub(super) len: u32,
    /// The element that was visible before the first at its insertion; that of each other is
    /// the one before it.
    pub(super) left: Id,
    /// The element, visible or removed, that was next at their insertion.
    pub(super) right: Id,
    /// The slot of who inserted them, or [`SETTLED`].
    pub(super) writer: u8,
    /// Whether any edit has removed them: they are not in the tip's text.
    pub(super) gone: bool,
    /// Who has removed them. More than two at once are left to the walker.
    pub(super) removers: [Remover; 2],
}

/// Events that removed the elements of a span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Remover {
    /// The earliest event.
    pub(super) lv: Lv,
    /// The slot of who issued them, or [`SETTLED`]: then no version sees the elements.
    pub(super) writer: u8,
    pub(super) way: Way,
}

/// Which elements went first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Forward,
    Backward,
    /// One event removed all.
    AtOnce,
}

/// What a version sees of a span.
pub(super) enum Seen {
    All,
    /// The elements are removed, or not inserted yet.
    Nothing,
    /// After so many elements that changes, so that the span is to be split.
    Cut(u32),
}

/// No version has it.
const NOBODY: Remover = Remover { lv: Lv::MAX, writer: SETTLED, way: Way::AtOnce };

/// Nobody has removed the elements.
pub(super) const ALIVE: [Remover; 2] = [NOBODY; 2];

/// What removed the elements is settled, so that every version has it.
pub(super) const DEAD: [Remover; 2] = [Remover { lv: 0, ..NOBODY }, NOBODY];

impl Span {
    pub(super) fn settled(len: u32) -> Self {
        Self {
            first: UNNAMED,
            last: UNNAMED,
            len,
            left: UNNAMED,
            right: UNNAMED,
            writer: SETTLED,
            gone: false,
            removers: ALIVE,
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.writer == SETTLED
    }

    pub(super) fn is_dead(&self) -> bool {
        self.removers == DEAD
    }

    /// Whether the first element was inserted in a version.
    pub(super) fn exists_in(&self, version: &Version) -> bool {
        self.is_settled() || self.first < version[usize::from(self.writer)]
    }

    /// What a version sees of the elements.
    #[inline]
    pub(super) fn seen_by(&self, version: &Version) -> Seen {
        let mut cut = None;
        if !self.is_settled() {
            let known = version[usize::from(self.writer)];
            if known <= self.first {
                return Seen::Nothing;
            }
            if known <= self.last {
                cut = Some(known - self.first);
            }
        }
        for remover in &self.removers {
            let known = version[usize::from(remover.writer)].saturating_sub(remover.lv);
            if known == 0 {
                continue;
            }
            if known >= self.len || remover.way == Way::AtOnce {
                return Seen::Nothing;
            }
            cut = Some(if remover.way == Way::Forward { known } else { self.len - known });
        }
        cut.map_or(Seen::All, Seen::Cut)
    }

    /// Keeps the first `count` elements, `0 < count < len`, and returns the others.
    pub(super) fn split_off(&mut self, count: u32) -> Self {
        debug_assert!(0 < count && count < self.len);
        let mut rest = *self;
        rest.len -= count;
        for (remover, later) in self.removers.iter_mut().zip(&mut rest.removers) {
            match remover.way {
                Way::Forward => later.lv += count,
                Way::Backward => remover.lv += rest.len,
                Way::AtOnce => {}
            }
        }
        self.len = count;
        if self.is_settled() {
            (self.last, rest.first) = (UNNAMED, UNNAMED);
        } else {
            self.last = self.first + count - 1;
            (rest.first, rest.left) = (self.last + 1, self.last);
        }
        rest
    }

    /// Where another who removes the elements can be noted.
    pub(super) fn room(&mut self) -> Option<&mut Remover> {
        self.removers.iter_mut().find(|remover| **remover == NOBODY)
    }

    /// Whether an element of this name is in the span, if it was inserted and is not settled.
    pub(super) fn holds(&self, id: Id) -> bool {
        self.first <= id && id <= self.last
    }
}
