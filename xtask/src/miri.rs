//! `cargo xtask miri`: the codec, the kernel, and the text's rope and walker under an interpreter
//! that knows what is undefined.
//!
//! No line of the repository is unsafe, so what is found would be in a library below it, or in
//! the compiler. Miri runs a thousand times slower than the machine: the laws get a glance.

use std::time::Instant;

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How many random cases each law is tried on.
    #[arg(long, default_value_t = 2)]
    cases: u64,
}

/// The modules of the codec, of the kernel and of the sequence engine, by the names of their
/// unit tests.
const UNITS: &[&str] = &[
    "codec::",
    "dot_store::",
    "causality::",
    "collections::",
    "sequence::tests::rope::",
    "sequence::tests::walker::",
];

/// The laws of the event graph compare large graphs with plain sets: minutes for a single case.
const SKIPPED: &str = "event_graph::";

/// Of the types' tests, those of bytes, and the laws of what is made of all the kernel's parts.
const TYPES: &[&str] = &[
    "golden::",
    "hostile::every_rule_is_checked",
    "laws::add_wins_set",
    "laws::map_of_lww_maps",
    "laws::map_of_redactable_registers",
    "laws::map_of_maps_of_add_wins_sets",
];

/// Runs the tests.
pub(crate) fn run(options: &Options) -> Outcome {
    check_tools()?;
    let since = Instant::now();
    miri(&["--lib"], UNITS, options.cases).run()?;
    miri(&["--test", "types"], TYPES, options.cases).run()?;
    println!(
        "{}",
        ResultLine::default()
            .with("cases", options.cases)
            .with("findings", 0)
            .with("seconds", format_args!("{:.1}", since.elapsed().as_secs_f64()))
    );
    Ok(())
}

fn miri(what: &[&str], names: &[&str], cases: u64) -> Sh {
    workspace::cargo_of("nightly")
        .args(["miri", "test", "--locked", "--package", "crdt-core"])
        .args(what)
        .args(["--"])
        .args(names)
        .args(["--skip", SKIPPED])
        .env("CARGO_TARGET_DIR", workspace::target_dir().join("miri"))
        .env("CRDT_CASES", cases.to_string())
        // Short histories.
        .env("QUICKCHECK_GENERATOR_SIZE", "16")
        // Golden files are read, and quickcheck takes its seed from the system.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
}

fn check_tools() -> Outcome {
    if workspace::cargo_of("nightly").args(["miri", "--version"]).succeeds() {
        return Ok(());
    }
    Err(Failure::new("Miri is a component of the nightly toolchain").mend(
        "rustup toolchain install nightly --profile minimal --component miri --component rust-src",
    ))
}
