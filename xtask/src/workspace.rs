//! Where things are: the repository, the target folder, the cargo that runs us.

use std::env;
use std::path::{Path, PathBuf};

use crate::sh::Sh;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask/ lies in the repository")
}

/// The folder of the npm package.
pub(crate) fn npm_dir() -> PathBuf {
    root().join("crdt-wasm/npm")
}

/// Cargo's target folder. It is read off our own place, because a relative
/// `CARGO_TARGET_DIR` means the folder that the user stood in.
pub(crate) fn target_dir() -> PathBuf {
    let dir = profile_dir();
    dir.parent().expect("target/ holds a folder per profile").to_path_buf()
}

/// The program `name` as `cargo build` leaves it, in our own profile.
pub(crate) fn built_program(name: &str) -> PathBuf {
    profile_dir().join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

/// A cargo command of the toolchain that runs us, building into the same target folder.
pub(crate) fn cargo() -> Sh {
    in_target_dir(Sh::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// A cargo command of another toolchain that rustup knows.
pub(crate) fn cargo_of(toolchain: &str) -> Sh {
    in_target_dir(Sh::new("rustup").args(["run", toolchain, "cargo"]))
}

fn in_target_dir(cargo: Sh) -> Sh {
    cargo.env("CARGO_TARGET_DIR", target_dir())
}

/// The folder that holds this program, `target/debug`; a test of it runs one level deeper.
fn profile_dir() -> PathBuf {
    let program = env::current_exe().expect("the system knows where this program lies");
    let dir = program.parent().expect("a program lies in a folder");
    if dir.ends_with("deps") {
        dir.parent().unwrap_or(dir).to_path_buf()
    } else {
        dir.to_path_buf()
    }
}
