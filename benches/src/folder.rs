//! Where traces are: every file of the right ending in a folder, by whatever name.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

const ENDING: &str = ".json.gz";

/// The folder that the environment variable `CRDT_TRACES` names, if it is set.
#[must_use]
pub fn named_by_environment() -> Option<PathBuf> {
    env::var_os("CRDT_TRACES").map(PathBuf::from)
}

/// The traces in a folder and in the folders in it: their names, without the ending, and
/// their files, by name.
///
/// # Errors
///
/// Where a folder cannot be read.
pub fn traces_in(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut traces = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir()? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) {
                traces.push((name.to_owned(), path));
            }
        }
    }
    traces.sort();
    Ok(traces)
}
