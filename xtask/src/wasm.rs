//! `cargo xtask wasm`: the npm package's WebAssembly and what it weighs.

mod package;
mod parts;
mod published;
mod toolchain;
mod weight;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use weight::Page;

pub(crate) use package::{bind, build, clippy, compile};
pub(crate) use published::{publish, published_dir};

/// What pages load, by what they use of the package.
const PAGES: [Page; 3] = [
    Page {
        name: "document",
        scripts: &["index.js", "bindings/textarea.js"],
        module: "pkg/crdt_wasm_bg.wasm",
        // With its glue, some four kilobytes of the scripts, the module stays below 150 kB.
        module_budget_bytes: 145_000,
        budget_bytes: 165_000,
    },
    Page {
        name: "causal",
        scripts: &["causal.js"],
        module: "pkg/crdt_wasm_causal_bg.wasm",
        module_budget_bytes: 47_000,
        budget_bytes: 53_000,
    },
    // What a page with documents loads beside them once its history is trimmed elsewhere, and no other.
    Page {
        name: "rebase",
        scripts: &["rebase.js"],
        module: "pkg/crdt_wasm_rebase_bg.wasm",
        module_budget_bytes: 130_000,
        budget_bytes: 135_000,
    },
];

#[derive(Args)]
pub(crate) struct Options {}

/// Builds the package, prints its sizes and what they are made of, and fails above the budget.
pub(crate) fn run(_options: &Options) -> Outcome {
    build()?;
    publish()?;
    let mut line = ResultLine::default();
    let mut too_heavy = Vec::new();
    for page in &PAGES {
        let (weighed, above) = page.weigh(line)?;
        line = weighed;
        if above > 0 {
            too_heavy
                .push(format!("what a page loads for {} weighs {above} bytes too much", page.name));
        }
    }
    println!("{:>9}  {:>9}  in {}", "", "", published_dir().display());
    println!("{line}");
    if too_heavy.is_empty() { Ok(()) } else { Err(Failure::new(too_heavy.join("; "))) }
}
