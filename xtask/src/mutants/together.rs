//! One build of all mutants that can be chosen between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::list::Mutant;
use super::tree::Tree;
use super::weave::{self, CHOICE, FEATURES, Woven};
use crate::failure::{Failure, Outcome};
use crate::sh::Progress;
use crate::workspace;

/// The crate that is broken, and its root.
const CRATE: &str = "crdt_core";
const ROOT: &str = "crdt-core/src/lib.rs";

/// The programs in which each mutant waits for its number, and which ones do.
pub(super) struct Together {
    pub(super) programs: Vec<PathBuf>,
    /// By number, which begin at 1.
    pub(super) alive: BTreeMap<u32, Mutant>,
    /// Those that the compiler refuses.
    pub(super) unviable: Vec<Mutant>,
}

/// Whether a mutant can be built with others.
pub(super) fn fits(mutant: &Mutant) -> Outcome<bool> {
    let file = &mutant.file;
    weave::is_choosable(&source(file)?, mutant).map_err(not_rust(file))
}

/// Whether a mutant that was missed may never have been alive, and needs a build of its own.
pub(super) fn may_have_slept(mutant: &Mutant) -> Outcome<bool> {
    let file = &mutant.file;
    weave::is_constant(&source(file)?, mutant).map_err(not_rust(file))
}

/// Builds the tests with all of the mutants in them, each of which has to fit.
pub(super) fn build(mutants: &[&Mutant], folder: &Path) -> Outcome<Together> {
    let tree = Tree::at(folder.join("together"))?;
    let numbered = |(number, &mutant): (u32, &&Mutant)| (number, mutant.clone());
    let mut alive: BTreeMap<u32, Mutant> = (1..).zip(mutants).map(numbered).collect();
    let mut unviable = Vec::new();
    let progress = Progress::start("all mutants, compiled together");
    loop {
        progress.at(&format!("{} of them, without {}", alive.len(), unviable.len()));
        let woven = weave_all(mutants, &alive, &tree)?;
        let said = compile(&tree, folder)?;
        let refused: BTreeSet<u32> =
            said.errors.iter().flat_map(|error| error.mutants(&woven)).collect();
        if said.errors.is_empty() {
            progress.finish(true);
            return Ok(Together { programs: said.programs, alive, unviable });
        }
        if refused.is_empty() {
            progress.finish(false);
            let first = &said.errors[0];
            return Err(Failure::new(format!("not by a mutant: {}", first.rendered)));
        }
        for number in refused {
            unviable.extend(alive.remove(&number));
        }
    }
}

fn source(file: &str) -> Outcome<String> {
    fs::read_to_string(workspace::root().join(file))
        .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))
}

fn not_rust(file: &str) -> impl Fn(syn::Error) -> Failure + '_ {
    move |error| Failure::new(format!("{file}: {error}"))
}

fn weave_all(
    all: &[&Mutant],
    alive: &BTreeMap<u32, Mutant>,
    tree: &Tree,
) -> Outcome<BTreeMap<String, Woven>> {
    let files: BTreeSet<&String> = all.iter().map(|mutant| &mutant.file).collect();
    let mut woven_files = BTreeMap::new();
    for file in files {
        let of_file = alive.iter().filter(|(_, mutant)| mutant.file == *file);
        let mutants: Vec<(u32, &Mutant)> =
            of_file.map(|(&number, mutant)| (number, mutant)).collect();
        let woven = weave::weave(&source(file)?, &mutants).map_err(not_rust(file))?;
        tree.write(file, woven.text.as_bytes())?;
        woven_files.insert(file.clone(), woven);
    }
    tree.write(ROOT, [FEATURES, &source(ROOT)?, CHOICE].concat().as_bytes())?;
    Ok(woven_files)
}

/// What came of a build.
#[derive(Default)]
struct Said {
    programs: Vec<PathBuf>,
    errors: Vec<CompilerMessage>,
    /// What cargo itself has against the build.
    refusal: String,
}

fn compile(tree: &Tree, folder: &Path) -> Outcome<Said> {
    let mut said = Said::default();
    let status = workspace::cargo()
        .args(["test", "--package", "crdt-core", "--no-run", "--no-fail-fast"])
        .args(["--message-format", "json"])
        .args(super::TARGETS)
        .dir(tree.root())
        .env("CARGO_TARGET_DIR", folder.join("build"))
        // A mutant is no reason to refuse a program; that something is unused now says nothing.
        .env("RUSTFLAGS", "--cap-lints allow")
        // The stable compiler lets this crate ask whether it is being compiled.
        .env("RUSTC_BOOTSTRAP", CRATE)
        .run_by_line(|line| match serde_json::from_str(line) {
            Ok(Line::CompilerArtifact { executable: Some(program) }) => said.programs.push(program),
            Ok(Line::CompilerMessage { message }) if message.level == "error" => {
                said.errors.push(message);
            }
            Err(_) if line.starts_with("error") => said.refusal = line.to_owned(),
            _ => {}
        })?;
    // The last error of each says how many there were, and nothing of where.
    said.errors.retain(|error| !error.spans.is_empty());
    if !status.success() && said.errors.is_empty() {
        let why = format!("the tests with all mutants in them do not compile: {}", said.refusal);
        return Err(Failure::new(why).mend("cargo test -p crdt-core --lib --test types --no-run"));
    }
    Ok(said)
}

/// What cargo says of a build, a line each.
#[derive(Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Line {
    CompilerArtifact {
        executable: Option<PathBuf>,
    },
    CompilerMessage {
        message: CompilerMessage,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct CompilerMessage {
    level: String,
    spans: Vec<CompilerSpan>,
    rendered: String,
}

#[derive(Deserialize)]
struct CompilerSpan {
    file_name: String,
    line_start: usize,
    is_primary: bool,
}

impl CompilerMessage {
    /// The mutants in whose lines it is.
    fn mutants(&self, woven: &BTreeMap<String, Woven>) -> Vec<u32> {
        let primary = self.spans.iter().filter(|span| span.is_primary);
        primary
            .filter_map(|span| {
                let lines = &woven.get(&span.file_name)?.lines;
                let at = lines.iter().find(|(_, lines)| lines.contains(&span.line_start));
                at.map(|(&number, _)| number)
            })
            .collect()
    }
}
