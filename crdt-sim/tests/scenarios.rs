//! The talks' situations: what is claimed holds, and would not hold without the machine that it is
//! claimed of.

use crdt_sim::scenario::{Options, Scenario};

fn brief(seed: u64) -> Options {
    Options { seed, is_brief: true, ..Options::default() }
}

/// Every verdict of two seeds; and what a run shows is a function of its seed.
#[test]
fn all_verdicts_hold_and_a_seed_is_one_report() {
    for scenario in Scenario::ALL {
        let [first, other, again] = [1, 2, 1].map(|seed| scenario.play(&brief(seed)));
        for report in [&first, &other] {
            assert_eq!(report.failed(), 0, "{}:\n{report}", scenario.name);
            assert!(!report.verdicts.is_empty() && !report.timeline.is_empty());
            assert!(!report.lines.is_empty(), "{} is drawn", scenario.name);
        }
        assert_eq!(first.to_string(), again.to_string(), "{}", scenario.name);
        assert_eq!(first.lines, again.lines, "{}", scenario.name);
        assert_ne!(first.to_string(), other.to_string(), "{}: chance does nothing", scenario.name);
    }
}

/// Every scenario has machines without which one of its verdicts fails.
#[test]
fn every_machine_is_missed() {
    for scenario in Scenario::ALL {
        assert!(!scenario.needs.is_empty(), "{}", scenario.name);
        for &without in scenario.needs {
            let report = scenario.play(&Options { without: Some(without), ..brief(1) });
            assert!(report.failed() > 0, "{} without {without:?}:\n{report}", scenario.name);
        }
    }
}

/// T10 in full: 15,000 pieces, 100,000 requests, partitions; 1,000 seeds by command.
#[test]
fn nothing_is_oversold() {
    let sale = Scenario::find("sale-day").expect("there is one");
    for seed in 100..140 {
        let report = sale.play(&Options { seed, ..Options::default() });
        assert_eq!(report.failed(), 0, "seed {seed}:\n{report}");
    }
}
