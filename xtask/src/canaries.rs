//! `cargo xtask canaries`: bugs that are planted, one at a time, for the laboratory to find.
//!
//! A laboratory that finds nothing has either nothing to find or no eyes. Each planted bug is a
//! line in the code, `is_planted("name")`, which is `false` but in a build with the cfg
//! `canary="chosen"`. That is built once, and looks for a seed that fails with each bug in turn.
//! Bugs of sessions and levels are found by the tests of these, which have a world of their own; those of the
//! checker of histories by its table of known anomalies; those of lists and trees by their laws; those of the server by
//! its crash test, and by clients of real servers.

use std::time::Instant;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Within how many seeds each has to be found.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) seeds: u64,
    /// Plant this one only; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// List the bugs and end.
    #[arg(long)]
    pub(crate) list: bool,
}

/// How long it may take to find half of the bugs, and each of them.
const MEDIAN_SECONDS_MAX: f64 = 60.0;
const SECONDS_MAX: f64 = 600.0;

/// A bug, and what it is.
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    what: &'static str,
    /// The crate whose test has to find it.
    finder: &'static str,
}

const LABORATORY: &str = "crdt-sim";
const LEVELS: &str = "crdt-causal";
const SERVER: &str = "crdt-server";
const TYPES: &str = "crdt-core";

/// A bug that the laboratory finds.
const fn canary(name: &'static str, what: &'static str) -> Canary {
    Canary { name, what, finder: LABORATORY }
}

/// A bug of lists, trees, and what can be done with values.
const fn of_types(name: &'static str, what: &'static str) -> Canary {
    Canary { name, what, finder: TYPES }
}

/// A bug of sessions and levels.
const fn of_levels(name: &'static str, what: &'static str) -> Canary {
    Canary { name, what, finder: LEVELS }
}

/// A bug of the server.
const fn of_the_server(name: &'static str, what: &'static str) -> Canary {
    Canary { name, what, finder: SERVER }
}

