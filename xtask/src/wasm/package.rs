//! Builds `crdt-wasm/npm/pkg`: the WebAssembly modules, their JavaScript glue, their types.

use std::fs;
use std::path::{Path, PathBuf};

use wasm_bindgen_cli_support::Bindgen;

use super::toolchain::{self, TARGET};
use crate::failure::{Failure, Outcome};
use crate::sh::Progress;
use crate::workspace;

/// The modules of the package: each a crate, and the cargo profile that it is compiled with. Those of
/// documents are small first, that of messages fast.
const CRATES: [(&str, &str); 3] =
    [("crdt-wasm", "wasm"), ("crdt-wasm-causal", "wasm-fast"), ("crdt-wasm-rebase", "wasm")];

/// Compiles the modules and writes the glue, ready to be loaded by a page without a bundler.
pub(crate) fn build() -> Outcome {
    let pkg = workspace::npm_dir().join("pkg");
    // What an earlier build left must not be shipped.
    if pkg.exists() {
        fs::remove_dir_all(&pkg)
            .map_err(|error| Failure::new(format!("cannot clear {}: {error}", pkg.display())))?;
    }
    for (name, profile) in CRATES {
        bind(&compile(name, profile)?, &pkg)?;
    }
    Ok(())
}

/// Compiles one module, and says where it is.
pub(crate) fn compile(name: &str, profile: &str) -> Outcome<PathBuf> {
    eprintln!("building {name} for the browser");
    toolchain::cargo()?
        // The module alone: with a second crate type cargo leaves link-time optimisation out.
        .args(["rustc", "--crate-type", "cdylib", "--package", name, "--lib", "--locked"])
        .args(["--profile", profile, "--target", TARGET])
        .run()?;
    let module = format!("{}.wasm", name.replace('-', "_"));
    Ok(workspace::target_dir().join(TARGET).join(profile).join(module))
}

/// Checks the modules with clippy as they are compiled for the browser.
pub(crate) fn clippy() -> Outcome {
    toolchain::cargo()?
        .args(["clippy", "--locked", "--target", TARGET])
        .args(CRATES.iter().flat_map(|(name, _)| ["--package", name]))
        .args(["--", "-D", "warnings"])
        .run()
}

/// Writes the glue of a module, and the module without what no page needs, into a folder.
pub(crate) fn bind(module: &Path, dir: &Path) -> Outcome {
    let progress = Progress::start(&format!("writing {}", dir.display()));
    let mut bindgen = Bindgen::new();
    let bound = bindgen
        .input_path(module)
        .web(true)
        .map(|bindgen| {
            // Where the module lies is said by `wasm.js` alone: in what is published, the glue is
            // part of another script, beside which there is none.
            bindgen.typescript(true).omit_default_module_path(true);
            bindgen.remove_name_section(true).remove_producers_section(true)
        })
        .and_then(|bindgen| bindgen.generate(dir));
    progress.finish(bound.is_ok());
    bound.map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))
}
