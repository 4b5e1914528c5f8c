//! Forgetting history that nobody needs any more.
//!
//! One [`Trimmer`](crdt_causal::stability::Trimmer) for all documents of the server says how far
//! history may be forgotten; here is what a server adds to it.
//!
//! * **Cuts become versions.** A cut is of positions. What of a document is old is read off
//!   [when its events came](crate::store::Held): what every server of the realm has had, durably,
//!   for as long as a browser may be away. All positions are the server's own: that the cut of
//!   another server's positions was here is known of moments at which this one looked ([`State`]).
//! * **Two positions.** Up to the *floor* everything has to have been seen by whatever comes from
//!   a client ([`Floor`]); up to the *trim position* history is forgotten. The floor is the greater
//!   one.
//! * **What each says reaches all.** What a server says of itself ([`Statement`]) is numbered, and passed on by whoever hears
//!   it for the first time: servers that know each other only by a third one forget together, too.
//! * **In that order.** What the trimmer says is durable first; then the rooms go by the new floor,
//!   and what they had taken in before is durable, too; then the other servers are told; then
//!   documents are trimmed ([`keeper`]).

mod floor;
mod keeper;
mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{Report, StabilityConfig};
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::peer_message::Statement;
use keeper::Told;

pub(crate) use floor::Floor;
pub(crate) use keeper::keep;
use state::State;

/// How far the history of all documents may be forgotten.
pub(crate) struct Trimming {
    state: Mutex<State>,
    clock: Clock,
    horizon_ms: u64,
    /// Before this position nothing is known of when it came.
    held_since: u64,
    floor: AtomicU64,
    trim: AtomicU64,
    /// The floor was taken over, and not all of it is here.
    lags: AtomicBool,
    own: Slot,
    log_id: u64,
    repeat_ms: u64,
    /// What the other servers may be told: the last words of this one and of those heard of.
    statements: watch::Sender<Statements>,
    wake: Notify,
    looked_at: AtomicU64,
    elapsed: AtomicU64,
    done: Done,
}

/// The last word of each server.
pub(crate) type Statements = Arc<BTreeMap<Slot, Arc<Statement>>>;

/// How many servers are heard of through others, at most.
const STATEMENTS_MAX: usize = 1024;

/// How often something is said at least, though nothing has changed: the last word counts for a lease.
const REPEAT_MS: u64 = 600_000;

/// What has been trimmed since the start of the process.
#[derive(Debug, Default)]
struct Done {
    documents: AtomicU64,
    events: AtomicU64,
    writers: AtomicU64,
}

/// How far trimming has got, for the state of health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrimmingHealth {
    pub(crate) horizon_ms: u64,
    pub(crate) floor: u64,
    pub(crate) floor_age_ms: u64,
    pub(crate) trim: u64,
    pub(crate) lags: bool,
    pub(crate) looked_at: u64,
    pub(crate) documents: u64,
    pub(crate) events: u64,
    pub(crate) writers: u64,
}

impl Trimming {
    /// Goes on with what was saved, if anything was.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the server")]
    pub(crate) fn new(
        own: Slot,
        log_id: u64,
        others: &[Slot],
        retired: &BTreeSet<Slot>,
        config: &StabilityConfig,
        clock: Clock,
        saved: Option<&[u8]>,
        held_since: u64,
    ) -> Result<Self, crdt_core::codec::DecodeError> {
        let now = clock.now();
        let state = State::new(own, others, retired, config, saved, now)?;
        Ok(Self {
            floor: AtomicU64::new(state.floor()),
            trim: AtomicU64::new(state.trim().filter(|trim| *trim >= held_since).unwrap_or(0)),
            lags: AtomicBool::new(state.lags()),
            looked_at: AtomicU64::new(0),
            elapsed: AtomicU64::new(state.elapsed_ms()),
            state: Mutex::new(state),
            clock,
            horizon_ms: config.horizon.horizon_ms,
            held_since,
            own,
            log_id,
            repeat_ms: REPEAT_MS.min(config.lease_ms / 8),
            statements: watch::Sender::default(),
            wake: Notify::new(),
            done: Done::default(),
        })
    }

    /// How long history is kept, in milliseconds.
    pub(crate) const fn horizon_ms(&self) -> u64 {
        self.horizon_ms
    }

