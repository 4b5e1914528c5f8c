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
//! * **In that order.** What the trimmer says is durable first; then the rooms go by the new floor,
//!   and what they had taken in before is durable, too; then the other servers are told; then
//!   documents are trimmed ([`keeper`]).

mod floor;
mod keeper;
mod state;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crdt_causal::cut::{Cut, Slot};
use crdt_causal::stability::{Report, StabilityConfig};
use tokio::sync::{Notify, watch};

use crate::clock::Clock;

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
    /// What the other servers may be told.
    report: watch::Sender<Option<Arc<Report>>>,
    wake: Notify,
    looked_at: AtomicU64,
    elapsed: AtomicU64,
    done: Done,
}

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
    pub(crate) fn new(
        own: Slot,
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
            report: watch::Sender::new(None),
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

    /// Another server has told where it is.
    pub(crate) fn receive(&self, from: Slot, report: &Report) {
        let now = self.clock.now();
        self.state().receive(from, report, now);
        self.wake.notify_one();
    }

    /// What the other servers are to be told, whenever that changes.
    pub(crate) fn reports(&self) -> watch::Receiver<Option<Arc<Report>>> {
        self.report.subscribe()
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
