//! Finds, or lets rustup fetch, a toolchain that compiles to WebAssembly.

use std::env;
use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

/// The target of the browser package.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Names the rustup toolchain that has the target's standard library, where the one in use
/// cannot have it (an offline machine, a distribution's compiler).
const OVERRIDE: &str = "CRDT_WASM_TOOLCHAIN";

/// A cargo that can build for [`TARGET`]: the one in use if it can be made to.
pub(crate) fn cargo() -> Outcome<Sh> {
    if let Ok(toolchain) = env::var(OVERRIDE) {
        return if has_target(Sh::new("rustup").args(["run", &toolchain, "rustc"])) {
            Ok(workspace::cargo_of(&toolchain))
        } else {
            Err(Failure::new(format!("{OVERRIDE}={toolchain} names a toolchain without {TARGET}"))
                .mend(format!("rustup target add {TARGET} --toolchain {toolchain}")))
        };
    }
    if has_target(Sh::new("rustc")) {
        return Ok(workspace::cargo());
    }
    if !Sh::new("rustup").args(["--version"]).succeeds() {
        return Err(Failure::new(format!(
            "the Rust target {TARGET} is missing, and rustup, which fetches it, is not installed"
        ))
        .mend("curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"));
    }
    let added =
        Sh::new("rustup").args(["target", "add", TARGET]).run_quietly("fetching the target wasm32");
    if added.is_ok() && has_target(Sh::new("rustc")) {
        return Ok(workspace::cargo());
    }
    // No network, perhaps; another installed toolchain may have it.
    let installed = Sh::new("rustup").args(["toolchain", "list", "--quiet"]).output()?;
    for toolchain in installed.lines() {
        if has_target(Sh::new("rustup").args(["run", toolchain, "rustc"])) {
            eprintln!("building for {TARGET} with the toolchain {toolchain}");
            return Ok(workspace::cargo_of(toolchain));
        }
    }
    Err(Failure::new(format!("the Rust target {TARGET} is missing, and rustup could not fetch it"))
        .mend(format!("rustup target add {TARGET}")))
}

/// Whether this rustc has the target's standard library.
fn has_target(rustc: Sh) -> bool {
    let Ok(dir) = rustc.args(["--print", "target-libdir", "--target", TARGET]).output() else {
        return false;
    };
    let Ok(files) = fs::read_dir(Path::new(dir.trim())) else {
        return false;
    };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
}
