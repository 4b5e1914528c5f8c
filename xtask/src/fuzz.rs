//! `cargo xtask fuzz`: every fuzz target for so many inputs, or so long, each.
//!
//! The one command that needs nightly, for the coverage instrumentation. Inputs grow in
//! `fuzz/corpus/TARGET/`, which git ignores; `--merge` packs the few that reach all code
//! into the committed `fuzz/corpus/TARGET.hex`, which `cargo test` replays on stable.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::{Progress, Sh};
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How many inputs each target tries, if its time is long enough for them.
    #[arg(long, default_value_t = 10_000_000)]
    runs: u64,
    /// How long each target runs, if it does not get through its inputs before.
    #[arg(long, default_value_t = 20 * 60)]
    seconds: u32,
    /// How many targets run at once, each on one core.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Run this target only; may be given several times.
    #[arg(long, value_name = "TARGET")]
    target: Vec<String>,
    /// Afterwards, add what reaches new code to the committed corpus.
    #[arg(long)]
    merge: bool,
    /// List the targets and end.
    #[arg(long)]
    list: bool,
}

/// What one target's run came to.
#[derive(Clone, Default)]
struct Run {
    executions: u64,
    seconds: f64,
    /// The input that broke a promise, if one did.
    finding: Option<String>,
    failed: bool,
}

/// Runs the chosen targets, all of them even where one finds something, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    let all = targets()?;
    if options.list {
        all.iter().for_each(|target| println!("{target}"));
        return Ok(());
    }
    if let Some(unknown) = options.target.iter().find(|target| !all.contains(target)) {
        return Err(
            Failure::new(format!("there is no target {unknown}")).mend("cargo xtask fuzz --list")
        );
    }
    let chosen = if options.target.is_empty() { &all } else { &options.target };
    check_tools()?;
    unpack(chosen)?;
    // Once, with the terminal: the first build takes minutes and shows its own progress.
    fuzz(&["build"]).run()?;
    let runs = run_all(options, chosen)?;
    let (mut findings, mut failures) = (Vec::new(), Vec::new());
    for (target, run) in chosen.iter().zip(&runs) {
        match run {
            Run { finding: Some(_), .. } => findings.push(target.as_str()),
            Run { failed: true, .. } => failures.push(target.as_str()),
            Run { .. } if options.merge => merge(target)?,
            Run { .. } => {}
        }
    }
    let fewest = runs.iter().map(|run| run.executions).min().unwrap_or_default();
    println!(
        "{}",
        ResultLine::default()
            .with("targets", chosen.len())
            .with("findings", findings.len())
            .with("runs", runs.iter().map(|run| run.executions).sum::<u64>())
            .with("fewest_runs", fewest)
            .with("seconds_each_at_most", options.seconds)
    );
    if !findings.is_empty() {
        return Err(Failure::new(format!("findings in {}", findings.join(", "))));
    }
    if !failures.is_empty() {
        return Err(Failure::new(format!("did not run to the end: {}", failures.join(", "))));
    }
    Ok(())
}

/// Runs each target once, as many at a time as wanted, and returns them in their order.
fn run_all(options: &Options, chosen: &[String]) -> Outcome<Vec<Run>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut runs = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = chosen.get(index) else { return Ok(runs) };
            let step = format!("[{}/{}] {target}", index + 1, chosen.len());
            runs.push((index, run_target(&step, target, options)?));
        }
    };
    let workers: Vec<Outcome<Vec<(usize, Run)>>> = thread::scope(|scope| {
        let started: Vec<_> = (0..options.jobs).map(|_| scope.spawn(worker)).collect();
        started.into_iter().map(|one| one.join().expect("a fuzzing job does not panic")).collect()
    });
    let mut runs = workers.into_iter().collect::<Outcome<Vec<_>>>()?.concat();
    runs.sort_by_key(|&(index, _)| index);
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// The names of the targets: every surface has a file.
fn targets() -> Outcome<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let unreadable = |error| Failure::new(format!("cannot list {}: {error}", folder.display()));
    let mut targets = Vec::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

