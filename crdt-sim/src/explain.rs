//! The command `explain`: what went wrong in a run, and in which order.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use crdt_sim::campaign::{self, Keep};
use crdt_sim::incident::{classify, timeline};
use crdt_sim::plan::Plan;
use crdt_sim::trace::Happening;

#[derive(Args)]
pub(crate) struct Explain {
    /// The plan of the run.
    file: PathBuf,
    /// Everything that happened, packets included.
    #[arg(long)]
    all: bool,
}

pub(crate) fn explain(options: &Explain) -> io::Result<bool> {
    let plan = Plan::from_json(&fs::read_to_string(&options.file)?).map_err(io::Error::other)?;
    let lines = campaign::play(&plan, Keep { lines: true }).lines;
    let incidents = classify(&lines);
    let mut out = io::stdout().lock();
    for entry in timeline(&plan, &lines) {
        let line = &lines[entry.line];
        let is_traffic = match line.what {
            Happening::Sent { .. } | Happening::Synced => true,
            Happening::Received { applied, .. } => applied == 0,
            _ => false,
        };
        if options.all || !is_traffic {
            let (ms, counter) = (entry.stamp.ms(), entry.stamp.counter());
            writeln!(out, "{ms}.{counter:<5} node {:<3} {:?}", line.node, line.what)?;
        }
    }
    for incident in &incidents {
        let [from, until] = incident.during;
        let nodes: Vec<String> = incident.nodes.iter().map(ToString::to_string).collect();
        writeln!(
            out,
            "INCIDENT {}: {from} to {until} ms, nodes {}: {}",
            incident.class,
            nodes.join(", "),
            incident.symptom
        )?;
    }
    let class = incidents.first().map_or_else(|| "none".into(), |first| first.class.to_string());
    writeln!(out, "RESULT lines={} incidents={} class={class}", lines.len(), incidents.len())?;
    Ok(true)
}
