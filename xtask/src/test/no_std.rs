//! Builds the libraries against a sysroot that holds `core` and `alloc` and nothing else.
//!
//! The attribute `no_std` says nothing about dependencies, and every target that rustup
//! has by default comes with `std`. A sysroot without it proves both, with no download.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::sh::Sh;
use crate::workspace;

/// The libraries of a sysroot without `std`.
const LIBRARIES: [&str; 3] = ["libcore-", "liballoc-", "libcompiler_builtins-"];

pub(super) fn run() -> Outcome {
    let host = host()?;
    let sysroot = workspace::target_dir().join("no_std").join("sysroot");
    let libraries = sysroot.join("lib").join("rustlib").join(&host).join("lib");
    let from = Sh::new("rustc").args(["--print", "target-libdir"]).output()?;
    copy_libraries(Path::new(from.trim()), &libraries)
        .map_err(|error| Failure::new(format!("cannot lay out {}: {error}", sysroot.display())))?;
    workspace::cargo()
        .args([
            "build",
            "--package",
            "crdt-document",
            "--lib",
            "--no-default-features",
            "--features",
            "saved",
            "--locked",
        ])
        // With a named target the flags below do not reach build scripts.
        .args(["--target", &host])
        .env("CARGO_TARGET_DIR", workspace::target_dir().join("no_std"))
        .env("RUSTFLAGS", format!("--sysroot={}", sysroot.display()))
        .run()
}

fn host() -> Outcome<String> {
    let version = Sh::new("rustc").args(["-vV"]).output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or_else(|| Failure::new("rustc does not name its host"))?.to_owned())
}

fn copy_libraries(from: &Path, to: &Path) -> std::io::Result<()> {
    if to.exists() {
        // Another toolchain's libraries may lie there.
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_wanted = LIBRARIES.iter().any(|library| name.to_string_lossy().starts_with(library));
        // Newer toolchains keep a library's metadata in a file beside it.
        let extension = Path::new(&name).extension().unwrap_or_default();
        if is_wanted && (extension == "rlib" || extension == "rmeta") {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
