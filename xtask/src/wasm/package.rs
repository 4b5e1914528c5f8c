//! Builds `crdt-wasm/npm/pkg`: the WebAssembly module, its JavaScript glue, its types.

use std::fs;
use std::path::Path;

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
            // Where the module lies is said by `wasm.js` alone: in what is published, the glue is
            // part of another script, beside which there is none.
            bindgen.typescript(true).omit_default_module_path(true);
            bindgen.remove_name_section(true).remove_producers_section(true)
        })
        .and_then(|bindgen| bindgen.generate(pkg));
    progress.finish(bound.is_ok());
    bound.map_err(|error| Failure::new(format!("wasm-bindgen: {error:#}")))
}
