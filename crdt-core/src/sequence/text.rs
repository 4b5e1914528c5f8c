//! The text as a value of its own: a store with its event graph.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::anchor::{Anchor, AnchorError, Side};
use super::delta::{TextDelta, changes_between};
use super::error::TextError;
use super::held_version::held_events;
use super::rope::Rope;
use super::saved::{HistoryError, Past};
use super::text_store::TextStore;
use crate::causality::Frontier;
use crate::{EventGraph, VersionVector};

/// A text that many replicas edit, together or apart, and that converges.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | inserts `API` somewhere | inserts `REST` at the same place | both, one after the other, never mixed |
/// | deletes a word | inserts inside of it | what was inserted, without the word |
/// | deletes a word | deletes it too | it is deleted once |
/// | clears the text | inserts | what was inserted |
///
/// **Positions** count Unicode code points. Offsets in UTF-16 units, as editors in browsers
/// have them, and in UTF-8 bytes convert both ways in O(log n); one that lies inside of a
/// code point is an error.
///
/// **State.** The set of events, each an edit by position at the version of its writer, as
/// an [`EventGraph`] and a run-length encoded log; the join is union. The value is a rope.
/// No ids and no tombstones are held for its elements; where concurrent edits are merged,
/// they are rebuilt from the last critical version for as long as that takes (Gentle and
/// Kleppmann, *Collaborative Text Editing with Eg-walker*, 2025). The order of concurrent
/// insertions is that of FugueMax (Weidner and Kleppmann, *The Art of the Fugue*, 2023).
///
/// **Deltas** are sets of changes; joining one whose past is missing changes nothing and
/// says what is missing ([`JoinError::Missing`](super::JoinError::Missing)). To hold it until then is the delivery
/// buffer's work.
///
/// **Cost.** A local edit takes O(log n), and so does joining the delta of one that has seen all; one that is
/// concurrent, the pieces that are being merged, or the walk through the history between the two
/// versions. Converting an offset takes O(log n). The README beside the code, `sequence/README.md`, has a
/// table of all of them.
///
/// **Old history** that every replica has can be forgotten: [`trim`](Self::trim).
///
/// ```
/// use crdt_core::{ReplicaId, Text};
///
/// let (mut here, mut there) = (Text::new(), Text::new());
/// let mut anna = here.writer(ReplicaId::from_u128(1));
/// let mut bela = there.writer(ReplicaId::from_u128(2));
/// there.join(&here.insert(0, "HELLO", &mut anna)?)?;
///
/// // Apart: one puts something in front, the other deletes the first letter.
/// let first = here.insert(0, ">", &mut anna)?;
/// let second = there.delete(0, 1, &mut bela)?;
///
/// here.join(&second)?;
/// there.join(&first)?;
/// assert_eq!(here.to_string(), ">ELLO");
/// assert_eq!(here, there);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Default, Debug)]
pub struct Text {
    pub(super) graph: EventGraph,
    pub(super) store: TextStore,
    /// Of a text that was loaded, in place of the graph, until something needs it.
    pub(super) past: Option<Box<Past>>,
}

/// Reading.
impl Text {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many code points the text has.
    #[must_use]
    pub fn len_chars(&self) -> u32 {
        self.rope().len_chars()
    }

    /// How many UTF-16 units the text has.
    #[must_use]
    pub fn len_utf16(&self) -> u32 {
        self.rope().len_utf16()
    }

    /// How many bytes of UTF-8 the text has.
    #[must_use]
    pub fn len_bytes(&self) -> u32 {
        self.rope().len_bytes()
    }

