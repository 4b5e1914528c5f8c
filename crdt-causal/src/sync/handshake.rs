//! The exchange of greetings, over a network that may lose them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::{Dot, Frontier, ReplicaId, VersionVector};

use super::hello::{Hello, Summary};
use super::limits::{Config, HELLO_BYTES_MAX, Limits, WRITERS_MAX};
use super::log::ChangeLog;
use super::message::Message;
use super::reconciling::Reconciling;
use super::timer::Timer;

/// Where the greetings of both sides are.
///
/// A side repeats its greeting until it knows that it came (any other message of the peer shows
/// that, and so does a greeting that echoes its nonce) and until it has made out what the peer
/// holds.
#[derive(Debug)]
pub(super) struct Handshake {
    nonce: u64,
    /// Own writers, first those of the configuration.
    pub(super) writers: Vec<ReplicaId>,
    was_sent: bool,
    /// The peer has it.
    came: bool,
    /// The peer was asked for a vector.
    asked: bool,
    timer: Timer,
    peer: Option<Peer>,
    /// The peer could not make out what is held here, and asks for a vector.
    vector_owed: bool,
    /// What the peer's sketch says, and how that differs from what is held here: to be told.
    difference: Option<Vec<u8>>,
    /// What the own sketch was made of.
    sketched: Option<VersionVector>,
    /// Two sides that reconcile shall not both ask: the one with the greater nonce lets the other.
    yields: bool,
    /// Before this time no other whole vector is given: a question is much shorter than that.
    vector_not_before: u64,
}

/// What the peer's greeting says.
#[derive(Debug)]
struct Peer {
    nonce: u64,
    limits: Limits,
    writers: Vec<ReplicaId>,
    holds: Summary,
    /// Whether it is known what version that is.
    made_out: bool,
    /// Whether it would answer a sketch.
    answers: bool,
}

/// What a greeting of the peer brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeted {
    /// It is the first one.
    pub(super) first: bool,
    /// What the peer holds, made out now and not before.
    pub(super) holds: Option<VersionVector>,
    /// Up to here the two sides hold the same events, not only the same names.
    pub(super) same: VersionVector,
}

/// Why a greeting ends the session.
#[derive(Debug)]
pub(super) enum Rejected {
    /// The peer has begun another session.
    Restarted,
    /// It holds other events under names that are held here.
    Fork(Dot),
}

impl Handshake {
    pub(super) fn new(config: &Config, nonce: u64) -> Self {
        Self {
            nonce,
            writers: config.writers.clone(),
            was_sent: false,
            came: false,
            asked: false,
            timer: Timer::default(),
            peer: None,
            vector_owed: false,
            difference: None,
            sketched: None,
            yields: false,
            vector_not_before: 0,
        }
    }

    /// Whether the own greeting was sent at least once.
    pub(super) fn was_sent(&self) -> bool {
        self.was_sent
    }

    /// What the peer accepts, once its greeting has come.
    pub(super) fn peer_limits(&self) -> Option<&Limits> {
        self.peer.as_ref().map(|peer| &peer.limits)
    }

    /// In whose name the peer writes.
    pub(super) fn peer_writers(&self) -> &[ReplicaId] {
        self.peer.as_ref().map_or(&[], |peer| &peer.writers)
    }

    /// The maximal events of what the peer said that it holds, if it named them.
    pub(super) fn peer_frontier(&self) -> Option<&Frontier> {
        self.peer.as_ref()?.holds.frontier.as_ref()
    }

