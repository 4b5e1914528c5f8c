/// Sorts in ascending order, by [`sort_with`].
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_with(items, |a, b| a < b);
}

/// Sorts in ascending order of a key, by [`sort_with`].
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_with(items, |a, b| key(a) < key(b));
}

/// Sorts, by an order that says of two items whether the first comes before the second. Items
/// that are equal in it may change places.
///
/// The standard library's sorts are two to four times as fast on items in disorder, and cost 3
/// to 8 KB of code for each type and order; this one costs a tenth of that. What is in order
/// already, as nearly everything that a log hands out is, is only looked through.
///
/// Heap sort (Williams, 1964): O(n log n) at worst, in place.
pub fn sort_with<T>(items: &mut [T], mut is_less: impl FnMut(&T, &T) -> bool) {
    if items.windows(2).all(|pair| !is_less(&pair[1], &pair[0])) {
        return;
    }
    let len = items.len();
    // First each node that has children, from the last on, is let sink: then the greatest item
    // is on top. Then that one goes to the end, and what comes up in its place sinks.
    for step in (0..len + len / 2).rev() {
        let (mut node, end) = match step.checked_sub(len) {
            Some(node) => (node, len),
            None => {
                items.swap(0, step);
                (0, step)
            }
        };
        loop {
            let mut child = 2 * node + 1;
            if child >= end {
                break;
            }
            if child + 1 < end && is_less(&items[child], &items[child + 1]) {
                child += 1;
            }
            if !is_less(&items[node], &items[child]) {
                break;
            }
            items.swap(node, child);
            node = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::trials;
    use alloc::vec::Vec;

    #[test]
    fn the_result_is_the_standard_library_s() {
        fn law(mut items: Vec<(u8, u16)>) -> bool {
            let (mut expected, mut by_second) = (items.clone(), items.clone());
            expected.sort_unstable();
            sort(&mut items);
            sort_by_key(&mut by_second, |&(_, second)| core::cmp::Reverse(second));
            let descends = by_second.windows(2).all(|pair| pair[0].1 >= pair[1].1);
            by_second.sort_unstable();
            descends && items == expected && by_second == expected
        }
        let law: fn(_) -> bool = law;
        trials().quickcheck(law);
        for len in 0..64u32 {
            let mut items: Vec<u32> = (0..len).rev().collect();
            sort(&mut items);
            assert!(items.into_iter().eq(0..len));
        }
    }
}
