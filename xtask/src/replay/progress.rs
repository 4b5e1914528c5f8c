//! What the writers of a replay tell each other out of band: how far each has come, and
//! whose changes somebody waits for. The changes themselves go through the server.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// The notice board.
pub(super) struct Board {
    writers: Vec<Writer>,
    news: watch::Sender<u64>,
}

#[derive(Default)]
struct Writer {
    /// After each of its transactions, its last sequence number.
    ends: Mutex<Vec<u64>>,
    /// How many of its transactions somebody waits for.
    wanted: AtomicUsize,
}

impl Board {
    pub(super) fn new(writers: usize) -> Self {
        Self {
            writers: (0..writers).map(|_| Writer::default()).collect(),
            news: watch::Sender::new(0),
        }
    }

    /// Tells when there is something new on the board.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// A writer has made its next transaction.
    pub(super) fn done(&self, writer: usize, end: u64) {
        self.writers[writer].ends.lock().expect("nobody panics while holding it").push(end);
        self.news.send_modify(|news| *news += 1);
    }

    /// The last sequence number of a writer after its first `count` transactions, if it has
    /// made them.
    pub(super) fn end(&self, writer: usize, count: usize) -> Option<u64> {
        let Some(index) = count.checked_sub(1) else { return Some(0) };
        self.writers[writer]
            .ends
            .lock()
            .expect("nobody panics while holding it")
            .get(index)
            .copied()
    }

    /// Somebody waits for a writer's first `count` transactions.
    pub(super) fn want(&self, writer: usize, count: usize) {
        if self.writers[writer].wanted.fetch_max(count, Ordering::AcqRel) < count {
            self.news.send_modify(|news| *news += 1);
        }
    }

    /// How many of a writer's transactions somebody waits for.
    pub(super) fn wanted(&self, writer: usize) -> usize {
        self.writers[writer].wanted.load(Ordering::Acquire)
    }
}
