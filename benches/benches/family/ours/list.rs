use std::hint::black_box;

use crdt_core::List;

use super::replica;
use crate::rows::Run;

const ELEMENTS: u64 = 10_000;

/// Each element where `place` says, by one writer.
fn build(place: fn(usize) -> usize) -> Run {
    let mut list: List<u64> = List::new();
    let mut writer = list.writer(replica(0));
    Box::new(move || {
        for element in 0..ELEMENTS {
            let at = place(list.len());
            let _delta =
                black_box(list.insert(at, element, &mut writer).expect("numbers are left"));
        }
        assert_eq!((list.len() as u64, list.get(place(9_999))), (ELEMENTS, Some(&9_999)));
        (ELEMENTS, Box::new(list))
    })
}

pub(crate) fn append() -> Run {
    build(|len| len)
}

pub(crate) fn insert_in_the_middle() -> Run {
    build(|len| len / 2)
}
