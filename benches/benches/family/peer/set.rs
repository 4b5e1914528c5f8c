use std::any::Any;
use std::hint::black_box;

use crdts::{CmRDT, CvRDT, Orswot};

use super::WRITERS;
use crate::rows::Run;

type Set = Orswot<u64, u64>;

fn add_to(set: &mut Set, element: u64) {
    let context = set.read_ctx().derive_add_ctx(element % WRITERS);
    let operation = black_box(set.add(element, context));
    set.apply(operation);
}

fn remove_from(set: &mut Set, element: u64) {
    let operation = black_box(set.rm(element, set.contains(&element).derive_rm_ctx()));
    set.apply(operation);
}

fn of(elements: u64) -> Set {
    let mut set = Set::new();
    (0..elements).for_each(|element| add_to(&mut set, element));
    set
}

fn len(set: &Set) -> usize {
    set.read().val.len()
}

pub(crate) fn add<const ELEMENTS: u64>() -> Run {
    let mut set = Set::new();
    Box::new(move || {
        (0..ELEMENTS).for_each(|element| add_to(&mut set, element));
        assert!(set.contains(&(ELEMENTS - 1)).val);
        (ELEMENTS, Box::new(set))
    })
}

pub(crate) fn apply_others<const ELEMENTS: u64>() -> Run {
    let mut there = Set::new();
    let operations: Vec<_> = (0..ELEMENTS)
        .map(|element| {
            let context = there.read_ctx().derive_add_ctx(element % WRITERS);
            let operation = there.add(element, context);
            there.apply(operation.clone());
            operation
        })
        .collect();
    Box::new(move || {
        let mut here = Set::new();
        operations.into_iter().for_each(|operation| here.apply(operation));
        assert!(here.contains(&(ELEMENTS - 1)).val);
        (ELEMENTS, Box::new(here))
    })
}

pub(crate) fn remove() -> Run {
    const ELEMENTS: u64 = 10_000;
    let mut set = of(ELEMENTS);
    Box::new(move || {
        (0..ELEMENTS).for_each(|element| remove_from(&mut set, element));
        assert_eq!(len(&set), 0);
        (ELEMENTS, Box::new(set))
    })
}

pub(crate) fn join() -> Run {
    let both = of(10_000);
    let without = |first: u64| {
        let mut set = both.clone();
        (first..10_000).step_by(20).for_each(|element| remove_from(&mut set, element));
        assert_eq!(len(&set), 9_500);
        set
    };
    let (mut here, there) = (without(0), without(10));
    Box::new(move || {
        here.merge(there);
        assert!(!here.contains(&0).val && !here.contains(&10).val && here.contains(&1).val);
        (9_500, Box::new(here))
    })
}

pub(crate) fn heap() -> Box<dyn Any> {
    Box::new(of(100_000))
}
