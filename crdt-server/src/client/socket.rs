use core::convert::Infallible;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

use super::channel::Channel;
use super::error::{ChannelError, ConnectError};
use super::options::ChannelOptions;
use crate::frame::{CHANNEL_MAX, CloseReason, Frame, FrameBody, Open, PROTOCOL_VERSION};

/// A connection to a server, shared by the channels on it.
///
/// Cloning is cheap. The connection ends when [`close`](Self::close) is called, or when the
/// last clone and the last channel are dropped.
#[derive(Clone, Debug)]
pub struct Client {
    socket: Arc<Socket>,
}

/// How a connection is made.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    token: Option<String>,
    origin: Option<String>,
}

/// The shared half of a connection: its tasks read and write the WebSocket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) outgoing: mpsc::Sender<Message>,
    inboxes: Arc<Inboxes>,
    next_channel: AtomicU32,
    tasks: [JoinHandle<()>; 2],
}

/// Where the messages of each open channel go.
#[derive(Debug, Default)]
struct Inboxes(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u32, Inbox>,
    is_lost: bool,
}

#[derive(Debug)]
struct Inbox {
    messages: mpsc::Sender<Bytes>,
    closed: Arc<OnceLock<(CloseReason, String)>>,
}

/// The receiving end of an [`Inbox`]. It ends when the channel is closed from the other side
/// or the connection is lost.
#[derive(Debug)]
pub(super) struct Messages {
    pub(super) messages: mpsc::Receiver<Bytes>,
    pub(super) closed: Arc<OnceLock<(CloseReason, String)>>,
}

/// Messages that wait to be written.
const OUTGOING_MAX: usize = 64;

/// Messages that wait for a channel to be driven: more than a server sends without an
/// acknowledgement. What exceeds it is dropped, and sent again by the session.
const INBOX_MAX: usize = 256;

/// A server pings more often than this; without a sign of life the connection is lost.
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// How long an orderly end may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest message taken from a server.
const MESSAGE_BYTES_MAX: usize = 2 << 20;

impl ConnectOptions {
    /// Without a token, and without an origin, as programs connect.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Brings a token for all documents of the connection.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Names an origin, as a browser does for its pages.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }
}

