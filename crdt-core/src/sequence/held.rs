//! Places that move with a text while it is edited.

use super::anchor::Side;
use super::patch::TextPatch;
use super::tree::{Cursor, Item, Summary, Tree};
use crate::collections::OrderedMap;

/// Cursors, ends of selections, marks of comments: any number of places in one text, which move
/// as the text changes. Whoever shows a text holds its places here, and tells of each patch.
///
/// Positions are in one unit, code points or UTF-16 units, whichever the caller uses throughout.
///
/// | the text changes | a place before it | at its beginning or end | inside of what goes | behind it |
/// |---|---|---|---|---|
/// | is inserted | stays | stays if it belongs to what is [before](Side::Before), else moves behind it | | moves |
/// | is deleted | stays | stays or moves with its text | goes to where it was | moves |
///
/// Each takes O(log n), a deletion O(k log n) where k places are in it; so does looking up one
/// place. (To name a place for others, and at another version, there is
/// [`Anchor`](super::Anchor).)
///
/// ```
/// use crdt_core::sequence::{Places, Side};
///
/// let mut places = Places::new();
/// let cursor = places.hold(5, Side::Before);
/// let end = places.hold(5, Side::After);
/// places.insert(5, 3); // Someone types three letters there.
/// assert_eq!((places.at(cursor), places.at(end)), (Some(5), Some(8)));
/// places.delete(0, 6);
/// assert_eq!((places.at(cursor), places.at(end)), (Some(0), Some(2)));
/// ```
#[derive(Clone, Default, Debug)]
pub struct Places {
    tree: Tree<Held>,
    /// The leaf of each place.
    leaf_of: OrderedMap<u32, u32>,
    next: u32,
}

/// The name of a held place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place(u32);

/// A place by its distance from the one before. There are two points to each gap of the text,
/// one for either side, so that those of one gap are in the order in which an insertion there
/// divides them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Held {
    name: u32,
    points: u32,
}

/// Distances, added up.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Points(u32);

impl Summary for Points {
    fn add(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn sub(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Item for Held {
    type Sum = Points;

    fn sum(&self) -> Points {
        Points(self.points)
    }
}

/// The last gap that can be held: two points to each are counted in 32 bits.
const GAP_MAX: u32 = (1 << 31) - 1;

fn point(gap: u32, side: Side) -> u32 {
    assert!(gap <= GAP_MAX, "gap {gap} is beyond all texts");
    2 * gap + u32::from(side == Side::After)
}

impl Places {
    /// No places.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many places are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.leaf_of.len()
    }

    /// Whether no place is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.leaf_of.is_empty()
    }

    /// Holds the place at `gap`, the number of units before it.
    ///
    /// # Panics
    ///
    /// If the gap is 2^31 or more, or after 2^32 places.
    pub fn hold(&mut self, gap: u32, side: Side) -> Place {
        let name = self.next;
        self.next = name.checked_add(1).expect("there were fewer than 2^32 places");
        self.put(name, point(gap, side));
        Place(name)
    }

    /// Lets a place go, and tells whether it was held.
    pub fn release(&mut self, place: Place) -> bool {
        let Some(at) = self.locate(place.0) else { return false };
        self.take(at);
        self.leaf_of.remove(&place.0);
        true
    }

    /// The gap at which a place is now; `None` if it is not held.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<u32> {
        let at = self.locate(place.0)?;
        Some((self.tree.before(at).0 + self.tree.item(at).points) / 2)
    }

