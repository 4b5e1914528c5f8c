//! `cargo xtask kill-test`: a server that is killed again and again, under writers that
//! count what it has acknowledged.
//!
//! After each kill, and before any writer is back, a newcomer asks the restarted server for
//! everything: whatever a writer was told to be stored, and whatever of others it was shown,
//! has to be there. (A writer that came back first would send again what is missing, and
//! hide the loss.) In the end everyone holds the same document.

mod writer;

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use crdt_core::{ReplicaId, VersionVector};
use crdt_document::Document;
use crdt_server::client::{ChannelOptions, Client};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet, block_in_place};

use crate::failure::{Failure, Outcome};
use crate::result::ResultLine;
use crate::server::ServerProcess;
use crate::{demo, workspace};
use writer::{Report, Round, Writer};

#[derive(Args)]
pub(crate) struct Options {
    /// How often the server is killed.
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    pub(crate) rounds: u32,
    /// Fixes the moments of the kills, the edits and the replica ids.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many writers there are.
    #[arg(long, default_value_t = 4, value_name = "COUNT")]
    pub(crate) writers: usize,
}

/// The name of the document on the server.
const DOCUMENT: &str = "kill-test";

/// A server lives this long, at most.
const LIFE: Duration = Duration::from_millis(400);

/// One restart of so many is killed before it listens.
const EARLY_KILLS_IN: u32 = 6;

/// A writer that does not notice the end of its connection within this time hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happened over all rounds.
#[derive(Default)]
struct Tally {
    kills: u32,
    /// Events that writers were told to be stored, or were shown.
    promised: VersionVector,
    restart_max: Duration,
    edits: u64,
}

/// Kills a server that is started for it, and fails if anything acknowledged is gone.
pub(crate) fn run(options: &Options) -> Outcome {
    let program = demo::build_server()?;
    // In the target folder, which is on a disk where a temporary folder may not be.
    let data = tempfile::Builder::new()
        .prefix("kill-test-")
        .tempdir_in(workspace::target_dir())
        .map_err(|error| Failure::new(format!("no temporary folder: {error}")))?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    let since = Instant::now();
    let outcome = runtime.block_on(play(options, &program, data.path()));
    // Writers that are left after a failure have nothing more to say.
    runtime.shutdown_background();
    let tally = match outcome {
        Ok(tally) => tally,
        Err(failure) => {
            // What is left of the store is evidence.
            let data = data.keep();
            eprintln!("the store is kept in {}", data.display());
            return Err(failure);
        }
    };
    let acknowledged: u64 = tally.promised.iter().map(|(_, seq)| seq).sum();
    println!(
        "{} kills under {} writers: {} edits, {acknowledged} acknowledged events, none lost; \
         all replicas hold one document",
        tally.kills, options.writers, tally.edits,
    );
    println!(
        "{}",
        ResultLine::default()
            .with("rounds", options.rounds)
            .with("kills", tally.kills)
            .with("writers", options.writers)
            .with("edits", tally.edits)
            .with("acknowledged_events", acknowledged)
            .with("lost_events", 0)
            .with("restart_ms_max", tally.restart_max.as_millis())
            .with("seconds", format_args!("{:.1}", since.elapsed().as_secs_f64()))
    );
    Ok(())
}

async fn play(options: &Options, program: &Path, data: &Path) -> Outcome<Tally> {
    let mut random = fastrand::Rng::with_seed(options.seed);
    let (rounds, watched) = watch::channel(Round::default());
    let (reports, reported) = mpsc::channel(options.writers.max(1));
    let mut writers = Writers { running: JoinSet::new(), reported, documents: Vec::new() };
    for _ in 0..options.writers {
        let replica = ReplicaId::from_u128(random.u128(1..));
        let writer = Writer::new(replica, random.fork(), watched.clone(), reports.clone());
        writers.running.spawn(writer.run());
    }
    drop(reports);
    let bar = progress_bar(options.rounds);
    let mut tally = Tally::default();
    for number in 1..=options.rounds {
        let server = restart(program, data, &mut random, &mut tally).await?;
        rounds.send_replace(Round { number, url: server.sync_url(), is_last: false });
        tokio::time::sleep(LIFE.mul_f64(random.f64())).await;
        block_in_place(|| server.kill());
        tally.kills += 1;
        for _ in 0..options.writers {
            tally.add(writers.report(number).await?);
        }
        bar.inc(1);
    }
    let server = restart(program, data, &mut random, &mut tally).await?;
    let number = options.rounds + 1;
    rounds.send_replace(Round { number, url: server.sync_url(), is_last: true });
    for _ in 0..options.writers {
        tally.add(writers.report(number).await?);
    }
    let server_holds = newcomer(&server).await?.encode();
    for document in writers.documents().await? {
        if document.encode() != server_holds {
            return Err(Failure::new("a writer and the server hold different documents"));
        }
    }
    bar.finish_and_clear();
    Ok(tally)
}

