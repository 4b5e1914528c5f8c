//! `trace-hash FIRST COUNT`: the lines of so many seeds, of a build without anything else in it.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let [first, count] = numbers[..] else {
        eprintln!("usage: trace-hash FIRST COUNT");
        return ExitCode::FAILURE;
    };
    (first..first + count).for_each(|seed| println!("{}", trace_hash::line(seed)));
    ExitCode::SUCCESS
}
