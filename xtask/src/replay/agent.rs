//! One writer of a replay: a replica with its own connection.

use std::sync::Arc;

use crdt_core::{ReplicaId, VersionVector};
use crdt_document::Document;
use crdt_server::client::{Channel, ChannelOptions, Client};
use tokio::sync::watch;

use super::Replay;
use super::log::{HeldBack, TEXT};
use super::trace::Patch;
use crate::failure::{Failure, Outcome};

/// The name of the document on the server.
pub(super) const DOCUMENT: &str = "replay";

/// A writer, and what it has done.
pub(super) struct Agent {
    number: usize,
    replica: ReplicaId,
    replay: Arc<Replay>,
    news: watch::Receiver<u64>,
    log: HeldBack,
    channel: Option<Channel>,
    /// How many transactions it has made.
    made: usize,
    /// How many of its own events the server held when it was last connected.
    acknowledged_before: u64,
    tally: Tally,
}

/// What a writer counts.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    /// Transactions made while disconnected.
    pub(super) offline: u64,
    pub(super) connects: u64,
    pub(super) merges: u64,
    pub(super) clamped: u64,
    pub(super) messages_sent: u64,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.offline += other.offline;
        self.connects += other.connects;
        self.merges += other.merges;
        self.clamped += other.clamped;
        self.messages_sent += other.messages_sent;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }
}

impl Agent {
    pub(super) fn new(number: usize, replica: ReplicaId, replay: Arc<Replay>) -> Self {
        Self {
            number,
            replica,
            news: replay.board.subscribe(),
            replay,
            log: HeldBack::new(replica),
            channel: None,
            made: 0,
            acknowledged_before: 0,
            tally: Tally::default(),
        }
    }

    /// Makes all of this writer's transactions, then goes on until it holds everything, and
    /// merges it.
    pub(super) async fn run(mut self) -> Outcome<(Document, Tally)> {
        let replay = Arc::clone(&self.replay);
        let number = self.number;
        let all = replay.trace.transactions.iter().enumerate();
        for (index, transaction) in all.filter(|(_, one)| one.agent == number) {
            self.take_in(&replay.pasts[index]).await?;
            if replay.offline[index] {
                self.hand_over().await?;
                self.disconnect();
                self.tally.offline += 1;
            } else {
                self.connect().await?;
            }
            self.make(&transaction.patches)?;
            if let Some(channel) = &mut self.channel {
                channel.pump(&mut self.log).await.map_err(lost)?;
            }
            replay.bar.inc(1);
        }
        // Nobody is asked for what it has not made yet: that would end its time offline.
        let totals = replay.totals.iter().map(|&count| count as usize).enumerate();
        self.until_made(&totals.collect::<Vec<_>>()).await?;
        self.take_in(&replay.totals).await?;
        self.connect().await?;
        if let Some(channel) = &mut self.channel {
            channel.until_acknowledged(&mut self.log).await.map_err(lost)?;
        }
        self.disconnect();
        self.log.document().check_invariants();
        Ok((self.log.into_document(), self.tally))
    }

    /// Takes in, in one batch, each writer's first `counts` transactions, and nothing more.
    async fn take_in(&mut self, counts: &[u32]) -> Outcome {
        let replay = Arc::clone(&self.replay);
        let mut lacking: Vec<(usize, usize)> = Vec::new();
        for (writer, &count) in counts.iter().enumerate() {
            let count = count as usize;
            if writer != self.number && self.lacks(writer, count) {
                replay.board.want(writer, count);
                lacking.push((writer, count));
            }
        }
        self.until_made(&lacking).await?;
        let version: VersionVector = counts
            .iter()
            .enumerate()
            .filter_map(|(writer, &count)| {
                let end = replay.board.end(writer, count as usize);
                let end = end.expect("all of them are made");
                (end > 0).then_some((replay.replicas[writer], end))
            })
            .collect();
        if !self.log.document().version().dominates(&version) {
            if !self.holds(&version) {
                self.connect().await?;
            }
            while !self.holds(&version) {
                self.wait().await?;
            }
            if self.log.merge(&version)? {
                self.tally.merges += 1;
            }
        }
        if *self.log.document().version() != version {
            return Err(Failure::new(format!(
                "writer {} holds more or less than what its next transaction follows",
                self.number
            )));
        }
        Ok(())
    }

