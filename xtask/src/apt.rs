//! Programs of Debian's, where it may be asked for them.

use std::fs;

use crate::sh::Sh;

/// Installs a package, if this is Debian and one may; whether it is installed then.
pub(crate) fn install(package: &str) -> bool {
    // The lists may be newer than the packages: an update first costs seconds.
    let apt = || Sh::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    may_be_used()
        && apt().args(["update", "-qq"]).run_quietly("apt-get update").is_ok()
        && apt()
            .args(["install", "-y", "-qq", "--no-install-recommends", package])
            .run_quietly(&format!("apt-get install {package}"))
            .is_ok()
}

/// Debian's own Chromium is a package like any other; Ubuntu's is a pointer to its store.
fn may_be_used() -> bool {
    let is_debian = fs::read_to_string("/etc/os-release")
        .is_ok_and(|release| release.lines().any(|line| line == "ID=debian"));
    is_debian && is_root()
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
