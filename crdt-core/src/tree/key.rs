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
/// Siblings that are put in a row, forwards or backwards, at an end or between two others, have keys of
/// O(log siblings) digits; others have a digit more for each time that one was put between two
/// that have no digit between them.
pub(super) fn between(before: Option<&[u8]>, behind: Option<&[u8]>) -> Key {
    let (before, mut key) = (before.unwrap_or(&[]), Vec::new());
    let Some(behind) = behind else {
        put_next(&mut key, before);
        return key.into_boxed_slice();
    };
    let shared = before.iter().zip(behind).take_while(|(low, high)| low == high).count();
    key.extend_from_slice(&behind[..shared]);
    match (before.get(shared), behind[shared]) {
        (None, _) => put_last(&mut key, &behind[shared..]),
        (Some(&low), high) if low + 1 < high => key.push(low + (high - low) / 2),
        (Some(&low), _) => {
            key.push(low);
            match &before[shared + 1..] {
                [] => key.push(128),
                rest => put_next(&mut key, rest),
            }
        }
    }
    key.into_boxed_slice()
}

/// How many digits are counted with behind `extremes` leading ones that are the greatest, or the least, there is.
/// As these have used up all that fewer digits count, there are about as many keys of a length
/// as of all lesser ones; and nobody comes to the end of 8 digits by counting.
fn digits(extremes: usize) -> usize {
    1 << extremes.min(3)
}

/// Puts a fraction behind the digits that is greater than another one, which may be 0: the next
/// one in counting.
fn put_next(key: &mut Vec<u8>, last: &[u8]) {
    let extremes = last.iter().take_while(|&&digit| digit == u8::MAX).count();
    let begun = put_count(key, last, extremes);
    for digit in key[begun..].iter_mut().rev() {
        *digit = digit.wrapping_add(1);
        if *digit > 0 {
            break;
        }
    }
    trim(key);
}

/// Puts a fraction behind the digits that is less than another one: the next one in counting down.
fn put_last(key: &mut Vec<u8>, next: &[u8]) {
    let extremes = next.iter().take_while(|&&digit| digit == 0).count();
    let begun = put_count(key, next, extremes);
    for digit in key[begun..].iter_mut().rev() {
        *digit = digit.wrapping_sub(1);
        if *digit < u8::MAX {
            break;
        }
    }
    if key[begun] == 0 {
        key.truncate(begun + 1);
        key.resize(begun + 1 + digits(extremes + 1), u8::MAX);
    }
    trim(key);
}

/// Puts the digits that are the first of a fraction, up to those that are counted with; says where these begin.
fn put_count(key: &mut Vec<u8>, fraction: &[u8], extremes: usize) -> usize {
    let begun = key.len() + extremes;
    let end = begun + digits(extremes);
    key.reserve_exact(end - key.len());
    key.extend(fraction.iter().take(extremes + digits(extremes)));
    key.resize(end, 0);
    begun
}

fn trim(key: &mut Vec<u8>) {
    while key.pop_if(|digit| *digit == 0).is_some() {}
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

    /// The longest of many keys, each of which is put beside the last one: behind it, or before it, as
    /// `ends` have it.
    fn longest(ends: [Option<&[u8]>; 2], forwards: bool) -> usize {
        let [mut before, mut behind] = ends.map(|end| end.map(Key::from));
        let mut longest = 0;
        for _ in 0..100_000 {
            let key = between(before.as_deref(), behind.as_deref());
            assert!(is_key(&key));
            assert!(before.as_ref().is_none_or(|before| *before < key));
            assert!(behind.as_ref().is_none_or(|behind| key < *behind));
            longest = longest.max(key.len());
            *(if forwards { &mut before } else { &mut behind }) = Some(key);
        }
        longest
    }

    #[test]
    fn siblings_in_a_row_have_short_keys() {
        let (low, high): (&[u8], &[u8]) = (&[7, 1], &[7, 1, 0, 3]);
        assert_eq!(longest([None, None], true), 6);
        assert_eq!(longest([None, None], false), 6);
        assert_eq!(longest([Some(&[7]), Some(&[8])], true), 7);
        assert_eq!(longest([Some(&[7]), Some(&[8])], false), 7);
        assert_eq!(longest([Some(low), Some(high)], true), 10);
        assert_eq!(longest([Some(low), Some(high)], false), 8);
    }

    /// Whatever a peer has sent, what comes behind or before it is not much longer.
    #[test]
    fn keys_beside_long_ones_are_hardly_longer() {
        for digit in [1, 254, 255] {
            let long = [&[digit; 1000][..], &[1]].concat();
            for key in [between(Some(&long), None), between(None, Some(&long))] {
                assert!(is_key(&key) && key.len() <= 1010);
            }
        }
        let low = [&[0; 1000][..], &[1]].concat();
        let key = between(None, Some(&low));
        assert!(is_key(&key) && *key < *low && key.len() <= 1010);
    }
}
