//! One open document: its members, its sessions with them, and its way to the store.
//!
//! A room is a task that owns its [`Document`]. Changes of a member are imported in memory,
//! handed to the store, and only when they are durable there acknowledged to the member and
//! sent to the others: what nobody has seen, nobody misses after a crash.

mod admission;
mod claims;
mod member;
mod open;
mod owners;
mod peer;
mod presence;
mod requests;
mod stored;
mod tokens;
mod trim;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crdt_core::ReplicaId;

use crate::api::{self, Known, WriteAnswer};
use crate::auth::{Owner, Permission};
use crate::frame::CloseReason;
use crate::limits::Limits;
use crate::outbound::{Link, MemberId};
use crate::peer::Watch;
use crate::realm::Attester;
use crate::rooms::Place;
use crate::store::StoreWriter;
use crate::watching::Watching;

use claims::Claims;
use open::OpenRoom;
use requests::{Reply, Requests, own_digest};
use stored::{StoreFailed, Stored};

pub(crate) use peer::{News, PeerMember, PeerSide, What};
pub(crate) use stored::rebuild;

/// What a connection tells a room.
#[derive(Debug)]
pub(crate) enum Input {
    /// A channel was opened.
    Join {
        link: Arc<Link>,
        permission: Permission,
        /// Whether the client has asked for session tokens.
        tokens: bool,
        peer: Option<(PeerMember, Watch)>,
    },
    /// A message came for the channel's session. The permit is given back once it is
    /// taken in, which is what slows down a connection that sends faster than that.
    Message { member: MemberId, message: Bytes, permit: OwnedSemaphorePermit },
    /// The channel was closed, or its connection is gone.
    Leave { member: MemberId },
    /// A channel of another server is to be watched for more.
    Watch { member: MemberId, watch: Watch },
    /// Another server tells who owns replica ids.
    Owners { owners: Vec<(ReplicaId, Owner)> },
    /// What stands at a path, once it is durable.
    Read { path: Vec<String>, reply: Reply<String> },
    /// A transaction.
    Write { write: api::Write, reply: Reply<WriteAnswer> },
    /// What is known of replicas.
    Known { replicas: Vec<ReplicaId>, reply: oneshot::Sender<Vec<Known>> },
    /// What clients have to have seen is more than before. `done` is dropped when that counts, and
    /// everything that was taken in before is durable.
    RenewFloor { done: oneshot::Sender<()> },
    /// There may be something to trim. `done` is dropped when it was looked for.
    Trim { done: oneshot::Sender<()> },
}

/// The right to talk to a room; the room stays open for as long as there is one.
#[derive(Clone, Debug)]
pub(crate) struct RoomHandle(mpsc::Sender<Input>);

impl RoomHandle {
    pub(crate) fn new(inbox: mpsc::Sender<Input>) -> Self {
        Self(inbox)
    }

    /// Waits for room in the inbox; `false` if the room has ended.
    pub(crate) async fn send(&self, input: Input) -> bool {
        self.0.send(input).await.is_ok()
    }
}

/// A room that is still to load its document.
pub(crate) struct Room {
    document: Arc<str>,
    inbox: mpsc::Receiver<Input>,
    store: StoreWriter,
    attester: Arc<Attester>,
    watching: Arc<Watching>,
    limits: Limits,
    stopping: CancellationToken,
}

/// Messages taken in before the room turns to the store and to its members.
const BATCH_MAX: usize = 128;

impl Room {
    pub(crate) fn new(
        document: Arc<str>,
        inbox: mpsc::Receiver<Input>,
        store: StoreWriter,
        attester: Arc<Attester>,
        watching: Arc<Watching>,
        limits: &Limits,
        stopping: CancellationToken,
    ) -> Self {
        Self { document, inbox, store, attester, watching, limits: limits.clone(), stopping }
    }

