use alloc::string::{String, ToString};
use core::fmt;
use core::ops::Range;

use crdt_core::Dot;
use crdt_core::Frontier;
use crdt_core::sequence::{Anchor, AnchorError, Rope, Side, TextError, TextStore};

use super::{exists, is_supported};
use crate::state::State;

/// A text, for reading. One that was never used is empty.
///
/// Positions count Unicode code points; the methods whose names end in `_utf16` count UTF-16
/// units, as JavaScript does.
#[derive(Clone, Copy, Debug)]
pub struct TextView<'a> {
    state: &'a State,
    number: Option<u32>,
}

impl<'a> TextView<'a> {
    pub(crate) const fn new(state: &'a State, number: Option<u32>) -> Self {
        Self { state, number }
    }

    /// How many code points there are. O(1).
    pub fn len(&self) -> usize {
        self.rope().map_or(0, |rope| rope.len_chars() as usize)
    }

    /// How many UTF-16 units there are. O(1).
    pub fn len_utf16(&self) -> usize {
        self.rope().map_or(0, |rope| rope.len_utf16() as usize)
    }

    /// How many bytes of UTF-8 there are. O(1).
    pub fn len_utf8(&self) -> usize {
        self.rope().map_or(0, |rope| rope.len_bytes() as usize)
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text between two positions. O(log n) plus its length.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the range ends beyond the text, or before it starts.
    pub fn slice(&self, range: Range<usize>) -> Result<String, TextError> {
        let length = self.len();
        if range.start > range.end || range.end > length {
            let position = range.start.max(range.end);
            return Err(out_of_bounds(position, length));
        }
        let (at, len) = (range.start as u32, (range.end - range.start) as u32);
        Ok(self.rope().map_or_else(String::new, |rope| rope.slice(at, len)))
    }

    /// The text between two positions in UTF-16 units.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the range is not within the text, or cuts a code point.
    pub fn slice_utf16(&self, range: Range<usize>) -> Result<String, TextError> {
        let (start, end) = (self.utf16_to_char(range.start)?, self.utf16_to_char(range.end)?);
        self.slice(start..end)
    }

    /// The position, in code points, of an offset in UTF-16 units. O(log n).
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end, or between the halves of a surrogate pair.
    pub fn utf16_to_char(&self, at: usize) -> Result<usize, TextError> {
        let length = self.len_utf16();
        match (u32::try_from(at), self.store()) {
            (Ok(at), Some(store)) => store.utf16_to_char(at).map(|char| char as usize),
            (Ok(0), None) => Ok(0),
            _ => Err(out_of_bounds(at, length)),
        }
    }

    /// The offset, in UTF-16 units, of a position in code points. O(log n).
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end.
    pub fn char_to_utf16(&self, at: usize) -> Result<usize, TextError> {
        let offset = match self.rope() {
            Some(rope) => u32::try_from(at).ok().and_then(|at| rope.char_to_utf16(at)),
            None => (at == 0).then_some(0),
        };
        offset.map(|offset| offset as usize).ok_or_else(|| out_of_bounds(at, self.len()))
    }

    /// The code points, from first to last.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        self.rope().into_iter().flat_map(Rope::chars)
    }

    /// The text as it was at a version: a replay of the edits in it, O(their number).
    ///
    /// # Errors
    ///
    /// An event of the frontier that is not held; or, where history was
    /// [trimmed](crate::Document::trim), one that the version would need to have.
    pub fn at(&self, version: &Frontier) -> Result<String, Dot> {
        let view = self.reaching(version);
        let graph = &view.state.graph;
        let local = graph.local(version)?;
        if let Some(base) = graph.base()
            && !graph.follows_base(&local)
        {
            // It lies before all that is left.
            let unseen = base.heads().iter().find(|&head| !version.contains(head));
            return Err(unseen.expect("it lacks a head"));
        }
        let rope = view.store().map(|store| store.text_at(graph, &local));
        Ok(rope.map_or_else(String::new, |rope| rope.to_string()))
    }

    /// An anchor at a position: a place that moves with the text around it, for a cursor or
    /// the end of a selection. It can be sent to others, and resolved at any later version.
    ///
    /// It names the version of the document, in which an open transaction has no part: make
    /// anchors before or after one.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end.
    pub fn anchor(&self, at: usize, side: Side) -> Result<Anchor, TextError> {
        match u32::try_from(at) {
            Ok(gap) if at <= self.len() => {
                Ok(Anchor { version: self.state.graph.frontier_dots(), gap, side })
            }
            _ => Err(out_of_bounds(at, self.len())),
        }
    }

    /// As [`anchor`](Self::anchor), at an offset in UTF-16 units.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end, or between the halves of a surrogate pair.
    pub fn anchor_utf16(&self, at: usize, side: Side) -> Result<Anchor, TextError> {
        self.anchor(self.utf16_to_char(at)?, side)
    }

    /// Where an anchor is now. O(log n) while the text has not changed since the anchor's
    /// version, else a replay of what came since the newest version that all had seen. Where the
    /// history at that version was [trimmed](crate::Document::trim), it is taken for the same
    /// place in the text at the base, or its end.
    ///
    /// # Errors
    ///
    /// [`AnchorError`] for an anchor of another text, or of changes that are not held yet.
    pub fn resolve(&self, anchor: &Anchor) -> Result<usize, AnchorError> {
        let view = self.reaching(&anchor.version);
        let Some(store) = view.store() else {
            let at_start = (anchor.gap == 0).then_some(0);
            return at_start.ok_or(AnchorError::OutOfBounds { gap: anchor.gap });
        };
        store.resolve_anchor(&view.state.graph, anchor).map(|at| at as usize)
    }

    /// As [`resolve`](Self::resolve), in UTF-16 units.
    ///
    /// # Errors
    ///
    /// As for [`resolve`](Self::resolve).
    pub fn resolve_utf16(&self, anchor: &Anchor) -> Result<usize, AnchorError> {
        let at = self.resolve(anchor)?;
        self.char_to_utf16(at).map_err(|_| AnchorError::OutOfBounds { gap: anchor.gap })
    }

    /// Whether the text has a character, or was created explicitly.
    pub fn exists(&self) -> bool {
        exists(self.state, self.number)
    }

    /// Whether this release can read it; one that it cannot reads as empty.
    pub fn is_supported(&self) -> bool {
        is_supported(self.state, self.number)
    }

    /// The same text in a state that knows the past of a version, if any does.
    fn reaching(&self, version: &Frontier) -> Self {
        if self.state.reaches(version) {
            return *self;
        }
        let here = &self.state.containers;
        let awake = self.state.awake();
        let number = self.number.and_then(|number| awake.containers.find(&here.path(number)));
        Self::new(awake, number)
    }

    fn rope(&self) -> Option<&'a Rope> {
        self.store().map(TextStore::rope)
    }

    pub(super) fn store(&self) -> Option<&'a TextStore> {
        let container = &self.state.containers[self.number?];
        if container.unsupported { None } else { container.text() }
    }
}

/// The whole text.
impl fmt::Display for TextView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rope().map_or(Ok(()), |rope| rope.fmt(f))
    }
}

impl PartialEq<str> for TextView<'_> {
    fn eq(&self, other: &str) -> bool {
        self.len_utf8() == other.len() && self.chars().eq(other.chars())
    }
}

impl PartialEq<&str> for TextView<'_> {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

pub(crate) fn out_of_bounds(position: usize, length: usize) -> TextError {
    let fit = |value| u32::try_from(value).unwrap_or(u32::MAX);
    TextError::OutOfBounds { position: fit(position), length: fit(length) }
}
