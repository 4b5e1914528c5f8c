use std::hint::black_box;

use crdts::{CmRDT, CvRDT, GCounter};

use super::WRITERS;
use crate::rows::Run;

pub(crate) fn increment() -> Run {
    const TIMES: u64 = 1_000_000;
    let mut counter = GCounter::<u64>::new();
    Box::new(move || {
        for turn in 0..TIMES {
            let operation = black_box(counter.inc(turn % WRITERS));
            counter.apply(operation);
        }
        assert_eq!(counter.read(), TIMES.into());
        (TIMES, Box::new(counter))
    })
}

pub(crate) fn join() -> Run {
    const COUNTERS: u64 = 1_000;
    let of = |amount: fn(u64) -> u64| {
        let mut counter = GCounter::<u64>::new();
        for writer in 0..COUNTERS {
            let operation = counter.inc_many(writer, amount(writer));
            counter.apply(operation);
        }
        counter
    };
    let (here, there) = (of(|_| 5), of(|n| n % 10));
    let mut pairs: Vec<_> = (0..100).map(|_| (here.clone(), there.clone())).collect();
    Box::new(move || {
        let times = pairs.len() as u64;
        let mut joined = Vec::with_capacity(pairs.len());
        for (mut here, there) in pairs.drain(..) {
            here.merge(there);
            joined.push(here);
        }
        assert_eq!(joined[0].read(), 6_000u32.into());
        (times * COUNTERS, Box::new(joined))
    })
}