    /// How much time has passed in which the server was there, as of the last look.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.elapsed.load(Ordering::SeqCst)
    }

    /// Up to which position everything has to have been seen by what comes from a client.
    pub(crate) fn floor(&self) -> u64 {
        self.floor.load(Ordering::SeqCst)
    }

    /// Up to which position history may be forgotten: whatever there is was saved before.
    pub(crate) fn trim(&self) -> u64 {
        self.trim.load(Ordering::SeqCst)
    }

    /// Whether it cannot be said yet what clients have to have seen.
    pub(crate) fn lags(&self) -> bool {
        self.lags.load(Ordering::SeqCst)
    }

    /// Whether what comes from another server was looked at there.
    pub(crate) fn is_trusted(&self, slot: Slot) -> bool {
        self.state().is_trusted(slot)
    }

    /// A server is here that was not known before.
    pub(crate) fn join(&self, slot: Slot) {
        let now = self.clock.now();
        self.state().join(slot, now);
        self.wake.notify_one();
    }

    /// A server has said where it is, to this one or, with `is_relayed`, to others that pass it on.
    ///
    /// Whoever passes it on, and however late: it is a statement about one moment, which counts once
    /// all that was applied at that moment is applied here.
    pub(crate) fn receive(&self, statement: Statement, is_relayed: bool) {
        let slot = statement.slot;
        if slot == self.own {
            return;
        }
        let now = self.clock.now();
        // Under the lock: of two that come at once the later one stays.
        let mut state = self.state();
        {
            let known = self.statements.borrow();
            let is_news = match known.get(&slot) {
                // A slot with another store: whoever links up with it finds out.
                Some(last) if last.log_id != statement.log_id => false,
                Some(last) => last.number < statement.number,
                None => known.len() < STATEMENTS_MAX,
            };
            if !is_news {
                return;
            }
        }
        if is_relayed {
            state.join_relayed(slot, now);
        }
        state.receive(slot, &statement.report, now);
        self.publish(statement);
        drop(state);
        self.wake.notify_one();
    }

    /// What the other servers are to be told, whenever that changes.
    pub(crate) fn statements(&self) -> watch::Receiver<Statements> {
        self.statements.subscribe()
    }

    /// Says what is durable of this server's own state; whatever there is to say after a look, or
    /// again, if the last word is old.
    fn state_own(&self, report: Report, told: &mut Told, now: u64) {
        let last = self.statements.borrow().get(&self.own).cloned();
        let is_news = last.as_ref().is_none_or(|last| last.report != report);
        if !is_news && now.saturating_sub(told.stated_at) < self.repeat_ms {
            return;
        }
        told.stated_at = now;
        // A process says fewer than 2^32 things, once for each look at the most.
        let first = self.state().generation() << 32;
        let number = last.map_or(first, |last| last.number + 1);
        self.publish(Statement { slot: self.own, log_id: self.log_id, number, report });
    }

    fn publish(&self, statement: Statement) {
        self.statements.send_modify(|statements| {
            let statements = Arc::make_mut(statements);
            statements.insert(statement.slot, Arc::new(statement));
        });
    }

    /// A document was trimmed, and what is left of it is stored.
    pub(crate) fn trimmed(&self, events: u64, writers: usize) {
        self.done.documents.fetch_add(1, Ordering::Relaxed);
        self.done.events.fetch_add(events, Ordering::Relaxed);
        self.done.writers.fetch_add(writers as u64, Ordering::Relaxed);
    }

    pub(crate) fn health(&self) -> TrimmingHealth {
        TrimmingHealth {
            horizon_ms: self.horizon_ms,
            floor: self.floor(),
            floor_age_ms: self.state().floor_age_ms(),
            trim: self.trim(),
            lags: self.lags(),
            looked_at: self.looked_at.load(Ordering::SeqCst),
            documents: self.done.documents.load(Ordering::Relaxed),
            events: self.done.events.load(Ordering::Relaxed),
            writers: self.done.writers.load(Ordering::Relaxed),
        }
    }

    /// Takes a retired server's slot out of a cut.
    pub(crate) fn known(&self, cut: &mut Cut) {
        self.state().retain_known(cut);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
