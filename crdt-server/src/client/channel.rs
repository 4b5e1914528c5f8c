use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crdt_causal::sync::{ChangeLog, Event, PresenceTooLarge, Refusal, Session};
use crdt_core::{ReplicaId, VersionVector};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::error::ChannelError;
use super::options::ChannelOptions;
use super::socket::{Messages, Socket};
use crate::frame::{Close, CloseReason, Frame, FrameBody};

/// One document on a connection: a sync session that is driven by its caller.
///
/// Nothing happens between calls. Each of the methods that take the log first sends what is
/// due, then waits; all of them may be dropped at any point without losing anything, as
/// `tokio::select!` does.
///
/// Dropping the channel, or [`close`](Self::close), ends the session; the log keeps what it
/// has.
#[derive(Debug)]
pub struct Channel {
    number: u32,
    socket: Arc<Socket>,
    messages: Messages,
    session: Session,
    durable_by_caller: bool,
    /// Events that were taken out of the session while something else was waited for.
    events: VecDeque<Event>,
    refused: Option<Refusal>,
    is_closed: bool,
    started: Instant,
    traffic: Traffic,
}

/// What a channel has sent and received: messages of the session, and their bytes with the
/// frame around them, without those of WebSocket and TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent.
    pub messages_sent: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Messages received.
    pub messages_received: u64,
    /// Bytes received.
    pub bytes_received: u64,
}

impl Channel {
    pub(super) fn new(
        number: u32,
        socket: Arc<Socket>,
        messages: Messages,
        options: &ChannelOptions,
    ) -> Self {
        Self {
            number,
            socket,
            messages,
            session: Session::new(options.session_config(), nonce(), 0),
            durable_by_caller: options.durable_by_caller,
            events: VecDeque::new(),
            refused: None,
            is_closed: false,
            started: Instant::now(),
            traffic: Traffic::default(),
        }
    }