    /// All places, from left to right, with their gaps.
    pub fn iter(&self) -> impl Iterator<Item = (Place, u32)> + '_ {
        let mut points = 0;
        self.tree.iter().map(move |held| {
            points += held.points;
            (Place(held.name), points / 2)
        })
    }

    /// The text gets `len` units at `at`.
    ///
    /// # Panics
    ///
    /// If a place moves to gap 2^31 or beyond.
    pub fn insert(&mut self, at: u32, len: u32) {
        let Some(next) = self.first_after(point(at, Side::Before)) else { return };
        let end = self.tree.total().0 / 2;
        assert!(end.checked_add(len).is_some_and(|end| end <= GAP_MAX), "beyond all texts");
        self.tree.update(next, |held| held.points += 2 * len);
    }

    /// The text loses the `len` units from `at` on.
    pub fn delete(&mut self, at: u32, len: u32) {
        let (from, end) = (point(at, Side::After), at.saturating_add(len).min(GAP_MAX));
        let mut inside = alloc::vec::Vec::new();
        while let Some(next) = self.first_after(from) {
            let here = self.tree.before(next).0 + self.tree.item(next).points;
            if here > point(end, Side::After) {
                self.tree.update(next, |held| held.points -= 2 * len);
                break;
            }
            inside.push((self.take(next), from & !1 | here & 1));
        }
        inside.into_iter().for_each(|(name, point)| self.put(name, point));
    }

    /// The text changes as a patch says, in code points.
    pub fn apply(&mut self, patch: &TextPatch) {
        self.delete(patch.at, patch.deleted);
        self.insert(patch.at, patch.inserted.chars().count() as u32);
    }

    /// The text changes as a patch says, in UTF-16 units.
    pub fn apply_utf16(&mut self, patch: &TextPatch) {
        self.delete(patch.at_utf16, patch.deleted_utf16);
        self.insert(patch.at_utf16, patch.inserted.encode_utf16().count() as u32);
    }

    /// The first place behind a point.
    fn first_after(&self, point: u32) -> Option<Cursor> {
        self.tree.find(point, |points| points.0).map(|(at, _)| at)
    }

    fn locate(&self, name: u32) -> Option<Cursor> {
        let &leaf = self.leaf_of.get(&name)?;
        let held = self.tree.leaf_items(leaf);
        let index = held.iter().position(|held| held.name == name);
        Some(Cursor { leaf, index: index.expect("a place is in its leaf") as u32 })
    }

    /// Puts a place behind all that are at the same point.
    fn put(&mut self, name: u32, point: u32) {
        let leaf_of = &mut self.leaf_of;
        let mut moved = |held: &Held, leaf| {
            leaf_of.insert(held.name, leaf);
        };
        match self.tree.find(point, |points| points.0) {
            None => {
                let points = point - self.tree.total().0;
                self.tree.push(Held { name, points }, &mut moved);
            }
            Some((next, offset)) => {
                self.tree.update(next, |held| held.points -= offset);
                self.tree.insert(next, Held { name, points: offset }, &mut moved);
            }
        }
    }

    /// Takes a place out of the tree, where the others stay, and returns its name.
    fn take(&mut self, at: Cursor) -> u32 {
        let held = *self.tree.item(at);
        if let Some(next) = self.tree.next(at) {
            self.tree.update(next, |next| next.points += held.points);
        }
        let leaf_of = &mut self.leaf_of;
        self.tree.remove(at, &mut |held: &Held, leaf| {
            leaf_of.insert(held.name, leaf);
        });
        held.name
    }

    /// Panics when the structure is broken.
    pub fn check_invariants(&self) {
        self.tree.check_invariants();
        let mut count = 0;
        for held in self.tree.iter() {
            let at = self.locate(held.name).expect("each place has its leaf");
            assert_eq!(self.tree.item(at), held);
            count += 1;
        }
        assert_eq!(count, self.leaf_of.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::vec::Vec;

    /// What each place does, one by one.
    #[derive(Default)]
    struct Model(Vec<(Place, u32, Side)>);

    impl Model {
        fn insert(&mut self, at: u32, len: u32) {
            for (_, gap, side) in &mut self.0 {
                if *gap > at || *gap == at && *side == Side::After {
                    *gap += len;
                }
            }
        }

        fn delete(&mut self, at: u32, len: u32) {
            for (_, gap, _) in &mut self.0 {
                *gap = if *gap > at { at.max(gap.saturating_sub(len)) } else { *gap };
            }
        }
    }

    #[test]
    fn each_place_moves_by_itself() {
        fn law(steps: Vec<(u8, u8, u8)>) -> bool {
            let (mut places, mut model) = (Places::new(), Model::default());
            for (kind, at, len) in steps {
                let (at, len) = (u32::from(at % 40), u32::from(len % 9));
                match kind % 6 {
                    0 | 1 => {
                        let side = if len % 2 == 0 { Side::Before } else { Side::After };
                        model.0.push((places.hold(at, side), at, side));
                    }
                    2 if !model.0.is_empty() => {
                        let (gone, ..) = model.0.swap_remove(at as usize % model.0.len());
                        assert!(places.release(gone) && !places.release(gone));
                        assert_eq!(places.at(gone), None);
                    }
                    3 => {
                        places.delete(at, len);
                        model.delete(at, len);
                    }
                    _ => {
                        places.insert(at, len);
                        model.insert(at, len);
                    }
                }
                places.check_invariants();
                assert!(model.0.iter().all(|&(place, gap, _)| places.at(place) == Some(gap)));
                let gaps: Vec<u32> = places.iter().map(|(_, gap)| gap).collect();
                assert!(gaps.is_sorted() && gaps.len() == model.0.len());
            }
            true
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    /// A patch moves places in either unit alike.
    #[test]
    fn a_patch_is_a_deletion_and_an_insertion() {
        fn law(gaps: Vec<u8>, at: u8, deleted: u8) -> bool {
            let patch = TextPatch {
                at: at.into(),
                deleted: deleted.into(),
                inserted: "a🎉".into(),
                at_utf16: at.into(),
                deleted_utf16: deleted.into(),
            };
            let (mut chars, mut units) = (Places::new(), Places::new());
            for gap in gaps {
                chars.hold(gap.into(), Side::After);
                units.hold(gap.into(), Side::After);
            }
            chars.apply(&patch);
            units.apply_utf16(&patch);
            let shifted = chars.iter().map(|(_, gap)| gap + u32::from(gap >= patch.at));
            shifted.eq(units.iter().map(|(_, gap)| gap))
        }
        trials().quickcheck(law as fn(_, _, _) -> _);
    }
}
