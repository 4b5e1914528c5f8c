//! The text as a value of its own: a store with its event graph.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::anchor::{Anchor, AnchorError, Side};
use super::delta::{TextDelta, changes_between};
use super::error::TextError;
use super::join::JoinError;
use super::rope::Rope;
use super::text_store::TextStore;
use crate::causality::Frontier;
use crate::codec::{self, DecodeError, DecodeErrorKind, Reader};
use crate::{Dot, EventGraph, VersionVector};

const MAGIC: [u8; 4] = *b"cTxt";

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
/// says what is missing ([`JoinError::Missing`]). To hold it until then is the delivery
/// buffer's work.
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
}

/// Why bytes are not a text.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The bytes are not in the format.
    Decode(DecodeError),
    /// They are, but the changes in them are not a history.
    History(JoinError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::History(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for LoadError {}

impl From<DecodeError> for LoadError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<JoinError> for LoadError {
    fn from(error: JoinError) -> Self {
        Self::History(error)
    }
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
        self.graph.version()
    }

    /// The maximal events: the short name of the version.
    #[must_use]
    pub fn frontier(&self) -> Frontier {
        self.graph.frontier_dots()
    }

    /// Those of `events` that happened before no other of them: the frontier of the version
    /// that has them all.
    ///
    /// # Errors
    ///
    /// An event that is not known.
    pub fn maximal(&self, events: &Frontier) -> Result<Frontier, Dot> {
        let local = self.graph.local(events)?;
        Ok(self.graph.dots(&self.graph.maximal(&local)))
    }

    /// The text as it was at a version, by a replay of the edits in it.
    ///
    /// # Errors
    ///
    /// An event of the version that is not known.
    pub fn text_at(&self, version: &Frontier) -> Result<String, Dot> {
        Ok(self.store.text_at(&self.graph, &self.graph.local(version)?).to_string())
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
    /// [`AnchorError`] for an anchor of another text, or of changes that are not known yet.
    pub fn resolve(&self, anchor: &Anchor) -> Result<u32, AnchorError> {
        let version = self.graph.local(&anchor.version).map_err(AnchorError::Missing)?;
        let version = self.graph.maximal(&version);
        self.store
            .resolve(&self.graph, &version, anchor.gap, anchor.side)
            .ok_or(AnchorError::OutOfBounds { gap: anchor.gap })
    }
}

/// Replication and storage; see also [`Text::join`].
impl Text {
    /// The changes that `known` lacks an event of.
    ///
    /// O(log n) for each run among them.
    pub fn delta_since(&self, known: &VersionVector) -> TextDelta {
        self.delta_between(known, self.version())
    }

    /// Those of the changes that `known` lacks an event of, of which `upto` has one.
    pub fn delta_between(&self, known: &VersionVector, upto: &VersionVector) -> TextDelta {
        let ranges = changes_between(&self.graph, known, upto);
        TextDelta::export(&self.graph, &self.store, &ranges)
    }

    /// The bytes of the whole history, with a checksum. Equal texts have equal bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.delta_since(&VersionVector::new()).encode_as(MAGIC)
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    ///
    /// [`LoadError`]; bytes that [`encode`](Self::encode) would not write are refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, LoadError> {
        let input = Reader::with_limits(bytes, codec::Limits::DEFAULT)?;
        let delta = TextDelta::decode_as(MAGIC, input)?;
        let (text, canonical) = Self::of_history(&delta)?;
        if !canonical {
            return Err(DecodeErrorKind::NotCanonical.at(0).into());
        }
        Ok(text)
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

/// Texts are equal when they hold the same events.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.graph == other.graph
    }
}

impl Eq for Text {}
