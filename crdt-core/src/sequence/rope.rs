//! The text at the tip: a rope of UTF-8 chunks, measured in code points, bytes and UTF-16
//! units.
//!
//! Insert, remove and every conversion between the three measures take O(log n) plus the
//! text that moves. The text lies in chunks of at most [`CHUNK_MAX`] bytes in a B-tree.

use alloc::string::String;
use core::fmt;

use super::tree::{Cursor, Item, Items, Path, Summary, Tree};

/// Most bytes of a chunk. Small in this crate's own tests, so that a few words reach
/// several levels; never below two code points of four bytes.
pub(super) const CHUNK_MAX: usize = if cfg!(test) { 12 } else { 512 };

/// A chunk of less is joined with a neighbour where the two are no more than half of one.
const SMALL: usize = CHUNK_MAX / 4;

/// Whether there is a finger. Nobody types so fast in a browser that it were worth its code.
const FINGER: bool = !cfg!(target_arch = "wasm32");

/// What is counted of a stretch of text.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Measure {
    pub(super) bytes: u32,
    pub(super) chars: u32,
    pub(super) utf16: u32,
}

impl Measure {
    /// Counts a text.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.len() as u32;
        if text.is_ascii() {
            return Self { bytes, chars: bytes, utf16: bytes };
        }
        let mut measure = Self { bytes, chars: 0, utf16: 0 };
        for byte in text.bytes() {
            // Bytes that begin a code point; those of four bytes are a surrogate pair.
            measure.chars += u32::from(byte & 0xC0 != 0x80);
            measure.utf16 += u32::from(byte & 0xC0 != 0x80) + u32::from(byte >= 0xF0);
        }
        measure
    }
}

impl Summary for Measure {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.chars += other.chars;
        self.utf16 += other.utf16;
    }

    fn sub(&mut self, other: Self) {
        self.bytes -= other.bytes;
        self.chars -= other.chars;
        self.utf16 -= other.utf16;
    }
}

#[derive(Clone, Debug)]
struct Chunk {
    text: String,
    measure: Measure,
}

impl Chunk {
    fn new(text: &str) -> Self {
        // What is new is nearly always added to.
        let mut own = String::with_capacity(text.len().max(CHUNK_MAX / 4));
        own.push_str(text);
        Self { text: own, measure: Measure::of(text) }
    }

    /// Whether so many bytes more fit.
    fn has_room(&self, bytes: usize) -> bool {
        self.text.len() + bytes <= CHUNK_MAX
    }

    fn byte_of_char(&self, chars: u32) -> usize {
        byte_of_char(&self.text, self.measure.chars, chars)
    }

    fn insert(&mut self, at: u32, text: &str) {
        let byte = self.byte_of_char(at);
        self.text.insert_str(byte, text);
        self.measure.add(Measure::of(text));
    }

    fn remove(&mut self, at: u32, len: u32) {
        let from = self.byte_of_char(at);
        let to = from + byte_of_char(&self.text[from..], self.measure.chars - at, len);
        self.measure.sub(Measure::of(&self.text[from..to]));
        self.text.replace_range(from..to, "");
    }
}

/// The byte offset of code point `chars` in a text that has `total` of them.
pub(super) fn byte_of_char(text: &str, total: u32, chars: u32) -> usize {
    if total as usize == text.len() || chars == 0 {
        return chars as usize;
    }
    if chars == total {
        return text.len();
    }
    if text.as_bytes()[..chars as usize].is_ascii() {
        return chars as usize;
    }
    let nth = text.char_indices().nth(chars as usize);
    nth.expect("the offset is inside of the text").0
}

impl Item for Chunk {
    type Sum = Measure;

    fn sum(&self) -> Measure {
        self.measure
    }
}

/// A rope of text, addressed by code points.
#[derive(Clone, Default, Debug)]
pub struct Rope {
    chunks: Tree<Chunk>,
    finger: Option<Finger>,
}

/// The chunk that was edited last. The next edit is nearly always there too, and then needs
/// no descent from the root.
#[derive(Clone, Debug)]
struct Finger {
    cursor: Cursor,
    path: Path,
    /// The chunk's first code point.
    start: u32,
}

