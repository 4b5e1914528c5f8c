use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crdt_causal::cut::Slot;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tracing::warn;

use super::compare::Comparison;
use super::greet::say;
use super::progress::Progress;
use super::socket::{Inbound, Incoming};
use crate::frame::{CloseReason, Frame, FrameBody};
use crate::outbound::{Link, Outbound};
use crate::peer_message::PeerMessage;
use crate::room::{News, RoomHandle, What};
use crate::server::Shared;
use crate::store::unix_ms;
use crate::trimming::Statements;

/// A link at work.
pub(super) struct PeerLink {
    pub(super) shared: Arc<Shared>,
    pub(super) remote: Slot,
    pub(super) dialled: bool,
    pub(super) outbound: Arc<Outbound>,
    pub(super) progress: Progress,
    pub(super) comparison: Option<Comparison>,
    pub(super) channels: BTreeMap<u32, Channel>,
    /// Which channel a document has.
    pub(super) documents: BTreeMap<Arc<str>, u32>,
    /// Documents that could not be opened or kept open, and when to try again.
    pub(super) later: Vec<(Instant, Arc<str>)>,
    /// Even for the side that dialled, odd for the other.
    pub(super) next_channel: u32,
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) news_of_rooms: mpsc::UnboundedReceiver<News>,
    pub(super) inbound: Arc<Semaphore>,
    pub(super) inbound_bytes_max: usize,
    pub(super) announce_at: Option<Instant>,
    /// What is to be said of trimming, whenever it changes.
    pub(super) statements: Option<watch::Receiver<Statements>>,
    /// The numbers of the last words of servers that were said on the link, by either side.
    pub(super) stated: BTreeMap<Slot, u64>,
}

pub(super) struct Channel {
    pub(super) document: Arc<str>,
    pub(super) room: RoomHandle,
    pub(super) link: Arc<Link>,
    /// Up to which position of the log it is watched.
    pub(super) watched: u64,
    /// Since when there was nothing to say on it.
    pub(super) quiet_since: Option<Instant>,
}

/// How long words about what the other side holds are gathered.
const ANNOUNCE_PAUSE: Duration = Duration::from_millis(10);