    /// Sends what is due, takes in what comes, and returns the next thing that happened.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn next_event<L: ChangeLog>(
        &mut self,
        log: &mut L,
    ) -> Result<Event, ChannelError<L::Error>> {
        loop {
            if let Some(event) = self.poll_event() {
                return Ok(event);
            }
            self.step(log).await?;
        }
    }

    /// Drives the channel until the server holds all of the log, durably. Events that occur
    /// meanwhile are dropped.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn until_acknowledged<L: ChangeLog>(
        &mut self,
        log: &mut L,
    ) -> Result<(), ChannelError<L::Error>> {
        self.until(log, |channel, log| channel.unacknowledged(log.version()) == Some(0)).await
    }

    /// Drives the channel until the log holds `version`. Events that occur meanwhile are
    /// dropped.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn until_holds<L: ChangeLog>(
        &mut self,
        log: &mut L,
        version: &VersionVector,
    ) -> Result<(), ChannelError<L::Error>> {
        self.until(log, |_, log| log.version().dominates(version)).await
    }

    /// Drives the channel until each side holds durably what the other does, as far as they
    /// have told each other. Other events are dropped.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn until_up_to_date<L: ChangeLog>(
        &mut self,
        log: &mut L,
    ) -> Result<(), ChannelError<L::Error>> {
        loop {
            match self.next_event(log).await? {
                Event::UpToDate => return Ok(()),
                Event::Refused(refusal) => return Err(ChannelError::Refused(refusal)),
                _ => {}
            }
        }
    }

    /// Drives the channel until `condition` holds, which is asked after each message. Events
    /// that occur meanwhile are dropped.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn until<L: ChangeLog>(
        &mut self,
        log: &mut L,
        mut condition: impl FnMut(&Self, &L) -> bool,
    ) -> Result<(), ChannelError<L::Error>> {
        loop {
            while let Some(event) = self.poll_event() {
                if let Event::Refused(refusal) = event {
                    return Err(ChannelError::Refused(refusal));
                }
            }
            if condition(self, log) {
                return Ok(());
            }
            self.step(log).await?;
        }
    }

    /// Sends what is due and takes in what has come, without waiting for more.
    ///
    /// # Errors
    ///
    /// When the channel has come to its end.
    pub async fn pump<L: ChangeLog>(&mut self, log: &mut L) -> Result<(), ChannelError<L::Error>> {
        while let Ok(message) = self.messages.messages.try_recv() {
            self.take_in(&message, log).await?;
        }
        self.transmit(log).await
    }

    /// What happened in what was [pumped](Self::pump), in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.collect_events();
        self.events.pop_front()
    }

    /// Says what of the log is stored here. Only for channels opened
    /// [that way](super::ChannelOptions::with_durability_by_caller).
    pub fn set_durable(&mut self, version: &VersionVector) {
        self.session.set_durable(version);
    }

    /// Claims one more replica id, for instance one minted at the first edit.
    pub fn claim_writer(&mut self, replica: ReplicaId) {
        self.session.claim_writer(replica);
    }

    /// Sends something that passes, such as where a cursor is, as the channel is next driven.
    ///
    /// # Errors
    ///
    /// If it is longer than either side accepts.
    pub fn send_presence(&mut self, update: &[u8]) -> Result<(), PresenceTooLarge> {
        self.session.send_presence(update)
    }

    /// What the server is known to hold durably; `None` until it has said so.
    pub fn acknowledged(&self) -> Option<&VersionVector> {
        self.session.acknowledged()
    }

    /// How many of the events in `version` the server is not known to hold durably; `None`
    /// until it has said what it holds.
    pub fn unacknowledged(&self, version: &VersionVector) -> Option<u64> {
        self.session.unacknowledged(version)
    }

    /// What was sent and received so far.
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Closes the channel; the connection and its other channels go on.
    pub async fn close(mut self) {
        if let Ok(place) = self.socket.outgoing.reserve().await {
            place.send(self.closing_frame());
            self.is_closed = true;
        }
    }

    /// Waits for one message or deadline, after sending what is due.
    async fn step<L: ChangeLog>(&mut self, log: &mut L) -> Result<(), ChannelError<L::Error>> {
        self.transmit(log).await?;
        self.collect_events();
        if !self.events.is_empty() {
            return Ok(());
        }
        let deadline = self.session.poll_timeout().and_then(|ms| self.at(ms));
        let wait = sleep_until(deadline.unwrap_or(self.started));
        let message = tokio::select! {
            message = self.messages.messages.recv() => message,
            () = wait, if deadline.is_some() => return Ok(()),
        };
        match message {
            Some(message) => self.take_in(&message, log).await,
            None => Err(self.end()),
        }
    }

    async fn take_in<L: ChangeLog>(
        &mut self,
        message: &Bytes,
        log: &mut L,
    ) -> Result<(), ChannelError<L::Error>> {
        self.traffic.messages_received += 1;
        self.traffic.bytes_received += self.framed_len(message.len());
        let now = self.now();
        if let Err(error) = self.session.handle(message, log, now) {
            // The server is told why, if it still listens.
            let _ = self.transmit(log).await;
            return Err(ChannelError::Session(error));
        }
        Ok(())
    }

    async fn transmit<L: ChangeLog>(&mut self, log: &L) -> Result<(), ChannelError<L::Error>> {
        if !self.durable_by_caller {
            self.session.set_durable(log.version());
        }
        loop {
            // First the place in the queue: a message that was made is not lost when the
            // caller gives up waiting for it.
            let Ok(place) = self.socket.outgoing.reserve().await else {
                // Nothing can be sent any more; what came before that is still to be read,
                // and then the inbox ends.
                break;
            };
            let now = elapsed_ms(self.started);
            let Some(message) = self.session.poll_transmit(log, now) else { break };
            let body = FrameBody::Session(&message);
            let frame = Frame { channel: self.number, body }.encode();
            self.traffic.messages_sent += 1;
            self.traffic.bytes_sent += frame.len() as u64;
            place.send(Message::Binary(frame.into()));
        }
        if self.session.is_over() && self.events.is_empty() {
            self.collect_events();
            if self.events.is_empty() {
                return Err(self.end());
            }
        }
        Ok(())
    }

    fn collect_events(&mut self) {
        while let Some(event) = self.session.poll_event() {
            if let Event::Refused(refusal) = event {
                self.refused = Some(refusal);
            }
            self.events.push_back(event);
        }
    }

    /// Why nothing more comes.
    fn end<E>(&self) -> ChannelError<E> {
        match (self.refused, self.messages.closed.get()) {
            (Some(refusal), _) => ChannelError::Refused(refusal),
            (None, Some((reason, text))) => {
                ChannelError::Closed { reason: *reason, text: text.clone() }
            }
            (None, None) => ChannelError::Disconnected,
        }
    }

    fn closing_frame(&self) -> Message {
        let close = Close { reason: CloseReason::Done, text: "" };
        let frame = Frame { channel: self.number, body: FrameBody::Close(close) };
        Message::Binary(frame.encode().into())
    }

    fn framed_len(&self, message: usize) -> u64 {
        let empty = Frame { channel: self.number, body: FrameBody::Session(&[]) };
        (empty.encode().len() + message) as u64
    }

    fn now(&self) -> u64 {
        elapsed_ms(self.started)
    }

    fn at(&self, ms: u64) -> Option<Instant> {
        self.started.checked_add(Duration::from_millis(ms))
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.socket.forget(self.number);
        if !self.is_closed {
            // If there is no room the server finds out when the connection ends.
            let _ = self.socket.outgoing.try_send(self.closing_frame());
        }
    }
}

fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Tells a session from others.
fn nonce() -> u64 {
    getrandom::u64().expect("the operating system has random numbers")
}
