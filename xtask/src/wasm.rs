//! `cargo xtask wasm`: the npm package's WebAssembly and what it weighs.

mod package;
mod toolchain;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::workspace;

pub(crate) use package::{build, clippy};

/// What the WebAssembly module and its generated glue may weigh together, gzipped. The
/// hand-written JavaScript of the package is weighed and printed beside it.
const BUDGET_BYTES: u64 = 150 * 1024;

#[derive(Args)]
pub(crate) struct Options {}

/// Builds the package, prints its sizes, and fails above the budget.
pub(crate) fn run(_options: &Options) -> Outcome {
    build()?;
    let (mut wasm, mut wasm_gzip, mut glue_gzip, mut scripts_gzip) = (0, 0, 0, 0);
    let generated = workspace::npm_dir().join("pkg");
    println!("{:>9}  {:>9}  file", "bytes", "gzipped");
    for path in package::shipped_files()? {
        let (bytes, gzip) = sizes(&path)?;
        if path.extension().is_some_and(|extension| extension == "wasm") {
            wasm += bytes;
            wasm_gzip += gzip;
        } else if path.starts_with(&generated) {
            glue_gzip += gzip;
        } else {
            scripts_gzip += gzip;
        }
        let name = path.strip_prefix(workspace::npm_dir()).unwrap_or(&path);
        println!("{bytes:>9}  {gzip:>9}  {}", name.display());
    }
    let total = wasm_gzip + glue_gzip;
    println!("{:>9}  {total:>9}  module and glue, of {BUDGET_BYTES}", "");
    println!("{:>9}  {:>9}  with all scripts", "", total + scripts_gzip);
    println!(
        "{}",
        ResultLine::default()
            .with("wasm_bytes", wasm)
            .with("wasm_gzip_bytes", wasm_gzip)
            .with("glue_gzip_bytes", glue_gzip)
            .with("total_gzip_bytes", total)
            .with("scripts_gzip_bytes", scripts_gzip)
            .with("budget_bytes", BUDGET_BYTES)
    );
    if wasm == 0 {
        return Err(Failure::new("the package holds no WebAssembly"));
    }
    if total > BUDGET_BYTES {
        return Err(Failure::new(format!(
            "the module and its glue weigh {total} bytes gzipped, {} above their budget",
            total - BUDGET_BYTES
        )));
    }
    Ok(())
}

fn sizes(path: &Path) -> Outcome<(u64, u64)> {
    let unreadable = |error| Failure::new(format!("cannot read {}: {error}", path.display()));
    let bytes = fs::read(path).map_err(unreadable)?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes).map_err(unreadable)?;
    let gzip = gzip.finish().map_err(unreadable)?;
    Ok((bytes.len() as u64, gzip.len() as u64))
}