    /// Loads the document and serves it until the server stops, the store fails, or no one
    /// has held a handle on the room for a while.
    pub(crate) async fn run(mut self, place: &Place) {
        let Some(mut room) = self.load().await else {
            place.leave();
            return self.turn_away().await;
        };
        let mut has_history = false;
        let mut deserted_since = Instant::now();
        if let Err(error) = room.keep_up(&self.store).await {
            return error!(%error, "the store cannot be read");
        }
        loop {
            if !room.members.is_empty() {
                deserted_since = Instant::now();
            }
            // Nobody but another server was here: it comes back when there is something new.
            let linger =
                if room.had_clients { self.limits.room_idle_timeout } else { Duration::ZERO };
            let idle_at = deserted_since + linger;
            let deadline = room.deadline();
            let timer = sleep_until(deadline.unwrap_or(idle_at));
            let is_deserted = room.is_deserted();
            let wake = Arc::clone(&room.wake);
            tokio::select! {
                () = self.stopping.cancelled() => return room.finish().await,
                Some(input) = self.inbox.recv() => {
                    room.take_in(input);
                    for _ in 1..BATCH_MAX {
                        if room.needs_floor() {
                            break;
                        }
                        let Ok(input) = self.inbox.try_recv() else { break };
                        room.take_in(input);
                    }
                }
                settled = room.stored.settled() => match settled {
                    Ok(()) => {
                        room.on_durable();
                        room.answer();
                    }
                    Err(StoreFailed) => return,
                },
                () = wake.notified() => room.on_wake(),
                () = timer, if deadline.is_some() => room.on_deadline(),
                () = sleep_until(idle_at), if is_deserted => {
                    // Who comes next is to find what is visible, and no log to replay.
                    if room.had_clients && room.stored.pack() {
                        debug!("packed");
                    } else if place.leave_if_deserted() {
                        debug!("unloaded");
                        return;
                    } else {
                        deserted_since = Instant::now();
                    }
                }
            }
            if let Err(error) = room.keep_up(&self.store).await {
                return error!(%error, "the store cannot be read");
            }
            if room.stored.write(&room.document) {
                room.on_write();
            }
            room.transmit();
            if !has_history && room.document.has_history() {
                has_history = true;
                place.note_history();
            }
        }
    }

    async fn load(&self) -> Option<OpenRoom> {
        // `None`: the store has failed, which it has logged, and the server is ending.
        let stored = match self.store.load(Arc::clone(&self.document)).await? {
            Ok(stored) => stored,
            Err(error) => {
                error!(%error, "the document cannot be read from the store");
                return None;
            }
        };
        let rebuilt = tokio::task::spawn_blocking(move || (stored::rebuild(&stored), stored)).await;
        let (rebuilt, stored) = match rebuilt {
            Ok(rebuilt) => rebuilt,
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        };
        match rebuilt {
            Ok(document) => {
                debug!(bytes = stored.log_bytes(), bundles = stored.log.len(), "loaded");
                let store = self.store.clone();
                let kept =
                    Stored::new(Arc::clone(&self.document), store, &stored, document.frontier());
                let own = own_digest(self.attester.realm.log_id());
                let own = stored.owners.iter().find(|(_, owner)| **owner == own);
                let requests = Requests::new(stored.answers, own.map(|(&replica, _)| replica));
                let claims = Claims::new(stored.owners);
                Some(OpenRoom::new(
                    document,
                    kept,
                    claims,
                    requests,
                    Arc::clone(&self.attester),
                    Arc::clone(&self.watching),
                    &self.limits,
                ))
            }
            Err(error) => {
                error!(%error, "the document cannot be rebuilt");
                None
            }
        }
    }

    /// Tells everyone who has come, and comes before the inbox is closed, to go.
    async fn turn_away(&mut self) {
        self.inbox.close();
        while let Some(input) = self.inbox.recv().await {
            if let Input::Join { link, .. } = input {
                link.close(CloseReason::Internal, "the document cannot be loaded");
            }
        }
    }
}

/// Those who were on their way in when the room ended learn of it, too.
impl Drop for Room {
    fn drop(&mut self) {
        self.inbox.close();
        while let Ok(input) = self.inbox.try_recv() {
            if let Input::Join { link, .. } = input {
                link.close(CloseReason::GoingAway, "");
            }
        }
    }
}

/// Lets the runtime move its other tasks off this thread, where it has several.
fn without_blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}
