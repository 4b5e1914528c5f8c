//! Mutants that need a build of their own: cargo-mutants makes them, one at a time.

use std::fs;
use std::path::Path;

use super::list::{Mutant, cargo_mutants};
use super::report::Fate;
use super::tree::Tree;
use crate::failure::{Failure, Outcome};

/// Tests that hang are stopped after so many seconds.
const TIMEOUT_SECONDS: &str = "120";

/// Tries mutants of one file.
pub(super) fn mutate(
    mutants: &[&Mutant],
    cases: u64,
    folder: &Path,
) -> Outcome<Vec<(String, Fate)>> {
    let Some(file) = mutants.first().map(|mutant| &mutant.file) else { return Ok(Vec::new()) };
    let tree = Tree::at(folder.join("apart"))?;
    let names: Vec<String> = mutants.iter().map(|mutant| quoted(&mutant.name)).collect();
    let finished = cargo_mutants()
        .dir(tree.root())
        .args(["--in-place", "--package", "crdt-core", "--file", file])
        .args(["--re", &format!("^({})$", names.join("|"))])
        .args(["--profile", "mutants", "--no-shuffle", "--colors", "never"])
        // That all tests pass without a mutant is known already.
        .args(["--baseline", "skip", "--timeout", TIMEOUT_SECONDS])
        // These, and no other target, are what is built.
        .args(super::TARGETS.map(|argument| format!("--cargo-arg={argument}")))
        .args(["--", "--"])
        .args(super::SKIPPED.iter().flat_map(|name| ["--skip", name]))
        // Kept, so that the libraries below are built once and not for each file.
        .env("CARGO_TARGET_DIR", folder.join("build-apart"))
        .env("CRDT_CASES", cases.to_string())
        .env("RUST_BACKTRACE", "0")
        .run();
    let mut fates = Vec::new();
    for (list, fate) in [
        ("caught.txt", Fate::Caught),
        ("missed.txt", Fate::Missed),
        ("timeout.txt", Fate::TimedOut),
        ("unviable.txt", Fate::Unviable),
    ] {
        let names = fs::read_to_string(tree.root().join("mutants.out").join(list));
        let names = names.unwrap_or_default();
        // Whatever the pattern, it tries those that take out a part of a whole, too.
        let asked = names.lines().filter(|name| mutants.iter().any(|asked| asked.name == **name));
        fates.extend(asked.map(|name| (name.to_owned(), fate)));
    }
    if fates.len() == mutants.len() {
        return Ok(fates);
    }
    // It fails as well when a mutant is missed.
    finished?;
    let (tried, all) = (fates.len(), mutants.len());
    Err(Failure::new(format!("{file}: cargo-mutants tried {tried} of {all} mutants")))
}

/// A text as the pattern that only it fits.
fn quoted(text: &str) -> String {
    let quote = |letter| r"\.+*?()|[]{}^$#&-~".contains(letter).then_some('\\');
    text.chars().flat_map(|letter| quote(letter).into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_pattern_is_quoted() {
        let name = "a.rs:1:2: replace <A<T>>::b -> u8 with 0+1";
        assert_eq!(quoted(name), r"a\.rs:1:2: replace <A<T>>::b \-> u8 with 0\+1");
    }
}
