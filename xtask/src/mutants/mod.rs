//! `cargo xtask mutants`: breaks the code in every small way there is, one at a time, and runs
//! the tests that should notice.
//!
//! cargo-mutants says what there is to break. To build the tests for each of its mutants takes
//! twenty times what running them does, so that all are built at once: each function becomes a
//! choice between its mutants, by a number in the environment ([`weave`]). What cannot be built so
//! is left to cargo-mutants itself ([`apart`]).
//!
//! What came of each file is kept in `target/mutants/`, so that a
//! run that was interrupted goes on with the next one; a file is done again when it has
//! changed, or with `--again`. The survivors that are no fault of the tests are in
//! `docs/mutants.md`, with the reason.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use clap::Args;

use self::list::Mutant;
use self::report::Report;
use self::together::Together;
use self::trial::{Fate, Trials};
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
const TARGETS: [&str; 3] = ["--lib", "--test", "types"];

/// Tests that measure, or repeat one thing very often.
const SKIPPED: &[&str] = &["memory::", "leave_no_trace", "leave_nothing_behind", "sequence::"];

/// Tests the chosen files' mutants and sums up what is known of all of them.
pub(crate) fn run(options: &Options) -> Outcome {
    list::check_tools()?;
    let mutants = list::mutants()?;
    let wanted = |file: &&String| {
        options.only.is_empty() || options.only.iter().any(|part| file.contains(part))
    };
    let files: Vec<&String> = mutants.keys().filter(wanted).collect();
    let chosen: Vec<&String> = options.shard.of(&files).copied().collect();
    let mut left = Vec::new();
    for &file in &chosen {
        let known = if options.again { None } else { Report::known(file)? };
        let words = known.as_ref().map_or("not done".into(), |report| {
            format!("{} caught, {} missed", report.caught + report.timed_out, report.missed.len())
        });
        if options.list {
            println!("{file}: {} mutants, {words}", mutants[file].len());
        } else if known.is_none() {
            left.push(file);
        }
    }
    if !left.is_empty() {
        mutate(&left, &mutants, options)?;
    }
    sum_up(&mutants, &chosen)
}

/// Tests every mutant of some files.
fn mutate(
    files: &[&String],
    mutants: &BTreeMap<String, Vec<Mutant>>,
    options: &Options,
) -> Outcome {
    let all: Vec<&Mutant> = files.iter().flat_map(|&file| &mutants[file]).collect();
    let together = together::build(&all, &report::folder())?;
    let trials = Trials { programs: &together.programs, cases: options.cases };
    let limit = Trials::limit(trials.without_a_mutant()?);
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    let jobs = options.jobs.map_or_else(processors, NonZero::get);
    for (index, &file) in files.iter().enumerate() {
        let since = Instant::now();
        let count = mutants[file].len();
        let step = format!("[{}/{}] {file}: {count} mutants", index + 1, files.len());
        let mut report = of_file(file, &together, &trials, limit, jobs, &step)?;
        let apart: Vec<&Mutant> =
            together.apart.iter().filter(|mutant| mutant.file == *file).collect();
        report.add(apart::mutate(&apart, options.cases, &report::folder())?);
        report.missed.iter().for_each(|mutant| println!("  missed: {mutant}"));
        report.seconds = since.elapsed().as_secs_f64();
        report.keep(file)?;
    }
    Ok(())
}

/// Tries the mutants of one file that were built together.
fn of_file(
    file: &str,
    together: &Together,
    trials: &Trials<'_>,
    limit: u64,
    jobs: usize,
    step: &str,
) -> Outcome<Report> {
    let progress = Progress::start(step);
    let mutants: Vec<(&u32, &Mutant)> =
        together.alive.iter().filter(|(_, mutant)| mutant.file == file).collect();
    let unviable = together.unviable.iter().filter(|mutant| mutant.file == file).count();
    let report = Mutex::new(Report { unviable, ..Report::default() });
    let next = Mutex::new(mutants.iter());
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let taken = next.lock().expect("no trial panics").next();
                    let Some((number, mutant)) = taken else { return };
                    progress.at(&mutant.name);
                    let fate = trials.of(**number, limit);
                    let mut report = report.lock().expect("no trial panics");
                    match fate {
                        Ok(Fate::Caught) => report.caught += 1,
                        Ok(Fate::TimedOut) => report.timed_out += 1,
                        Ok(Fate::Missed) => report.missed.push(mutant.name.clone()),
                        Err(failure) => {
                            failed.lock().expect("no trial panics").get_or_insert(failure);
                            return;
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no trial panics");
    progress.finish(failed.is_none());
    let mut report = report.into_inner().expect("no trial panics");
    report.missed.sort();
    failed.map_or(Ok(report), Err)
}

fn sum_up(mutants: &BTreeMap<String, Vec<Mutant>>, chosen: &[&String]) -> Outcome {
    let (mut all, mut tested, mut files) = (Report::default(), 0, 0);
    for &file in chosen {
        if let Some(report) = Report::known(file)? {
            files += 1;
            tested += mutants[file].len();
            all.add(report);
        }
    }
    let viable = all.caught + all.timed_out + all.missed.len();
    let caught = 100.0 * (viable - all.missed.len()) as f64 / viable.max(1) as f64;
    let known: usize = chosen.iter().map(|&file| mutants[file].len()).sum();
    println!(
        "{}",
        ResultLine::default()
            .with("files", format_args!("{files}/{}", chosen.len()))
            .with("mutants", format_args!("{tested}/{known}"))
            .with("unviable", all.unviable)
            .with("missed", all.missed.len())
            .with("timed_out", all.timed_out)
            .with("caught_percent", format_args!("{caught:.1}"))
            .with("seconds", format_args!("{:.0}", all.seconds))
    );
    Ok(())
}
