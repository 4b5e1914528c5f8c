//! What is known of each file's mutants, kept from one run to the next.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};
use crate::workspace;

/// What came of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Fate {
    /// A test failed.
    Caught,
    /// No test did.
    Missed,
    /// A test took many times the time of all: noticed too.
    TimedOut,
    /// The compiler refuses it.
    Unviable,
}

/// What is known of one file's mutants.
#[derive(Deserialize, Serialize)]
pub(super) struct Report {
    /// Of the file when it was mutated.
    hash: u64,
    /// By the mutants' names.
    pub(super) fates: BTreeMap<String, Fate>,
    pub(super) seconds: f64,
}

impl Report {
    /// What is known of a file as it is now.
    pub(super) fn of(file: &str) -> Outcome<Self> {
        let hash = hash(file)?;
        let kept = fs::read_to_string(place(file)).unwrap_or_default();
        // What another version of this program wrote is not known.
        let kept = serde_json::from_str(&kept).ok().filter(|kept: &Self| kept.hash == hash);
        Ok(kept.unwrap_or(Self { hash, fates: BTreeMap::new(), seconds: 0.0 }))
    }

    pub(super) fn count(&self, fate: Fate) -> usize {
        self.fates.values().filter(|&&held| held == fate).count()
    }

    pub(super) fn keep(&self, file: &str) -> Outcome {
        let path = place(file);
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(format!("a report cannot be written: {error}")))?;
        fs::create_dir_all(folder())
            .and_then(|()| fs::write(&path, json))
            .map_err(|error| Failure::new(format!("cannot write {}: {error}", path.display())))
    }
}

fn hash(file: &str) -> Outcome<u64> {
    let bytes = fs::read(workspace::root().join(file))
        .map_err(|error| Failure::new(format!("cannot read {file}: {error}")))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    Ok(hasher.finish())
}

pub(super) fn folder() -> PathBuf {
    workspace::target_dir().join("mutants")
}

fn place(file: &str) -> PathBuf {
    folder().join(format!("{}.json", file.replace('/', "-")))
}
