//! One side of the exchange that keeps two logs in step.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crdt_core::canary::is_planted;
use crdt_core::{Dot, ReplicaId, VersionVector};

use super::error::SessionError;
use super::event::Event;
use super::handshake::{Handshake, Rejected as Unfit};
use super::hello::Hello;
use super::inbox::{Inbox, Received, Rejected};
use super::limits::{Config, HELLO_BYTES_MAX, Limits, WRITERS_MAX};
use super::log::ChangeLog;
use super::message::{Content, Message};
use super::outbox::{BodyTooLarge, Outbox};
use super::presence::{PresenceQueue, PresenceTooLarge};
use super::refusal::Refusal;
use super::window::Outgoing;

/// One side of a sync session: keeps a log in step with that of one peer, over a network that
/// may lose, repeat, delay and reorder messages.
///
/// It does no I/O and has no clock: messages and the time go in, messages, events and the next
/// deadline come out. After anything went in, and after the deadline, call
/// [`poll_transmit`](Self::poll_transmit) and [`poll_event`](Self::poll_event) until they
/// return `None`.
///
/// * **Reliable.** What was received is imported once and in order. What was lost is sent again
///   after a timeout that doubles, or as soon as the peer reports a gap.
/// * **Durable.** Only what [`set_durable`](Self::set_durable) covers is greeted with, sent and
///   acknowledged. Until it is called for the first time, nothing is said at all.
/// * **Bounded.** [`Limits`] of both sides hold for messages, bodies and what is on its way.
/// * **Alert.** Different events under one name are found when the two sides meet, whoever holds
///   them: see [`ChangeLog::chain`]. The session ends then with [`SessionError::Fork`].
/// * **Sceptical.** What a peer says that it holds tells what to send to it, and no more. The
///   log grows by what it imports.
///
/// A session belongs to one connection: a message of one session must not reach another. When
/// a connection ends, drop the session, and make a new one for the next connection; the
/// greetings find out what was missed. A round trip is all that it costs.
///
/// A message costs its body and 2 bytes (3 from the 128th message on, 4 from the 16,384th).
#[derive(Debug)]
pub struct Session {
    config: Config,
    /// What is durable here, once that was said.
    durable: Option<VersionVector>,
    handshake: Handshake,
    /// What the peer said that it holds, as long as some of that is missing here.
    missing: Option<VersionVector>,
    outbox: Outbox,
    inbox: Inbox,
    /// The peer's greeting came, and has to see that it did.
    confirmation_owed: bool,
    presence: PresenceQueue,
    /// What to tell the peer before saying nothing more.
    refusal: Option<Refusal>,
    over: bool,
    up_to_date: bool,
    events: VecDeque<Event>,
}

impl Session {
    /// A session that has not begun.
    ///
    /// `nonce` tells this session from others: a random number, or any that was not used with
    /// this peer before. `now` is in milliseconds on a clock that does not go back.
    #[must_use]
    pub fn new(config: Config, nonce: u64, now: u64) -> Self {
        // Every deadline begins with a message, and the first message is due at once.
        let _ = now;
        Self {
            handshake: Handshake::new(&config, nonce),
            config,
            durable: None,
            missing: None,
            outbox: Outbox::new(),
            inbox: Inbox::default(),
            confirmation_owed: false,
            presence: PresenceQueue::default(),
            refusal: None,
            over: false,
            up_to_date: false,
            events: VecDeque::new(),
        }
    }

    /// Says what of the log is durable here: a version that the log holds, and that a crash
    /// would not take back. It only grows. Who has no storage passes the log's own version.
    ///
    /// Call it before the first poll, and whenever more is durable. O(replicas).
    pub fn set_durable(&mut self, version: &VersionVector) {
        let durable = self.durable.get_or_insert_default();
        if durable.dominates(version) {
            return;
        }
        durable.join(version);
        self.inbox.log_grew(durable);
        self.outbox.log_grew();
    }

    /// Says that this side writes in the name of `replica` too, from now on. The peer learns
    /// it before it gets further changes.
    ///
    /// Returns whether the replica is claimed now: a session claims [`WRITERS_MAX`] at most.
    pub fn claim_writer(&mut self, replica: ReplicaId) -> bool {
        if self.handshake.writers.contains(&replica) {
            return true;
        }
        if self.handshake.writers.len() >= WRITERS_MAX {
            return false;
        }
        if self.handshake.was_sent() {
            self.outbox.claim(replica);
        }
        self.handshake.writers.push(replica);
        true
    }

