//! One WebSocket: from frames to rooms, and back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use bytes::Bytes;
use futures_util::stream::SplitStream;
use futures_util::{Sink, SinkExt, StreamExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use tracing::{Instrument, debug, info, info_span};

use crate::frame::{
    Close, CloseReason, Frame, FrameBody, Open, PROTOCOL_VERSION, is_valid_document_name,
};
use crate::http::Peer;
use crate::limits::Limits;
use crate::outbound::{Link, Outbound, Outgoing};
use crate::peer::{self, Wire};
use crate::room::{Input, RoomHandle};
use crate::server::Shared;

/// Serves a WebSocket until either side closes it.
pub(crate) async fn serve(
    socket: WebSocket,
    from: Peer,
    token: Option<Arc<str>>,
    tokens: bool,
    shared: Arc<Shared>,
) {
    let span = info_span!("connection", peer = %from.address);
    let tracker = shared.connections.clone();
    let serving = async move {
        info!("connected");
        let limits = shared.config.limits.clone();
        let (sink, mut stream) = socket.split();
        let (outbound, queue) =
            Outbound::new(limits.outbound_bytes_max, Arc::clone(&shared.outbound_peak));
        let inbound_bytes_max = limits.inbound_bytes_max.max(limits.message_bytes_max);
        let writing =
            tokio::spawn(write(sink, queue, Arc::clone(&outbound), limits).in_current_span());
        let mut connection = Connection {
            token,
            tokens,
            shared,
            outbound,
            inbound: Arc::new(Semaphore::new(inbound_bytes_max)),
            inbound_bytes_max,
            channels: BTreeMap::new(),
            is_authorized: false,
        };
        let end = connection.read(&mut stream).await;
        connection.leave().await;
        if let End::IsPeer(greeting) = end {
            info!("a server");
            let Connection { shared, outbound, .. } = connection;
            peer::accept(shared, &greeting, stream, outbound).await;
            if timeout(CLOSE_TIMEOUT, writing).await.is_err() {
                debug!("the link did not close in time");
            }
            return drop(from);
        }
        let (code, reason) = end.close_frame();
        info!(reason, "disconnected");
        connection.outbound.end(CloseFrame { code, reason: Utf8Bytes::from_static(reason) });
        let writing_by_force = writing.abort_handle();
        // Reading on until the peer has closed, too, lets it see why: a socket closed with
        // unread bytes in it is reset, and what was on its way is lost.
        let closing = async {
            let _ = writing.await;
            while let Some(Ok(_)) = stream.next().await {}
        };
        if timeout(CLOSE_TIMEOUT, closing).await.is_err() {
            writing_by_force.abort();
        }
        // The right to be connected lasts until here.
        drop(from);
    };
    tracker.track_future(serving.instrument(span)).await;
}

/// How long a connection may take to be closed in order.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The reading half of a connection.
struct Connection {
    token: Option<Arc<str>>,
    /// Whether the client has asked for session tokens.
    tokens: bool,
    shared: Arc<Shared>,
    outbound: Arc<Outbound>,
    /// Room for bytes that were read and that no room has taken in yet.
    inbound: Arc<Semaphore>,
    inbound_bytes_max: usize,
    channels: BTreeMap<u32, Channel>,
    /// Whether a document was ever opened: until then the client has little time.
    is_authorized: bool,
}

struct Channel {
    room: RoomHandle,
    link: Arc<Link>,
}

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    ClosedByPeer,
    /// It is another server, which greets.
    IsPeer(Vec<u8>),
    Idle,
    NotAuthorizedInTime,
    NotAPeer,
    Malformed,
    Text,
    TooLong,
    Stalled,
    ShuttingDown,
}

impl End {
    fn close_frame(&self) -> (u16, &'static str) {
        match self {
            Self::IsPeer(_) | Self::ClosedByPeer => (close_code::NORMAL, "closed by the client"),
            Self::Idle => (close_code::POLICY, "no sign of life"),
            Self::NotAuthorizedInTime => (close_code::POLICY, "no document opened in time"),
            Self::NotAPeer => (close_code::POLICY, "not authorized to be a server"),
            Self::Malformed => (close_code::PROTOCOL, "malformed frame"),
            Self::Text => (close_code::UNSUPPORTED, "frames are binary"),
            Self::TooLong => (close_code::SIZE, "message too long"),
            Self::Stalled => (close_code::POLICY, "reads too slowly"),
            Self::ShuttingDown => (close_code::AWAY, "shutting down"),
        }
    }
}