    /// Whether the text has no code point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rope().is_empty()
    }

    /// The code points, in order.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.rope().chars()
    }

    /// `len` code points from `at` on.
    ///
    /// # Errors
    ///
    /// [`TextError::OutOfBounds`].
    pub fn slice(&self, at: u32, len: u32) -> Result<String, TextError> {
        self.store.check_bounds(at, len)?;
        Ok(self.rope().slice(at, len))
    }

    /// The text's rope, for reading it in pieces and for converting offsets.
    #[must_use]
    pub fn rope(&self) -> &Rope {
        self.store.rope()
    }

    /// The code point that begins at a UTF-16 offset.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end or between the halves of a surrogate pair.
    pub fn utf16_to_char(&self, at: u32) -> Result<u32, TextError> {
        self.store.utf16_to_char(at)
    }

    /// The code point that begins at a UTF-8 offset.
    ///
    /// # Errors
    ///
    /// [`TextError`] beyond the end or inside of a code point.
    pub fn byte_to_char(&self, at: u32) -> Result<u32, TextError> {
        self.store.byte_to_char(at)
    }

    /// Which events are known.
    #[must_use]
    pub fn version(&self) -> &VersionVector {
        self.past.as_ref().map_or_else(|| self.graph.version(), |past| past.version())
    }

    /// The maximal events: the short name of the version.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        self.past.as_ref().map_or_else(|| self.graph.frontier_dots(), |past| past.frontier())
    }

    /// Those of `events` that happened before no other of them: the frontier of the version
    /// that has them all.
    ///
    /// # Errors
    ///
    /// [`HistoryError`], also for an event that is not known, or was trimmed and is in nobody's
    /// past among what is left.
    pub fn maximal(&self, events: &Frontier) -> Result<Frontier, HistoryError> {
        let text = self.with_history()?;
        let (held, trimmed) = held_events(&text.graph, events)?;
        match trimmed {
            Some(dot) => Err(HistoryError::BeforeTrim(dot)),
            None => Ok(text.graph.dots(&text.graph.maximal(&held))),
        }
    }

    /// An anchor at `gap`, the number of code points before it.
    ///
    /// # Errors
    ///
    /// [`TextError::OutOfBounds`].
    pub fn anchor(&self, gap: u32, side: Side) -> Result<Anchor, TextError> {
        self.store.check_bounds(gap, 0)?;
        Ok(Anchor { version: self.frontier(), gap, side })
    }

    /// Where an anchor is now, in code points.
    ///
    /// O(log n) while nothing has changed since the anchor's version, else by a replay of
    /// the edits since the newest critical version before it.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Anchor`] for an anchor of another text, or of changes that are not known
    /// yet; another one, if the history of a text that was loaded is damaged.
    pub fn resolve(&self, anchor: &Anchor) -> Result<u32, HistoryError> {
        if anchor.version == self.frontier() {
            let inside = anchor.gap <= self.len_chars();
            let error = AnchorError::OutOfBounds { gap: anchor.gap };
            return inside.then_some(anchor.gap).ok_or(error.into());
        }
        let text = self.with_history()?;
        Ok(text.store.resolve_anchor(&text.graph, anchor)?)
    }
}

/// Replication; see also [`Text::join`].
impl Text {
    /// The changes that `known`, the version of another replica, lacks an event of.
    ///
    /// The other may have trimmed its history and left out writers whom it has forgotten: what is
    /// in the past of those it knows is known.
    ///
    /// O(log n) for each run among them, where the history is decoded, and O(replicas); where
    /// whole replicas are not in `known` also the runs since.
    ///
    /// # Errors
    ///
    /// [`HistoryError::BeforeTrim`], if `known` lacks something that was trimmed here, or does not
    /// show that it has it; then only a copy of the text helps, as [`encode`](Self::encode) makes
    /// it. Others, if the history of a text that was loaded is damaged.
    pub fn delta_since(&self, known: &VersionVector) -> Result<TextDelta, HistoryError> {
        self.delta_between(known, self.version())
    }

    /// Those of the changes that `known` lacks an event of, of which `upto` has one.
    ///
    /// # Errors
    ///
    /// As for [`delta_since`](Self::delta_since).
    pub fn delta_between(
        &self,
        known: &VersionVector,
        upto: &VersionVector,
    ) -> Result<TextDelta, HistoryError> {
        if known.dominates(self.version()) {
            return Ok(TextDelta::default());
        }
        let text = self.with_history()?;
        let ranges = changes_between(&text.graph, known, upto)?;
        Ok(TextDelta::export(&text.graph, &text.store, &ranges))
    }

    /// Panics when the structure is broken.
    pub fn check_invariants(&self) {
        self.graph.check_invariants();
        self.store.check_invariants();
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rope().fmt(f)
    }
}

/// Texts are equal when they hold the same events, trimmed at the same place. Where the history of one is not decoded,
/// their versions, frontiers and texts are compared.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        if self.has_history() && other.has_history() {
            return self.graph == other.graph && self.store.base_text() == other.store.base_text();
        }
        self.version() == other.version()
            && self.base() == other.base()
            && self.frontier() == other.frontier()
            && self.rope() == other.rope()
    }
}

impl Eq for Text {}
