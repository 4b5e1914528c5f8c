//! `cargo xtask causal-wasm`: how fast the delivery buffer is as WebAssembly, beside the same code natively.

use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::sh::Sh;
use crate::wasm;
use crate::workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// How many messages each load has.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u32,
    /// How often each load is run on either side, in turns: one process each time, of three runs.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

/// Runs the module in Node.
const HOST: &str = include_str!("causal_wasm/host.mjs");

/// The package of the loads, and the profile in which the package's own module for messages is built.
const PACKAGE: &str = "delivery-loads";
const PROFILE: &str = "wasm-fast";

/// Runs in a process, after one that is not counted.
const RUNS: u32 = 3;

const WRITERS: [u32; 3] = [1, 8, 1_000];
const ARRIVALS: [&str; 3] = ["in order", "reverse", "shuffled, batches"];

/// Builds both, checks that they deliver the same, and prints how many messages a second.
pub(crate) fn run(options: &Options) -> Outcome {
    workspace::cargo()
        .args(["build", "--release", "--locked", "--package", PACKAGE, "--bin", PACKAGE])
        .run()?;
    let module = wasm::compile(PACKAGE, PROFILE)?;
    let dir = workspace::target_dir().join(PACKAGE);
    wasm::bind(&module, &dir)?;
    let native = workspace::target_dir().join("release").join(PACKAGE);
    let (glue, module) = (dir.join("delivery_loads.js"), dir.join("delivery_loads_bg.wasm"));
    let host = || {
        Sh::new("node")
            .args(["--no-warnings", "--input-type=module", "--eval", HOST])
            .args([&glue, &module])
            .mend("https://nodejs.org has Node 20 and later")
    };
    println!(
        "millions of messages a second of processor time, {} of them in each run",
        options.messages
    );
    println!(
        "{:>8}  {:<18}  {:>7}  {:>7}  {:>6}",
        "writers", "arrival", "native", "wasm", "wasm/native"
    );
    let mut least = f64::INFINITY;
    for writers in WRITERS {
        for arrival in ARRIVALS {
            let args =
                [&*writers.to_string(), arrival, &options.messages.to_string(), &RUNS.to_string()]
                    .map(str::to_owned);
            let (mut natively, mut in_wasm) = (Runs::default(), Runs::default());
            for _ in 0..options.rounds {
                natively.add(&Sh::new(&native).args(&args).output()?)?;
                in_wasm.add(&host().args(&args).output()?)?;
            }
            if natively.checksum != in_wasm.checksum {
                return Err(Failure::new(format!(
                    "{writers} writers, {arrival}: natively something else is delivered than in WebAssembly"
                )));
            }
            let speed = |runs: &Runs| f64::from(options.messages) / runs.median() / 1e3;
            let (native, wasm) = (speed(&natively), speed(&in_wasm));
            let ratio = 100.0 * wasm / native;
            least = least.min(ratio);
            println!("{writers:>8}  {arrival:<18}  {native:>7.2}  {wasm:>7.2}  {ratio:>9.0} %");
        }
    }
    let line = ResultLine::default().with("messages", options.messages);
    println!("{}", line.with("wasm_percent_min", format_args!("{least:.0}")));
    Ok(())
}

/// What several processes printed.
#[derive(Default)]
struct Runs {
    ms: Vec<f64>,
    checksum: Option<String>,
}

impl Runs {
    /// Takes in what a process printed: a time for each run, and the checksum.
    fn add(&mut self, printed: &str) -> Outcome {
        let odd = || Failure::new(format!("a run printed {printed:?}"));
        let mut lines: Vec<&str> = printed.lines().collect();
        let checksum = lines.pop().ok_or_else(odd)?.to_owned();
        let before = self.checksum.get_or_insert_with(|| checksum.clone());
        if lines.len() != RUNS as usize || *before != checksum {
            return Err(odd());
        }
        for line in lines {
            self.ms.push(line.parse().map_err(|_| odd())?);
        }
        Ok(())
    }

    fn median(&self) -> f64 {
        let mut ms = self.ms.clone();
        ms.sort_by(f64::total_cmp);
        ms[ms.len() / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::Runs;

    #[test]
    fn the_middle_of_all_runs_with_one_checksum() {
        let mut runs = Runs::default();
        assert!(runs.add("3\n1.5\n9\nsum\n").is_ok() && runs.add("4\n2\n100\nsum\n").is_ok());
        assert_eq!(runs.median(), 4.0);
        for wrong in ["", "1\n2\nsum\n", "1\n2\nfour\nsum\n", "1\n2\n3\nother sum\n"] {
            assert!(runs.add(wrong).is_err(), "{wrong:?}");
        }
    }
}
