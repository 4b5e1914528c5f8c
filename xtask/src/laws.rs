//! `cargo xtask laws`: the laws of every type, on as many random histories as wanted.
//!
//! The tests are those of `cargo test`; the number of cases is all that differs. Each of them
//! is a process of its own, so that what one has found does not hide what the others say, and
//! so that shards can share the work between machines.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Instant, UNIX_EPOCH};

use clap::Args;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::{Progress, Sh};
use crate::shard::Shard;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How many random histories each law is tried on.
    #[arg(long, default_value_t = 1_000_000)]
    cases: u64,
    /// What the histories are made from; another number every time, if none is given.
    #[arg(long)]
    seed: Option<u64>,
    /// Run the laws whose names contain this only; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Run the k-th of n parts of the work.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: Shard,
    /// List the laws and end.
    #[arg(long)]
    list: bool,
}

/// So few cases, and so many, tell how long the wanted number will take. Below 256 the tests
/// leave out what takes seconds whatever the number is.
const SAMPLES: [u64; 2] = [25, 250];

/// How many random histories, and which.
#[derive(Clone, Copy)]
struct Cases {
    number: u64,
    seed: u64,
}

/// A test that tries laws on random histories.
struct Law {
    program: PathBuf,
    name: String,
}

/// Which tests of a program are laws: those that CRDT_CASES makes longer.
const LAWS: &[(&str, &[&str])] = &[
    ("types", &["laws::", "apply::", "own::"]),
    ("crdt_core", &["sequence::", "dot_store::", "causality::", "collections::"]),
];

/// Tries the chosen laws, all of them even where one is broken, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    let all = laws()?;
    let wanted = |law: &&Law| {
        options.only.is_empty() || options.only.iter().any(|part| law.name.contains(part))
    };
    let chosen: Vec<&Law> = all.iter().filter(wanted).collect();
    let chosen: Vec<&Law> = options.shard.of(&chosen).copied().collect();
    if options.list {
        chosen.iter().for_each(|law| println!("{}", law.name));
        return Ok(());
    }
    if chosen.is_empty() {
        return Err(Failure::new("there is no such law").mend("cargo xtask laws --list"));
    }
    let since = Instant::now();
    let clock = || UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let cases = Cases { number: options.cases, seed: options.seed.unwrap_or_else(clock) };
    if options.cases > SAMPLES[1] {
        estimate(&chosen, cases)?;
    }
    let mut broken = Vec::new();
    for (index, law) in chosen.iter().enumerate() {
        let step = format!("[{}/{}] {}", index + 1, chosen.len(), law.name);
        if law.run(cases).run_quietly(&step).is_err() {
            broken.push(law.name.as_str());
        }
    }
    println!(
        "{}",
        ResultLine::default()
            .with("cases", cases.number)
            .with("seed", cases.seed)
            .with("laws", chosen.len())
            .with("broken", broken.len())
            .with("seconds", format_args!("{:.1}", since.elapsed().as_secs_f64()))
    );
    if broken.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("broken: {}", broken.join(", "))))
}

impl Law {
    fn run(&self, Cases { number, seed }: Cases) -> Sh {
        // One that finds a broken law prints the shortest history, and the assertion it breaks.
        Sh::new(&self.program)
            .args(["--exact", &self.name])
            .env("CRDT_CASES", number.to_string())
            .env("CRDT_SEED", seed.to_string())
            .mend(format!(
                "CRDT_CASES={number} CRDT_SEED={seed} cargo test -p crdt-core {}",
                self.name
            ))
    }
}

/// Says how long the whole will take, by a few cases of each law.
fn estimate(laws: &[&Law], cases: Cases) -> Outcome {
    let progress = Progress::start("a few cases of each, to see how long all take");
    let mut seconds = 0.0;
    for law in laws {
        progress.at(&law.name);
        // What costs the same whatever the number of cases is told apart.
        let took = SAMPLES.map(|number| {
            let since = Instant::now();
            // What is broken is said when all cases are tried.
            let _sound = law.run(Cases { number, ..cases }).succeeds();
            since.elapsed().as_secs_f64()
        });
        seconds +=
            (took[1] - took[0]).max(0.0) * cases.number as f64 / (SAMPLES[1] - SAMPLES[0]) as f64;
    }
    progress.finish(true);
    let (number, laws, hours) = (cases.number, laws.len(), seconds / 3600.0);
    eprintln!("{number} cases of {laws} laws will take about {hours:.1} hours");
    Ok(())
}

/// What cargo says of a program that it has built.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the tests and lists those that are laws.
fn laws() -> Outcome<Vec<Law>> {
    let messages = workspace::cargo()
        .args(["test", "--locked", "--package", "crdt-core", "--lib", "--test", "types"])
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .args(if std::io::stderr().is_terminal() { &[][..] } else { &["--quiet"] })
        .output()?;
    let mut laws = Vec::new();
    for line in messages.lines() {
        let Ok(Built { executable: Some(program), target: Some(target) }) =
            serde_json::from_str::<Built>(line)
        else {
            continue;
        };
        let Some((_, parts)) = LAWS.iter().find(|(name, _)| *name == target.name) else {
            continue;
        };
        let listed = Sh::new(&program).args(["--list", "--format", "terse"]).output()?;
        for name in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
            if parts.iter().any(|part| name.starts_with(part)) {
                laws.push(Law { program: program.clone(), name: name.to_owned() });
            }
        }
    }
    Ok(laws)
}
