//! What there is to break: cargo-mutants' list.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

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

/// One small change of one file: other text in the place of some.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Mutant {
    pub(super) file: String,
    /// Where and what it is, for people; no two have the same.
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) replacement: String,
}

/// From one place in a file to before another.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Span {
    pub(super) start: Place,
    pub(super) end: Place,
}

/// A place in a file; both numbers begin at 1, and columns count characters.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The mutants of each file.
pub(super) fn mutants() -> Outcome<BTreeMap<String, Vec<Mutant>>> {
    let mut arguments = vec!["--list".to_owned(), "--json".to_owned()];
    for part in PARTS {
        let pattern = if part.ends_with(".rs") { (*part).to_owned() } else { format!("{part}/**") };
        arguments.extend(["--file".into(), format!("crdt-core/src/{pattern}")]);
    }
    let listed = cargo_mutants().args(arguments).output()?;
    let listed: Vec<Mutant> = serde_json::from_str(&listed)
        .map_err(|error| Failure::new(format!("cargo-mutants lists what is unknown: {error}")))?;
    let mut files: BTreeMap<String, Vec<Mutant>> = BTreeMap::new();
    for mutant in listed {
        files.entry(mutant.file.clone()).or_default().push(mutant);
    }
    Ok(files)
}

pub(super) fn cargo_mutants() -> Sh {
    workspace::cargo().args(["mutants"])
}

pub(super) fn check_tools() -> Outcome {
    if cargo_mutants().args(["--version"]).succeeds() {
        return Ok(());
    }
    Err(Failure::new("cargo-mutants is not installed").mend("cargo install cargo-mutants --locked"))
}
