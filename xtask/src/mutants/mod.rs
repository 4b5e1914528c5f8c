//! `cargo xtask mutants`: breaks the code in every small way there is, one at a time, and runs
//! the tests that should notice.
//!
//! cargo-mutants says what there is to break. To build the tests for each of its mutants takes
//! twenty times what running them does, so that all are built at once: each function becomes a
//! choice between its mutants, by a number in the environment ([`weave`]). What cannot be built so,
//! and what survives in a function that the compiler may have evaluated before there was a number,
//! is left to cargo-mutants itself ([`apart`]).
//!
//! What came of each file is kept in `target/mutants/`, so that a run that was interrupted goes on
//! with the next one; a file is done again when it has changed, or with `--again`, and its
//! survivors with `--missed`. Those that are no fault of the tests are in
//! `docs/mutants.md`, with the reason.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use clap::Args;

use self::list::Mutant;
use self::report::{Fate, Report};
use self::together::Together;
use self::trial::Trials;
use crate::failure::Outcome;
use crate::result::ResultLine;
use crate::sh::Progress;
use crate::shard::Shard;

mod apart;
mod list;
mod report;
mod together;
mod tree;
mod trial;
mod weave;

#[derive(Args)]
pub(crate) struct Options {
    /// Do the k-th of n parts of the files.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: Shard,
    /// Do the files whose paths contain this only; may be given several times.
    #[arg(long, value_name = "PATH")]
    only: Vec<String>,
    /// Do those again that are done already, since the tests have changed.
    #[arg(long)]
    again: bool,
    /// Do those again that were missed.
    #[arg(long, conflicts_with = "again")]
    missed: bool,
    /// How many random cases each law is tried on.
    #[arg(long, default_value_t = 12)]
    cases: u64,
    /// How many mutants are tried at once; as many as there are processors, if not given.
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
    /// Show how many mutants each file has, and what is known of them, and end.
    #[arg(long)]
    list: bool,
}

/// The tests that say what the types mean. Those of size and speed notice no mistake that these
/// do not, and take longer than all of them.
const TARGETS: [&str; 5] = ["--lib", "--test", "types", "--features", "uuid"];

/// Tests that measure, or repeat one thing very often.
const SKIPPED: &[&str] = &["memory::", "leave_no_trace", "leave_nothing_behind", "worst::"];

/// Tests the chosen files' mutants and sums up what is known of all of them.
pub(crate) fn run(options: &Options) -> Outcome {
    list::check_tools()?;
    let mutants = list::mutants()?;
    let wanted = |file: &&String| {
        options.only.is_empty() || options.only.iter().any(|part| file.contains(part))
    };
    let files: Vec<&String> = mutants.keys().filter(wanted).collect();
    let mut reports = BTreeMap::new();
    for &file in options.shard.of(&files) {
        let mut report = Report::of(file)?;
        if options.again {
            report.fates.clear();
        } else if options.missed {
            report.fates.retain(|_, &mut fate| fate != Fate::Missed);
        }
        reports.insert(file.as_str(), report);
    }
    if !options.list {
        try_all(&mutants, &mut reports, options)?;
    }
    for (file, report) in &reports {
        let caught = report.count(Fate::Caught) + report.count(Fate::TimedOut);
        let (all, missed) = (mutants[*file].len(), report.count(Fate::Missed));
        println!("{file}: {all} mutants, {caught} caught, {missed} missed");
        for (mutant, _) in report.fates.iter().filter(|(_, fate)| **fate == Fate::Missed) {
            println!("  missed: {mutant}");
        }
    }
    sum_up(&mutants, &reports);
    Ok(())
}

