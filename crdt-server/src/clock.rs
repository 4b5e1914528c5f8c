//! The clock by which history gets old.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use crate::store::unix_ms;

/// The clock by which history gets old: that of the machine, or one that is set by hand.
///
/// ```
/// use crdt_server::clock::{Clock, HandClock};
///
/// let hand = HandClock::new(1_000);
/// let clock = hand.clock();
/// hand.advance(500);
/// assert_eq!(clock.now(), 1_500);
/// assert!(Clock::system().now() > 1_700_000_000_000);
/// ```
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Hand(HandClock),
}

/// A clock that is set by hand, for tests of what takes months. Its clones are the same clock.
#[derive(Clone)]
pub struct HandClock {
    now: Arc<AtomicU64>,
    moved: Arc<watch::Sender<()>>,
}

impl Clock {
    /// The clock of this machine, in milliseconds since 1970.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// What it says now, in milliseconds.
    pub fn now(&self) -> u64 {
        match &self.0 {
            Source::System => unix_ms(),
            Source::Hand(hand) => hand.now.load(Ordering::SeqCst),
        }
    }

    /// Tells of each time that it is set, from now on.
    pub(crate) fn moves(&self) -> Moves {
        match &self.0 {
            Source::System => Moves(None),
            Source::Hand(hand) => Moves(Some(hand.moved.subscribe())),
        }
    }
}

/// Tells when a clock is set.
pub(crate) struct Moves(Option<watch::Receiver<()>>);

impl Moves {
    /// Resolves when it was set since the last time; never, if nobody sets it. Cancel safe.
    pub(crate) async fn next(&mut self) {
        let is_moved = match &mut self.0 {
            Some(moved) => moved.changed().await.is_ok(),
            None => false,
        };
        if !is_moved {
            std::future::pending().await
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl HandClock {
    /// One that stands at `now`, in milliseconds.
    pub fn new(now: u64) -> Self {
        Self { now: Arc::new(AtomicU64::new(now)), moved: Arc::new(watch::Sender::new(())) }
    }

    /// The clock to hand to a server.
    pub fn clock(&self) -> Clock {
        Clock(Source::Hand(self.clone()))
    }

    /// Moves it on.
    pub fn advance(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
        self.moved.send_replace(());
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

impl fmt::Debug for HandClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandClock({})", self.now.load(Ordering::SeqCst))
    }
}
