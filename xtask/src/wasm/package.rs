//! Builds `crdt-wasm/npm/pkg`: the WebAssembly module, its JavaScript glue, its types.

use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use super::toolchain::{self, TARGET};
use crate::failure::{Failure, Outcome};
use crate::sh::Progress;
use crate::workspace;

/// The cargo profile of the package: small first.
const PROFILE: &str = "wasm";

/// Compiles `crdt-wasm` and writes the glue, ready to be loaded by a page without a bundler.
pub(crate) fn build() -> Outcome {
    eprintln!("building crdt-wasm for the browser");
    toolchain::cargo()?
        // The module alone: with a second crate type cargo leaves link-time optimisation out.
        .args(["rustc", "--crate-type", "cdylib", "--package", "crdt-wasm", "--lib", "--locked"])
        .args(["--profile", PROFILE, "--target", TARGET])
        .run()?;
    let module = workspace::target_dir().join(TARGET).join(PROFILE).join("crdt_wasm.wasm");
    bind(&module, &workspace::npm_dir().join("pkg"))
}

/// Checks `crdt-wasm` with clippy as it is compiled for the browser.
pub(crate) fn clippy() -> Outcome {
    toolchain::cargo()?
        .args(["clippy", "--package", "crdt-wasm", "--locked", "--target", TARGET])
        .args(["--", "-D", "warnings"])
        .run()
}

/// What a user of the package downloads: the module, and every script outside of tests.
pub(crate) fn shipped_files() -> Outcome<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(&workspace::npm_dir(), &mut files)?;
    files.sort();
    Ok(files)
}

fn bind(module: &Path, pkg: &Path) -> Outcome {
    let progress = Progress::start("writing crdt-wasm/npm/pkg");
    // What an earlier build left must not be shipped.
    if pkg.exists() {
        fs::remove_dir_all(pkg)
            .map_err(|error| Failure::new(format!("cannot clear {}: {error}", pkg.display())))?;
    }
    let mut bindgen = Bindgen::new();
    let bound = bindgen
        .input_path(module)
        .web(true)
        .map(|bindgen| {
            bindgen.typescript(true).remove_name_section(true).remove_producers_section(true)
        })
        .and_then(|bindgen| bindgen.generate(pkg));
    progress.finish(bound.is_ok());
    bound.map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))?;
    let glue = pkg.join("crdt_wasm.js");
    fs::read_to_string(&glue)
        .and_then(|script| fs::write(&glue, without_doc_comments(&script)))
        .map_err(|error| Failure::new(format!("cannot shorten {}: {error}", glue.display())))
}

/// The generated glue without its doc comments, which the types beside it have as well.
fn without_doc_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut inside = false;
    for line in script.lines() {
        let text = line.trim();
        inside |= text.starts_with("/**");
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
        inside &= !text.ends_with("*/");
    }
    kept
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Outcome {
    let unreadable = |error| Failure::new(format!("cannot list {}: {error}", dir.display()));
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !["node_modules", "test", "tests"].contains(&&*name) {
                collect(&path, files)?;
            }
        } else if name.ends_with(".js") || name.ends_with(".wasm") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::without_doc_comments;

    #[test]
    fn code_stays_and_doc_comments_go() {
        let script = "/* first */\n/**\n * What it does.\n */\nf();\n/** one line */\ng(2 * 3);\n";
        assert_eq!(without_doc_comments(script), "/* first */\nf();\ng(2 * 3);\n");
    }
}
