//! Places in a text that survive edits.

use core::fmt;
use core::ops::Range;

use alloc::vec::Vec;

use super::held_version::HeldVersion;
use super::merge::first_edit;
use super::text_store::TextStore;
use super::walker::Walker;
use crate::causality::{Frontier, Lv};
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crate::{Dot, EventGraph};

/// To which of its neighbours a place belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// To the code point before it: text inserted at the place comes after it. At the very
    /// beginning it stays there.
    Before,
    /// To the code point after it: text inserted at the place comes before it. At the very
    /// end it stays there.
    After,
}

/// A place between two code points of one version of a text: a cursor, or the end of a
/// selection.
///
/// It can be sent to others and resolved at any later version. Where it is then follows from
/// the code point that it belongs to, not from the way the edits came here, so that all
/// replicas resolve it alike; if that code point is deleted, to the place where it was.
///
/// What happened to a version that was [trimmed](super::Text::trim) nobody knows who has trimmed it.
/// There the place has the same number of code points before it as it had, or is the end, in the
/// text at the cut, and moves from there on. So all that have trimmed at one cut resolve it alike;
/// who still has the history does better. A place in the empty version of a new text needs none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Anchor {
    /// The version.
    pub version: Frontier,
    /// How many code points were before the place.
    pub gap: u32,
    /// The neighbour that the place belongs to.
    pub side: Side,
}

/// Why an anchor has no place here.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AnchorError {
    /// This event of its version is not known here yet.
    Missing(Dot),
    /// It lies beyond the end of the text at its version.
    OutOfBounds {
        /// Where it would be.
        gap: u32,
    },
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(dot) => write!(f, "the anchor's version has the unknown event {dot}"),
            Self::OutOfBounds { gap } => {
                write!(f, "gap {gap} is beyond the end of the text at the anchor's version")
            }
        }
    }
}

impl core::error::Error for AnchorError {}

impl Encode for Anchor {
    /// The frontier, then the gap with the side in its lowest bit.
    fn encode(&self, out: &mut Writer) {
        self.version.encode(out);
        out.varint(u64::from(self.gap) << 1 | u64::from(self.side == Side::After));
    }
}

impl Decode for Anchor {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = Frontier::decode(input)?;
        let at = input.position();
        let word = input.varint()?;
        let gap = u32::try_from(word >> 1).map_err(|_| DecodeErrorKind::IntegerTooLarge.at(at))?;
        let side = if word & 1 == 1 { Side::After } else { Side::Before };
        Ok(Self { version, gap, side })
    }
}

impl TextStore {
    /// Where an anchor is at the tip.
    ///
    /// O(log n) where nothing came after its version, else as [`resolve`](Self::resolve).
    ///
    /// # Errors
    ///
    /// [`AnchorError`].
    pub fn resolve_anchor(&self, graph: &EventGraph, anchor: &Anchor) -> Result<u32, AnchorError> {
        let &Anchor { ref version, gap, side } = anchor;
        let place = if version.is_empty() {
            let end = if side == Side::Before { 0 } else { self.len_chars() };
            (gap == 0).then_some(end)
        } else {
            match HeldVersion::find(graph, version).map_err(AnchorError::Missing)? {
                HeldVersion::Held(version) => self.resolve(graph, &version, gap, side),
                HeldVersion::Trimmed(_) => {
                    let heads: Vec<Lv> = (0..graph.first()).collect();
                    let end = self.base_text().chars().count() as u32;
                    self.resolve(graph, &heads, gap.min(end), side)
                }
            }
        };
        place.ok_or(AnchorError::OutOfBounds { gap })
    }

    /// Where the place at `gap` in the text at `version` is at the tip; `None` if the text
    /// was shorter then.
    ///
    /// O(1) if no edit of this text came after the version, else a replay of the edits from
    /// the newest critical one in it.
    #[must_use]
    pub fn resolve(&self, graph: &EventGraph, version: &[Lv], gap: u32, side: Side) -> Option<u32> {
        let (later, _) = graph.diff(graph.frontier(), version);
        let history = self.history(graph, &later);
        let Some(first) = first_edit(history.log, &later) else {
            return (gap <= self.len_chars()).then_some(gap);
        };
        let base = self.merge_state().critical_before(first);
        let start = base.map_or(0, |(critical, _)| critical + 1);
        let (critical, length) = base.map_or((None, 0), |(lv, length)| (Some(lv), length));
        let mut walker = Walker::new(critical, length);
        let earlier = complement(&later, start..history.log.end());
        walker.feed_again(&self.history(graph, &earlier), start..history.log.end());
        walker.go_to(&history, version);
        if gap > walker.length() {
            return None;
        }
        let element = walker.element(gap, side == Side::After);
        walker.feed_again(&history, start..history.log.end());
        Some(match (element, side) {
            (None, Side::Before) => 0,
            (None, Side::After) => walker.tip_length(),
            (Some(element), side) => {
                let (before, visible) = walker.at_tip(element);
                before + u32::from(visible && side == Side::Before)
            }
        })
    }
}

/// What of `whole` is in none of the ascending `ranges`.
pub(super) fn complement(ranges: &[Range<Lv>], whole: Range<Lv>) -> Vec<Range<Lv>> {
    let mut found = Vec::new();
    let mut next = whole.start;
    for range in ranges {
        if range.start > next {
            found.push(next..range.start.min(whole.end));
        }
        next = next.max(range.end);
    }
    if next < whole.end {
        found.push(next..whole.end);
    }
    found
}
