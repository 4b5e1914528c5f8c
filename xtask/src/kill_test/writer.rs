//! One writer of the kill test: edits all the time, and remembers what it was promised.

use std::time::Duration;

use crdt_core::{ReplicaId, VersionVector};
use crdt_document::{Document, EditError, ImportError};
use crdt_server::client::{Channel, ChannelError, ChannelOptions, Client};
use tokio::sync::{mpsc, watch};

use super::DOCUMENT;
use crate::failure::{Failure, Outcome};

/// From a start of the server to its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    /// From 1; 0 is before the first.
    pub(super) number: u32,
    /// Where the server is reached.
    pub(super) url: String,
    /// The server stays: everyone ends in step with it.
    pub(super) is_last: bool,
}

/// What a writer tells at the end of a round.
pub(super) struct Report {
    pub(super) round: u32,
    /// Its own events that were acknowledged, and those of others that it was shown.
    pub(super) promised: VersionVector,
    pub(super) edits: u64,
}

/// A replica with a connection of its own.
pub(super) struct Writer {
    replica: ReplicaId,
    random: fastrand::Rng,
    document: Document,
    rounds: watch::Receiver<Round>,
    reports: mpsc::Sender<Report>,
    promised: VersionVector,
    edits: u64,
}

/// A writer thinks this long between two edits, at most.
const THINKING: Duration = Duration::from_millis(8);

impl Writer {
    pub(super) fn new(
        replica: ReplicaId,
        random: fastrand::Rng,
        rounds: watch::Receiver<Round>,
        reports: mpsc::Sender<Report>,
    ) -> Self {
        let document = Document::new(replica);
        let promised = VersionVector::new();
        Self { replica, random, document, rounds, reports, promised, edits: 0 }
    }

    /// Takes part in all rounds; returns what it holds in the end.
    pub(super) async fn run(mut self) -> Outcome<Document> {
        loop {
            let ended = |_| Failure::new("the test ended before its writers");
            self.rounds.changed().await.map_err(ended)?;
            let round = self.rounds.borrow_and_update().clone();
            self.take_part(&round).await?;
            let report = Report {
                round: round.number,
                promised: self.promised.clone(),
                edits: std::mem::take(&mut self.edits),
            };
            // Without a listener the test has failed already.
            let _ = self.reports.send(report).await;
            if round.is_last {
                return Ok(self.document);
            }
        }
    }

    /// Edits until the server is killed, or once more if it is not going to be.
    async fn take_part(&mut self, round: &Round) -> Outcome {
        // While the server was away.
        self.edit()?;
        let client = match Client::connect(&round.url).await {
            Ok(client) => client,
            // Killed as early as that.
            Err(error) if error.is_worth_a_retry() && !round.is_last => return Ok(()),
            Err(error) => return Err(Failure::new(format!("a writer cannot connect: {error}"))),
        };
        let options = ChannelOptions::new().with_writers([self.replica]);
        let Ok(mut channel) = client.open(DOCUMENT, options).await else { return Ok(()) };
        let ended = if round.is_last {
            self.edit()?;
            channel.until_acknowledged(&mut self.document).await
        } else {
            self.edit_until_the_end(&mut channel).await?
        };
        self.note_promises(&channel);
        match ended {
            Err(error) if error.is_worth_a_retry() && !round.is_last => Ok(()),
            Err(error) => Err(Failure::new(format!("a writer's channel ended: {error}"))),
            Ok(()) => self.fetch_the_rest(&client).await,
        }
    }

    async fn edit_until_the_end(
        &mut self,
        channel: &mut Channel,
    ) -> Outcome<Result<(), ChannelError<ImportError>>> {
        loop {
            for _ in 0..self.random.u32(1..4) {
                self.edit()?;
            }
            // Some edits wait for their acknowledgement, the others pile up.
            let thinking = THINKING.mul_f64(self.random.f64());
            let ended = if self.random.u8(..4) == 0 {
                channel.until_acknowledged(&mut self.document).await
            } else {
                let driving = channel.until(&mut self.document, |_, _| false);
                tokio::time::timeout(thinking, driving).await.unwrap_or(Ok(()))
            };
            if ended.is_err() {
                return Ok(ended);
            }
        }
    }

    /// Everyone's last edits are acknowledged soon, not at once: waits until a newcomer's
    /// greeting brings nothing more.
    async fn fetch_the_rest(&mut self, client: &Client) -> Outcome {
        let failed =
            |error: &dyn core::error::Error| Failure::new(format!("no end in step: {error}"));
        loop {
            let before = self.document.version().clone();
            tokio::time::sleep(Duration::from_millis(500)).await;
            let options = ChannelOptions::new().with_writers([self.replica]);
            let channel = client.open(DOCUMENT, options).await;
            let mut channel = channel.map_err(|error| failed(&error))?;
            let in_step = channel.until_up_to_date(&mut self.document).await;
            in_step.map_err(|error| failed(&error))?;
            self.note_promises(&channel);
            if *self.document.version() == before {
                return Ok(());
            }
        }
    }

    /// What the server has acknowledged, and what it has shown of others, it must keep.
    fn note_promises(&mut self, channel: &Channel) {
        if let Some(acknowledged) = channel.acknowledged() {
            self.promised.join(acknowledged);
        }
        for (replica, seq) in self.document.version().iter() {
            if replica != self.replica {
                self.promised.observe(replica, seq);
            }
        }
    }

    fn edit(&mut self) -> Outcome {
        self.edits += 1;
        let Self { random, document, .. } = self;
        let len = document.text("body").len();
        let edited: Result<(), EditError> = document.transact(|tx| {
            match random.u8(..20) {
                0..=10 => {
                    let letters = random.usize(1..6);
                    let word: String = (0..letters).map(|_| random.alphabetic()).collect();
                    tx.text("body").insert(random.usize(..=len), &word)?;
                }
                11..=14 if len > 0 => {
                    let at = random.usize(..len);
                    tx.text("body").delete(at..(at + random.usize(1..4)).min(len))?;
                }
                11..=16 => {
                    tx.counter("count").increment(random.i64(-3..4));
                }
                17 => {
                    tx.set("tags").add(i64::from(random.u8(..20)));
                }
                18 => {
                    tx.set("tags").remove(i64::from(random.u8(..20)));
                }
                _ => {
                    let key = format!("key {}", random.u8(..10));
                    tx.map("settings").set(&key, random.i64(..));
                }
            }
            Ok(())
        });
        edited.map_err(|error| Failure::new(format!("an edit is not possible: {error}")))
    }
}
