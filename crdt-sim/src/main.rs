//! The laboratory's commands: `run`, `twins`, `replay`, `explain`, `hash`; `scenario`; and those of histories, `check` and
//! `generate`.

mod explain;
mod histories;
mod scenarios;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use crdt_sim::campaign::{self, Draw, Keep, Summary};
use crdt_sim::faults::Fault;
use crdt_sim::plan::Plan;
use crdt_sim::replica::Violation;
use crdt_sim::trace::Line;
use crdt_sim::{diagram, shrink};
use indicatif::{ProgressBar, ProgressStyle};

/// The convergence laboratory: replicas on a virtual network, with every fault there is.
#[derive(Parser)]
#[command(name = "crdt-sim", version, max_term_width = 96)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Play seeds, each of which draws its own faults.
    Run(Run),
    /// Play seeds in which a replica id gets into two hands: each fork has to be noticed within
    /// one round of syncing, and nobody may be accused where there is none.
    Twins(Run),
    /// Play a plan that was saved, and perhaps edited; print what happens, and draw it.
    Replay(Replay),
    /// Say what kind of incident there was in a run, and what happened, causes before effects.
    Explain(explain::Explain),
    /// Print the trace hash of seeds: the same in every build and on every platform.
    Hash(Hash),
    /// Play a situation: what happens, what clients get at each level, and whether what is claimed holds.
    Scenario(scenarios::Play),
    /// Judge a history, of this system or another: what its clients did and saw.
    Check(histories::Check),
    /// Write a large history that is causally convergent, to measure checkers with.
    Generate(histories::Generate),
}

