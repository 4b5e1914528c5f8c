//! Which documents are open.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, error, info_span};

use crate::frame::CloseReason;
use crate::limits::Limits;
use crate::realm::Attester;
use crate::room::{Input, Room, RoomHandle};
use crate::store::StoreWriter;
use crate::watching::Watching;

/// The open documents, each with its [`Room`]: loaded when it is entered, unloaded when it
/// has been empty for a while.
#[derive(Clone)]
pub(crate) struct Rooms(Arc<Inner>);

struct Inner {
    open: Mutex<BTreeMap<Arc<str>, Entry>>,
    store: StoreWriter,
    attester: Arc<Attester>,
    watching: Arc<Watching>,
    limits: Limits,
    tasks: TaskTracker,
    stopping: CancellationToken,
    generations: AtomicU64,
    /// How many rooms were opened, and how many of them needed the history of their document.
    opened: AtomicU64,
    histories: AtomicU64,
}

struct Entry {
    inbox: mpsc::Sender<Input>,
    /// Which room of that name it is: one that ends late must not remove its successor.
    generation: u64,
}

/// A room's own place among the others.
pub(crate) struct Place {
    rooms: Rooms,
    document: Arc<str>,
    generation: u64,
}

/// How many messages may wait for a room, whoever they are from. Their bytes are bounded by
/// connection.
const INBOX_MESSAGES_MAX: usize = 256;

impl Rooms {
    pub(crate) fn new(
        store: StoreWriter,
        attester: Arc<Attester>,
        watching: Arc<Watching>,
        limits: &Limits,
    ) -> Self {
        Self(Arc::new(Inner {
            open: Mutex::default(),
            store,
            attester,
            watching,
            limits: limits.clone(),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            generations: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            histories: AtomicU64::new(0),
        }))
    }

    /// How many documents are open.
    pub(crate) fn len(&self) -> usize {
        self.open().len()
    }

    /// How many documents were opened since the start, and of how many of these the history was needed: all
    /// but those of which only was read what is visible.
    pub(crate) fn opened(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.0.opened), count(&self.0.histories))
    }

    /// The room of a document, opened if need be. It stays for as long as the handle does.
    pub(crate) fn enter(&self, document: &str) -> Result<RoomHandle, CloseReason> {
        let mut open = self.open();
        if self.0.stopping.is_cancelled() {
            return Err(CloseReason::GoingAway);
        }
        match open.get(document) {
            Some(entry) if !entry.inbox.is_closed() => {
                return Ok(RoomHandle::new(entry.inbox.clone()));
            }
            // It has ended and is about to leave its place, which its successor takes.
            Some(_) => {}
            None if open.len() >= self.0.limits.rooms_max => {
                return Err(CloseReason::LimitExceeded);
            }
            None => {}
        }
        let document: Arc<str> = document.into();
        let generation = self.0.generations.fetch_add(1, Ordering::Relaxed);
        self.0.opened.fetch_add(1, Ordering::Relaxed);
        let (inbox, receiver) = mpsc::channel(INBOX_MESSAGES_MAX);
        open.insert(Arc::clone(&document), Entry { inbox: inbox.clone(), generation });
        drop(open);
        let place = Place { rooms: self.clone(), document, generation };
        self.spawn(place, receiver);
        Ok(RoomHandle::new(inbox))
    }

    /// Has every open room go by the floor as it is now. Returns when they do, and what they had taken
    /// in before is durable; whoever opens a room later goes by it anyway.
    pub(crate) async fn renew_floors(&self) {
        let inboxes: Vec<_> = self.open().values().map(|entry| entry.inbox.clone()).collect();
        let mut all_done = Vec::with_capacity(inboxes.len());
        for inbox in inboxes {
            let (done, is_done) = oneshot::channel();
            if inbox.send(Input::RenewFloor { done }).await.is_ok() {
                all_done.push(is_done);
            }
        }
        for is_done in all_done {
            // It is dropped, and not sent; and so it is if the room ends.
            let _ = is_done.await;
        }
    }

    /// Has a document trimmed, if that can be done now.
    pub(crate) async fn trim(&self, document: &str) {
        let Ok(room) = self.enter(document) else { return };
        let (done, is_done) = oneshot::channel();
        if room.send(Input::Trim { done }).await {
            let _ = is_done.await;
        }
    }

    /// Lets every room store what it has, acknowledge it and end; none is opened any more.
    pub(crate) async fn stop(&self) {
        {
            // Under the lock, so that no room is opened after this unseen.
            let _open = self.open();
            self.0.stopping.cancel();
            self.0.tasks.close();
        }
        self.0.tasks.wait().await;
    }

    fn spawn(&self, place: Place, inbox: mpsc::Receiver<Input>) {
        let span = info_span!("room", document = &*place.document);
        let room = Room::new(
            Arc::clone(&place.document),
            inbox,
            self.0.store.clone(),
            Arc::clone(&self.0.attester),
            Arc::clone(&self.0.watching),
            &self.0.limits,
            self.0.stopping.clone(),
        );
        let task = async move {
            // A bug that one document brings out is the end of that room alone. Its clients
            // are told as it is dropped, and who comes next loads what is stored.
            let ended = AssertUnwindSafe(room.run(&place)).catch_unwind().await;
            if ended.is_err() {
                error!("the room panicked and was closed");
            }
            place.leave();
        };
        self.0.tasks.spawn(task.instrument(span));
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Entry>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The history of the document was needed.
    pub(crate) fn note_history(&self) {
        self.rooms.0.histories.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives the place up if no one holds a handle on the room.
    pub(crate) fn leave_if_deserted(&self) -> bool {
        let mut open = self.rooms.open();
        let Some(entry) = open.get(&self.document).filter(|entry| self.is_own(entry)) else {
            return true;
        };
        // Handles are cloned under the lock, and this sender is not a handle.
        let deserted = entry.inbox.strong_count() == 1;
        if deserted {
            open.remove(&self.document);
        }
        deserted
    }

    /// Gives the place up: who comes next gets a room of their own.
    pub(crate) fn leave(&self) {
        let mut open = self.rooms.open();
        if open.get(&self.document).is_some_and(|entry| self.is_own(entry)) {
            open.remove(&self.document);
        }
    }

    fn is_own(&self, entry: &Entry) -> bool {
        entry.generation == self.generation
    }
}
