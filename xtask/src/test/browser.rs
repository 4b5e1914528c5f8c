//! The demo page in a real Chromium: found, or installed where it can be.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::npm::npm;
use crate::sh::Sh;
use crate::{apt, wasm, workspace};

use super::javascript;

/// Names the browser, where it is to be another than the one found.
const VARIABLE: &str = "CHROMIUM";

/// Programs that are Chromium, in the order of preference.
const PROGRAMS: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];

/// Where macOS keeps it.
const APPLICATIONS: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Runs the package's tests with real servers, then those in the browser, against the server as it is
/// built now.
pub(super) fn run() -> Outcome {
    javascript::prepare()?;
    wasm::publish()?;
    let chromium = chromium()?;
    let server = crate::demo::build_server()?;
    npm(&["run", "test:servers"]).env("CRDT_SERVER", &server).run()?;
    npm(&["run", "test:browser"])
        .env(VARIABLE, chromium)
        .env("CRDT_SERVER", server)
        .env("CRDT_SERVER_BY_HAND", crate::demo::build_server_by_hand()?)
        // Pages load what users of the package get.
        .env("CRDT_PACKAGE", wasm::published_dir())
        .run()
}

fn chromium() -> Outcome<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).map(PathBuf::from) {
        return if named.is_file() {
            Ok(named)
        } else {
            Err(Failure::new(format!("{VARIABLE}={} is no file", named.display())))
        };
    }
    if let Some(found) = found() {
        return Ok(found);
    }
    if apt::install("chromium")
        && let Some(found) = found()
    {
        return Ok(found);
    }
    from_playwright()
}

/// Chromium among the installed programs.
fn found() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let programs = PROGRAMS.iter().flat_map(|name| {
        env::split_paths(&path)
            .map(move |dir| dir.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
    });
    programs.chain(APPLICATIONS.iter().map(PathBuf::from)).find(|program| program.is_file())
}

/// The browser that Playwright downloads into its own cache.
fn from_playwright() -> Outcome<PathBuf> {
    const MEND: &str = "install Chromium, or name one by CHROMIUM=/path/to/chromium";
    let dir = workspace::npm_dir();
    let program = dir.join("node_modules/playwright-core/cli.js");
    Sh::new("node")
        .args([program.as_path(), Path::new("install"), Path::new("chromium")])
        .run_quietly("fetching Playwright's Chromium")
        .map_err(|_| {
            Failure::new("no Chromium was found, and none could be installed").mend(MEND)
        })?;
    let path = Sh::new("node")
        .dir(&dir)
        .args(["--input-type=module", "--eval"])
        .args([
            "import { chromium } from 'playwright-core'; console.log(chromium.executablePath());",
        ])
        .output()?;
    let path = PathBuf::from(path.trim());
    if path.is_file() {
        Ok(path)
    } else {
        Err(Failure::new("Playwright's Chromium is not where it says").mend(MEND))
    }
}
