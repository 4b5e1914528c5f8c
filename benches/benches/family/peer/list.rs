use std::hint::black_box;

use crdts::{CmRDT, List};

use crate::rows::Run;

/// As many as ours.
const ELEMENTS: u64 = 10_000;

pub(crate) fn append() -> Run {
    let mut list: List<u64, u64> = List::new();
    Box::new(move || {
        for element in 0..ELEMENTS {
            let operation = black_box(list.append(element, 0));
            list.apply(operation);
        }
        assert_eq!((list.len() as u64, list.position(9_999)), (ELEMENTS, Some(&9_999)));
        (ELEMENTS, Box::new(list))
    })
}

pub(crate) fn insert_in_the_middle() -> Run {
    let mut list: List<u64, u64> = List::new();
    Box::new(move || {
        for element in 0..ELEMENTS {
            let operation = black_box(list.insert_index(list.len() / 2, element, 0));
            list.apply(operation);
        }
        assert_eq!((list.len() as u64, list.position(9_999 / 2)), (ELEMENTS, Some(&9_999)));
        (ELEMENTS, Box::new(list))
    })
}
