//! The package as npm gets it, in a folder of cargo's: the same files under the same names,
//! the scripts without comments and long names, the module once more optimised.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::npm;
use crate::workspace;

/// The whole workspace's.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

/// Where the package lies, ready for `npm publish`.
pub(crate) fn published_dir() -> PathBuf {
    workspace::target_dir().join("npm")
}

/// Writes what was built and what was written by hand; returns the names of all files.
pub(crate) fn publish() -> Outcome<Vec<String>> {
    let (from, to) = (workspace::npm_dir(), published_dir());
    // What an earlier build left must not be shipped.
    if to.exists() {
        fs::remove_dir_all(&to)
            .map_err(|error| Failure::new(format!("cannot clear {}: {error}", to.display())))?;
    }
    let mut names = Vec::new();
    collect(&from, "", &mut names)?;
    names.sort();
    let ending = |ending| move |name: &&str| name.ends_with(ending);
    let (scripts, others): (Vec<_>, Vec<_>) =
        names.iter().map(String::as_str).partition(ending(".js"));
    let (modules, others): (Vec<_>, Vec<_>) = others.into_iter().partition(ending(".wasm"));
    copy(&others, &from, &to)
        .and_then(|()| copy(&LICENCES, workspace::root(), &to))
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", to.display())))?;
    npm::install()?;
    npm::npm(&["run", "--silent", "minify", "--"])
        .args([format!("--outdir={}", to.display())])
        .args(&scripts)
        .run_quietly("shortening the scripts")?;
    for module in modules {
        optimise(&from.join(module), &to.join(module))?;
    }
    names.extend(LICENCES.map(String::from));
    Ok(names)
}

/// What the compiler leaves to be gained in a module is worth five per cent of its size.
/// Functions stay as they were cut: to put one into its only caller makes it no smaller gzipped.
/// Control flow is taken apart and put together anew. That nothing lies in the first KiB of memory,
/// which lets additions go into the offsets of loads, holds: there ends the stack, and whoever
/// comes near has overflowed it.
fn optimise(from: &Path, to: &Path) -> Outcome {
    npm::npm(&["run", "--silent", "optimise", "--"])
        .args([from.display().to_string(), format!("--output={}", to.display())])
        .run_quietly("optimising the module")
}

fn copy(names: &[&str], from: &Path, to: &Path) -> std::io::Result<()> {
    for name in names {
        let target = to.join(name);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::copy(from.join(name), target)?;
    }
    Ok(())
}

/// The names of all files outside of tests that a user of the package gets.
fn collect(dir: &Path, prefix: &str, names: &mut Vec<String>) -> Outcome {
    let unreadable = |error| Failure::new(format!("cannot list {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let base = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{base}");
        if path.is_dir() {
            if !["node_modules", "tests"].contains(&&*base) {
                collect(&path, &format!("{name}/"), names)?;
            }
        } else if is_shipped(&name) {
            names.push(name);
        }
    }
    Ok(())
}

fn is_shipped(name: &str) -> bool {
    [".js", ".d.ts", ".wasm"].iter().any(|ending| name.ends_with(ending))
        || ["package.json", "README.md"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::is_shipped;

    #[test]
    fn what_is_loaded_and_what_describes_it_is_shipped() {
        for name in ["index.js", "index.d.ts", "pkg/crdt_wasm_bg.wasm", "package.json"] {
            assert!(is_shipped(name), "{name}");
        }
        for name in ["package-lock.json", "tsconfig.json", ".npmrc", "pkg/README.md"] {
            assert!(!is_shipped(name), "{name}");
        }
    }
}
