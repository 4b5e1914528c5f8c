//! The npm package in Node: its types, and its tests, on the sources and on what is published.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::npm::{install, npm};
use crate::{wasm, workspace};

/// Types and tests, against the package as it was just built.
pub(super) fn run() -> Outcome {
    prepare()?;
    npm(&["run", "check"]).run()?;
    npm(&["test"]).run()?;
    npm(&["run", "test:parts"]).run()?;
    let shipped = wasm::publish()?;
    let dir = wasm::published_dir();
    nothing_else_is_packed(&shipped, &dir)?;
    // Laid beside it, where npm does not pack them, they load what is published instead.
    copy_tests(&dir.join("tests"))
        .map_err(|error| Failure::new(format!("cannot copy the tests: {error}")))?;
    npm(&["test"]).dir(&dir).run()
}

/// Builds the package and installs what its tests need.
pub(super) fn prepare() -> Outcome {
    install()?;
    wasm::build()
}

/// What npm would upload is what is weighed, and the package's description.
fn nothing_else_is_packed(shipped: &[String], dir: &Path) -> Outcome {
    let listing = npm(&["pack", "--dry-run", "--json"]).dir(dir).output()?;
    let listing: serde_json::Value = serde_json::from_str(&listing)
        .map_err(|error| Failure::new(format!("npm pack does not list its files: {error}")))?;
    let files = listing[0]["files"].as_array().map(Vec::as_slice).unwrap_or_default();
    let packed: BTreeSet<_> = files.iter().filter_map(|file| file["path"].as_str()).collect();
    let shipped: BTreeSet<_> = shipped.iter().map(String::as_str).collect();
    if packed == shipped {
        return Ok(());
    }
    let differing: Vec<_> = packed.symmetric_difference(&shipped).copied().collect();
    Err(Failure::new(format!("npm packs other files than are weighed: {}", differing.join(", "))))
}

fn copy_tests(to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(workspace::npm_dir().join("tests"))? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
