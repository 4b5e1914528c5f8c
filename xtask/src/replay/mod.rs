//! `cargo xtask replay`: an editing trace, played by its writers through a real server.
//!
//! Each writer is a replica with a connection of its own. Before an edit it merges, in one
//! batch, what the trace says that the writer had seen, and nothing more; what has come
//! besides waits. Some edits are made offline. In the end everybody holds one text.

mod agent;
mod log;
mod progress;
mod sockets;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use crdt_core::ReplicaId;
use crdt_document::Document;
use crdt_server::client::ChannelOptions;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;

use crate::demo;
use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::server::ServerProcess;
use agent::{Agent, Tally};
use progress::Board;
use sockets::Sockets;
use trace::Trace;

#[derive(Args)]
pub(crate) struct Options {
    /// The trace: gzipped JSON, sequential or concurrent.
    #[arg(value_name = "FILE.json.gz")]
    file: PathBuf,
    /// Fixes which transactions are made offline, and the replica ids.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The probability that a transaction is made while disconnected.
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = probability)]
    offline: f64,
    /// Let groups of writers share this many connections [default: one for each writer].
    #[arg(long, value_name = "N", value_parser = positive)]
    connections: Option<usize>,
    /// Divide a sequential trace among this many writers.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = positive)]
    writers: usize,
    /// How many transactions a writer makes until it is the next one's turn.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = positive)]
    turn: usize,
    /// What the texts must be in the end.
    #[arg(long, value_enum, default_value_t = Expect::Auto)]
    expect: Expect,
}

impl Options {
    /// A trace that has its own writers, played partly offline, and to end as recorded.
    pub(crate) fn recorded(file: PathBuf) -> Self {
        Self {
            file,
            seed: 1,
            offline: 0.3,
            connections: None,
            writers: 1,
            turn: 200,
            expect: Expect::EndContent,
        }
    }
}

/// What makes a replay a success.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Expect {
    /// The trace's end content; or, if positions had to be clamped because the trace was
    /// recorded with another order of concurrent insertions, one text for all.
    Auto,
    /// The trace's end content.
    EndContent,
    /// One text for all.
    Agreement,
}

/// What all writers of a replay share.
struct Replay {
    trace: Trace,
    /// For each transaction, how many of each writer's are in its past.
    pasts: Vec<Vec<u32>>,
    /// How many transactions each writer makes.
    totals: Vec<u32>,
    /// For each transaction, whether it is made while disconnected.
    offline: Vec<bool>,
    replicas: Vec<ReplicaId>,
    board: Board,
    sockets: Sockets,
    bar: ProgressBar,
}

/// Replays a trace against a server that is started for it, and compares the texts.
pub(crate) fn run(options: &Options) -> Outcome {
    let trace = Trace::read(&options.file, options.writers, options.turn)?;
    let pasts = trace.pasts()?;
    let program = demo::build_server()?;
    let data = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("no temporary folder: {error}")))?;
    let server = ServerProcess::start(&program, data.path())?;

    let mut random = fastrand::Rng::with_seed(options.seed);
    let offline = trace.transactions.iter().map(|_| random.f64() < options.offline).collect();
    let replicas: Vec<ReplicaId> =
        (0..trace.agents).map(|_| ReplicaId::from_u128(random.u128(1..))).collect();
    let mut totals = vec![0; trace.agents];
    for transaction in &trace.transactions {
        totals[transaction.agent] += 1;
    }
    let replay = Arc::new(Replay {
        bar: progress_bar(trace.transactions.len()),
        board: Board::new(trace.agents),
        sockets: Sockets::new(server.sync_url(), options.connections),
        trace,
        pasts,
        totals,
        offline,
        replicas,
    });
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let since = Instant::now();
    let (texts, tally) = runtime.block_on(play(&replay))?;
    let seconds = since.elapsed().as_secs_f64();
    replay.bar.finish_and_clear();
    report(options, &replay.trace, &texts, tally, seconds)
}

/// Lets all writers run; returns their texts, the server's last.
async fn play(replay: &Arc<Replay>) -> Outcome<(Vec<String>, Tally)> {
    let mut writers = JoinSet::new();
    for (number, &replica) in replay.replicas.iter().enumerate() {
        writers.spawn(Agent::new(number, replica, Arc::clone(replay)).run());
    }
    let (mut texts, mut tally) = (Vec::new(), Tally::default());
    while let Some(ended) = writers.join_next().await {
        let ended = ended.map_err(|error| Failure::new(format!("a writer failed: {error}")))?;
        let (document, theirs) = ended?;
        texts.push(document.text(log::TEXT).to_string());
        tally.add(theirs);
    }
    texts.push(server_text(replay).await?);
    Ok((texts, tally))
}

/// What a newcomer gets from the server.
async fn server_text(replay: &Replay) -> Outcome<String> {
    let failed =
        |error: &dyn std::error::Error| Failure::new(format!("no text from the server: {error}"));
    let client = replay.sockets.client(0).await?;
    let channel = client.open(agent::DOCUMENT, ChannelOptions::new()).await;
    let mut document = Document::reader();
    let mut channel = channel.map_err(|error| failed(&error))?;
    channel.until_up_to_date(&mut document).await.map_err(|error| failed(&error))?;
    Ok(document.text(log::TEXT).to_string())
}

fn report(
    options: &Options,
    trace: &Trace,
    texts: &[String],
    tally: Tally,
    seconds: f64,
) -> Outcome {
    let transactions = trace.transactions.len() as u64;
    let share = tally.offline as f64 / transactions.max(1) as f64;
    let agreed = texts.windows(2).all(|pair| pair[0] == pair[1]);
    let matches = texts.iter().all(|text| *text == trace.end_content);
    println!(
        "{transactions} transactions of {} writers in {seconds:.1} s; {:.1} % made offline, \
         {} connections, {} merges",
        trace.agents,
        100.0 * share,
        tally.connects,
        tally.merges,
    );
    println!(
        "{} messages, {} bytes sent by the writers; {} bytes received",
        tally.messages_sent, tally.bytes_sent, tally.bytes_received
    );
    if tally.clamped > 0 {
        println!(
            "{} positions were beyond the end and clamped: the trace was recorded with another \
             order of concurrent insertions",
            tally.clamped
        );
    }
    println!(
        "all replicas and the server hold one text: {}; it is the trace's end content: {}",
        yes(agreed),
        yes(matches)
    );
    println!(
        "{}",
        ResultLine::default()
            .with("transactions", transactions)
            .with("writers", trace.agents)
            .with("updates", tally.messages_sent)
            .with("bytes_sent", tally.bytes_sent)
            .with("bytes_received", tally.bytes_received)
            .with("offline_share", format_args!("{share:.3}"))
            .with("connects", tally.connects)
            .with("merges", tally.merges)
            .with("clamped", tally.clamped)
            .with("agreed", agreed)
            .with("end_content", matches)
            .with("seconds", format_args!("{seconds:.1}"))
    );
    let success = match options.expect {
        Expect::EndContent => matches,
        Expect::Agreement => agreed,
        Expect::Auto => agreed && (matches || tally.clamped > 0),
    };
    if success { Ok(()) } else { Err(Failure::new("the texts are not what they should be")) }
}

fn progress_bar(transactions: usize) -> ProgressBar {
    let bar = ProgressBar::new(transactions as u64);
    let template = "{bar:40} {pos}/{len} transactions {elapsed}, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn yes(fact: bool) -> &'static str {
    if fact { "yes" } else { "NO" }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a probability lies between 0 and 1".to_owned()),
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number from 1 on".to_owned()),
    }
}