#[derive(Args)]
struct Run {
    /// How many seeds.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,
    /// How many of a thousand seeds have long histories; by default few.
    #[arg(long, value_name = "PERMILLE")]
    long: Option<u64>,
    /// Stop after so many have failed.
    #[arg(long, default_value_t = 1, value_name = "COUNT")]
    failures_max: usize,
    /// How many runs shrinking a failure may take.
    #[arg(long, default_value_t = 3_000, value_name = "RUNS")]
    shrink: usize,
    /// Where plans and pictures of failures go.
    #[arg(long, default_value = "target/sim", value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Args)]
struct Replay {
    /// The plan.
    file: PathBuf,
    /// Only the verdict, not what happened.
    #[arg(long)]
    quiet: bool,
}

#[derive(Args)]
struct Hash {
    /// How many seeds.
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    seed: u64,
}

impl Run {
    fn draw(&self, seed: u64) -> Plan {
        self.long.map_or_else(|| Plan::draw(seed), |long| Plan::draw_long(seed, long))
    }
}

/// With fewer seeds than this a rare fault may well not have happened.
const SEEDS_FOR_COVERAGE: u64 = 500;
/// How often a kind of fault has to happen to count as one that was tried in earnest.
const OFTEN: u64 = 10_000;

fn main() -> ExitCode {
    campaign::silence_panics();
    let outcome = match Cli::parse().command {
        Command::Run(options) => run(&options),
        Command::Twins(options) => twins(&options),
        Command::Replay(options) => replay(&options),
        Command::Explain(options) => explain::explain(&options),
        Command::Hash(options) => hash(&options),
        Command::Scenario(options) => scenarios::play(&options),
        Command::Check(options) => histories::check(&options),
        Command::Generate(options) => histories::generate(&options),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn play(draw: Draw<'_>, options: &Run) -> io::Result<Summary> {
    let bar = ProgressBar::new(options.seeds);
    let style = ProgressStyle::with_template(
        "{bar:30} {pos}/{len} seeds, {per_sec}, {elapsed} gone, {eta} left",
    );
    bar.set_style(style.expect("the template is right"));
    let summary = campaign::run(draw, options.seed, options.seeds, options.failures_max, &|runs| {
        bar.set_position(runs);
    });
    bar.finish_and_clear();
    for (seed, violation) in &summary.failures {
        report(&draw(*seed), *seed, violation, options)?;
    }
    Ok(summary)
}

fn twins(options: &Run) -> io::Result<bool> {
    let since = Instant::now();
    let summary = play(&Plan::draw_twins, options)?;
    println!(
        "RESULT first_seed={} seeds={} failed={} forked={} met_and_noticed_in_a_round={} \
         seconds={:.1}",
        options.seed,
        summary.runs,
        summary.failures.len(),
        summary.forked,
        summary.forks_met,
        since.elapsed().as_secs_f64(),
    );
    Ok(summary.failures.is_empty())
}

fn run(options: &Run) -> io::Result<bool> {
    let since = Instant::now();
    let summary = play(&|seed| options.draw(seed), options)?;
    let missing: Vec<Fault> = if summary.runs < SEEDS_FOR_COVERAGE || !summary.failures.is_empty() {
        Vec::new()
    } else {
        summary.faults.missing().collect()
    };
    for fault in Fault::ALL {
        println!("{:<22} {:>12}", fault.to_string(), summary.faults.get(fault));
    }
    for fault in &missing {
        println!("FAILED: {fault} never happened in {} seeds", summary.runs);
    }
    println!("{}", result_line(&summary, options.seed, since));
    Ok(summary.failures.is_empty() && missing.is_empty())
}

fn result_line(summary: &Summary, first: u64, since: Instant) -> String {
    let hours = summary.virtual_ms as f64 / 3_600_000.0;
    let fired = Fault::ALL.iter().map(|fault| summary.faults.get(*fault));
    format!(
        "RESULT first_seed={first} seeds={} failed={} events={} applied={} compared={} \
         virtual_hours={hours:.1} faults={} fault_kinds={} rarest_fault={} fault_kinds_over_{OFTEN}={} \
         forked_seeds={} forks_seen={} visits={} visits_refused={} visits_bounded={} events_trimmed={} events_made_anew={} seconds={:.1}",
        summary.runs,
        summary.failures.len(),
        summary.events,
        summary.applied,
        summary.compared,
        fired.clone().sum::<u64>(),
        fired.clone().filter(|count| *count > 0).count(),
        fired.clone().min().unwrap_or(0),
        fired.filter(|count| *count >= OFTEN).count(),
        summary.forked,
        summary.forks_seen,
        summary.visits[0],
        summary.visits[1],
        summary.visits_bounded,
        summary.trimmed[0],
        summary.trimmed[1],
        since.elapsed().as_secs_f64(),
    )
}

/// Says what failed, and saves the smallest plan that fails like it.
fn report(drawn: &Plan, seed: u64, violation: &Violation, options: &Run) -> io::Result<()> {
    let mut command = if *drawn == options.draw(seed) { "run" } else { "twins" }.to_owned();
    if let Some(long) = options.long {
        command += &format!(" --long {long}");
    }
    println!("FAILED seed {seed}: {}: {}", violation.checker, violation.what);
    println!(
        "  the whole run: cargo run --release -p crdt-sim -- {command} --seeds 1 --seed {seed}"
    );
    let (plan, found) = shrink::shrink(drawn, violation, options.shrink);
    fs::create_dir_all(&options.out)?;
    let file = options.out.join(format!("seed-{seed}.json"));
    fs::write(&file, plan.to_json())?;
    let picture = draw(&plan, &file)?.1;
    println!(
        "  shrunk to {} steps, {} packet faults, {} machines: {}",
        plan.steps.len(),
        plan.packets.as_ref().map_or(0, Vec::len),
        plan.nodes.len(),
        found.what
    );
    println!("  the smallest: cargo run --release -p crdt-sim -- replay {}", file.display());
    println!("  drawn: {}", picture.display());
    Ok(())
}

/// Plays a plan and draws it beside its file.
fn draw(plan: &Plan, file: &Path) -> io::Result<(crdt_sim::world::Report, PathBuf)> {
    let report = campaign::play(plan, Keep { lines: true });
    let picture = file.with_extension("svg");
    fs::write(&picture, diagram::svg(&report.lines, &format!("seed {}", plan.seed)))?;
    Ok((report, picture))
}

fn replay(options: &Replay) -> io::Result<bool> {
    let plan = Plan::from_json(&fs::read_to_string(&options.file)?).map_err(io::Error::other)?;
    let (report, picture) = draw(&plan, &options.file)?;
    if !options.quiet {
        let mut out = io::stdout().lock();
        for Line { at_ms, node, what } in &report.lines {
            writeln!(out, "{at_ms:>8} ms  node {node:<3} {what:?}")?;
        }
    }
    println!("drawn: {}", picture.display());
    if let Some(violation) = &report.violation {
        println!("FAILED: {}: {}", violation.checker, violation.what);
    }
    println!(
        "RESULT seed={} failed={} hash={:016x} steps={} events={} applied={}",
        plan.seed,
        u64::from(report.violation.is_some()),
        report.hash,
        report.steps,
        report.events,
        report.applied
    );
    Ok(report.violation.is_none())
}

fn hash(options: &Hash) -> io::Result<bool> {
    let mut sound = true;
    for seed in options.seed..options.seed.saturating_add(options.seeds) {
        let report = campaign::play(&Plan::draw(seed), Keep::default());
        println!("{seed} {:016x} {}", report.hash, report.steps);
        sound &= report.violation.is_none();
    }
    Ok(sound)
}