impl Rope {
    /// An empty rope.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many code points the text has.
    #[must_use]
    pub fn len_chars(&self) -> u32 {
        self.chunks.total().chars
    }

    /// How many bytes of UTF-8 the text has.
    #[must_use]
    pub fn len_bytes(&self) -> u32 {
        self.chunks.total().bytes
    }

    /// How many UTF-16 code units the text has.
    #[must_use]
    pub fn len_utf16(&self) -> u32 {
        self.chunks.total().utf16
    }

    /// Whether the text has no code point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len_bytes() == 0
    }

    /// Inserts `text` so that it begins at code point `at`.
    ///
    /// # Panics
    ///
    /// When `at` is beyond the end.
    pub fn insert(&mut self, at: u32, text: &str) {
        assert!(at <= self.len_chars(), "insert at {at} of {} code points", self.len_chars());
        if text.is_empty() {
            return;
        }
        if FINGER
            && let Some(finger) = &self.finger
            && finger.start <= at
        {
            let (chunk, offset) = (self.chunks.item(finger.cursor), at - finger.start);
            if offset <= chunk.measure.chars && chunk.has_room(text.len()) {
                let change = |chunk: &mut Chunk| chunk.insert(offset, text);
                self.chunks.update_along(&finger.path, finger.cursor, change);
                return;
            }
        }
        let Some((cursor, offset)) = self.chunk_before(at) else {
            self.insert_chunks(self.chunks.start(), text, "");
            return;
        };
        let chunk = self.chunks.item(cursor);
        if chunk.has_room(text.len()) {
            self.change(cursor, at - offset, |chunk| chunk.insert(offset, text));
            return;
        }
        let after = Cursor { leaf: cursor.leaf, index: cursor.index + 1 };
        let chars = chunk.measure.chars;
        if offset == 0 {
            self.insert_chunks(cursor, text, "");
        } else if offset < chars {
            let tail = String::from(&chunk.text[chunk.byte_of_char(offset)..]);
            self.change(cursor, at - offset, |chunk| chunk.remove(offset, chars - offset));
            self.insert_chunks(after, text, &tail);
        } else if let Some(next) = self.chunks.next(cursor)
            && self.chunks.item(next).has_room(text.len())
        {
            self.change(next, at, |chunk| chunk.insert(0, text));
        } else {
            self.insert_chunks(after, text, "");
        }
    }

    /// Changes a chunk, which begins at code point `start`, and remembers it.
    fn change(&mut self, cursor: Cursor, start: u32, change: impl FnOnce(&mut Chunk)) {
        if FINGER && let Some(path) = self.chunks.path(cursor.leaf) {
            self.chunks.update_along(&path, cursor, change);
            self.finger = Some(Finger { cursor, path, start });
        } else {
            self.chunks.update(cursor, change);
        }
    }

    /// Removes `len` code points from `at` on.
    ///
    /// # Panics
    ///
    /// When the range goes beyond the end.
    pub fn remove(&mut self, at: u32, len: u32) {
        let end = at.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len_chars()), "remove beyond the end");
        if self.remove_at_finger(at, len) {
            return;
        }
        let (mut left, mut is_small) = (len, false);
        while left > 0 {
            let (cursor, offset) = self.chunks.find(at, |m| m.chars).expect("inside of the text");
            let chunk = self.chunks.item(cursor);
            let here = left.min(chunk.measure.chars - offset);
            if here == chunk.measure.chars {
                self.finger = None;
                self.chunks.remove(cursor, &mut |_, _| {});
            } else {
                self.change(cursor, at - offset, |chunk| chunk.remove(offset, here));
                is_small |= self.chunks.item(cursor).text.len() < SMALL;
            }
            left -= here;
        }
        if is_small {
            self.join_around(at);
        }
    }

    /// Removes from the chunk that was edited last, if the range is in it and leaves so much of
    /// it that it need not be joined with a neighbour.
    fn remove_at_finger(&mut self, at: u32, len: u32) -> bool {
        if !FINGER {
            return false;
        }
        let Some(finger) = &self.finger else { return false };
        let chunk = self.chunks.item(finger.cursor);
        let Some(offset) = at.checked_sub(finger.start) else { return false };
        // A code point has four bytes at most.
        let is_inside = offset + len < chunk.measure.chars;
        if !is_inside || chunk.text.len() < SMALL + 4 * len as usize {
            return false;
        }
        let change = |chunk: &mut Chunk| chunk.remove(offset, len);
        self.chunks.update_along(&finger.path, finger.cursor, change);
        true
    }

    /// Keeps chunks from staying small: joins the one at `at`, or that before it, with the next
    /// if they fit in one.
    fn join_around(&mut self, at: u32) {
        let Some((left, _)) = self.chunk_before(at) else { return };
        let Some(right) = self.chunks.next(left) else { return };
        let len = self.chunks.item(left).text.len() + self.chunks.item(right).text.len();
        // Half full at most, so that the next typed character does not split it again.
        if len <= CHUNK_MAX / 2 {
            self.finger = None;
            let taken = self.chunks.item(right).clone();
            self.chunks.update(left, |chunk| {
                chunk.text.push_str(&taken.text);
                chunk.measure.add(taken.measure);
            });
            self.chunks.remove(right, &mut |_, _| {});
        }
    }

    /// The chunk that a text inserted at `at` would be appended to, and the offset there.
    fn chunk_before(&self, at: u32) -> Option<(Cursor, u32)> {
        if at == 0 {
            let start = self.chunks.start();
            return self.chunks.get(start).map(|_| (start, 0));
        }
        let found = self.chunks.find(at - 1, |m| m.chars);
        found.map(|(cursor, offset)| (cursor, offset + 1))
    }

    /// Inserts both pieces as evenly filled chunks, in linear time.
    fn insert_chunks(&mut self, mut place: Cursor, text: &str, tail: &str) {
        self.finger = None;
        let whole = [text, tail].concat();
        let mut rest = &*whole;
        let count = rest.len().div_ceil(CHUNK_MAX - 3);
        for piece in 0..count {
            let mut end = rest.len() / (count - piece);
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let (now, later) = rest.split_at(end);
            rest = later;
            if now.is_empty() {
                continue;
            }
            let at = self.chunks.insert(place, Chunk::new(now), &mut |_, _| {});
            place = Cursor { leaf: at.leaf, index: at.index + 1 };
        }
        assert!(rest.is_empty(), "the last piece takes the rest");
    }

    /// The chunks of the text, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &str> {
        self.chunks.iter().map(|chunk| chunk.text.as_str())
    }

    /// The code points of the text, in order.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.chunks().flat_map(str::chars)
    }

    /// The text of `len` code points from `at` on.
    ///
    /// # Panics
    ///
    /// When the range goes beyond the end.
    #[must_use]
    pub fn slice(&self, at: u32, len: u32) -> String {
        let mut out = String::new();
        self.slice_into(at, len, &mut out);
        out
    }

    /// Appends the text of `len` code points from `at` on to `out`.
    ///
    /// # Panics
    ///
    /// When the range goes beyond the end.
    pub fn slice_into(&self, at: u32, len: u32, out: &mut String) {
        let end = at.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len_chars()), "slice beyond the end");
        if len == 0 {
            return;
        }
        let (cursor, mut offset) = self.chunks.find(at, |m| m.chars).expect("inside of the text");
        let mut left = len;
        for chunk in Items::starting_at(&self.chunks, cursor) {
            let here = left.min(chunk.measure.chars - offset);
            let from = chunk.byte_of_char(offset);
            let to = from + byte_of_char(&chunk.text[from..], chunk.measure.chars - offset, here);
            out.push_str(&chunk.text[from..to]);
            left -= here;
            offset = 0;
            if left == 0 {
                break;
            }
        }
    }

    /// The UTF-16 offset of code point `at`; `None` beyond the end.
    #[must_use]
    pub fn char_to_utf16(&self, at: u32) -> Option<u32> {
        self.convert_char(at).map(|m| m.utf16)
    }

    /// The UTF-8 offset of code point `at`; `None` beyond the end.
    #[must_use]
    pub fn char_to_byte(&self, at: u32) -> Option<u32> {
        self.convert_char(at).map(|m| m.bytes)
    }

    fn convert_char(&self, at: u32) -> Option<Measure> {
        let total = self.chunks.total();
        if at >= total.chars {
            return (at == total.chars).then_some(total);
        }
        if total.bytes == total.chars {
            // All measures of an ASCII text are one.
            return Some(Measure { bytes: at, chars: at, utf16: at });
        }
        let (cursor, offset) = self.chunks.find(at, |m| m.chars)?;
        let chunk = self.chunks.item(cursor);
        let mut sum = self.chunks.before(cursor);
        sum.add(Measure::of(&chunk.text[..chunk.byte_of_char(offset)]));
        Some(sum)
    }

    /// The code point that begins at UTF-16 offset `at`.
    ///
    /// # Errors
    ///
    /// [`Misplaced`] beyond the end and between the halves of a surrogate pair.
    pub fn utf16_to_char(&self, at: u32) -> Result<u32, Misplaced> {
        self.to_char(at, |m| m.utf16, |c| c.len_utf16() as u32)
    }

    /// The code point that begins at UTF-8 offset `at`.
    ///
    /// # Errors
    ///
    /// [`Misplaced`] beyond the end and inside of a code point.
    pub fn byte_to_char(&self, at: u32) -> Result<u32, Misplaced> {
        self.to_char(at, |m| m.bytes, |c| c.len_utf8() as u32)
    }

    fn to_char(
        &self,
        at: u32,
        dim: impl Fn(&Measure) -> u32,
        width: impl Fn(char) -> u32,
    ) -> Result<u32, Misplaced> {
        let total = self.chunks.total();
        if at >= dim(&total) {
            return if at == dim(&total) { Ok(total.chars) } else { Err(Misplaced::BeyondEnd) };
        }
        if total.bytes == total.chars {
            return Ok(at);
        }
        let (cursor, offset) = self.chunks.find(at, &dim).expect("inside of the text");
        let chunk = self.chunks.item(cursor);
        let before = self.chunks.before(cursor).chars;
        if dim(&chunk.measure) == chunk.measure.chars {
            return Ok(before + offset);
        }
        let (mut units, mut chars) = (0, 0);
        for c in chunk.text.chars() {
            if units >= offset {
                break;
            }
            units += width(c);
            chars += 1;
        }
        if units == offset { Ok(before + chars) } else { Err(Misplaced::InsideCodePoint) }
    }

    /// Panics when the structure is broken.
    pub fn check_invariants(&self) {
        self.chunks.check_invariants();
        for chunk in self.chunks.iter() {
            assert_eq!(chunk.measure, Measure::of(&chunk.text), "a chunk knows its measures");
            assert!(!chunk.text.is_empty() && chunk.text.len() <= CHUNK_MAX);
        }
        if let Some(finger) = &self.finger {
            assert_eq!(self.chunks.before(finger.cursor).chars, finger.start);
            assert_eq!(self.chunks.path(finger.cursor.leaf), Some(finger.path.clone()));
        }
    }
}

impl From<&str> for Rope {
    fn from(text: &str) -> Self {
        let mut rope = Self::new();
        rope.insert(0, text);
        rope
    }
}

impl fmt::Display for Rope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chunks().try_for_each(|chunk| f.write_str(chunk))
    }
}

impl PartialEq for Rope {
    fn eq(&self, other: &Self) -> bool {
        self.chunks.total() == other.chunks.total()
            && self.chunks().flat_map(str::bytes).eq(other.chunks().flat_map(str::bytes))
    }
}

impl Eq for Rope {}

/// Why an offset names no code point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misplaced {
    /// The offset is greater than the length.
    BeyondEnd,
    /// The offset lies between the units of one code point.
    InsideCodePoint,
}
