//! What is known of each file's mutants, kept from one run to the next.

use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};
use crate::workspace;

/// What came of one file's mutants, or of several files'.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Report {
    /// Of the file when it was mutated.
    pub(super) hash: u64,
    pub(super) caught: usize,
    /// The compiler refuses them.
    pub(super) unviable: usize,
    /// A test never ended: noticed too.
    pub(super) timed_out: usize,
    pub(super) missed: Vec<String>,
    pub(super) seconds: f64,
}

impl Report {
    pub(super) fn add(&mut self, other: Self) {
        self.caught += other.caught;
        self.unviable += other.unviable;
        self.timed_out += other.timed_out;
        self.missed.extend(other.missed);
        self.seconds += other.seconds;
    }

    /// What is known of the file as it is now.
    pub(super) fn known(file: &str) -> Outcome<Option<Self>> {
        let Ok(kept) = fs::read_to_string(place(file)) else { return Ok(None) };
        let Ok(report) = serde_json::from_str::<Self>(&kept) else { return Ok(None) };
        Ok((report.hash == hash(file)?).then_some(report))
    }

    pub(super) fn keep(mut self, file: &str) -> Outcome {
        self.hash = hash(file)?;
        let path = place(file);
        let json = serde_json::to_string_pretty(&self)
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