/// All of them. That each stands in the code, and no other, is a test.
pub(crate) const CANARIES: &[Canary] = &[
    canary("acknowledge-before-sync", "what was received is said to be stored"),
    canary("send-before-sync", "what a crash may take back is sent"),
    canary("deliver-on-arrival", "messages of a session are taken in the order in which they come"),
    canary("deliver-twice", "a message that comes again is taken again"),
    canary("trust-claims", "what a peer claims to hold counts as held"),
    canary("never-resend", "what was lost is not sent again after the wait"),
    canary("boundless-window", "a peer that acknowledges nothing is sent everything"),
    canary("always-answer", "each short question gets a long answer"),
    canary(
        "trust-the-numbers",
        "running hashes are not compared: equal names count as equal events",
    ),
    canary("merge-both-branches", "a second event under one dot is passed over"),
    canary("remove-the-unseen", "a removal takes what it has not seen"),
    canary("reset-the-unseen", "a reset cancels increments that it has not seen"),
    canary("last-arrival-wins", "a write replaces concurrent ones by arriving later"),
    canary("stamp-by-arrival", "which of two concurrent values is shown depends on who came first"),
    canary("cut-a-change", "a body may end in the middle of a change"),
    canary("ignore-parents", "a message is delivered as soon as its own predecessor is there"),
    canary("trust-the-name", "what comes under a known dot is taken for what is known"),
    canary("boundless-buffer", "everything that has to wait is held"),
    canary("wake-nobody", "what waited for a message goes on waiting when it is delivered"),
    canary("forget-removals", "what was removed comes back with an older delta"),
    canary("forget-overwrites", "what was overwritten stays beside what replaces it"),
    canary("add-deltas-up", "what a counter's delta tells is added to what is known"),
    canary("ties-by-arrival", "letters typed at one place are ordered as they came"),
    canary("fold_order", "an edit is taken to have seen the first of its parents alone"),
    canary("fold_base", "an edit need not have seen what was folded away"),
    canary("fold_insertion", "what not everybody has seen inserted is folded away"),
    canary("fold_remover", "what not everybody has seen removed is folded away"),
    canary("fold_neighbour", "removed letters are dropped beside an insertion that is open"),
    canary(
        "serve-without-the-token",
        "a client is served by a machine that has less than it has seen",
    ),
    canary("answer-before-sync", "a client is told what a crash may take back"),
    canary("date-heads-on-arrival", "how far another server was is taken for how far it is"),
    canary("attest-no-reads", "a token does not tell what its client was shown"),
    canary("forget-offline-writes", "a read does not wait for what its client wrote offline"),
    canary("trim-beyond-the-stable-cut", "a server trims what another one does not have yet"),
    canary("forget-the-horizon", "what everybody has is trimmed at once"),
    canary("admit-below-the-floor", "who has not seen what will be trimmed is let in"),
    canary(
        "rebase-from-nothing",
        "who comes back after trimming does again what was there already",
    ),
    canary("take-loss-for-a-cut", "packets that are lost by chance are told as a partition"),
    canary("believe-the-aborted", "in a history, what was aborted may be read"),
    canary(
        "believe-the-intermediate",
        "in a history, what was replaced before the commit may be read",
    ),
    canary("forget-what-was-committed", "in a history, what was read first may be newer"),
    canary("unsee-own-writes", "in a history, a session need not see its writes"),
    canary("unsee-what-was-read", "in a history, a session need not see what it has seen"),
    canary("unsee-earlier-writes", "in a history, a write may be there without the earlier ones"),
    canary("unsee-what-writers-read", "in a history, an answer may be there without its question"),
    canary("unsee-the-rest-of-it", "in a history, half a transaction may be seen"),
    canary("trust-initial-values", "in a history, initial values may be read at any time"),
    canary("infer-nothing", "in a history, nothing follows from what was read"),
    canary("forget-what-is-overwritten", "in a history, what is overwritten may be read for ever"),
    canary("forget-to-saturate", "in a history, nothing follows from what was inferred"),
    canary("believe-in-an-order", "in a history, one order is taken to explain all prefixes"),
    of_levels("forget-read-your-writes", "a read does not wait for what its session wrote"),
    of_levels("forget-monotonic-reads", "a read does not wait for what its session has read"),
    of_levels("forget-monotonic-writes", "a write is admitted before the session's earlier ones"),
    of_levels("forget-writes-follow-reads", "a write is admitted before what its session has read"),
    of_levels("take-silence-for-news", "a server that nothing is heard of is taken to be idle"),
    of_levels("believe-any-token", "what anyone says counts as attested"),
    of_levels("believe-any-tail", "offline writes are believed of anybody's replicas"),
    of_levels("believe-any-stamp", "a clock follows a stamp that is far ahead"),
    of_levels("strong-before-durable", "a strong operation does not wait for its causes"),
    of_levels("read-without-majority", "a node that is cut off answers strong reads"),
    of_levels(
        "take-silence-for-refusal",
        "a strong write without an answer is taken to have failed",
    ),
    of_types("siblings-by-arrival", "elements put at one place of a list are ordered as they came"),
    of_types("keep-the-removed", "an element that another replica has removed stays in the list"),
    of_types("replay-by-arrival", "a tree's moves are replayed in the order in which they come"),
    of_types("undo-at-the-top", "what was removed from a list comes back at its beginning"),
    of_types("undo-leaves-children", "a node of a tree comes back without what stood below it"),
    of_types("serialize-no-removals", "the form of a tree does not tell what was removed"),
    of_types("arbitrary-never-moves", "no bytes make a list in which something was moved"),
    of_the_server("position-before-sync", "a server tells a position that is not on its disk yet"),
    of_the_server(
        "answer-strong-from-a-copy",
        "a server answers what is strong though another one decides",
    ),
];

/// Those that are found without the server and the laws of all types, which take minutes to build with bugs in
/// them.
pub(crate) fn of_libraries() -> Vec<String> {
    let libraries = CANARIES.iter().filter(|canary| ![SERVER, TYPES].contains(&canary.finder));
    libraries.map(|canary| canary.name.to_owned()).collect()
}

/// What a hunt says when it has caught something.
struct Found {
    seeds: u64,
    checker: String,
    seconds: f64,
}

