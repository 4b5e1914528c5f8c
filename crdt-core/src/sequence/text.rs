//! The text as a value of its own: a store with its event graph.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use smallvec::SmallVec;

use super::anchor::{Anchor, AnchorError, Side};
use super::delta::{TextDelta, changes_between};
use super::error::TextError;
use super::join::JoinError;
use super::rope::Rope;
use super::run::TextOp;
use super::text_store::TextStore;
use crate::causality::{ChangeRun, Frontier};
use crate::codec::{self, DecodeError, DecodeErrorKind, Reader};
use crate::{Dot, EventGraph, ReplicaId, VersionVector, Writer};

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

/// Writing. Every mutator returns the delta to send; each call is one change.
impl Text {
    /// A writer for `replica`; see [`Writer`].
    #[must_use]
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.version().get(replica))
    }

    /// Inserts `content` so that it begins at code point `at`. O(log n).
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root; so do the other mutators.
    #[track_caller]
    pub fn insert(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(at, 0, content, writer)
    }

    /// Deletes `len` code points from `at` on. O(log n) and the text that goes.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn delete(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(at, len, "", writer)
    }

    /// Puts `content` in the place of the `deleted` code points from `at` on, as one change.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn splice(
        &mut self,
        at: u32,
        deleted: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.store.check_bounds(at, deleted)?;
        let mut ops: SmallVec<[TextOp<'_>; 2]> = SmallVec::new();
        if deleted > 0 {
            ops.push(TextOp::Delete { at, len: deleted, forward: true });
        }
        if !content.is_empty() {
            ops.push(TextOp::Insert { at, content });
        }
        self.edit(&ops, writer)
    }

    /// Makes the text equal to `content`, keeping what the two have in common at the
    /// beginning and at the end.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`]; nothing is changed.
    #[track_caller]
    pub fn replace(&mut self, content: &str, writer: &mut Writer) -> Result<TextDelta, TextError> {
        let old = self.to_string();
        let mut old = old.as_str();
        let common = |pairs: &mut dyn Iterator<Item = (char, char)>| -> (u32, usize) {
            let equal = pairs.take_while(|(a, b)| a == b);
            equal.fold((0, 0), |(chars, bytes), (c, _)| (chars + 1, bytes + c.len_utf8()))
        };
        let (at, bytes) = common(&mut old.chars().zip(content.chars()));
        old = &old[bytes..];
        let content = &content[bytes..];
        let (_, bytes) = common(&mut old.chars().rev().zip(content.chars().rev()));
        let deleted = old[..old.len() - bytes].chars().count() as u32;
        self.splice(at, deleted, &content[..content.len() - bytes], writer)
    }

    /// Deletes everything that is visible, by one event however long the text is.
    ///
    /// # Errors
    ///
    /// [`TextError::TooLong`]; nothing is changed.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> Result<TextDelta, TextError> {
        self.edit(&[TextOp::Clear { len: 1 }], writer)
    }

    /// Inserts at a UTF-16 offset; see [`insert`](Self::insert).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an offset between the halves of a surrogate pair.
    #[track_caller]
    pub fn insert_utf16(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(self.utf16_to_char(at)?, 0, content, writer)
    }

    /// Deletes a range of UTF-16 offsets; see [`delete`](Self::delete).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an end between the halves of a surrogate pair.
    #[track_caller]
    pub fn delete_utf16(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        let end = self.utf16_to_char(at.saturating_add(len))?;
        let at = self.utf16_to_char(at)?;
        self.splice(at, end - at, "", writer)
    }

    /// Inserts at a UTF-8 offset; see [`insert`](Self::insert).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an offset inside of a code point.
    #[track_caller]
    pub fn insert_bytes(
        &mut self,
        at: u32,
        content: &str,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        self.splice(self.byte_to_char(at)?, 0, content, writer)
    }

    /// Deletes a range of UTF-8 offsets; see [`delete`](Self::delete).
    ///
    /// # Errors
    ///
    /// [`TextError`], also for an end inside of a code point.
    #[track_caller]
    pub fn delete_bytes(
        &mut self,
        at: u32,
        len: u32,
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        let end = self.byte_to_char(at.saturating_add(len))?;
        let at = self.byte_to_char(at)?;
        self.splice(at, end - at, "", writer)
    }

    /// Applies edits one after the other, as one change that others see whole. Positions are
    /// those that the edit before leaves.
    ///
    /// # Errors
    ///
    /// [`TextError`]; nothing is changed.
    #[track_caller]
    pub fn edit(
        &mut self,
        ops: &[TextOp<'_>],
        writer: &mut Writer,
    ) -> Result<TextDelta, TextError> {
        writer.meet(self.version().get(writer.replica()));
        let mut delta = TextDelta::default();
        let lv = self.graph.len();
        let replica = writer.replica();
        let result = ops.iter().try_for_each(|op| {
            let next = lv + delta.ops.events();
            self.store.edit(next, op)?;
            if op.events() > 0 {
                delta.ops.push(*op);
            }
            Ok(())
        });
        if result.is_ok() && delta.ops.events() == 0 {
            return Ok(delta);
        }
        let parents: SmallVec<[_; 2]> = self.graph.frontier().into();
        let pushed = result.and_then(|()| {
            let pushed = self.graph.push(replica, delta.ops.events(), 1, &parents);
            pushed.map_err(|_| TextError::TooLong)
        });
        if let Err(error) = pushed {
            self.store.roll_back();
            return Err(error);
        }
        self.store.keep();
        let last = self.version().get(replica);
        writer.advance(last);
        delta.headers.push(&ChangeRun {
            replica,
            seq: last + 1 - u64::from(delta.ops.events()),
            change_len: delta.ops.events(),
            count: 1,
            parents: self.graph.explicit_parents(lv),
        });
        Ok(delta)
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