/// The writers, as those who started them see them.
struct Writers {
    running: JoinSet<Outcome<Document>>,
    reported: mpsc::Receiver<Report>,
    documents: Vec<Document>,
}

impl Writers {
    /// The next report of a round; a failure if a writer has failed, or hangs.
    async fn report(&mut self, round: u32) -> Outcome<Report> {
        let hangs = tokio::time::sleep(PATIENCE);
        tokio::pin!(hangs);
        loop {
            tokio::select! {
                Some(report) = self.reported.recv() => {
                    assert_eq!(report.round, round, "a writer reports once in each round");
                    return Ok(report);
                }
                Some(ended) = self.running.join_next() => self.documents.push(document(ended)?),
                () = &mut hangs => {
                    let waited = PATIENCE.as_secs();
                    return Err(Failure::new(format!("a writer hangs: no report in {waited} s")));
                }
            }
        }
    }

    /// What they hold in the end.
    async fn documents(mut self) -> Outcome<Vec<Document>> {
        while let Some(ended) = self.running.join_next().await {
            self.documents.push(document(ended)?);
        }
        Ok(self.documents)
    }
}

fn document(ended: Result<Outcome<Document>, JoinError>) -> Outcome<Document> {
    ended.map_err(|error| Failure::new(format!("a writer failed: {error}")))?
}

impl Tally {
    fn add(&mut self, report: Report) {
        self.promised.join(&report.promised);
        self.edits += report.edits;
    }
}

/// Starts the server again and checks what it kept, before any writer is back.
async fn restart(
    program: &Path,
    data: &Path,
    random: &mut fastrand::Rng,
    tally: &mut Tally,
) -> Outcome<ServerProcess> {
    // Recovering from a kill has to survive a kill, too.
    if random.u32(..EARLY_KILLS_IN) == 0 {
        let early = ServerProcess::spawn(program, data)?;
        tokio::time::sleep(Duration::from_millis(random.u64(..30))).await;
        block_in_place(|| early.kill());
        tally.kills += 1;
    }
    let since = Instant::now();
    let server = block_in_place(|| ServerProcess::start(program, data))
        .map_err(|_| Failure::new("the store does not open after a kill"))?;
    tally.restart_max = tally.restart_max.max(since.elapsed());
    let kept = newcomer(&server).await?;
    let lost: Vec<_> = tally.promised.missing_from(kept.version()).collect();
    if lost.is_empty() {
        return Ok(server);
    }
    let events: u64 = lost.iter().map(|range| range.len()).sum();
    println!("{}", ResultLine::default().with("kills", tally.kills).with("lost_events", events));
    Err(Failure::new(format!("{events} acknowledged events are lost: {lost:?}")))
}

/// What someone gets who has nothing.
async fn newcomer(server: &ServerProcess) -> Outcome<Document> {
    let failed = |error: &dyn core::error::Error| {
        Failure::new(format!("a newcomer gets nothing from the server: {error}"))
    };
    let client = Client::connect(&server.sync_url()).await.map_err(|error| failed(&error))?;
    let channel = client.open(DOCUMENT, ChannelOptions::new()).await;
    let mut channel = channel.map_err(|error| failed(&error))?;
    let mut document = Document::reader();
    channel.until_up_to_date(&mut document).await.map_err(|error| failed(&error))?;
    Ok(document)
}

fn progress_bar(rounds: u32) -> ProgressBar {
    let bar = ProgressBar::new(u64::from(rounds));
    let template = "{bar:40} {pos}/{len} kills {elapsed}, {eta} to go";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
