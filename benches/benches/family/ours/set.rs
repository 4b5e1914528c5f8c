use std::any::Any;
use std::hint::black_box;

use crdt_core::AddWinsSet;
use crdt_core::codec::{Encode, Writer as Out};

use super::{WRITERS, replica, writers};
use crate::rows::Run;

fn of(elements: u64) -> AddWinsSet<u64> {
    let mut set = AddWinsSet::new();
    let mut writers = writers(|id| set.writer(id));
    for element in 0..elements {
        let writer = &mut writers[(element % WRITERS) as usize];
        let _delta = set.add(element, writer).expect("numbers are left");
    }
    set
}

pub(crate) fn add<const ELEMENTS: u64>() -> Run {
    let mut set = AddWinsSet::new();
    let mut writers = writers(|id| set.writer(id));
    Box::new(move || {
        for element in 0..ELEMENTS {
            let writer = &mut writers[(element % WRITERS) as usize];
            let _delta = black_box(set.add(element, writer).expect("numbers are left"));
        }
        assert_eq!(set.len() as u64, ELEMENTS);
        (ELEMENTS, Box::new(set))
    })
}

pub(crate) fn join_deltas<const ELEMENTS: u64>() -> Run {
    let mut there = AddWinsSet::new();
    let mut writers = writers(|id| there.writer(id));
    let deltas: Vec<_> = (0..ELEMENTS)
        .map(|element| {
            let writer = &mut writers[(element % WRITERS) as usize];
            there.add(element, writer).expect("numbers are left")
        })
        .collect();
    Box::new(move || {
        let mut here = AddWinsSet::new();
        for delta in deltas {
            here.join(delta);
        }
        assert_eq!(here.len() as u64, ELEMENTS);
        (ELEMENTS, Box::new(here))
    })
}

pub(crate) fn remove() -> Run {
    const ELEMENTS: u64 = 10_000;
    let mut set = of(ELEMENTS);
    let mut writers = writers(|id| set.writer(id));
    Box::new(move || {
        for element in 0..ELEMENTS {
            let writer = &mut writers[(element % WRITERS) as usize];
            let _delta = black_box(set.remove(&element, writer));
        }
        assert!(set.is_empty());
        (ELEMENTS, Box::new(set))
    })
}

/// Two that hold 9,000 elements in common, and of which each has removed 500 of the other's.
pub(crate) fn join() -> Run {
    let both = of(10_000);
    let without = |first: u64, id| {
        let mut set = both.clone();
        let mut writer = set.writer(replica(id));
        for element in (first..10_000).step_by(20) {
            let _delta = set.remove(&element, &mut writer);
        }
        assert_eq!(set.len(), 9_500);
        set
    };
    let (mut here, there) = (without(0, 90), without(10, 91));
    Box::new(move || {
        assert!(here.join(there));
        assert_eq!(here.len(), 9_000);
        (9_500, Box::new(here))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    let set = of(100_000);
    assert_eq!(set.len(), 100_000);
    Box::new(set)
}

/// In no order, as they come in an application.
pub(crate) fn encoded() -> f64 {
    const ELEMENTS: u64 = 10_000;
    let mut set = AddWinsSet::new();
    let mut writers = writers(|id| set.writer(id));
    for element in 0..ELEMENTS {
        let scattered = element.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let writer = &mut writers[(element % WRITERS) as usize];
        let _delta = set.add(format!("{scattered:020}"), writer).expect("numbers are left");
    }
    assert_eq!(set.len() as u64, ELEMENTS);
    assert!(set.iter().all(|element| element.len() == 20));
    let mut out = Out::new();
    set.encode(&mut out);
    out.len() as f64 / ELEMENTS as f64 - 20.0
}
