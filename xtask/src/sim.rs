//! `cargo xtask sim`: the convergence laboratory, over as many seeds as wanted.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::wasm;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How many seeds are played.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    first_seed: u64,
    /// How many of a thousand seeds have long histories, which take most of the time.
    #[arg(long, default_value_t = 250, value_name = "PERMILLE", conflicts_with_all = ["hashes", "twins"])]
    long: u64,
    /// Play none: compare the trace hashes of so many seeds in a debug build, in a release build
    /// and on wasm32.
    #[arg(long, value_name = "SEEDS")]
    hashes: Option<u64>,
    /// Play so many seeds in which a replica id gets into two hands, and no others.
    #[arg(long, value_name = "SEEDS", conflicts_with = "hashes")]
    twins: Option<u64>,
}

/// What prints the hashes where there is no program for it, and its host in Node.
const HASHER: &str = "trace-hash";
const HOST: &str = include_str!("sim/host.mjs");

/// Plays seeds with the optimised program, or compares hashes.
pub(crate) fn run(options: &Options) -> Outcome {
    if let Some(seeds) = options.hashes {
        return compare(seeds, options.first_seed);
    }
    let (command, seeds) = match options.twins {
        Some(seeds) => (vec!["twins".to_owned()], seeds),
        None => {
            (vec!["run".to_owned(), "--long".to_owned(), options.long.to_string()], options.seeds)
        }
    };
    workspace::cargo()
        .args(["run", "--release", "--locked", "--package", "crdt-sim", "--"])
        .args(command)
        .args(["--seeds", &seeds.to_string()])
        .args(["--seed", &options.first_seed.to_string()])
        .run()
}

/// Plays seeds with the program of the tests' own profile.
pub(crate) fn campaign(seeds: u64) -> Outcome {
    workspace::cargo()
        .args(["build", "--locked", "--bin", "crdt-sim"])
        // With the features that we ourselves were built with, or its crates are built twice.
        .args(["--package", "crdt-sim", "--package", "xtask"])
        .run()?;
    Sh::new(workspace::built_program("crdt-sim"))
        .args(["run", "--seeds", &seeds.to_string()])
        .mend(format!("cargo xtask sim --seeds {seeds}"))
        .run()
}

/// Compares the trace hashes of seeds in the tests' own profile, in a release build and on wasm32.
pub(crate) fn compare(seeds: u64, first: u64) -> Outcome {
    let numbers = [first.to_string(), seeds.to_string()];
    workspace::cargo()
        .args(["build", "--locked", "--bin", "crdt-sim"])
        // With the features that we ourselves were built with, or its crates are built twice.
        .args(["--package", "crdt-sim", "--package", "xtask"])
        .run()?;
    let debug = Sh::new(workspace::built_program("crdt-sim"))
        .args(["hash", "--seed", &numbers[0], "--seeds", &numbers[1]])
        .output()?;
    workspace::cargo()
        .args(["build", "--release", "--locked", "--package", HASHER, "--bin", HASHER])
        .run()?;
    let program = workspace::target_dir().join("release").join(HASHER);
    let release = Sh::new(program).args(&numbers).output()?;
    let module = wasm::compile(HASHER, "release")?;
    let dir = workspace::target_dir().join(HASHER);
    wasm::bind(&module, &dir)?;
    let wasm = Sh::new("node")
        .args(["--no-warnings", "--input-type=module", "--eval", HOST])
        .args([dir.join("trace_hash.js"), dir.join("trace_hash_bg.wasm")])
        .args(&numbers)
        .mend("https://nodejs.org has Node 20 and later")
        .output()?;
    let different = debug
        .lines()
        .zip(release.lines())
        .zip(wasm.lines())
        .filter(|((debug, release), wasm)| debug != release || debug != wasm)
        .inspect(|((debug, release), wasm)| {
            println!("debug {debug}, release {release}, wasm {wasm}")
        })
        .count();
    let all = [&debug, &release, &wasm].iter().all(|out| out.lines().count() as u64 == seeds);
    println!(
        "{}",
        ResultLine::default()
            .with("first_seed", first)
            .with("seeds", seeds)
            .with("different", different)
    );
    if all && different == 0 {
        return Ok(());
    }
    Err(Failure::new("a seed is not the same run everywhere"))
}
