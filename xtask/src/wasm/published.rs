//! The package as npm gets it, in a folder of cargo's: the scripts as few files, without comments
//! and long names, the module once more optimised, descriptions and types as they are.

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

/// What the bundler tells of the scripts that it wrote.
pub(super) fn scripts_file() -> PathBuf {
    workspace::target_dir().join("npm-scripts.json")
}

/// Writes what was built and what was written by hand; returns the names of all files.
pub(crate) fn publish() -> Outcome<Vec<String>> {
    let (from, to) = (workspace::npm_dir(), published_dir());
    // What an earlier build left must not be shipped.
    if to.exists() {
        fs::remove_dir_all(&to)
            .map_err(|error| Failure::new(format!("cannot clear {}: {error}", to.display())))?;
    }
    let sources = names(&from)?;
    let (modules, others): (Vec<_>, Vec<_>) = sources
        .iter()
        .map(String::as_str)
        .filter(|name| is_module(name) || is_copied(name))
        .partition(|name| is_module(name));
    copy(&others, &from, &to)
        .and_then(|()| copy(&LICENCES, workspace::root(), &to))
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", to.display())))?;
    npm::install()?;
    npm::npm(&["run", "--silent", "bundle", "--"])
        .args([
            format!("--outdir={}", to.display()),
            format!("--metafile={}", scripts_file().display()),
        ])
        .run_quietly("bundling the scripts")?;
    for module in modules {
        fs::create_dir_all(to.join(module).parent().unwrap_or(&to))
            .map_err(|error| Failure::new(format!("cannot write {module}: {error}")))?;
        optimise(&from.join(module), &to.join(module))?;
    }
    names(&to)
}

/// What the compiler leaves to be gained in a module is worth five per cent of its size.
/// Functions stay as they were cut: to put one into its only caller makes it no smaller gzipped.
/// Control flow is taken apart and put together anew. That nothing lies in the first KiB of memory,
/// which lets additions go into the offsets of loads, holds: there ends the stack, and whoever
/// comes near has overflowed it.
///
/// It takes half a minute a module: what was made of the same bytes, by the same tool, is kept.
fn optimise(from: &Path, to: &Path) -> Outcome {
    let made_of = made_of(from)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", from.display())))?;
    let name = from.file_name().unwrap_or_default();
    let kept = workspace::target_dir().join("npm-modules").join(name);
    let kept_from = kept.with_extension("from");
    if fs::read(&kept_from).is_ok_and(|before| before == made_of) && fs::copy(&kept, to).is_ok() {
        return Ok(());
    }
    run_optimiser(from, to)?;
    keep(&kept, &kept_from, to, &made_of)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", kept.display())))
}

/// A module, and what says how it is optimised, and by which version of the tool.
fn made_of(module: &Path) -> std::io::Result<Vec<u8>> {
    let npm = workspace::npm_dir();
    let files = [module, &npm.join("package.json"), &npm.join("package-lock.json")].map(fs::read);
    let [module, scripts, versions] = files;
    Ok([module?, scripts?, versions?].concat())
}

/// What it was made of is written last, so that half of this is not taken for all of it.
fn keep(kept: &Path, kept_from: &Path, made: &Path, made_of: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(kept.parent().unwrap_or(kept))?;
    let _ = fs::remove_file(kept_from);
    fs::copy(made, kept)?;
    fs::write(kept_from, made_of)
}

fn run_optimiser(from: &Path, to: &Path) -> Outcome {
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

/// The names of all files in a folder and below it, outside of tests and of what npm installs.
fn names(dir: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    collect(dir, "", &mut names)?;
    names.sort();
    Ok(names)
}

fn collect(dir: &Path, prefix: &str, names: &mut Vec<String>) -> Outcome {
    let unreadable = |error| Failure::new(format!("cannot list {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let base = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{base}");
        if !path.is_dir() {
            names.push(name);
        } else if !["node_modules", "tests"].contains(&&*base) {
            collect(&path, &format!("{name}/"), names)?;
        }
    }
    Ok(())
}

fn is_module(name: &str) -> bool {
    name.ends_with(".wasm")
}

/// The types of the glue are for our own checks: what it is called by is part of the bundle.
fn is_copied(name: &str) -> bool {
    (name.ends_with(".d.ts") && !name.starts_with("pkg/"))
        || ["package.json", "README.md"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::is_copied;

    #[test]
    fn what_describes_the_package_is_shipped_as_it_is() {
        for name in ["index.d.ts", "bindings/textarea.d.ts", "package.json", "README.md"] {
            assert!(is_copied(name), "{name}");
        }
        for name in ["package-lock.json", "tsconfig.json", ".npmrc", "index.js", "pkg/README.md"] {
            assert!(!is_copied(name), "{name}");
        }
        assert!(!is_copied("pkg/crdt_wasm.d.ts"), "the glue is not shipped by itself");
    }
}
