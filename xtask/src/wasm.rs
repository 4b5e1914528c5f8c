//! `cargo xtask wasm`: the npm package's WebAssembly and what it weighs.

mod package;
mod published;
mod toolchain;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;

pub(crate) use package::{build, clippy};
pub(crate) use published::{publish, published_dir};

/// What a page that uses all of the package loads may weigh, gzipped: the WebAssembly module,
/// its generated glue, and every script.
const BUDGET_BYTES: u64 = 150_000;

#[derive(Args)]
pub(crate) struct Options {}

/// Builds the package, prints its sizes, and fails above the budget.
pub(crate) fn run(_options: &Options) -> Outcome {
    build()?;
    let names = publish()?;
    let (mut wasm, mut wasm_gzip, mut glue_gzip, mut scripts_gzip) = (0, 0, 0, 0);
    println!("{:>9}  {:>9}  file", "bytes", "gzipped");
    for name in names {
        let is_module = name.ends_with(".wasm");
        if !is_module && !name.ends_with(".js") {
            // Types and descriptions are read by tools, not loaded by pages.
            continue;
        }
        let (bytes, gzip) = sizes(&published_dir().join(&name))?;
        if is_module {
            wasm += bytes;
            wasm_gzip += gzip;
        } else if name.starts_with("pkg/") {
            glue_gzip += gzip;
        } else {
            scripts_gzip += gzip;
        }
        println!("{bytes:>9}  {gzip:>9}  {name}");
    }
    let total = wasm_gzip + glue_gzip + scripts_gzip;
    println!("{:>9}  {total:>9}  of {BUDGET_BYTES}, in {}", "", published_dir().display());
    println!(
        "{}",
        ResultLine::default()
            .with("wasm_bytes", wasm)
            .with("wasm_gzip_bytes", wasm_gzip)
            .with("glue_gzip_bytes", glue_gzip)
            .with("scripts_gzip_bytes", scripts_gzip)
            .with("total_gzip_bytes", total)
            .with("budget_bytes", BUDGET_BYTES)
    );
    if wasm == 0 {
        return Err(Failure::new("the package holds no WebAssembly"));
    }
    if total > BUDGET_BYTES {
        return Err(Failure::new(format!(
            "the package weighs {total} bytes gzipped, {} above its budget",
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
