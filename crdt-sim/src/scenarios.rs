//! The command about scenarios.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use clap::Args;
use crdt_sim::campaign::for_each_seed;
use crdt_sim::diagram;
use crdt_sim::scenario::{Options, Report, Scenario, Without};
use indicatif::{ProgressBar, ProgressStyle};

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
    let (mut verdicts, mut failed) = (0, 0);
    for scenario in &chosen {
        let played = play_seeds(scenario, options);
        for seed in played.failed.keys() {
            println!("FAILED {}, seed {seed}", scenario.name);
        }
        // One failure tells as much as a hundred.
        if let Some((seed, report)) = &played.shown {
            println!("== {}, seed {seed}: {}\n", scenario.name, scenario.about);
            println!("{report}");
            draw(scenario, report, options)?;
        }
        if options.seeds > 1 {
            println!("{:<18} {} seeds from {} on", scenario.name, options.seeds, options.seed);
        }
        verdicts += played.verdicts;
        failed += played.failed.values().sum::<usize>();
    }
    println!(
        "RESULT scenarios={} seeds={} verdicts={verdicts} failed={failed} seconds={:.1}",
        chosen.len(),
        options.seeds,
        since.elapsed().as_secs_f64()
    );
    Ok(failed == 0)
}

/// What the seeds of one scenario came to.
#[derive(Default)]
struct Played {
    verdicts: usize,
    /// How many verdicts failed, by the seeds with which any did.
    failed: BTreeMap<u64, usize>,
    /// The only one, or the first that failed.
    shown: Option<(u64, Report)>,
}

fn play_seeds(scenario: &Scenario, options: &Play) -> Played {
    let bar = ProgressBar::new(options.seeds);
    let style = "{msg} {bar:30} {pos}/{len} seeds, {elapsed} gone, {eta} left";
    bar.set_style(ProgressStyle::with_template(style).expect("the template is right"));
    bar.set_message(scenario.name);
    let played = Mutex::new(Played::default());
    for_each_seed(options.seed, options.seeds, &|seed| {
        let how = Options { seed, without: options.without, is_brief: options.brief };
        let report = scenario.play(&how);
        let mut played = played.lock().expect("nobody panics while holding it");
        played.verdicts += report.verdicts.len();
        let failed = report.failed();
        if failed > 0 {
            played.failed.insert(seed, failed);
        }
        let is_first = played.shown.as_ref().is_none_or(|(shown, _)| seed < *shown);
        if options.seeds == 1 || failed > 0 && is_first {
            played.shown = Some((seed, report));
        }
        bar.inc(1);
        true
    });
    bar.finish_and_clear();
    played.into_inner().expect("nobody panics while holding it")
}

fn draw(scenario: &Scenario, report: &Report, options: &Play) -> io::Result<()> {
    fs::create_dir_all(&options.out)?;
    let file = options.out.join(format!("scenario-{}.svg", scenario.name));
    let picture = diagram::svg_with_names(&report.lines, scenario.name, &report.names);
    fs::write(&file, picture)?;
    println!("drawn: {}\n", file.display());
    Ok(())
}
