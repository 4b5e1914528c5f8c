//! `delivery-loads WRITERS ARRIVAL MESSAGES RUNS`: the processor time of each run, in milliseconds, after one that
//! is not counted, and the checksum that all of them have; as `xtask/src/causal_wasm/host.mjs` does it.

use std::env;

use delivery_loads::{LoadHandle, timed};

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let [writers, arrival, messages, runs] = &args[..] else {
        panic!("WRITERS ARRIVAL MESSAGES RUNS");
    };
    let number = |text: &String| text.parse::<u32>().expect("a number");
    let mut checksum = None;
    for run in 0..=number(runs) {
        let mut load = LoadHandle::new(number(writers), arrival, number(messages));
        let (ms, sum) = timed(|| load.deliver());
        assert_eq!(*checksum.get_or_insert(sum), sum, "all runs deliver the same");
        if run > 0 {
            println!("{ms}");
        }
    }
    println!("{}", checksum.expect("there was a run"));
}
