//! The server's place among the servers of its realm: what it has applied, and what it knows of
//! the others.
//!
//! Each server numbers the events that become visible at it ([`LogEntry`](crate::store::LogEntry)).
//! A server tells another "you hold everything of mine up to here" once the other has it
//! durably; what the other has *applied* is then that far, and a client whose session token asks
//! for no more is served there. All of this is in memory, and cheap to read; what must not be lost
//! is in the store, and may be a few seconds old there: it only errs on the safe side.

mod attester;
mod keys;
mod meeting;
mod relay;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crdt_causal::cut::{Cut, Epoch, Slot};
use crdt_causal::level::{EngineView, NodeView, Peer, Progress, ProgressConfig};
use crdt_causal::session::{self, LogTag};
use crdt_core::ReplicaId;
use crdt_core::canary::is_planted;
use tokio::sync::watch;

pub(crate) use attester::Attester;
pub use keys::{KeyError, KeyRing};
pub(crate) use meeting::Mismatch;

use crate::store::{RealmNote, RealmState, StoreWriter};
use crate::strong::Strong;
use crate::trimming::Trimming;
use relay::Relay;

/// Who a server is in its realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The realm: all servers of it have the same number.
    pub realm: session::Realm,
    /// The how-many-th membership of the realm.
    pub epoch: Epoch,
    /// The server's own slot; no other server of the realm has it.
    pub slot: Slot,
}

impl Default for Place {
    fn default() -> Self {
        Self { realm: session::Realm(0), epoch: Epoch(0), slot: Slot(0) }
    }
}

/// The slot that stands for servers that were never met. No server has it.
pub const SLOT_UNMET: Slot = Slot(u16::MAX);

/// What a server knows of its realm.
pub(crate) struct Realm {
    place: Place,
    log_id: u64,
    store: StoreWriter,
    positions_kept_max: u64,
    /// Servers that have left for good.
    retired: BTreeSet<Slot>,
    /// If history is trimmed.
    trimming: Option<Trimming>,
    state: Mutex<State>,
    /// Changes whenever anything may have become answerable that was not.
    changed: watch::Sender<()>,
}

struct State {
    progress: Progress,
    relay: Relay,
    others: BTreeMap<Slot, Other>,
    /// How many of the servers that are to be dialled were never reached.
    unmet: usize,
    /// Something has changed that the store has not been told.
    is_dirty: bool,
}

/// Where a server stands among the others, in milliseconds.
pub(crate) struct Standing {
    /// Everything older than that is here; nothing, if some server was never heard of.
    pub(crate) age_ms: Option<u64>,
    /// The other servers, and how long ago each was heard of, if it ever was.
    pub(crate) others: Vec<(Slot, Option<u64>)>,
}

/// Another server.
#[derive(Debug, Default)]
struct Other {
    /// Its admission log.
    log_id: u64,
    /// Up to which of the positions given out here it has everything durably.
    acknowledged: u64,
    /// What it is known to have applied.
    applied: Cut,
    /// Its last position that was heard of, and when that was so, by its clock.
    head: (u64, u64),
    /// Where clients reach it, while there is a link to it.
    url: Option<Arc<str>>,
    is_linked: bool,
}

