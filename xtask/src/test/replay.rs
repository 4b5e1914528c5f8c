//! Traces, played by their writers: a small one that is at hand everywhere, and a recorded one
//! where the folder of traces is.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::{Failure, Outcome};
use crate::replay::{self, Options};
use crate::workspace;

/// Three writers, who meet twice.
const SMALL: &str = include_str!("small_trace.json");

/// Where recorded traces are, if they are anywhere.
const FOLDER: &str = "CRDT_TRACES";

pub(super) fn run() -> Outcome {
    let small = workspace::target_dir().join("small_trace.json.gz");
    pack(&small, SMALL)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", small.display())))?;
    replay::run(&Options::recorded(small))?;
    let Some(folder) = std::env::var_os(FOLDER) else {
        eprintln!("{FOLDER} is not set: no recorded trace was played");
        return Ok(());
    };
    replay::run(&Options::recorded(PathBuf::from(folder).join("concurrent/clownschool.json.gz")))
}

fn pack(path: &Path, text: &str) -> std::io::Result<()> {
    let mut gzip = GzEncoder::new(File::create(path)?, Compression::fast());
    gzip.write_all(text.as_bytes())?;
    gzip.finish().map(drop)
}