    /// Whether a writer's first `count` transactions are not known to be merged.
    fn lacks(&self, writer: usize, count: usize) -> bool {
        let merged = self.log.document().version().get(self.replay.replicas[writer]);
        self.replay.board.end(writer, count).is_none_or(|end| merged < end)
    }

    /// Waits until each of these writers has made that many transactions.
    async fn until_made(&mut self, counts: &[(usize, usize)]) -> Outcome {
        for &(writer, count) in counts {
            while self.replay.board.end(writer, count).is_none() {
                self.wait().await?;
            }
        }
        Ok(())
    }

    fn holds(&self, version: &VersionVector) -> bool {
        use crdt_causal::sync::ChangeLog;
        self.log.version().dominates(version)
    }

    /// Waits for a message or for news on the board, and serves who waits for this writer.
    async fn wait(&mut self) -> Outcome {
        if self.is_waited_for() {
            self.connect().await?;
        }
        match &mut self.channel {
            None => {
                self.news.changed().await.expect("the board outlives the writers");
            }
            Some(channel) => {
                tokio::select! {
                    news = self.news.changed() => news.expect("the board outlives the writers"),
                    event = channel.next_event(&mut self.log) => {
                        event.map_err(lost)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether somebody waits for transactions that the server may not have yet.
    fn is_waited_for(&self) -> bool {
        let wanted = self.replay.board.wanted(self.number).min(self.made);
        let Some(end) = self.replay.board.end(self.number, wanted) else { return false };
        end > self.handed_over()
    }

    /// How many of its own events the server is known to hold.
    fn handed_over(&self) -> u64 {
        let acknowledged = self.channel.as_ref().and_then(Channel::acknowledged);
        acknowledged.map_or(self.acknowledged_before, |version| version.get(self.replica))
    }

    /// Sees that the server has what somebody waits for.
    async fn hand_over(&mut self) -> Outcome {
        if !self.is_waited_for() {
            return Ok(());
        }
        self.connect().await?;
        if let Some(channel) = &mut self.channel {
            channel.until_acknowledged(&mut self.log).await.map_err(lost)?;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Outcome {
        if self.channel.is_some() {
            return Ok(());
        }
        let client: Client = self.replay.sockets.client(self.number).await?;
        let options = ChannelOptions::new().with_writers([self.replica]);
        self.channel = Some(client.open(DOCUMENT, options).await.map_err(lost)?);
        self.tally.connects += 1;
        Ok(())
    }

    /// Drops the connection, with whatever is on its way.
    fn disconnect(&mut self) {
        if let Some(channel) = self.channel.take() {
            if let Some(version) = channel.acknowledged() {
                self.acknowledged_before = version.get(self.replica);
            }
            let traffic = channel.traffic();
            self.tally.messages_sent += traffic.messages_sent;
            self.tally.bytes_sent += traffic.bytes_sent;
            self.tally.bytes_received += traffic.bytes_received;
        }
    }

    fn make(&mut self, patches: &[Patch]) -> Outcome {
        let clamped = &mut self.tally.clamped;
        let end = self.log.edit(|document| {
            document
                .transact(|tx| {
                    for Patch(at, deleted, inserted) in patches {
                        let mut text = tx.text(TEXT);
                        let len = text.len();
                        let start = (*at).min(len);
                        let end = at.saturating_add(*deleted).min(len);
                        *clamped += u64::from(start != *at || end - start != *deleted);
                        text.splice(start..end, inserted)?;
                    }
                    Ok(())
                })
                .map_err(|error: crdt_document::EditError| {
                    Failure::new(format!("an edit of the trace does not fit: {error}"))
                })?;
            Ok(())
        })?;
        self.made += 1;
        self.replay.board.done(self.number, end);
        Ok(())
    }
}

fn lost(error: impl std::error::Error) -> Failure {
    Failure::new(format!("a connection failed: {error}"))
}