fn check_tools() -> Outcome {
    if !Sh::new("rustup").args(["run", "nightly", "rustc", "--version"]).succeeds() {
        return Err(Failure::new("fuzzing needs the nightly toolchain for its instrumentation")
            .mend("rustup toolchain install nightly --profile minimal"));
    }
    if !fuzz(&["--version"]).succeeds() {
        return Err(Failure::new("cargo-fuzz is not installed").mend("cargo install cargo-fuzz"));
    }
    Ok(())
}

/// Where a target's inputs grow from run to run: cargo-fuzz's own default.
fn grown_corpus(target: &str) -> PathBuf {
    workspace::root().join("fuzz/corpus").join(target)
}

/// What honest peers send, and what earlier runs found, is where the mutations start.
fn unpack(targets: &[String]) -> Outcome {
    workspace::cargo().args(["build", "--locked", "--package", "crdt-fuzz", "--bins"]).run()?;
    for target in targets {
        program(target).args(["--unpack"]).args([grown_corpus(target)]).run()?;
    }
    Ok(())
}

/// The target as it is without the fuzzer.
fn program(target: &str) -> Sh {
    Sh::new(workspace::built_program(target))
}

fn fuzz(args: &[&str]) -> Sh {
    let (command, rest) = args.split_first().unwrap_or((&"", &[]));
    Sh::new("rustup")
        .args(["run", "nightly", "cargo", "fuzz", command])
        .args(if *command == "--version" {
            &[][..]
        } else {
            // No line here is unsafe, so that the address sanitizer would only slow it down;
            // the bound of memory is checked by the targets themselves.
            &["--sanitizer", "none"]
        })
        .args(rest)
        .env("CARGO_TARGET_DIR", workspace::target_dir().join("fuzz"))
        // cargo-fuzz builds in the profile of the measurements, whose links take long; here
        // every target is one more.
        .env("CARGO_PROFILE_RELEASE_LTO", "false")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
}

fn run_target(step: &str, target: &str, options: &Options) -> Outcome<Run> {
    let progress = Progress::start(step);
    let since = Instant::now();
    let (mut run, mut said) = (Run::default(), Vec::new());
    let status = fuzz(&["run", target])
        .args([grown_corpus(target)])
        .args(["--", &format!("-runs={}", options.runs)])
        .args([&format!("-max_total_time={}", options.seconds)])
        // A hang is a finding, and so is memory without end.
        .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"])
        .run_by_line(|line| {
            // `#1024  pulse cov: 712 ft: …`
            if let Some((executions, rest)) =
                line.strip_prefix('#').and_then(|line| line.split_once('\t'))
            {
                progress.at(&format!(
                    "{executions} runs, {}",
                    rest.split("corp:").next().unwrap_or_default().trim()
                ));
            } else {
                said.push(line.to_owned());
            }
            if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
                run.executions = executions.trim().parse().unwrap_or_default();
            }
            if let Some((_, input)) = line.split_once("Test unit written to ") {
                run.finding = Some(input.trim().to_owned());
            }
        })?;
    run.seconds = since.elapsed().as_secs_f64();
    run.failed = !status.success();
    progress.finish(!run.failed);
    if run.failed {
        said.iter().for_each(|line| eprintln!("{line}"));
    }
    // At once: a campaign takes hours, and who ends it early keeps what was done.
    println!("{target} runs={} seconds={:.0}", run.executions, run.seconds);
    if let Some(input) = &run.finding {
        eprintln!("{target} found {input}; cargo run -p crdt-fuzz --bin {target} -- {input}");
    }
    Ok(run)
}

/// Keeps the committed corpus few: one input for each edge, not for each count of it.
fn merge(target: &str) -> Outcome {
    let merged = workspace::target_dir().join("fuzz-merged").join(target);
    let unusable = |error| Failure::new(format!("cannot clear {}: {error}", merged.display()));
    if merged.exists() {
        fs::remove_dir_all(&merged).map_err(unusable)?;
    }
    fs::create_dir_all(&merged).map_err(unusable)?;
    fuzz(&["run", target])
        .args([&merged, &grown_corpus(target)])
        .args(["--", "-merge=1", "-use_counters=0"])
        .run_quietly(&format!("merging the corpus of {target}"))?;
    program(target).args(["--pack"]).args([merged]).run()
}