    /// Sends something that passes, such as where a cursor is. It may be lost, and
    /// of many that could not be sent yet the oldest are dropped.
    ///
    /// # Errors
    ///
    /// If it is longer than either side accepts.
    pub fn send_presence(&mut self, bytes: &[u8]) -> Result<(), PresenceTooLarge> {
        let own = presence_bytes_max(&self.config.limits);
        let peer = self.handshake.peer_limits().map_or(own, presence_bytes_max);
        self.presence.push(bytes, own.min(peer))
    }

    /// Ends the session, and tells the peer why.
    pub fn refuse(&mut self, refusal: Refusal) {
        if !self.over {
            self.over = true;
            self.refusal = Some(refusal);
        }
    }

    /// Whether the session is over. A message that says why may still have to be sent.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The replicas in whose name the peer says that it writes.
    #[must_use]
    pub fn peer_writers(&self) -> &[ReplicaId] {
        self.handshake.peer_writers()
    }

    /// What the peer accepts, once its greeting has come.
    #[must_use]
    pub fn peer_limits(&self) -> Option<&Limits> {
        self.handshake.peer_limits()
    }

    /// What the peer is known to hold durably: by its greeting, its acknowledgements, and what
    /// it sent. `None` until its greeting was made out.
    #[must_use]
    pub fn acknowledged(&self) -> Option<&VersionVector> {
        self.handshake.made_out().then(|| self.outbox.known())
    }

    /// How many of the events in `version` the peer is not known to hold durably: those that a
    /// user should know are not safe there yet. `None` until the peer's greeting was made out.
    /// O(replicas).
    #[must_use]
    pub fn unacknowledged(&self, version: &VersionVector) -> Option<u64> {
        let known = self.acknowledged()?;
        Some(version.missing_from(known).map(|range| range.len()).fold(0, u64::saturating_add))
    }