impl Realm {
    pub(crate) fn new(
        place: Place,
        store: StoreWriter,
        stored: &RealmState,
        unmet: usize,
        positions_kept_max: u64,
        retired: BTreeSet<Slot>,
        trimming: Option<Trimming>,
    ) -> Self {
        let mut others: BTreeMap<Slot, Other> = BTreeMap::new();
        for (slot, log_id) in others_of(stored, &place, &retired) {
            let acknowledged = stored.acknowledged.get(&slot).copied().unwrap_or(0);
            others.insert(slot, Other { log_id, acknowledged, ..Other::default() });
        }
        let mut applied = stored.applied.clone();
        applied.retain(|slot| slot != place.slot && !retired.contains(&slot));
        let progress = Progress::new(place.slot, [], ProgressConfig::default());
        let mut state = State {
            progress,
            relay: Relay::new(stored.head, applied.clone()),
            others,
            unmet,
            is_dirty: false,
        };
        state.set_others();
        for (slot, position) in &applied {
            state.progress.apply(slot, position);
        }
        Self {
            place,
            log_id: stored.log_id,
            store,
            positions_kept_max,
            retired,
            trimming,
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        }
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    /// How far history is forgotten, if it is.
    pub(crate) const fn trimming(&self) -> Option<&Trimming> {
        self.trimming.as_ref()
    }

    /// How long history is kept, in milliseconds; 0 if it is kept for ever.
    pub(crate) fn horizon_ms(&self) -> u64 {
        self.trimming.as_ref().map_or(0, Trimming::horizon_ms)
    }

    /// Whether a server has left for good.
    pub(crate) fn has_retired(&self, slot: Slot) -> bool {
        self.retired.contains(&slot)
    }

    /// Whether a server that is to be dialled was never reached.
    pub(crate) fn has_unmet(&self) -> bool {
        self.state().unmet > 0
    }

    pub(crate) const fn log_id(&self) -> u64 {
        self.log_id
    }

    /// What this server has applied, with its own last position. O(servers).
    pub(crate) fn applied(&self) -> Cut {
        self.state().progress.applied().clone()
    }

    /// The logs that the positions in [`applied`](Self::applied) are of.
    pub(crate) fn logs(&self) -> Vec<(Slot, u64)> {
        let state = self.state();
        let others = state.others.iter().map(|(&slot, other)| (slot, other.log_id));
        others.chain([(self.place.slot, self.log_id)]).collect()
    }

    /// Decides something by what is known now, `strong` among it.
    pub(crate) fn decide<T>(
        &self,
        strong: &Strong,
        held: &dyn Fn(ReplicaId, LogTag) -> u64,
        decide: impl FnOnce(&NodeView<'_, '_>) -> T,
    ) -> T {
        let state = self.state();
        let linked = state.others.iter().filter(|(_, other)| other.url.is_some());
        let peers: Vec<Peer> =
            linked.map(|(&slot, other)| Peer { slot, applied: other.applied.clone() }).collect();
        let applied = state.progress.applied();
        let elsewhere;
        let mut node = NodeView::new(self.place.epoch, &state.progress);
        node.peers = &peers;
        node.held = held;
        let durable = match strong {
            // What is applied is on the disk, and there strong operations are decided.
            Strong::Authority(slot)
                if *slot == self.place.slot || is_planted("answer-strong-from-a-copy") =>
            {
                Some(applied)
            }
            Strong::Engine(engine) => {
                node.strong = engine.shown();
                elsewhere = engine.durable(applied);
                Some(&elsewhere)
            }
            Strong::Authority(_) | Strong::Nobody => None,
        };
        node.engine = durable.map(|durable| EngineView { durable });
        decide(&node)
    }

    /// Where clients reach a server that there is a link to.
    pub(crate) fn url(&self, slot: Slot) -> Option<Arc<str>> {
        self.state().others.get(&slot)?.url.clone()
    }

    /// Resolves when anything has changed since `seen` was made, of what this server has applied or
    /// knows of others.
    pub(crate) fn changes(&self) -> (watch::Receiver<()>, watch::Receiver<u64>) {
        (self.changed.subscribe(), self.store.head_changes())
    }

    /// A server that was to be dialled was reached for the first time.
    pub(crate) fn met(&self) {
        let mut state = self.state();
        state.unmet = state.unmet.saturating_sub(1);
        state.set_others();
        drop(state);
        self.changed.send_replace(());
    }

    /// A link to a server is up, or down.
    pub(crate) fn set_linked(&self, slot: Slot, is_linked: bool, url: Option<Arc<str>>) {
        let mut state = self.state();
        if let Some(other) = state.others.get_mut(&slot) {
            other.is_linked = is_linked;
            other.url = url.filter(|_| is_linked);
        }
    }

    /// Another server says that everything in this cut is held here durably.
    pub(crate) fn learn(&self, from: Slot, cut: &Cut) {
        let mut state = self.state();
        let mut known = cut.clone();
        known.retain(|slot| slot != self.place.slot && !self.retired.contains(&slot));
        let head = self.store.head();
        let applied = state.progress.applied();
        let is_news = !applied.dominates(&known);
        if let Some(other) = state.others.get_mut(&from) {
            other.applied.join(cut);
        }
        if is_news {
            for (slot, position) in &known {
                state.progress.apply(slot, position);
            }
            let mut others = state.progress.applied().clone();
            others.set(self.place.slot, 0);
            state.relay.learned(head, others);
            state.is_dirty = true;
        }
        drop(state);
        if is_news {
            self.changed.send_replace(());
        }
    }

    /// A server's last position at a time, by its clock; it may have come through others.
    pub(crate) fn heard(&self, slot: Slot, position: u64, at: u64, now: u64) {
        let mut state = self.state();
        let Some(other) = state.others.get_mut(&slot) else { return };
        // A word that others pass on again says nothing about whether it is still there.
        if at <= other.head.1 {
            return;
        }
        other.head = (other.head.0.max(position), at);
        other.applied.observe(slot, position);
        state.progress.heard(slot, position, at, now);
        drop(state);
        self.changed.send_replace(());
    }

    /// The heads of all servers that are known, for `to`.
    pub(crate) fn heads(&self, to: Slot, now: u64) -> Vec<(Slot, u64, u64)> {
        let state = self.state();
        let others = state.others.iter().filter(|(slot, other)| **slot != to && other.head.1 > 0);
        let mut heads: Vec<_> =
            others.map(|(&slot, other)| (slot, other.head.0, other.head.1)).collect();
        heads.push((self.place.slot, self.store.head(), now));
        heads
    }

    /// Whether a server that has everything up to a position of this one may be told something.
    pub(crate) fn holds_news(&self, slot: Slot, position: u64) -> bool {
        let state = self.state();
        let Some(other) = state.others.get(&slot) else { return false };
        let said = state.relay.upto(position);
        other.applied.get(self.place.slot) < position
            || said.is_some_and(|said| said.iter().any(|held| is_news(&other.applied, held, slot)))
    }

    /// Another server has everything durably up to a position of this one. Returns what it holds
    /// therefore and does not know yet, if there is such a thing: it is to be told.
    pub(crate) fn acknowledged(&self, slot: Slot, position: u64) -> Option<Cut> {
        let mut state = self.state();
        let mut holds = state.relay.upto(position).cloned().unwrap_or_default();
        holds.observe(self.place.slot, position);
        let other = state.others.get_mut(&slot)?;
        let news: Cut = holds.iter().filter(|&held| is_news(&other.applied, held, slot)).collect();
        other.applied.join(&news);
        if other.acknowledged < position {
            other.acknowledged = position;
            state.is_dirty = true;
        }
        (!news.is_empty()).then_some(news)
    }

    /// Up to which position of this server every other server has everything durably: what is
    /// before it is stable. [`u64::MAX`] without other servers.
    pub(crate) fn acknowledged_by_all(&self) -> u64 {
        self.state().acknowledged_by_all()
    }

    /// Brings the own position up to what is durable.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (slot, head) = (self.place.slot, self.store.head());
        if state.progress.applied().get(slot) < head {
            state.progress.apply(slot, head);
        }
        state
    }

