//! The npm package's folder: commands of npm there, and its dependencies by `npm ci`.

use std::fs;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

/// The oldest Node that runs the tests.
const NODE_MAJOR_MIN: u32 = 20;

/// An npm command in the package's folder.
pub(crate) fn npm(args: &[&str]) -> Sh {
    Sh::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(args)
        .dir(&workspace::npm_dir())
        .mend("https://nodejs.org has Node with npm")
}

/// Sees to it that there is a Node, and what the package's scripts and tests need:
/// `npm ci`, unless what it would install is there.
pub(crate) fn install() -> Outcome {
    node()?;
    let dir = workspace::npm_dir();
    let lock = fs::read(dir.join("package-lock.json"))
        .map_err(|error| Failure::new(format!("cannot read package-lock.json: {error}")))?;
    let installed = dir.join("node_modules").join(".installed-lock.json");
    if fs::read(&installed).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    npm(&["ci", "--no-audit", "--no-fund"])
        .mend("cd crdt-wasm/npm && npm ci")
        .run_quietly("npm ci")?;
    fs::write(&installed, lock)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", installed.display())))
}

fn node() -> Outcome {
    let wanted = || format!("https://nodejs.org has Node {NODE_MAJOR_MIN} and later");
    let version = Sh::new("node").args(["--version"]).mend(wanted()).output()?;
    let major = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => Err(Failure::new(format!("Node {} is too old", version.trim())).mend(wanted())),
    }
}