    /// Takes in a message of the peer.
    ///
    /// # Errors
    ///
    /// The session is over, and the log is as it was before the message. Poll once more for
    /// what to tell the peer.
    pub fn handle<L: ChangeLog>(
        &mut self,
        bytes: &[u8],
        log: &mut L,
        now: u64,
    ) -> Result<(), SessionError<L::Error>> {
        if self.over {
            return Err(SessionError::Over);
        }
        let bytes_max = self.config.limits.message_bytes_max;
        let hello_bytes = if Message::is_hello(bytes) { HELLO_BYTES_MAX as u64 } else { 0 };
        if bytes.len() as u64 > bytes_max.max(hello_bytes) {
            let error = SessionError::MessageTooLarge { bytes: bytes.len(), bytes_max };
            return Err(self.fail(Refusal::MessageTooLarge { bytes_max }, error));
        }
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                return Err(self.fail(Refusal::InvalidMessage, SessionError::Decode(error)));
            }
        };
        match message {
            Message::Hello(hello) => self.on_hello(*hello, log)?,
            Message::OtherProtocol { protocol } => {
                let refusal = Refusal::ProtocolVersion { supported: Message::PROTOCOL };
                return Err(self.fail(refusal, SessionError::ProtocolVersion { theirs: protocol }));
            }
            Message::Refuse(refusal) => {
                self.over = true;
                self.events.push_back(Event::Refused(refusal));
                return Ok(());
            }
            // The rest makes sense after the peer's greeting; before that it has overtaken it,
            // and comes again.
            _ if self.handshake.peer_limits().is_none() => self.handshake.confirm(),
            message => {
                self.handshake.confirm();
                self.on_message(message, log, now)?;
            }
        }
        self.note_up_to_date(log);
        Ok(())
    }

    fn on_hello<L: ChangeLog>(
        &mut self,
        hello: Hello,
        log: &L,
    ) -> Result<(), SessionError<L::Error>> {
        if hello.genesis != log.genesis() {
            let error = SessionError::UnrelatedGenesis { theirs: hello.genesis };
            return Err(self.fail(Refusal::UnrelatedGenesis, error));
        }
        let durable = self.durable.clone().unwrap_or_default();
        let greeted = match self.handshake.greet(hello, &self.config, &durable, log) {
            Ok(greeted) => greeted,
            Err(Unfit::Restarted) => {
                self.over = true;
                return Err(SessionError::PeerRestarted);
            }
            Err(Unfit::Fork(dot)) => return Err(self.fail_at_fork(dot)),
        };
        self.confirmation_owed = true;
        if greeted.first {
            let writers = self.handshake.peer_writers().to_vec();
            self.events.push_back(Event::Established { writers });
        }
        self.outbox.learn_same(&greeted.same);
        if let Some(holds) = greeted.holds {
            if !log.serves(&holds) {
                return Err(self.fail(Refusal::Trimmed, SessionError::Trimmed));
            }
            // A planted bug: what a peer claims to hold is held here.
            if is_planted("trust-claims") {
                self.durable.get_or_insert_default().join(&holds);
            }
            self.missing = Some(holds.clone());
            self.outbox.learn_version(holds);
        }
        Ok(())
    }

    fn on_message<L: ChangeLog>(
        &mut self,
        message: Message<'_>,
        log: &mut L,
        now: u64,
    ) -> Result<(), SessionError<L::Error>> {
        match message {
            Message::Numbered { number, content } => self.on_numbered(number, content, log, now)?,
            Message::Acknowledge(acknowledgement) => {
                match self.outbox.acknowledge(acknowledgement, &self.config.retry, now) {
                    Ok(true) => self.events.push_back(Event::PeerDurable),
                    Ok(false) => {}
                    Err(_) => {
                        return Err(self.fail(Refusal::InvalidMessage, SessionError::NeverSent));
                    }
                }
            }
            Message::RequestAcknowledgement => self.inbox.owe_now(false),
            Message::Presence(bytes) => {
                let bytes_max = presence_bytes_max(&self.config.limits);
                if bytes.len() as u64 > bytes_max {
                    let error = SessionError::MessageTooLarge { bytes: bytes.len(), bytes_max };
                    return Err(self.fail(Refusal::MessageTooLarge { bytes_max }, error));
                }
                self.events.push_back(Event::Presence(bytes.to_vec()));
            }
            Message::Hello(_) | Message::OtherProtocol { .. } | Message::Refuse(_) => {
                unreachable!("these were told apart before")
            }
        }
        Ok(())
    }

    fn on_numbered<L: ChangeLog>(
        &mut self,
        number: u64,
        content: Content<'_>,
        log: &mut L,
        now: u64,
    ) -> Result<(), SessionError<L::Error>> {
        let Config { limits, retry, .. } = &self.config;
        let nothing = VersionVector::new();
        let durable = self.durable.as_ref().unwrap_or(&nothing);
        match self.inbox.receive(number, content, log, durable, limits, retry, now) {
            Ok(Received::Nothing) => Ok(()),
            Ok(Received::Changes(ranges)) => {
                for range in &ranges {
                    self.outbox.learn_range(*range);
                }
                self.events.push_back(Event::Changed { ranges });
                Ok(())
            }
            Ok(Received::Claim(replica)) => {
                if !self.handshake.add_peer_writer(replica) {
                    return Err(self.fail(Refusal::InvalidMessage, SessionError::TooManyWriters));
                }
                self.events.push_back(Event::WriterClaimed { replica });
                Ok(())
            }
            Err(rejected) => {
                let bytes_max = limits.body_bytes_max;
                let (refusal, error) = match rejected {
                    Rejected::WindowExceeded => {
                        (Refusal::WindowExceeded, SessionError::WindowExceeded)
                    }
                    Rejected::BodyTooLarge => {
                        let refusal = Refusal::BodyTooLarge { bytes_max };
                        (refusal, SessionError::BodyTooLarge { bytes_max })
                    }
                    Rejected::Fork(dot) => return Err(self.fail_at_fork(dot)),
                    Rejected::TablesExceeded => {
                        (Refusal::InvalidMessage, SessionError::TablesExceeded)
                    }
                    Rejected::Import(error) => (L::refusal(&error), SessionError::Import(error)),
                };
                Err(self.fail(refusal, error))
            }
        }
    }

    fn fail_at_fork<E>(&mut self, dot: Dot) -> SessionError<E> {
        self.fail(Refusal::Equivocation { replica: dot.replica }, SessionError::Fork(dot))
    }

    fn fail<E>(&mut self, refusal: Refusal, error: SessionError<E>) -> SessionError<E> {
        self.refuse(refusal);
        error
    }

    /// The next message to the peer. Call it again until there is none: after anything went
    /// in, after the log or what is durable of it changed, and after the
    /// [deadline](Self::poll_timeout).
    pub fn poll_transmit<L: ChangeLog>(&mut self, log: &L, now: u64) -> Option<Vec<u8>> {
        if let Some(refusal) = self.refusal.take() {
            return Some(Message::Refuse(refusal).to_bytes());
        }
        if self.over {
            return None;
        }
        let durable = self.durable.as_ref()?;
        if let Some(hello) = self.handshake.poll(&self.config, durable, log, now) {
            self.confirmation_owed = false;
            return Some(hello);
        }
        let peer = *self.handshake.peer_limits()?;
        if let Some(acknowledgement) = self.inbox.poll(now) {
            return Some(self.confirmed(&Message::Acknowledge(acknowledgement)));
        }
        if self.handshake.made_out() {
            let Config { limits, retry, .. } = &self.config;
            // A planted bug: what a crash may still take back is sent.
            let durable = if is_planted("send-before-sync") { log.version() } else { durable };
            match self.outbox.poll(log, durable, limits, &peer, retry, now) {
                Ok(Some(Outgoing::Message(bytes))) => {
                    self.confirmation_owed = false;
                    self.up_to_date = false;
                    return Some(bytes);
                }
                Ok(Some(Outgoing::RequestAcknowledgement)) => {
                    return Some(self.confirmed(&Message::RequestAcknowledgement));
                }
                Ok(None) => {}
                Err(BodyTooLarge) => {
                    let refusal = Refusal::BodyTooLarge { bytes_max: peer.body_bytes_max };
                    self.events.push_back(Event::Refused(refusal));
                    self.over = true;
                    return Some(Message::Refuse(refusal).to_bytes());
                }
            }
        }
        if let Some(bytes) = self.presence.pop(presence_bytes_max(&peer)) {
            return Some(self.confirmed(&Message::Presence(&bytes)));
        }
        if self.confirmation_owed {
            self.inbox.owe_now(false);
            let acknowledgement = self.inbox.poll(now)?;
            return Some(self.confirmed(&Message::Acknowledge(acknowledgement)));
        }
        self.note_up_to_date(log);
        None
    }

    /// Any message but a greeting shows the peer that its own one came.
    fn confirmed(&mut self, message: &Message<'_>) -> Vec<u8> {
        self.confirmation_owed = false;
        message.to_bytes()
    }

    fn note_up_to_date<L: ChangeLog>(&mut self, log: &L) {
        if self.up_to_date || !self.handshake.made_out() || !self.outbox.is_idle() {
            return;
        }
        if let Some(missing) = &self.missing {
            let here = match self.handshake.peer_frontier() {
                Some(frontier) => log.knows(frontier),
                None => log.version().dominates(missing),
            };
            if !here {
                return;
            }
            self.missing = None;
        }
        let durable = self.durable.as_ref();
        if durable.is_some_and(|durable| durable.dominates(log.version())) {
            self.up_to_date = true;
            self.events.push_back(Event::UpToDate);
        }
    }

    /// When to [poll](Self::poll_transmit) again, if nothing happens before. A time that has
    /// passed means at once.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.over || self.durable.is_none() {
            return self.refusal.is_some().then_some(0);
        }
        let handshake = self.handshake.deadline();
        let rest = [self.inbox.deadline(), self.outbox.deadline()];
        handshake.into_iter().chain(rest.into_iter().flatten()).min()
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Panics if the parts of the session contradict each other. For tests.
    pub fn check_invariants(&self) {
        self.outbox.check_invariants();
        self.inbox.check_invariants();
    }
}

/// A presence message is a kind, and what is announced as acceptable.
fn presence_bytes_max(limits: &Limits) -> u64 {
    limits.presence_bytes_max.min(limits.message_bytes_max - 1)
}
