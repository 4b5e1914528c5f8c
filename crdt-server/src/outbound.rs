//! What waits to be written to a connection, and who waits for room in it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::CloseFrame;
use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::frame::{Close, CloseReason, Frame, FrameBody};
use crate::peer_message::PeerMessage;

/// The queue of one connection, bounded in bytes: a room asks for [`room`](Self::has_room)
/// before it makes a message, and is woken when there is some again.
///
/// A reader that stalls thus stops what is made for it, not what is made for others. The
/// session keeps its place meanwhile; nothing is buffered beyond its window.
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: mpsc::UnboundedSender<Outgoing>,
    bytes_max: usize,
    state: Mutex<State>,
    ended: CancellationToken,
    peak: Arc<Peak>,
}

/// The most bytes that ever waited for one connection, over all connections.
#[derive(Debug, Default)]
pub(crate) struct Peak(AtomicUsize);

impl Peak {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    waiting: Vec<Arc<Notify>>,
}

/// What the writing task of a connection is given.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Bytes),
    /// Asks for a sign of life.
    Ping,
    /// The last one: the WebSocket is closed.
    End(CloseFrame),
}

/// What a message costs in the queue beyond its bytes.
const ENTRY_BYTES: usize = 64;

impl Outbound {
    pub(crate) fn new(
        bytes_max: usize,
        peak: Arc<Peak>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Outgoing>) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let (state, ended) = (Mutex::default(), CancellationToken::new());
        (Arc::new(Self { queue, bytes_max, state, ended, peak }), receiver)
    }

    /// Whether another message may be queued. If not, `wake` is notified once one may.
    pub(crate) fn has_room(&self, wake: &Arc<Notify>) -> bool {
        let mut state = self.state();
        let has_room = state.bytes < self.bytes_max;
        if !has_room && !state.waiting.iter().any(|waiting| Arc::ptr_eq(waiting, wake)) {
            state.waiting.push(Arc::clone(wake));
        }
        has_room
    }

    pub(crate) fn send(&self, frame: &Frame<'_>) {
        let bytes = Bytes::from(frame.encode());
        let mut state = self.state();
        state.bytes += bytes.len() + ENTRY_BYTES;
        self.peak.0.fetch_max(state.bytes, Ordering::Relaxed);
        drop(state);
        // A queue whose connection is gone is dropped with everything in it.
        let _ = self.queue.send(Outgoing::Frame(bytes));
    }

    pub(crate) fn end(&self, frame: CloseFrame) {
        let _ = self.queue.send(Outgoing::End(frame));
    }

    /// A message of `bytes` bytes has left the queue.
    pub(crate) fn was_written(&self, bytes: usize) {
        let mut state = self.state();
        state.bytes -= bytes + ENTRY_BYTES;
        if state.bytes < self.bytes_max {
            for waiting in state.waiting.drain(..) {
                waiting.notify_one();
            }
        }
    }

    /// The writing half holds this for as long as it writes.
    pub(crate) fn end_guard(&self) -> DropGuard {
        self.ended.clone().drop_guard()
    }

    /// Resolves once nothing is written any more.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One channel of a connection, as its room sees it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) member: MemberId,
    channel: u32,
    outbound: Arc<Outbound>,
    closed: AtomicBool,
}

/// One channel of one connection, among all that the process has ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberId(u64);

impl MemberId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// For a request, which has no channel.
    pub(crate) fn of_request() -> Self {
        Self::next()
    }
}

impl Link {
    pub(crate) fn new(channel: u32, outbound: Arc<Outbound>) -> Arc<Self> {
        let member = MemberId::next();
        Arc::new(Self { member, channel, outbound, closed: AtomicBool::new(false) })
    }

    pub(crate) fn has_room(&self, wake: &Arc<Notify>) -> bool {
        self.outbound.has_room(wake)
    }

    /// Sends a message of the session.
    pub(crate) fn send(&self, message: &[u8]) {
        self.outbound.send(&Frame { channel: self.channel, body: FrameBody::Session(message) });
    }

    /// Sends a session token, if one could be made.
    pub(crate) fn send_token(&self, token: Option<Vec<u8>>) {
        if let Some(token) = token {
            self.outbound.send(&Frame { channel: self.channel, body: FrameBody::Token(&token) });
        }
    }

    /// Tells another server something about the channel's document.
    pub(crate) fn tell(&self, message: &PeerMessage) {
        let message = message.to_bytes();
        self.outbound.send(&Frame { channel: self.channel, body: FrameBody::Peer(&message) });
    }

    /// Closes the channel, if it was not closed before.
    pub(crate) fn close(&self, reason: CloseReason, text: &str) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            let body = FrameBody::Close(Close { reason, text });
            self.outbound.send(&Frame { channel: self.channel, body });
        }
    }

    /// The client has closed the channel, or is gone: there is nobody to tell.
    pub(crate) fn set_closed(&self) {
        self.closed.store(true, Ordering::Release);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl core::fmt::Display for MemberId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_wakes_who_waits_once_it_is_written() {
        let (outbound, mut queue) = Outbound::new(100, Arc::default());
        let link = Link::new(1, Arc::clone(&outbound));
        let wake = Arc::new(Notify::new());
        assert!(link.has_room(&wake));
        link.send(&[0; 200]);
        assert!(!link.has_room(&wake) && !link.has_room(&wake));
        assert_eq!(outbound.state().waiting.len(), 1);
        let Some(Outgoing::Frame(frame)) = queue.blocking_recv() else { panic!("a frame") };
        outbound.was_written(frame.len());
        assert_eq!(outbound.state().waiting.len(), 0);
        assert!(link.has_room(&wake));
    }

    #[test]
    fn a_channel_is_closed_once() {
        let (outbound, mut queue) = Outbound::new(100, Arc::default());
        let link = Link::new(1, outbound);
        link.close(CloseReason::Internal, "");
        link.close(CloseReason::Done, "");
        drop(link);
        assert!(queue.blocking_recv().is_some());
        assert!(queue.blocking_recv().is_none());
    }
}