    /// Tells the store from time to time what should survive, and what it may forget.
    pub(crate) async fn keep(&self) {
        loop {
            tokio::time::sleep(NOTE_INTERVAL).await;
            self.note_once().await;
        }
    }

    /// Tells the store now, if there is something to tell.
    pub(crate) async fn note_once(&self) {
        self.note_now(None).await;
    }

    /// The same, with what is to be kept of trimming. `false` if the store has failed.
    pub(crate) async fn note_now(&self, stability: Option<Vec<u8>>) -> bool {
        let head = self.store.head();
        let note = {
            let mut state = self.state();
            let forget = state.acknowledged_by_all().min(head);
            let forget = forget.max(head.saturating_sub(self.positions_kept_max));
            let is_dirty = std::mem::take(&mut state.is_dirty) || stability.is_some();
            if !is_dirty && forget == state.relay.forgotten() {
                return true;
            }
            state.relay.set_forgotten(forget);
            let mut applied = state.progress.applied().clone();
            applied.set(self.place.slot, 0);
            let others = || state.others.iter();
            RealmNote {
                applied,
                acknowledged: others().map(|(&slot, other)| (slot, other.acknowledged)).collect(),
                logs: others().map(|(&slot, other)| (slot, other.log_id)).collect(),
                forget,
                stability,
            }
        };
        // If the store fails the server ends, and says so itself.
        self.store.note(note).await.is_ok()
    }

    /// How far behind this server is, and when it last heard of each of the others.
    pub(crate) fn standing(&self, now: u64) -> Standing {
        let state = self.state();
        let unmet = (state.unmet > 0).then_some((SLOT_UNMET, None));
        let others = state.others.keys().map(|&slot| (slot, state.progress.silence(slot, now)));
        Standing {
            age_ms: state.progress.staleness(now).bound().map(|bound| bound.age_ms),
            others: others.chain(unmet).collect(),
        }
    }

    /// How many servers are linked, and how far each has acknowledged, for the state of health.
    pub(crate) fn links(&self) -> Vec<(Slot, u64, bool)> {
        let state = self.state();
        let others = state.others.iter();
        others.map(|(&slot, other)| (slot, other.acknowledged, other.is_linked)).collect()
    }
}

impl State {
    fn set_others(&mut self) {
        let unmet = (self.unmet > 0).then_some(SLOT_UNMET);
        let others: Vec<Slot> = self.others.keys().copied().chain(unmet).collect();
        self.progress.set_others(others);
    }

    fn acknowledged_by_all(&self) -> u64 {
        if self.unmet > 0 {
            return 0;
        }
        self.others.values().map(|other| other.acknowledged).min().unwrap_or(u64::MAX)
    }
}

/// The other servers that were met and have not left, with their logs.
pub(crate) fn others_of<'a>(
    stored: &'a RealmState,
    place: &'a Place,
    retired: &'a BTreeSet<Slot>,
) -> impl Iterator<Item = (Slot, u64)> + 'a {
    let others = stored.logs.iter().map(|(&slot, &log_id)| (slot, log_id));
    others.filter(|(slot, _)| *slot != place.slot && !retired.contains(slot))
}

/// Whether a server that has applied this does not know yet that it holds that.
fn is_news(applied: &Cut, (slot, position): (Slot, u64), own: Slot) -> bool {
    slot != own && applied.get(slot) < position
}

/// How often the store is told what has changed.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);