impl Client {
    /// Connects to a server, `ws://HOST:PORT/v1/sync`.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or does not let this client in.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        Self::connect_with(url, ConnectOptions::new()).await
    }

    /// Connects to a server, with a token or an origin.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or does not let this client in.
    pub async fn connect_with(url: &str, options: ConnectOptions) -> Result<Self, ConnectError> {
        let invalid = |error| ConnectError::InvalidUrl(Box::new(error));
        let mut request = url.into_client_request().map_err(invalid)?;
        let header = |text: String| text.parse::<HeaderValue>();
        if let Some(token) = options.token {
            let bearer = header(format!("Bearer {token}"));
            let mut bearer = bearer.map_err(|_| ConnectError::InvalidToken)?;
            bearer.set_sensitive(true);
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        if let Some(origin) = options.origin {
            let origin = header(origin).map_err(|error| invalid(error.into()))?;
            request.headers_mut().insert(header::ORIGIN, origin);
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        // A keystroke is one small segment, which is not to wait for the next.
        let without_delay = true;
        let connecting =
            tokio_tungstenite::connect_async_with_config(request, Some(config), without_delay);
        match connecting.await {
            Ok((stream, _)) => Ok(Self::over(stream)),
            Err(tungstenite::Error::Http(response)) => {
                Err(ConnectError::Refused { status: response.status().as_u16() })
            }
            Err(error @ tungstenite::Error::Url(_)) => Err(invalid(error)),
            Err(error) => Err(ConnectError::Unreachable(Box::new(error))),
        }
    }

    /// Takes over a WebSocket that was connected otherwise, through TLS for instance.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn over<S>(stream: WebSocketStream<S>) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sink, stream) = stream.split();
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let inboxes = Arc::new(Inboxes::default());
        let (writing_ended, writing_ends) = oneshot::channel();
        let reading = tokio::spawn(read(stream, Arc::clone(&inboxes), writing_ends));
        let writing = tokio::spawn(write(sink, queue, writing_ended));
        let next_channel = AtomicU32::new(0);
        let tasks = [reading, writing];
        Self { socket: Arc::new(Socket { outgoing, inboxes, next_channel, tasks }) }
    }

    /// Opens a document. The exchange begins as the channel is driven.
    ///
    /// # Errors
    ///
    /// If the connection is lost, or has had two million channels. That the server refuses
    /// the document shows when the channel is driven.
    pub async fn open(
        &self,
        document: &str,
        options: ChannelOptions,
    ) -> Result<Channel, ChannelError<Infallible>> {
        // Numbers are not used again: what is on its way for a closed channel must not
        // reach another one.
        let number = self.socket.next_channel.fetch_add(1, Ordering::Relaxed);
        if number > CHANNEL_MAX {
            self.socket.next_channel.fetch_sub(1, Ordering::Relaxed);
            return Err(ChannelError::NoMoreChannels);
        }
        let messages = self.socket.inboxes.open(number).ok_or(ChannelError::Disconnected)?;
        let channel = Channel::new(number, Arc::clone(&self.socket), messages, &options);
        let open = Open { protocol: PROTOCOL_VERSION, document, token: options.token.as_deref() };
        let frame = Frame { channel: number, body: FrameBody::Open(open) }.encode();
        let sent = self.socket.outgoing.send(Message::Binary(frame.into())).await;
        sent.map_err(|_| ChannelError::Disconnected)?;
        Ok(channel)
    }

    /// Whether the connection is up, as far as is known.
    pub fn is_connected(&self) -> bool {
        !self.socket.inboxes.state().is_lost
    }

    /// Ends the connection in an orderly way, with everything that was handed over to it.
    pub async fn close(self) {
        let _ = self.socket.outgoing.send(Message::Close(None)).await;
        // The reader ends when the server has closed its side.
        let inboxes = Arc::clone(&self.socket.inboxes);
        let lost = async {
            while !inboxes.state().is_lost {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, lost).await;
    }
}

impl Socket {
    pub(super) fn forget(&self, channel: u32) {
        self.inboxes.state().open.remove(&channel);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Inboxes {
    fn open(&self, channel: u32) -> Option<Messages> {
        let mut state = self.state();
        if state.is_lost {
            return None;
        }
        let (sender, messages) = mpsc::channel(INBOX_MAX);
        let closed = Arc::new(OnceLock::new());
        let inbox = Inbox { messages: sender, closed: Arc::clone(&closed) };
        state.open.insert(channel, inbox);
        Some(Messages { messages, closed })
    }

    fn deliver(&self, bytes: &Bytes) -> Result<(), crdt_core::codec::DecodeError> {
        let frame = Frame::decode(bytes)?;
        let mut state = self.state();
        match frame.body {
            FrameBody::Session(message) => {
                if let Some(inbox) = state.open.get(&frame.channel) {
                    let _ = inbox.messages.try_send(bytes.slice_ref(message));
                }
            }
            FrameBody::Close(close) => {
                if let Some(inbox) = state.open.remove(&frame.channel) {
                    let _ = inbox.closed.set((close.reason, close.text.to_owned()));
                }
            }
            // A server opens nothing on a client's connection, and says nothing else on one that
            // has not asked for it.
            FrameBody::Open(_) | FrameBody::Peer(_) | FrameBody::Token(_) => {}
        }
        Ok(())
    }

    fn lose(&self) {
        let mut state = self.state();
        state.is_lost = true;
        state.open.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads until the connection ends. Once nothing can be written any more, what has arrived
/// is still read, and no more is waited for.
async fn read<S>(
    stream: SplitStream<WebSocketStream<S>>,
    inboxes: Arc<Inboxes>,
    writing_ends: oneshot::Receiver<Infallible>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deliver = deliver_all(stream, &inboxes);
    let mut deliver = std::pin::pin!(deliver);
    tokio::select! {
        () = deliver.as_mut() => {}
        _ = writing_ends => {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, deliver).await;
        }
    }
    inboxes.lose();
}

async fn deliver_all<S>(mut stream: SplitStream<WebSocketStream<S>>, inboxes: &Inboxes)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Ok(Some(Ok(message))) = tokio::time::timeout(SILENCE_MAX, stream.next()).await {
        let understood = match message {
            Message::Binary(bytes) => inboxes.deliver(&bytes).is_ok(),
            Message::Text(_) => false,
            // After a close the stream ends by itself.
            _ => true,
        };
        if !understood {
            return;
        }
    }
}

/// Writes until the connection ends; `_ended` is dropped with it.
async fn write<S>(
    mut sink: SplitSink<WebSocketStream<S>, Message>,
    mut queue: mpsc::Receiver<Message>,
    _ended: oneshot::Sender<Infallible>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = queue.recv().await {
        if sink.feed(message).await.is_err() {
            return;
        }
        // Small frames that wait behind one another leave together.
        if queue.is_empty() && sink.flush().await.is_err() {
            return;
        }
    }
}
