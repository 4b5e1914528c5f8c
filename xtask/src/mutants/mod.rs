//! `cargo xtask mutants`: breaks the code in every small way there is, one at a time, and runs
//! the tests that should notice.
//!
//! cargo-mutants does one file at a time. What came of it is kept in `target/mutants/`, so that a
//! run that was interrupted goes on with the next file; a file is done again when it has
//! changed, or with `--again`. The survivors that are no fault of the tests are in
//! `docs/mutants.md`, with the reason.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::shard::Shard;
use crate::workspace;

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
    /// Show how many mutants each file has, and what is known of them, and end.
    #[arg(long)]
    list: bool,
}

/// What has to be mutated: the kernel, the types and the codec.
const PARTS: &[&str] = &[
    "codec",
    "causality",
    "collections",
    "counter",
    "dot_store",
    "flag",
    "id",
    "map",
    "register",
    "set",
    "lattice.rs",
    "writer.rs",
];

/// Tests that hang are stopped after five times what they take without a mutant, and not before
/// so many seconds.
const TIMEOUT_SECONDS_MIN: &str = "60";

/// What came of one file's mutants.
#[derive(Default, Deserialize, Serialize)]
struct Report {
    /// Of the file when it was mutated.
    hash: u64,
    caught: usize,
    /// The compiler refuses them.
    unviable: usize,
    /// A test never ended: noticed too.
    timed_out: usize,
    missed: Vec<String>,
    seconds: f64,
}

/// Tests the chosen files' mutants and sums up what is known of all of them.
pub(crate) fn run(options: &Options) -> Outcome {
    check_tools()?;
    let mutants = mutants()?;
    let wanted = |file: &&String| {
        options.only.is_empty() || options.only.iter().any(|part| file.contains(part))
    };
    let files: Vec<&String> = mutants.keys().filter(wanted).collect();
    let chosen: Vec<&String> = options.shard.of(&files).copied().collect();
    for (index, file) in chosen.iter().enumerate() {
        let known = if options.again { None } else { known(file)? };
        let count = mutants[*file];
        let words = known.as_ref().map_or("not done".into(), |report| {
            format!("{} caught, {} missed", report.caught + report.timed_out, report.missed.len())
        });
        println!("[{}/{}] {file}: {count} mutants, {words}", index + 1, chosen.len());
        if known.is_none() && !options.list {
            let report = mutate(file, options)?;
            report.missed.iter().for_each(|mutant| println!("  missed: {mutant}"));
            keep(file, &report)?;
        }
    }
    sum_up(&mutants, &chosen)
}

fn sum_up(mutants: &BTreeMap<String, usize>, chosen: &[&String]) -> Outcome {
    let (mut all, mut tested, mut files) = (Report::default(), 0, 0);
    for file in chosen {
        if let Some(report) = known(file)? {
            files += 1;
            tested += mutants[*file];
            all.caught += report.caught;
            all.unviable += report.unviable;
            all.timed_out += report.timed_out;
            all.seconds += report.seconds;
            all.missed.extend(report.missed);
        }
    }
    let viable = all.caught + all.timed_out + all.missed.len();
    let caught = 100.0 * (viable - all.missed.len()) as f64 / viable.max(1) as f64;
    let known: usize = chosen.iter().map(|file| mutants[*file]).sum();
    println!(
        "{}",
        ResultLine::default()
            .with("files", format_args!("{files}/{}", chosen.len()))
            .with("mutants", format_args!("{tested}/{known}"))
            .with("unviable", all.unviable)
            .with("missed", all.missed.len())
            .with("timed_out", all.timed_out)
            .with("caught_percent", format_args!("{caught:.1}"))
            .with("seconds_each", format_args!("{:.1}", all.seconds / tested.max(1) as f64))
            .with("seconds", format_args!("{:.0}", all.seconds))
    );
    Ok(())
}