    /// Whether it is known what the peer holds.
    pub(super) fn made_out(&self) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.made_out)
    }

    /// The peer has shown that the own greeting came.
    pub(super) fn confirm(&mut self) {
        self.yields = false;
        if self.was_sent {
            self.came = true;
            self.settle();
        }
    }

    /// The peer claims one more writer. Returns whether there is room.
    pub(super) fn add_peer_writer(&mut self, replica: ReplicaId) -> bool {
        let Some(peer) = &mut self.peer else { return false };
        if peer.writers.len() >= WRITERS_MAX {
            return false;
        }
        peer.writers.push(replica);
        true
    }

    /// Takes in a greeting, whose genesis was compared.
    pub(super) fn greet<L: ChangeLog>(
        &mut self,
        hello: Hello,
        config: &Config,
        durable: &VersionVector,
        log: &L,
    ) -> Result<Greeted, Rejected> {
        if self.peer.as_ref().is_some_and(|peer| peer.nonce != hello.nonce) {
            return Err(Rejected::Restarted);
        }
        let mut same = VersionVector::new();
        if !self.made_out() {
            same = hello.holds.compare(log).map_err(Rejected::Fork)?;
        }
        if hello.echo == Some(self.nonce) {
            self.confirm();
        }
        let answered = self.reconcile(&hello, config, durable);
        self.vector_owed |= hello.wants_vector && self.difference.is_none();
        let first = self.peer.is_none();
        let peer = self.peer.get_or_insert_with(|| Peer {
            nonce: hello.nonce,
            limits: hello.limits,
            writers: hello.writers,
            holds: Summary::default(),
            made_out: false,
            answers: hello.reconciling.answers,
        });
        if first {
            self.yields = peer.answers && config.reconciler.is_some() && self.nonce > peer.nonce;
        }
        let mut holds = None;
        if !peer.made_out {
            holds = hello.holds.resolve(log).or_else(|| Some(log.closed(answered?)));
            peer.made_out = holds.is_some();
            peer.holds = hello.holds;
        }
        self.settle();
        Ok(Greeted { first, holds, same })
    }

    /// What the peer holds, if its sketch tells, or its answer to the own one.
    fn reconcile(
        &mut self,
        hello: &Hello,
        config: &Config,
        durable: &VersionVector,
    ) -> Option<VersionVector> {
        let reconciler = config.reconciler?;
        let Reconciling { sketch, difference, .. } = &hello.reconciling;
        if let Some(sketch) = sketch {
            // One that was answered costs nothing again before that is sent.
            if self.difference.is_some() {
                return None;
            }
            let (holds, difference) = (reconciler.answer)(sketch, durable, hello.nonce)?;
            self.difference = Some(difference);
            return Some(holds);
        }
        (reconciler.resolve)(difference.as_ref()?, self.sketched.as_ref()?, self.nonce)
    }

    /// Whether the peer is to be asked at once for a greeting that can be made out.
    fn asks(&self) -> bool {
        self.was_sent && self.peer.is_some() && !self.made_out() && !self.asked && !self.yields
    }

    /// Stops repeating the greeting if there is nothing left to repeat it for.
    fn settle(&mut self) {
        if self.came && self.made_out() {
            self.timer.stop();
        }
    }

    /// The greeting, if it is time for one, where `durable` is what it may tell of.
    pub(super) fn poll<L: ChangeLog>(
        &mut self,
        config: &Config,
        durable: &VersionVector,
        log: &L,
        now: u64,
    ) -> Option<Vec<u8>> {
        let may_answer = now >= self.vector_not_before;
        let vector_due = self.vector_owed && may_answer;
        let difference_due = self.difference.is_some() && may_answer;
        // Asking for a vector does not wait: the peer's greeting has just come.
        let due = vector_due || difference_due || self.asks() || self.timer.is_due(now);
        if self.was_sent && !due {
            return None;
        }
        if self.timer.deadline().is_none() {
            self.timer.start(&config.retry, now);
        } else {
            self.timer.back_off(&config.retry, now);
        }
        if vector_due || difference_due {
            // A planted bug: a short question gets a long answer as often as it is asked.
            let wait = if is_planted("always-answer") { 0 } else { config.retry.interval_ms / 2 };
            self.vector_not_before = now.saturating_add(wait);
        }
        let difference = if difference_due { self.difference.take() } else { None };
        let holds = if vector_due {
            self.vector_owed = false;
            Summary::whole(durable, log, self.vector_bytes_max())
        } else {
            let of_peer = self.peer.iter().flat_map(|peer| {
                let vector = peer.holds.vector.as_ref().map(|vector| &vector.base);
                peer.holds.frontier.iter().chain(vector)
            });
            let bases: Vec<&Frontier> = of_peer.chain([&config.base]).collect();
            Summary::of(durable, log, bases)
        };
        let wants_vector = self.peer.is_some() && !self.made_out() && !self.yields;
        self.yields = false;
        let peer = self.peer.as_ref();
        let sketch = config
            .reconciler
            .filter(|_| wants_vector && peer.is_some_and(|peer| peer.answers))
            .map(|reconciler| (reconciler.sketch)(durable, self.nonce));
        if sketch.is_some() {
            self.sketched = Some(durable.clone());
        }
        let answers = config.reconciler.is_some();
        let hello = Hello {
            genesis: log.genesis(),
            nonce: self.nonce,
            echo: self.peer.as_ref().map(|peer| peer.nonce),
            limits: config.limits,
            holds,
            wants_vector,
            writers: self.writers.clone(),
            reconciling: Reconciling { answers, sketch, difference },
        };
        self.was_sent = true;
        self.asked |= hello.wants_vector;
        self.settle();
        Some(Message::Hello(Box::new(hello)).to_bytes())
    }

    /// How long a vector may be in a greeting, beside the writers and the smaller fields.
    fn vector_bytes_max(&self) -> usize {
        let peer = self.peer_limits().map_or(0, |limits| limits.message_bytes_max);
        let message = usize::try_from(peer).unwrap_or(usize::MAX).clamp(HELLO_BYTES_MAX, 1 << 20);
        message - SMALL_FIELDS_BYTES_MAX - 16 * self.writers.len()
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        if !self.was_sent {
            return Some(0);
        }
        let vector = self.vector_owed.then_some(self.vector_not_before);
        let difference = self.difference.is_some().then_some(self.vector_not_before);
        let asks = self.asks().then_some(0);
        vector.into_iter().chain(difference).chain(asks).chain(self.timer.deadline()).min()
    }
}

/// What a greeting is at most without writers, frontier and vector.
const SMALL_FIELDS_BYTES_MAX: usize = 256;