/// How often servers tell each other where they are.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long to wait before a document is tried again.
pub(super) const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl PeerLink {
    pub(super) async fn serve(
        &mut self,
        inbound: &mut impl Inbound,
        compares: bool,
    ) -> &'static str {
        let limits = self.shared.config.limits.clone();
        let (mut realm_changes, mut head_changes) = self.shared.realm.changes();
        let mut ticks = interval(HEARTBEAT.min(limits.ping_interval));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut idle_at = Instant::now() + limits.idle_timeout;
        self.report();
        if compares && let Err(reason) = self.begin_comparison().await {
            return reason;
        }
        loop {
            if let Err(reason) = self.advance().await {
                return reason;
            }
            let announce_at = self.announce_at.unwrap_or(idle_at);
            tokio::select! {
                incoming = inbound.next() => {
                    idle_at = Instant::now() + limits.idle_timeout;
                    let taken = match incoming {
                        Incoming::Frame(bytes) => self.on_frame(bytes).await,
                        Incoming::Alive => Ok(()),
                        Incoming::End => Err("closed by the other server"),
                    };
                    if let Err(reason) = taken {
                        return reason;
                    }
                }
                Some(news) = self.news_of_rooms.recv() => {
                    self.on_news(news);
                    while let Ok(news) = self.news_of_rooms.try_recv() {
                        self.on_news(news);
                    }
                }
                () = changed(&mut self.statements) => self.report(),
                _ = head_changes.changed() => {}
                _ = realm_changes.changed() => {}
                () = sleep_until(announce_at), if self.announce_at.is_some() => self.announce(),
                _ = ticks.tick() => self.on_tick(),
                () = sleep_until(idle_at) => return "no sign of life",
                () = self.outbound.ended() => return "it cannot be written to",
                () = self.shared.stopping.cancelled() => return "shutting down",
            }
        }
    }

    /// Reads the log, opens what is due, and says what the other side holds.
    async fn advance(&mut self) -> Result<(), &'static str> {
        self.read_log().await?;
        self.open_what_is_due().await;
        if self.progress.is_to_be_compared_again() && self.comparison.is_none() && self.dialled {
            self.begin_comparison().await?;
        }
        if self.announce_at.is_none() && self.has_news_to_announce() {
            self.announce_at = Some(Instant::now() + ANNOUNCE_PAUSE);
        }
        Ok(())
    }

    async fn read_log(&mut self) -> Result<(), &'static str> {
        loop {
            let (after, room) = self.progress.wants();
            if room == 0 || after >= self.shared.store.head() {
                return Ok(());
            }
            let entries = self.shared.store.admissions(after, room).await;
            let entries = entries.map_err(|error| {
                warn!(%error, "the admission log cannot be read");
                "the store cannot be read"
            })?;
            if entries.first().is_none_or(|first| first.first > after + 1) {
                // What was forgotten meanwhile is found by comparing, on the next link.
                return Err("the other server has fallen too far behind");
            }
            let mut watched = BTreeSet::new();
            for entry in entries {
                watched.extend(self.progress.enter(entry));
            }
            for document in watched {
                self.watch(&document).await;
            }
        }
    }

    async fn on_frame(&mut self, bytes: Bytes) -> Result<(), &'static str> {
        let frame = Frame::decode(&bytes).map_err(|_| "a malformed frame")?;
        if !PeerMessage::is_heartbeat(&frame) {
            self.shared.links.count_frame();
        }
        match frame.body {
            FrameBody::Open(open) => self.on_open(frame.channel, open).await,
            FrameBody::Session(message) => {
                let message = bytes.slice_ref(message);
                self.on_session(frame.channel, message).await;
            }
            FrameBody::Close(close) => self.on_close(frame.channel, close).await,
            FrameBody::Peer(message) => {
                let message = PeerMessage::decode(message).map_err(|_| "a malformed message")?;
                self.on_message(frame.channel, message).await?;
            }
            // Nobody asked for it.
            FrameBody::Token(_) => {}
        }
        Ok(())
    }

    fn on_news(&mut self, News { channel: number, what }: News) {
        let document = self.channels.get(&number).map(|channel| Arc::clone(&channel.document));
        match (what, document) {
            (What::Done(positions), _) => {
                positions.into_iter().for_each(|position| self.progress.done(position));
            }
            (What::WholeDone, Some(document)) => self.progress.whole_done(&document),
            (What::Quiet, Some(_)) => {
                if let Some(channel) = self.channels.get_mut(&number) {
                    channel.quiet_since = Some(Instant::now());
                }
            }
            (What::Ended { forked }, Some(document)) => {
                if let Some(channel) = self.remove(number) {
                    // If the room has panicked nobody else has told the other side.
                    channel.link.close(CloseReason::GoingAway, "");
                }
                if forked {
                    warn!(
                        document = &*document,
                        remote = %self.remote,
                        "the two servers have contradicting histories of this document: it is not kept in step"
                    );
                    self.progress.give_up(&document);
                }
                self.later.push((Instant::now() + RETRY_PAUSE, document));
            }
            // The channel was closed from here.
            (What::WholeDone | What::Quiet | What::Ended { .. }, None) => {}
        }
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        let (due, later) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        let due: Vec<(Instant, Arc<str>)> = due;
        for (_, document) in due {
            if !self.documents.contains_key(&document) {
                self.progress.closed(&document);
            }
        }
        let linger = self.shared.config.limits.peer_linger;
        let over: Vec<u32> = self
            .channels
            .iter()
            .filter(|(_, channel)| channel.quiet_since.is_some_and(|since| since + linger <= now))
            .map(|(&number, _)| number)
            .collect();
        for number in over {
            self.close_if_quiet(number);
        }
        let heads = self.shared.realm.heads(self.remote, unix_ms());
        say(&self.outbound, &PeerMessage::Heads(heads));
    }

    pub(super) async fn leave(&mut self) {
        while let Some(&number) = self.channels.keys().next() {
            self.close_channel(number).await;
        }
    }
}

/// Resolves when there is another statement; never, if nothing is trimmed. Cancel safe.
async fn changed(statements: &mut Option<watch::Receiver<Statements>>) {
    match statements {
        // The sender lives as long as the server.
        Some(statements) => drop(statements.changed().await),
        None => std::future::pending().await,
    }
}
