//! Where a node stands among its siblings: a fraction, as bytes behind the point.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// A fraction between 0 and 1, both excluded: digits to base 256, of which the last is not 0.
pub(crate) type Key = Box<[u8]>;

/// Whether the bytes are a key.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|&last| last > 0)
}

/// A key between two others, or before or behind all. `before` is less than `behind`.
///
/// At an end the next digit is taken, so that 255 siblings in a row lengthen keys by one byte;
/// between two the middle.
pub(super) fn between(before: Option<&[u8]>, behind: Option<&[u8]>) -> Key {
    let mut key = Vec::new();
    let mut behind = behind;
    for at in 0.. {
        let low = before.and_then(|key| key.get(at)).copied().map_or(0, u16::from);
        let high = behind.map_or(256, |key| key.get(at).copied().map_or(0, u16::from));
        debug_assert!(high >= low, "keys are in order");
        if high > low + 1 {
            let digit = match (before, behind) {
                (_, None) => low + 1,
                (None, Some(_)) => high - 1,
                _ => low + (high - low) / 2,
            };
            key.push(digit as u8);
            break;
        }
        key.push(low as u8);
        if high > low {
            behind = None;
        }
    }
    key.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;

    /// Keys in any number of places, each between its neighbours.
    #[test]
    fn there_is_always_one_between() {
        fn law(places: Vec<u8>) -> bool {
            let mut keys: Vec<Key> = Vec::new();
            for place in places {
                let at =
                    [0, keys.len(), usize::from(place) % (keys.len() + 1)][usize::from(place) % 3];
                let before = at.checked_sub(1).map(|before| &*keys[before]);
                let key = between(before, keys.get(at).map(|key| &**key));
                assert!(is_key(&key));
                keys.insert(at, key);
            }
            keys.is_sorted_by(|a, b| a < b)
        }
        trials().quickcheck(law as fn(_) -> _);
    }

    #[test]
    fn siblings_in_a_row_have_short_keys() {
        let mut last: Option<Key> = None;
        for _ in 0..10_000 {
            last = Some(between(last.as_deref(), None));
        }
        assert!(last.is_some_and(|key| key.len() <= 40));
    }
}