/// Plants the chosen bugs, all of them even where one is not found, and sums up.
pub(crate) fn run(options: &Options) -> Outcome {
    if options.list {
        for Canary { name, what, .. } in CANARIES {
            println!("{name:<26} {what}");
        }
        return Ok(());
    }
    let known = |name: &String| CANARIES.iter().any(|canary| canary.name == name);
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        return Err(
            Failure::new(format!("there is no bug {unknown}")).mend("cargo xtask canaries --list")
        );
    }
    let since = Instant::now();
    let chosen: Vec<&Canary> = CANARIES
        .iter()
        .filter(|canary| options.only.is_empty() || options.only.iter().any(|n| n == canary.name))
        .collect();
    for finder in [LABORATORY, LEVELS, TYPES, SERVER] {
        if chosen.iter().any(|canary| canary.finder == finder) {
            build(finder).args(["--no-run"]).run_quietly("building the laboratory with bugs")?;
        }
    }
    let (mut missed, mut seconds) = (Vec::new(), Vec::new());
    for (index, canary) in chosen.iter().enumerate() {
        eprintln!("[{}/{}] {}: {}", index + 1, chosen.len(), canary.name, canary.what);
        match hunt(canary, options.seeds)? {
            Some(found) => {
                println!(
                    "{:<26} found by {:<16} within {:>5} seeds, {:>6.2} s",
                    canary.name, found.checker, found.seeds, found.seconds
                );
                seconds.push(found.seconds);
            }
            None => {
                println!("{:<26} NOT FOUND", canary.name);
                missed.push(canary.name);
            }
        }
    }
    seconds.sort_by(f64::total_cmp);
    let most = seconds.last().copied().unwrap_or(0.0);
    println!(
        "{}",
        ResultLine::default()
            .with("canaries", chosen.len())
            .with("found", seconds.len())
            .with("missed", missed.len())
            .with("median_seconds", format_args!("{:.2}", middle(&seconds)))
            .with("max_seconds", format_args!("{most:.2}"))
            .with("seconds", format_args!("{:.1}", since.elapsed().as_secs_f64()))
    );
    if !missed.is_empty() {
        return Err(Failure::new(format!("not found: {}", missed.join(", "))));
    }
    if middle(&seconds) > MEDIAN_SECONDS_MAX || most > SECONDS_MAX {
        return Err(Failure::new("all are found, but it takes too long"));
    }
    Ok(())
}

fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// A finder with all bugs in it, of which one is chosen when it runs.
fn build(finder: &str) -> Sh {
    let test = if finder == TYPES { "types" } else { "canary" };
    workspace::cargo()
        .args(["test", "--package", finder, "--no-default-features", "--test", test])
        .args(["--locked", "--quiet"])
        .env("CARGO_TARGET_DIR", workspace::target_dir().join("canaries"))
        .env("RUSTFLAGS", "--cfg canary=\"chosen\"")
}

/// Lets the laboratory search for one bug.
fn hunt(canary: &Canary, seeds: u64) -> Outcome<Option<Found>> {
    let (mut found, mut said) = (None, Vec::new());
    let hunt = build(canary.finder).args(["--", "--nocapture", "the_planted_bug_is_found"]);
    hunt.env("CRDT_CANARY", canary.name).env("CRDT_CASES", seeds.to_string()).run_by_line(
        |line| {
            found = found.take().or_else(|| parse(line));
            said.push(line.to_owned());
        },
    )?;
    if found.is_none() {
        said.iter().for_each(|line| eprintln!("{line}"));
    }
    Ok(found)
}

/// `FOUND after=… seconds=… seed=… checker=…`
fn parse(line: &str) -> Option<Found> {
    let (_, fields) = line.split_once("FOUND ")?;
    let field = |name: &str| {
        let (_, rest) = fields.split_once(&format!("{name}="))?;
        rest.split(' ').next()
    };
    Some(Found {
        seeds: field("after")?.parse().ok()?,
        seconds: field("seconds")?.parse().ok()?,
        checker: fields.split_once("checker=")?.1.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    fn planted(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                planted(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let parts = text.split("is_planted(\"").skip(1);
                names.extend(parts.map(|part| part.split('"').next().unwrap().to_owned()));
            }
        }
    }

    #[test]
    fn every_planted_bug_is_listed_and_every_listed_one_is_planted() {
        let mut names = BTreeSet::new();
        for library in ["crdt-core", "crdt-causal", "crdt-document", "crdt-server", "crdt-sim"] {
            planted(&workspace::root().join(library).join("src"), &mut names);
        }
        let listed: BTreeSet<String> = CANARIES.iter().map(|c| c.name.to_owned()).collect();
        assert_eq!(names, listed);
    }

    #[test]
    fn a_find_is_read() {
        let found = parse("FOUND after=7 seconds=0.25 seed=4 checker=false alarm").unwrap();
        assert_eq!((found.seeds, found.checker.as_str(), found.seconds), (7, "false alarm", 0.25));
        assert!(parse("test the_planted_bug_is_found ... ok").is_none());
    }
}
