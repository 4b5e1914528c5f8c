//! `cargo xtask tidy`: what no compiler checks.
//!
//! The checks are pure functions from what was read to a list of [`Violation`]s, so that
//! their tests plant one of each.

mod arrows;
mod manifests;
mod metadata;
mod modules;
mod sources;
mod tokens;

use std::fmt;
use std::fs;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::workspace;

use metadata::Metadata;

#[derive(Args)]
pub(crate) struct Options {}

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Violation {
    place: String,
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// A text file of the repository, its path relative to the root with `/` between the parts.
struct File {
    path: String,
    text: String,
}

/// Prints every violation and fails if there is one. Long files are only named.
pub(crate) fn run(_options: &Options) -> Outcome {
    let metadata = Metadata::load()?;
    let files = files()?;
    for hint in sources::long_files(&files) {
        eprintln!("hint: {hint}");
    }
    let mut violations = arrows::check(&metadata);
    violations.extend(manifests::check(&metadata, &files));
    violations.extend(modules::check(&metadata, &files));
    violations.extend(sources::check(&files));
    violations.sort();
    for violation in &violations {
        println!("{violation}");
    }
    println!(
        "{}",
        ResultLine::default().with("files", files.len()).with("violations", violations.len())
    );
    match violations.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} violations"))),
    }
}

/// Every file that git tracks or would track, as far as it is text.
fn files() -> Outcome<Vec<File>> {
    let listed = Sh::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let mut files = Vec::new();
    for path in listed.split_terminator('\0') {
        // What was deleted and not yet committed is still listed; what is not UTF-8 has no
        // lines to check.
        if let Ok(text) = fs::read_to_string(workspace::root().join(path)) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}
