//! The commands of the README: `cargo xtask demo`, `cargo xtask test` and their kin.
//!
//! Each command is a file of its own with an `Options` and a `run`. What they share is
//! small: [`sh`] runs other programs with progress, [`failure`] is the one line that says
//! what is missing and the command that mends it, and [`result`] prints the `RESULT` line
//! that a script reads.

mod apt;
mod canaries;
mod causal_wasm;
mod demo;
mod failure;
mod fuzz;
mod health;
mod hostile;
mod kill_test;
mod laws;
mod miri;
mod mutants;
mod npm;
mod replay;
mod result;
mod server;
mod sh;
mod shard;
mod sim;
mod test;
mod tidy;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and checks everything in this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, max_term_width = 96)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build everything, start the server and print the address of the demo page.
    Demo(demo::Options),
    /// Run every test there is: Rust, WebAssembly, a real browser.
    Test(test::Options),
    /// Build the npm package's WebAssembly and print its sizes; fail above the budget.
    Wasm(wasm::Options),
    /// Measure the delivery buffer as WebAssembly, beside the same code natively.
    CausalWasm(causal_wasm::Options),
    /// Kill a server under four writers again and again: nothing acknowledged may be lost.
    KillTest(kill_test::Options),
    /// Play an editing trace, as its writers, through a real server; compare the texts.
    Replay(replay::Options),
    /// Check what no compiler checks: arrows between crates, dead files, open ends.
    Tidy(tidy::Options),
    /// Run every fuzz target for so many inputs, or so long, each (needs nightly).
    Fuzz(fuzz::Options),
    /// Try the laws of every type on a million random histories, or as many as wanted.
    Laws(laws::Options),
    /// Play seeds in the convergence laboratory, or compare their traces on all platforms.
    Sim(sim::Options),
    /// Plant one bug after the other, and see that the laboratory finds each.
    Canaries(canaries::Options),
    /// Count what it costs to withstand attacks, and twice as much of each (needs valgrind).
    Hostile(hostile::Options),
    /// Run the tests of the codec and the kernel under Miri (needs nightly).
    Miri(miri::Options),
    /// Break the code in every small way there is, and see which of them no test notices.
    Mutants(mutants::Options),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Wasm(options) => wasm::run(&options),
        Command::CausalWasm(options) => causal_wasm::run(&options),
        Command::KillTest(options) => kill_test::run(&options),
        Command::Replay(options) => replay::run(&options),
        Command::Tidy(options) => tidy::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Laws(options) => laws::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Canaries(options) => canaries::run(&options),
        Command::Hostile(options) => hostile::run(&options),
        Command::Miri(options) => miri::run(&options),
        Command::Mutants(options) => mutants::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
