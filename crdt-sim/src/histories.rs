//! The commands about histories.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use crdt_sim::history::{self, Criterion, History, Shape, dbcop, plume};

/// How a history is written.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One event a line.
    Plume,
    /// JSON.
    Dbcop,
}

impl Format {
    /// What is named, or else what the file is called.
    fn of(named: Option<Self>, file: &Path) -> Self {
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        named.unwrap_or(if is_json { Self::Dbcop } else { Self::Plume })
    }
}

#[derive(Args)]
pub(crate) struct Check {
    /// The history.
    file: PathBuf,
    /// How it is written; by default dbcop for `.json`, and Plume otherwise.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What it is judged by: reads, rc, ra, ryw, mr, mw, wfr or several of these as in ryw+mr, cc, cm, ccv,
    /// prefix; with commas between them.
    #[arg(long, value_delimiter = ',', default_value = "ccv")]
    level: Vec<Criterion>,
}

#[derive(Args)]
pub(crate) struct Generate {
    /// Where it goes.
    file: PathBuf,
    /// How it is written; by default dbcop for `.json`, and Plume otherwise.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// How many events there are.
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How many sessions.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    sessions: u32,
    /// How many keys.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    keys: u64,
    /// How many events a transaction has at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    transaction: u32,
    /// What chance does.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(crate) fn check(options: &Check) -> io::Result<bool> {
    let since = Instant::now();
    let history = read(&options.file, Format::of(options.format, &options.file))?;
    let reading = since.elapsed().as_secs_f64();
    let since = Instant::now();
    let verdicts = history::check_all(&history, &options.level);
    let checking = since.elapsed().as_secs_f64();
    let (mut kept, mut broken, mut undecided, mut inferred) = (0, 0, 0, 0);
    for (criterion, verdict) in &verdicts {
        match verdict {
            Ok(verdict) => match &verdict.violation {
                None => {
                    kept += 1;
                    println!("kept: {criterion}");
                }
                Some(violation) => {
                    broken += 1;
                    println!("BROKEN: {criterion}: {violation}");
                }
            },
            Err(unusable) => {
                undecided += 1;
                println!("UNDECIDED: {criterion}: {unusable}");
            }
        }
        inferred += verdict.as_ref().map_or(0, |verdict| verdict.inferred);
    }
    println!(
        "RESULT events={} transactions={} sessions={} kept={kept} broken={broken} undecided={undecided} \
         inferred={inferred} read_seconds={reading:.2} check_seconds={checking:.2}",
        history.events().len(),
        history.transactions(),
        history.sessions(),
    );
    Ok(kept == verdicts.len())
}

fn read(file: &Path, format: Format) -> io::Result<History> {
    let text = fs::read(file)?;
    let named = |error: &dyn std::fmt::Display| {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.display()))
    };
    match format {
        Format::Plume => plume::read(&text).map_err(|error| named(&error)),
        Format::Dbcop => dbcop::read(&text).map_err(|error| named(&error)),
    }
}

pub(crate) fn generate(options: &Generate) -> io::Result<bool> {
    let shape = Shape {
        sessions: options.sessions as usize,
        events: options.events,
        transaction_events_max: options.transaction as usize,
        keys: options.keys,
        ..Shape::default()
    };
    let history = history::generate(&shape, options.seed);
    let mut out = io::BufWriter::new(fs::File::create(&options.file)?);
    match Format::of(options.format, &options.file) {
        Format::Plume => plume::write(&history, &mut out)?,
        Format::Dbcop => dbcop::write(&history, &mut out)?,
    }
    out.flush()?;
    println!(
        "RESULT events={} transactions={} sessions={} seed={}",
        history.events().len(),
        history.transactions(),
        history.sessions(),
        options.seed
    );
    Ok(true)
}
