//! `cargo xtask hostile`: what peers can do, in twice the size, must not cost much more than twice as much.
//!
//! Time is not counted but instructions, by valgrind: they are the same in each run, whatever else the machine does.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::{Progress, Sh};
use crate::{apt, workspace};

/// What is said by the program of a family that is known to grow faster.
const KNOWN: &str = "KNOWN";

/// Twice as much, and something for logarithms.
const GROWTH_MAX: f64 = 2.6;

#[derive(Args)]
pub(crate) struct Options {
    /// How many of whatever it is; and twice as many.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) count: u32,
    /// Try this family only; may be given several times.
    #[arg(long, value_name = "FAMILY")]
    pub(crate) only: Vec<String>,
}

/// A family of attacks, and how many instructions it takes to withstand it.
struct Tried {
    name: String,
    is_known: bool,
    once: u64,
    twice: u64,
}

impl Tried {
    fn growth(&self) -> f64 {
        self.twice as f64 / self.once as f64
    }

    fn is_bounded(&self) -> bool {
        self.growth() <= GROWTH_MAX
    }
}

/// Tries all families, as many at once as there are processors, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    if !cfg!(target_os = "linux") {
        println!("skipped: valgrind, which counts the instructions, is for Linux");
        return Ok(());
    }
    let is_there = || Sh::new("valgrind").args(["--version"]).succeeds();
    let has_valgrind = is_there() || (apt::install("valgrind") && is_there());
    if !has_valgrind {
        return Err(Failure::new("valgrind is not installed, which counts the instructions")
            .mend("apt-get install -y valgrind"));
    }
    workspace::cargo()
        .args(["build", "--locked", "--package", "benches", "--bin", "hostile"])
        .run_quietly("building the attacks")?;
    let families = families(&options.only)?;
    let progress = Progress::start("counting instructions");
    let (left, tried) = (Mutex::new(VecDeque::from(families)), Mutex::new(Vec::new()));
    let work = || -> Outcome {
        loop {
            let next = left.lock().expect("nobody panics").pop_front();
            let Some((name, is_known)) = next else { return Ok(()) };
            progress.at(&name);
            let [once, twice] = [1, 2].map(|times| cost(&name, times * options.count));
            let (once, twice) = (once?, twice?);
            tried.lock().expect("nobody panics").push(Tried { name, is_known, once, twice });
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let outcome: Outcome = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("it does not panic"))
    });
    progress.finish(outcome.is_ok());
    outcome?;
    let mut tried = tried.into_inner().expect("nobody panics");
    tried.sort_by(|a, b| a.name.cmp(&b.name));
    report(&tried, options.count)
}

/// The names of the chosen families, and whether each is known to grow faster.
fn families(only: &[String]) -> Outcome<Vec<(String, bool)>> {
    let listed = program().output()?;
    let all = listed.lines().filter_map(|line| {
        let name = line.split_whitespace().next()?.to_owned();
        Some((name, line.contains(KNOWN)))
    });
    let all: Vec<_> = all.collect();
    if let Some(unknown) = only.iter().find(|only| all.iter().all(|(name, _)| name != *only)) {
        return Err(Failure::new(format!("there is no family {unknown}"))
            .mend("cargo run -p benches --bin hostile"));
    }
    let is_chosen = |name: &String| only.is_empty() || only.contains(name);
    Ok(all.into_iter().filter(|(name, _)| is_chosen(name)).collect())
}

fn program() -> Sh {
    Sh::new(workspace::built_program("hostile"))
}

/// How many instructions it takes to withstand so many: without those that prepare them.
fn cost(family: &str, count: u32) -> Outcome<u64> {
    let count = count.to_string();
    let all = instructions(&[family, &count])?;
    let prepared = instructions(&[family, &count, "--prepare"])?;
    all.checked_sub(prepared)
        .filter(|cost| *cost > 0)
        .ok_or_else(|| Failure::new(format!("{family} costs nothing: was it taken in?")))
}

fn instructions(args: &[&str]) -> Outcome<u64> {
    let said = Sh::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        // What it counts goes where it can be read.
        .args(["--log-fd=1"])
        .args([workspace::built_program("hostile")])
        .args(args)
        .output()?;
    let counted = said.lines().find_map(|line| line.split_once("refs:").map(|(_, count)| count));
    let digits: String = counted.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    digits.parse().map_err(|_| Failure::new(format!("valgrind has counted nothing:\n{said}")))
}

fn report(tried: &[Tried], count: u32) -> Outcome {
    for family in tried {
        let word = match (family.is_bounded(), family.is_known) {
            (true, false) => "ok",
            (false, false) => "FAILED",
            (false, true) => "known",
            (true, true) => "FAILED: it is no longer known to grow",
        };
        println!(
            "{:<22} {:>13} for {count}, {:>13} for the double: {:>5.2}  {word}",
            family.name,
            family.once,
            family.twice,
            family.growth()
        );
    }
    let wrong: Vec<&str> = tried
        .iter()
        .filter(|family| family.is_bounded() == family.is_known)
        .map(|family| family.name.as_str())
        .collect();
    let bounded = tried.iter().filter(|family| family.is_bounded());
    let most = bounded.clone().map(Tried::growth).fold(0.0, f64::max);
    println!(
        "{}",
        ResultLine::default()
            .with("families", tried.len())
            .with("bounded", bounded.count())
            .with("known", tried.iter().filter(|family| family.is_known).count())
            .with("most", format_args!("{most:.2}"))
            .with("failed", wrong.len())
    );
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not as expected: {}", wrong.join(", "))))
}