/// Tries the mutants that nothing is known of.
fn try_all(
    mutants: &BTreeMap<String, Vec<Mutant>>,
    reports: &mut BTreeMap<&str, Report>,
    options: &Options,
) -> Outcome {
    let (mut fit, mut apart) = (Vec::new(), Vec::new());
    for (&file, report) in reports.iter() {
        for mutant in &mutants[file] {
            if !report.fates.contains_key(&mutant.name) {
                let class = if together::fits(mutant)? { &mut fit } else { &mut apart };
                class.push(mutant);
            }
        }
    }
    if !fit.is_empty() {
        let together = together::build(&fit, &report::folder())?;
        try_together(&together, reports, options)?;
        for mutant in fit {
            let is_missed = reports[mutant.file.as_str()].fates[&mutant.name] == Fate::Missed;
            if is_missed && together::may_have_slept(mutant)? {
                apart.push(mutant);
            }
        }
        apart.sort_by(|one, other| one.file.cmp(&other.file));
    }
    for mutants in apart.chunk_by(|one, next| one.file == next.file) {
        let (file, since) = (mutants[0].file.as_str(), Instant::now());
        let fates = apart::mutate(mutants, options.cases, &report::folder())?;
        let report = reports.get_mut(file).expect("each chosen file has a report");
        report.fates.extend(fates);
        report.seconds += since.elapsed().as_secs_f64();
        report.keep(file)?;
    }
    Ok(())
}

/// Tries those that were built together, and keeps what comes of each file.
fn try_together(
    together: &Together,
    reports: &mut BTreeMap<&str, Report>,
    options: &Options,
) -> Outcome {
    for mutant in &together.unviable {
        let report = reports.get_mut(mutant.file.as_str()).expect("each chosen file has a report");
        report.fates.insert(mutant.name.clone(), Fate::Unviable);
    }
    let trials = Trials { programs: &together.programs, cases: options.cases };
    let limit = Trials::limit(trials.without_a_mutant()?);
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = options.jobs.map_or_else(processors, NonZero::get);
    let files = reports.len();
    for (index, (file, report)) in reports.iter_mut().enumerate() {
        let since = Instant::now();
        let of_file = together.alive.iter().filter(|(_, mutant)| mutant.file == *file);
        let mutants: Vec<(u32, &Mutant)> =
            of_file.map(|(&number, mutant)| (number, mutant)).collect();
        if !mutants.is_empty() {
            let step = format!("[{}/{files}] {file}: {} mutants", index + 1, mutants.len());
            report.fates.extend(try_some(&mutants, &trials, limit, jobs, &step)?);
        }
        report.seconds += since.elapsed().as_secs_f64();
        report.keep(file)?;
    }
    Ok(())
}

/// Tries mutants, as many at once as there are jobs.
fn try_some(
    mutants: &[(u32, &Mutant)],
    trials: &Trials<'_>,
    limit: u64,
    jobs: usize,
    step: &str,
) -> Outcome<Vec<(String, Fate)>> {
    let progress = Progress::start(step);
    let next = Mutex::new(mutants.iter());
    let worker = || -> Outcome<Vec<(String, Fate)>> {
        let mut fates = Vec::new();
        loop {
            let taken = next.lock().expect("no trial panics").next();
            let Some((number, mutant)) = taken else { return Ok(fates) };
            progress.at(&mutant.name);
            fates.push((mutant.name.clone(), trials.of(*number, limit)?));
        }
    };
    let fates: Outcome<Vec<_>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().expect("no trial panics")).collect()
    });
    progress.finish(fates.is_ok());
    Ok(fates?.concat())
}

fn sum_up(mutants: &BTreeMap<String, Vec<Mutant>>, reports: &BTreeMap<&str, Report>) {
    let count = |fate| reports.values().map(|report| report.count(fate)).sum::<usize>();
    let (caught, missed) = (count(Fate::Caught), count(Fate::Missed));
    let (timed_out, unviable) = (count(Fate::TimedOut), count(Fate::Unviable));
    let viable = caught + timed_out + missed;
    let percent = 100.0 * (viable - missed) as f64 / viable.max(1) as f64;
    let all: usize = reports.keys().map(|&file| mutants[file].len()).sum();
    let seconds: f64 = reports.values().map(|report| report.seconds).sum();
    println!(
        "{}",
        ResultLine::default()
            .with("files", reports.len())
            .with("mutants", format_args!("{}/{all}", viable + unviable))
            .with("unviable", unviable)
            .with("missed", missed)
            .with("timed_out", timed_out)
            .with("caught_percent", format_args!("{percent:.1}"))
            .with("seconds", format_args!("{seconds:.0}"))
    );
}