impl Connection {
    async fn read(&mut self, stream: &mut SplitStream<WebSocket>) -> End {
        let limits = self.shared.config.limits.clone();
        let closing = self.shared.closing.clone();
        let authorize_by = Instant::now() + limits.handshake_timeout;
        let mut idle_at = Instant::now() + limits.idle_timeout;
        loop {
            let deadline = if self.is_authorized { idle_at } else { idle_at.min(authorize_by) };
            let message = tokio::select! {
                message = stream.next() => message,
                () = sleep_until(deadline) => {
                    return if self.is_authorized { End::Idle } else { End::NotAuthorizedInTime };
                }
                () = closing.cancelled() => return End::ShuttingDown,
                // The writing half ends by itself when the peer does not read.
                () = self.outbound.ended() => return End::Stalled,
            };
            idle_at = Instant::now() + limits.idle_timeout;
            match message {
                Some(Ok(Message::Binary(bytes))) => {
                    if let Err(end) = self.on_frame(bytes).await {
                        return end;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => return End::Text,
                Some(Ok(Message::Close(_))) | None => return End::ClosedByPeer,
                Some(Err(error)) => {
                    debug!(%error, "cannot read");
                    return if is_too_long(&error) { End::TooLong } else { End::ClosedByPeer };
                }
            }
        }
    }

    async fn on_frame(&mut self, bytes: Bytes) -> Result<(), End> {
        let frame = Frame::decode(&bytes).map_err(|error| {
            debug!(%error, "malformed frame");
            End::Malformed
        })?;
        match frame.body {
            FrameBody::Open(open) => self.on_open(frame.channel, open).await,
            FrameBody::Session(message) => {
                let message = bytes.slice_ref(message);
                self.on_session(frame.channel, message).await;
            }
            FrameBody::Close(_) => self.close(frame.channel).await,
            FrameBody::Peer(greeting) => return Err(self.on_greeting(greeting)),
            // Tokens are for clients.
            FrameBody::Token(_) => return Err(End::Malformed),
        }
        Ok(())
    }

    /// Only the first frame of a connection makes it a link, and only with a token for that.
    fn on_greeting(&self, greeting: &[u8]) -> End {
        let token = self.token.as_deref();
        if self.is_authorized || self.shared.config.authorization.peer(token).is_none() {
            info!("not authorized to be a server");
            return End::NotAPeer;
        }
        End::IsPeer(greeting.to_vec())
    }

    async fn on_open(&mut self, number: u32, open: Open<'_>) {
        self.channels.retain(|_, channel| !channel.link.is_closed());
        if self.channels.contains_key(&number) {
            // Two documents on one channel cannot be told apart: neither goes on.
            self.close(number).await;
            return self.refuse(number, CloseReason::ProtocolViolation, "the channel is open");
        }
        if open.protocol != PROTOCOL_VERSION {
            return self.refuse(number, CloseReason::ProtocolVersion, "version 0 is spoken here");
        }
        if !is_valid_document_name(open.document) {
            return self.refuse(number, CloseReason::InvalidName, "");
        }
        let token = open.token.or(self.token.as_deref());
        let authorization = &self.shared.config.authorization;
        let Some(permission) = authorization.permission(token, open.document) else {
            info!(document = open.document, "not authorized");
            return self.refuse(number, CloseReason::Unauthorized, "");
        };
        if self.channels.len() >= self.shared.config.limits.channels_max {
            return self.refuse(number, CloseReason::LimitExceeded, "too many channels");
        }
        let room = match self.shared.rooms.enter(open.document) {
            Ok(room) => room,
            Err(reason) => return self.refuse(number, reason, "no more documents can be opened"),
        };
        self.is_authorized = true;
        let link = Link::new(number, Arc::clone(&self.outbound));
        let tokens = self.tokens;
        let join = Input::Join { link: Arc::clone(&link), permission, tokens, peer: None };
        if room.send(join).await {
            self.channels.insert(number, Channel { room, link });
        } else {
            link.close(CloseReason::GoingAway, "");
        }
    }

    async fn on_session(&mut self, number: u32, message: Bytes) {
        let Some(channel) = self.channels.get(&number) else { return };
        let weight = message.len().clamp(1, self.inbound_bytes_max);
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let inbound = Arc::clone(&self.inbound).acquire_many_owned(weight).await;
        let permit = inbound.expect("the semaphore is never closed");
        let input = Input::Message { member: channel.link.member, message, permit };
        if !channel.room.send(input).await {
            channel.link.close(CloseReason::GoingAway, "");
            self.channels.remove(&number);
        }
    }

    async fn close(&mut self, number: u32) {
        if let Some(Channel { room, link }) = self.channels.remove(&number) {
            link.set_closed();
            room.send(Input::Leave { member: link.member }).await;
        }
    }

    async fn leave(&mut self) {
        while let Some((&number, _)) = self.channels.first_key_value() {
            self.close(number).await;
        }
    }

    fn refuse(&self, channel: u32, reason: CloseReason, text: &str) {
        let body = FrameBody::Close(Close { reason, text });
        self.outbound.send(&Frame { channel, body });
    }
}

/// The writing half of a connection: empties the queue, and pings. It ends with the queue,
/// or when the peer does not read for too long.
pub(crate) async fn write<W: Wire>(
    mut sink: impl Sink<W, Error: core::fmt::Display> + Unpin + Send,
    mut queue: mpsc::UnboundedReceiver<Outgoing>,
    outbound: Arc<Outbound>,
    limits: Limits,
) {
    let _ended = outbound.end_guard();
    let mut ping = interval_at(Instant::now() + limits.ping_interval, limits.ping_interval);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let outgoing = tokio::select! {
            outgoing = queue.recv() => outgoing,
            _ = ping.tick() => Some(Outgoing::Ping),
        };
        let Some(outgoing) = outgoing else { return };
        let (bytes, is_last) = match &outgoing {
            Outgoing::Frame(bytes) => (Some(bytes.len()), false),
            Outgoing::Ping => (None, false),
            Outgoing::End(_) => (None, true),
        };
        let writing = async {
            sink.feed(W::of(outgoing)).await?;
            // Small frames that wait behind one another leave together.
            if is_last || queue.is_empty() { sink.flush().await } else { Ok(()) }
        };
        match timeout(limits.write_timeout, writing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                debug!(%error, "cannot write");
                return;
            }
            Err(_) => return,
        }
        if let Some(bytes) = bytes {
            outbound.was_written(bytes);
        }
        if is_last {
            return;
        }
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    use core::error::Error;
    let source = error.source().and_then(|source| source.downcast_ref::<tungstenite::Error>());
    matches!(source, Some(tungstenite::Error::Capacity(_)))
}