/// How many mutants each file has.
fn mutants() -> Outcome<BTreeMap<String, usize>> {
    let mut arguments = vec!["--list".to_owned(), "--json".to_owned()];
    for part in PARTS {
        let pattern = if part.ends_with(".rs") { (*part).to_owned() } else { format!("{part}/**") };
        arguments.extend(["--file".into(), format!("crdt-core/src/{pattern}")]);
    }
    let listed = cargo_mutants().args(arguments).output()?;
    #[derive(Deserialize)]
    struct Mutant {
        file: String,
    }
    let listed: Vec<Mutant> = serde_json::from_str(&listed)
        .map_err(|error| Failure::new(format!("cargo-mutants lists what is unknown: {error}")))?;
    let mut files = BTreeMap::new();
    for mutant in listed {
        *files.entry(mutant.file).or_default() += 1;
    }
    Ok(files)
}

/// Tests every mutant of one file.
fn mutate(file: &str, options: &Options) -> Outcome<Report> {
    let out = folder().join("run");
    let unusable = |error| Failure::new(format!("cannot use {}: {error}", out.display()));
    if out.exists() {
        fs::remove_dir_all(&out).map_err(unusable)?;
    }
    fs::create_dir_all(&out).map_err(unusable)?;
    let since = Instant::now();
    let finished = cargo_mutants()
        .args(["--package", "crdt-core", "--file", file, "--output"])
        .args([&out])
        .args(["--profile", "mutants", "--no-shuffle", "--colors", "never"])
        .args(["--minimum-test-timeout", TIMEOUT_SECONDS_MIN])
        // The tests that say what the types mean. Those of size and speed notice no mistake
        // that these do not, and take longer than all of them.
        .args(["--", "--lib", "--test", "types", "--"])
        .args(SKIPPED.iter().flat_map(|name| ["--skip", name]))
        // Kept, so that the libraries below are built once and not for each file.
        .env("CARGO_TARGET_DIR", folder().join("build"))
        .env("CRDT_CASES", options.cases.to_string())
        .env("RUST_BACKTRACE", "0")
        .run();
    let said = out.join("mutants.out/outcomes.json");
    let Ok(said) = fs::read_to_string(&said) else {
        finished?;
        return Err(Failure::new(format!("cargo-mutants did not write {}", said.display())));
    };
    #[derive(Deserialize)]
    struct Outcomes {
        caught: usize,
        missed: usize,
        timeout: usize,
        unviable: usize,
        total_mutants: usize,
    }
    let outcomes: Outcomes = serde_json::from_str(&said)
        .map_err(|error| Failure::new(format!("cargo-mutants wrote what is unknown: {error}")))?;
    let done = outcomes.caught + outcomes.missed + outcomes.timeout + outcomes.unviable;
    if done < outcomes.total_mutants {
        return Err(Failure::new(format!("{file}: only {done} mutants were tested")));
    }
    let missed = fs::read_to_string(out.join("mutants.out/missed.txt")).unwrap_or_default();
    Ok(Report {
        hash: hash(file)?,
        caught: outcomes.caught,
        unviable: outcomes.unviable,
        timed_out: outcomes.timeout,
        missed: missed.lines().map(ToOwned::to_owned).collect(),
        seconds: since.elapsed().as_secs_f64(),
    })
}

/// Tests that measure, or repeat one thing very often.
const SKIPPED: &[&str] = &["memory::", "leave_no_trace", "leave_nothing_behind", "sequence::"];

/// What is known of the file as it is now.
fn known(file: &str) -> Outcome<Option<Report>> {
    let Ok(kept) = fs::read_to_string(place(file)) else { return Ok(None) };
    let Ok(report) = serde_json::from_str::<Report>(&kept) else { return Ok(None) };
    Ok((report.hash == hash(file)?).then_some(report))
}

fn keep(file: &str, report: &Report) -> Outcome {
    let path = place(file);
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| Failure::new(format!("a report cannot be written: {error}")))?;
    fs::write(&path, json)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
}

fn hash(file: &str) -> Outcome<u64> {
    let bytes = fs::read(workspace::root().join(file))
        .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}

fn folder() -> PathBuf {
    workspace::target_dir().join("mutants")
}

fn place(file: &str) -> PathBuf {
    folder().join(format!("{}.json", file.replace('/', "-")))
}

fn cargo_mutants() -> Sh {
    workspace::cargo().args(["mutants"])
}

fn check_tools() -> Outcome {
    if cargo_mutants().args(["--version"]).succeeds() {
        return Ok(());
    }
    Err(Failure::new("cargo-mutants is not installed").mend("cargo install cargo-mutants --locked"))
}
