//! `cargo xtask test`: every test there is, in parts that can be run alone.

mod browser;
mod javascript;
mod no_std;
mod readme;
mod replay;

use std::time::Instant;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::{canaries, hostile, kill_test, sim, tidy, wasm, workspace};

#[derive(Args)]
pub(crate) struct Options {
    /// Run this part only; may be given several times.
    #[arg(long, value_name = "PART")]
    only: Vec<String>,
    /// List the parts and end.
    #[arg(long)]
    list: bool,
}

/// A part of the tests: what `--only` names, and what is timed.
struct Part {
    name: &'static str,
    what: &'static str,
    run: fn() -> Outcome,
}

/// In the order they run: what fails fast and needs little comes first.
const PARTS: &[Part] = &[
    Part { name: "fmt", what: "every file is formatted", run: fmt },
    Part {
        name: "tidy",
        what: "arrows between crates, dead files, open ends",
        run: || tidy::run(&tidy::Options {}),
    },
    Part {
        name: "clippy",
        what: "no warning in any target, for the host and the browser",
        run: clippy,
    },
    Part { name: "docs", what: "the documentation builds without a warning", run: docs },
    Part {
        name: "no_std",
        what: "documents, and all below them, build where there is no std",
        run: no_std::run,
    },
    Part {
        name: "rust",
        what: "unit, law, model, server and documentation tests; fuzz corpora",
        run: rust,
    },
    Part {
        name: "sim",
        what: "2,000 seeds of the laboratory converge, 5 are alike in every build, planted bugs are found",
        run: laboratory,
    },
    Part {
        name: "hostile",
        what: "twice as much of what peers can do costs at most 2.6 times as much, in instructions",
        run: || hostile::run(&hostile::Options { count: 500, only: Vec::new() }),
    },
    Part {
        name: "kill",
        what: "a server killed ten times under four writers loses nothing acknowledged",
        run: || kill_test::run(&kill_test::Options { rounds: 10, seed: 1, writers: 4 }),
    },
    Part {
        name: "replay",
        what: "traces played by their writers through a server, partly offline, end as recorded",
        run: replay::run,
    },
    Part {
        name: "wasm",
        what: "the npm package is within its budget",
        run: || wasm::run(&wasm::Options {}),
    },
    Part {
        name: "js",
        what: "the npm package's types and its tests in Node",
        run: javascript::run,
    },
    Part {
        name: "readme",
        what: "the documentation's TypeScript compiles (the README's Rust is a doctest)",
        run: readme::run,
    },
    Part {
        name: "browser",
        what: "two servers under one session; pages in Chromium, offline, killed, restarted",
        run: browser::run,
    },
];

/// Runs the chosen parts, all of them even where one fails, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    if options.list {
        for part in PARTS {
            println!("{:<8} {}", part.name, part.what);
        }
        return Ok(());
    }
    let chosen = choose(&options.only)?;
    let all = Instant::now();
    let mut results = Vec::new();
    for (index, part) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}: {}", index + 1, chosen.len(), part.name, part.what);
        let since = Instant::now();
        let outcome = (part.run)();
        if let Err(failure) = &outcome {
            eprintln!("{failure}");
        }
        results.push((part.name, since.elapsed().as_secs_f64(), outcome));
    }
    println!();
    let mut line = ResultLine::default();
    for (name, seconds, outcome) in &results {
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!("{name:<8} {seconds:>7.1} s  {word}");
        line = line.with(&format!("{name}_seconds"), format_args!("{seconds:.1}"));
    }
    let failed: Vec<_> =
        results.iter().filter(|(_, _, outcome)| outcome.is_err()).map(|(name, ..)| *name).collect();
    println!("{} parts passed, {} failed", results.len() - failed.len(), failed.len());
    line = line.with("seconds", format_args!("{:.1}", all.elapsed().as_secs_f64()));
    println!("{}", line.with("passed", results.len() - failed.len()).with("failed", failed.len()));
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(format!("failed: {}", failed.join(", ")))
            .mend(format!("cargo xtask test --only {first} shows the first alone"))),
    }
}

fn choose(only: &[String]) -> Outcome<Vec<&'static Part>> {
    if let Some(unknown) = only.iter().find(|name| PARTS.iter().all(|part| part.name != **name)) {
        return Err(
            Failure::new(format!("there is no part {unknown}")).mend("cargo xtask test --list")
        );
    }
    Ok(PARTS
        .iter()
        .filter(|part| only.is_empty() || only.iter().any(|name| name == part.name))
        .collect())
}

fn fmt() -> Outcome {
    workspace::cargo().args(["fmt", "--all", "--check"]).mend("cargo fmt --all").run()
}

fn clippy() -> Outcome {
    workspace::cargo()
        .args(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
        .run()?;
    wasm::clippy()
}

fn docs() -> Outcome {
    workspace::cargo()
        .args(["doc", "--workspace", "--no-deps", "--locked"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn rust() -> Outcome {
    // One failing crate does not hide what the others say.
    workspace::cargo().args(["test", "--workspace", "--locked", "--no-fail-fast"]).run()
}

fn laboratory() -> Outcome {
    sim::campaign(2_000)?;
    sim::compare(5, 0)?;
    canaries::run(&canaries::Options { seeds: 2_000, only: canaries::of_libraries(), list: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name_and_run_in_their_own_order() {
        let names = |only: &[&str]| -> Vec<_> {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            choose(&only).unwrap().iter().map(|part| part.name).collect()
        };
        assert_eq!(names(&["rust", "fmt"]), ["fmt", "rust"]);
        assert_eq!(names(&[]).len(), PARTS.len());
        assert!(choose(&["nothing".into()]).is_err());
    }
}
