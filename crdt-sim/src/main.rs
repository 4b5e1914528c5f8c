//! The laboratory's commands.

use std::process::ExitCode;
use std::time::Instant;

use crdt_sim::campaign;

fn main() -> ExitCode {
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    if args.len() == 1 {
        let plan = crdt_sim::plan::Plan::draw(args[0]);
        let r = campaign::play(&plan, campaign::Keep { lines: true });
        for s in &plan.steps { if !matches!(s.action, crdt_sim::plan::Action::Edit{..}) { println!("{s:?}"); } }
        println!("{:?} {:?}", plan.nodes, plan.links);
        for l in &r.lines { println!("{l:?}"); }
        println!("{:?} forked {}", r.violation, r.forked);
        return ExitCode::SUCCESS;
    }
    let since = Instant::now();
    let summary = campaign::run(args[0], args[1], 5, &|_| {});
    println!("{summary:#?} {:?}", since.elapsed());
    ExitCode::SUCCESS
}
