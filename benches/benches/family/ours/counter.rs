use std::hint::black_box;

use crdt_core::GCounter;

use super::{WRITERS, replica, writers};
use crate::rows::Run;

pub(crate) fn increment() -> Run {
    const TIMES: u64 = 1_000_000;
    let mut counter = GCounter::default();
    let mut writers = writers(|id| counter.writer(id));
    Box::new(move || {
        for turn in 0..TIMES {
            let writer = &mut writers[(turn % WRITERS) as usize];
            let _delta = black_box(counter.increment(1, writer).expect("far from overflow"));
        }
        assert_eq!(counter.value(), u128::from(TIMES));
        (TIMES, Box::new(counter))
    })
}

pub(crate) fn join() -> Run {
    const COUNTERS: u64 = 1_000;
    let here: GCounter = (0..COUNTERS).map(|n| (replica(n), 5)).collect();
    let there: GCounter = (0..COUNTERS).map(|n| (replica(n), n % 10)).collect();
    let mut pairs: Vec<_> = (0..100).map(|_| (here.clone(), there.clone())).collect();
    Box::new(move || {
        let times = pairs.len() as u64;
        let mut joined = Vec::with_capacity(pairs.len());
        for (mut here, there) in pairs.drain(..) {
            assert!(here.join(there));
            joined.push(here);
        }
        assert_eq!(joined[0].value(), 6_000);
        (times * COUNTERS, Box::new(joined))
    })
}
