//! Editing traces for the measurements: real ones where `CRDT_TRACES` names their folder.

use std::env;
use std::fs::File;
use std::io;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::Deserialize;

/// A sequential trace: one writer's keystrokes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sequential {
    /// The text at the end.
    pub end_content: String,
    /// The transactions, in order.
    pub txns: Vec<Transaction>,
}

/// Patches that were applied together.
#[derive(Debug, Deserialize)]
pub struct Transaction {
    /// The patches, each in the text that the one before left behind.
    pub patches: Vec<Patch>,
}

/// Replaces `1` code points at code point `0` by the text `2`.
#[derive(Debug, Deserialize)]
pub struct Patch(pub u32, pub u32, pub String);

/// The sequential traces in the folder that `CRDT_TRACES` names, by name; none, and a word
/// about it, where the variable is not set.
///
/// # Errors
///
/// Where a file cannot be read or is no trace.
pub fn sequential() -> io::Result<Vec<(String, Sequential)>> {
    let Some(folder) = env::var_os("CRDT_TRACES") else {
        eprintln!("CRDT_TRACES is not set: the real editing traces are left out");
        return Ok(Vec::new());
    };
    let mut traces = Vec::new();
    for entry in Path::new(&folder).join("sequential").read_dir()? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(name) = name.strip_suffix(".json.gz") else { continue };
        let trace =
            serde_json::from_reader(io::BufReader::new(GzDecoder::new(File::open(&path)?)))?;
        traces.push((name.to_owned(), trace));
    }
    traces.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(traces)
}
