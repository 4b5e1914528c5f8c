//! The command about scenarios.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use crdt_sim::diagram;
use crdt_sim::scenario::{Options, Report, Scenario, Without};

#[derive(Args)]
pub(crate) struct Play {
    /// Which one, or `all`; without a name they are listed.
    name: Option<String>,
    /// What chance does: the first seed.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seeds. Of more than one, the first that fails is printed in full.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// A machine to be left out, to see which verdict notices.
    #[arg(long, value_name = "MACHINE")]
    without: Option<Without>,
    /// With fewer users.
    #[arg(long)]
    brief: bool,
    /// Where pictures go.
    #[arg(long, default_value = "target/sim", value_name = "FOLDER")]
    out: PathBuf,
}

pub(crate) fn play(options: &Play) -> io::Result<bool> {
    let Some(name) = &options.name else {
        for Scenario { name, rows, about, .. } in Scenario::ALL {
            println!("{name:<18} {rows:<12} {about}");
        }
        return Ok(true);
    };
    let chosen: Vec<Scenario> = if name == "all" {
        Scenario::ALL.to_vec()
    } else {
        let unknown = || io::Error::other(format!("there is no scenario {name}"));
        vec![Scenario::find(name).ok_or_else(unknown)?]
    };
    let since = Instant::now();
    let (mut verdicts, mut failed, mut runs) = (0, 0, 0);
    for scenario in &chosen {
        for seed in options.seed..options.seed.saturating_add(options.seeds) {
            let how = Options { seed, without: options.without, is_brief: options.brief };
            let report = scenario.play(&how);
            runs += 1;
            verdicts += report.verdicts.len();
            failed += report.failed();
            if options.seeds > 1 && report.failed() > 0 {
                println!("FAILED {}, seed {seed}", scenario.name);
            }
            // One failure tells as much as a hundred.
            if options.seeds == 1 || report.failed() > 0 && report.failed() == failed {
                println!("== {}, seed {seed}: {}\n", scenario.name, scenario.about);
                println!("{report}");
                draw(scenario, &report, options)?;
            }
        }
        if options.seeds > 1 {
            println!("{:<18} {} seeds from {} on", scenario.name, options.seeds, options.seed);
        }
    }
    println!(
        "RESULT scenarios={} seeds={} runs={runs} verdicts={verdicts} failed={failed} seconds={:.1}",
        chosen.len(),
        options.seeds,
        since.elapsed().as_secs_f64()
    );
    Ok(failed == 0)
}

fn draw(scenario: &Scenario, report: &Report, options: &Play) -> io::Result<()> {
    fs::create_dir_all(&options.out)?;
    let file = options.out.join(format!("scenario-{}.svg", scenario.name));
    let picture = diagram::svg_with_names(&report.lines, scenario.name, &report.names);
    fs::write(&file, picture)?;
    println!("drawn: {}\n", file.display());
    Ok(())
}
