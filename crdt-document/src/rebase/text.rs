use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::EditError;
use crate::edit::TextEdit;

/// Texts whose differing parts are longer than this, in characters, are compared by lines.
const CHARS_MAX: usize = if cfg!(test) { 20 } else { 8192 };
/// Those with more differing lines than this are taken to differ all over.
const LINES_MAX: usize = if cfg!(test) { 4 } else { 8192 };

/// Something else in the place of some of the characters of a text.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    old: Range<usize>,
    new: Range<usize>,
}

/// Does in a text, which was `then` at some time, what makes `now` of `then`.
pub(super) fn edit(then: &str, now: &str, text: &mut TextEdit<'_>) -> Result<(), EditError> {
    let then: Vec<char> = then.chars().collect();
    let now: Vec<char> = now.chars().collect();
    let there: Vec<char> = text.view().chars().collect();
    let left = Left::new(then.len(), &changes(&then, &there));
    // From the end on, so that what comes before stays where it is.
    for change in changes(&then, &now).iter().rev() {
        let at = left.gap(change.old.start);
        let content: String = now[change.new.clone()].iter().collect();
        let mut gone = change.old.clone().filter_map(|old| left.place(old)).rev().peekable();
        while let Some(last) = gone.next() {
            let mut first = last;
            while gone.next_if_eq(&(first.wrapping_sub(1))).is_some() {
                first -= 1;
            }
            text.delete(first..last + 1)?;
        }
        if !content.is_empty() {
            text.insert(at, &content)?;
        }
    }
    Ok(())
}

/// What is left of a text in a later one.
struct Left {
    /// Of each character, where it is now.
    places: Vec<Option<usize>>,
}

impl Left {
    fn new(len: usize, changes: &[Change]) -> Self {
        let mut places = Vec::with_capacity(len);
        let (mut old, mut new) = (0, 0);
        for change in changes {
            places.extend((new..new + (change.old.start - old)).map(Some));
            places.extend(change.old.clone().map(|_| None));
            (old, new) = (change.old.end, change.new.end);
        }
        places.extend((new..new + (len - old)).map(Some));
        Self { places }
    }

    fn place(&self, old: usize) -> Option<usize> {
        self.places[old]
    }

    /// Where the gap before a character is now: behind the nearest one before it that is left.
    fn gap(&self, old: usize) -> usize {
        self.places[..old].iter().rev().find_map(|&place| place).map_or(0, |place| place + 1)
    }
}

/// What makes `new` of `old`, from the beginning on.
fn changes(old: &[char], new: &[char]) -> Vec<Change> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(a, b)| a == b).count();
    let (inner_old, inner_new) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    if inner_old.is_empty() && inner_new.is_empty() {
        return Vec::new();
    }
    let mut found = if inner_old.len() + inner_new.len() <= CHARS_MAX {
        of_ops(&capture_diff_slices(Algorithm::Myers, inner_old, inner_new), |at, _| at)
    } else {
        by_lines(inner_old, inner_new)
    };
    for change in &mut found {
        for range in [&mut change.old, &mut change.new] {
            *range = range.start + start..range.end + start;
        }
    }
    found
}

fn by_lines(old: &[char], new: &[char]) -> Vec<Change> {
    let old_lines: Vec<&[char]> = old.split_inclusive(|&char| char == '\n').collect();
    let new_lines: Vec<&[char]> = new.split_inclusive(|&char| char == '\n').collect();
    if old_lines.len() + new_lines.len() > LINES_MAX {
        return alloc::vec![Change { old: 0..old.len(), new: 0..new.len() }];
    }
    let starts = |lines: &[&[char]]| -> Vec<usize> {
        let ends = lines.iter().scan(0, |end, line| {
            *end += line.len();
            Some(*end)
        });
        core::iter::once(0).chain(ends).collect()
    };
    let starts = [starts(&old_lines), starts(&new_lines)];
    let ops = capture_diff_slices(Algorithm::Myers, &old_lines, &new_lines);
    of_ops(&ops, |at, side| starts[side][at])
}

/// The changes among operations, with places as `place` gives them for the two sides.
fn of_ops(ops: &[DiffOp], place: impl Fn(usize, usize) -> usize) -> Vec<Change> {
    let changes = ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. }));
    changes
        .map(|op| {
            let (old, new) = (op.old_range(), op.new_range());
            Change {
                old: place(old.start, 0)..place(old.end, 0),
                new: place(new.start, 1)..place(new.end, 1),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use crdt_core::laws::trials;

    use super::*;
    use crate::{Document, ReplicaId};

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn changes_make_the_one_of_the_other() {
        fn law(old: Vec<u8>, new: Vec<u8>) {
            // Few letters and many lines, so that much is alike.
            let letter = |byte: &u8| ['a', 'b', '\n'][usize::from(byte % 3)];
            let old: Vec<char> = old.iter().map(letter).collect();
            let new: Vec<char> = new.iter().map(letter).collect();
            let found = changes(&old, &new);
            let (mut made, mut at) = (Vec::new(), 0);
            for change in &found {
                made.extend_from_slice(&old[at..change.old.start]);
                made.extend_from_slice(&new[change.new.clone()]);
                at = change.old.end;
            }
            made.extend_from_slice(&old[at..]);
            assert_eq!(made, new);
            let left = Left::new(old.len(), &found);
            let places: Vec<usize> = (0..old.len()).filter_map(|at| left.place(at)).collect();
            assert!(places.is_sorted_by(|a, b| a < b));
            assert!((0..old.len()).all(|at| left.place(at).is_none_or(|it| new[it] == old[at])));
        }
        trials().quickcheck(law as fn(_, _));
    }

    fn edited(then: &str, there: &str, now: &str) -> String {
        let mut doc = Document::new(ReplicaId::from_u128(1));
        doc.transact(|tx| {
            tx.text("text").insert(0, there)?;
            edit(then, now, &mut tx.text("text"))
        })
        .expect("the places are in the text");
        doc.text("text").to_string()
    }

    #[test]
    fn what_was_done_here_is_done_where_it_belongs() {
        assert_eq!(edited("abc", "abc", "aXbc"), "aXbc");
        assert_eq!(edited("abc", "0abc1", "abXc"), "0abXc1");
        assert_eq!(edited("abcdef", "abef", "abcXdef"), "abXef", "behind what is left");
        assert_eq!(edited("abcdef", "abZef", "adef"), "aZef", "only what is left goes");
        assert_eq!(edited("abc", "", "abcd"), "d");
        assert_eq!(edited("", "abc", "x"), "xabc");
        assert_eq!(edited("one two", "one 2 two", "1 two three"), "1 2 two three");
    }

    #[test]
    fn long_texts_are_compared_by_lines_and_longer_ones_as_a_whole() {
        let then = chars("first\nsecond\n");
        let now = chars("FIRST\nsecond and\n");
        assert_eq!(changes(&then, &now).len(), 1, "both lines differ");
        let many = chars("one\n2\nthree\n4\nfive\n");
        let other = chars("ONE\n2\nTHREE\n4\nFIVE\n");
        assert_eq!(changes(&many, &other), [Change { old: 0..18, new: 0..18 }]);
    }
}
