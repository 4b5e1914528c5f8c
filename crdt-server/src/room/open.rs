use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crdt_causal::sync::{self, Event, Message, Refusal, Session, SessionError};
use crdt_core::ReplicaId;
use crdt_document::{Document, Genesis};
use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::admission::{Admission, NotAdmitted, Past};
use super::claims::Claims;
use super::member::{Member, Stays};
use super::peer::PeerMember;
use super::presence::PresenceBoard;
use super::requests::{Requests, own_digest};
use super::stored::Stored;
use super::tokens::Tokens;
use super::trim::Age;
use super::{Input, without_blocking};
use crate::auth::{Access, Owner, Permission};
use crate::bucket::Rate;
use crate::frame::CloseReason;
use crate::limits::Limits;
use crate::outbound::{Link, MemberId};
use crate::peer::Watch;
use crate::realm::Attester;
use crate::watching::{By, Watching};

/// A room at work.
pub(super) struct OpenRoom {
    pub(super) document: Document,
    pub(super) stored: Stored,
    origin: Origin,
    pub(super) members: BTreeMap<MemberId, Member>,
    /// Members whose session may have something to say.
    due: BTreeSet<MemberId>,
    pub(super) claims: Claims,
    pub(super) requests: Requests,
    /// What makes a replica id the server's own.
    pub(super) own_digest: Owner,
    pub(super) attester: Arc<Attester>,
    watching: Arc<Watching>,
    /// How old it is.
    pub(super) age: Age,
    presence: PresenceBoard,
    session_limits: sync::Limits,
    presence_rate: Rate,
    /// Whether anyone but other servers was ever here.
    pub(super) had_clients: bool,
    /// Notified when the queue of a blocked member has room again.
    pub(super) wake: Arc<Notify>,
    started: Instant,
}

/// Where the document's genesis comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// The document is empty, and no one has said how it begins.
    Unknown,
    /// The document is empty, and someone who may not write has said how it begins.
    Reader,
    /// Someone who may write has said so, or there are events.
    Settled,
}

impl OpenRoom {
    pub(super) fn new(
        document: Document,
        stored: Stored,
        claims: Claims,
        requests: Requests,
        attester: Arc<Attester>,
        watching: Arc<Watching>,
        limits: &Limits,
    ) -> Self {
        let blank = document.is_empty();
        Self {
            origin: if blank { Origin::Unknown } else { Origin::Settled },
            document,
            stored,
            members: BTreeMap::new(),
            due: BTreeSet::new(),
            claims,
            requests,
            own_digest: own_digest(attester.realm.log_id()),
            attester,
            watching,
            age: Age::default(),
            presence: PresenceBoard::new(limits.presence_clients_max),
            session_limits: sync::Limits::default()
                .with_message_bytes_max(limits.message_bytes_max as u64)
                .with_body_bytes_max(limits.transaction_bytes_max as u64)
                .with_in_flight_max(limits.in_flight_bytes_max as u64, IN_FLIGHT_MESSAGES_MAX),
            presence_rate: Rate::new(
                limits.presence_per_second,
                limits.presence_per_second.saturating_mul(4),
            ),
            had_clients: false,
            wake: Arc::new(Notify::new()),
            started: Instant::now(),
        }
    }

    pub(super) fn take_in(&mut self, input: Input) {
        match input {
            Input::Join { link, permission, tokens, peer } => {
                self.join(link, permission, tokens, peer);
            }
            Input::Message { member, message, permit } => {
                if message.len() > HEAVY_BYTES {
                    without_blocking(|| self.on_message(member, &message));
                } else {
                    self.on_message(member, &message);
                }
                drop(permit);
            }
            Input::Leave { member } => {
                self.members.remove(&member);
                self.claims.release(member);
                debug!(%member, "left");
            }
            Input::Watch { member, watch } => {
                let version = self.document.version();
                if let Some(peer) = self.members.get_mut(&member).and_then(|m| m.peer.as_mut()) {
                    peer.watch(watch, version);
                    self.due.insert(member);
                }
            }
            Input::Owners { owners } => self.adopt(owners),
            Input::Read { path, reply } => {
                self.had_clients = true;
                self.read(&path, reply);
            }
            Input::Write { write, reply } => {
                self.had_clients = true;
                without_blocking(|| self.write(write, reply));
            }
            Input::Known { replicas, reply } => drop(reply.send(self.known(&replicas))),
            Input::RenewFloor { done } => self.age.ask_to_renew(done),
            Input::Trim { done } => self.age.ask_to_trim(done),
        }
    }

    fn join(
        &mut self,
        link: Arc<Link>,
        permission: Permission,
        tokens: bool,
        peer: Option<(PeerMember, Watch)>,
    ) {
        let member = link.member;
        self.had_clients |= peer.is_none();
        // A session begins with what is held, and says so.
        self.stored.look_at(&self.document);
        let peer = peer.map(|(mut peer, watch)| {
            peer.watch(watch, self.document.version());
            peer
        });
        let config = sync::Config::new().with_limits(self.session_limits);
        let mut session = Session::new(config, nonce(), self.now());
        // As long as it is open how the document begins, nothing can be said about it.
        if self.origin != Origin::Unknown {
            session.set_durable(self.stored.durable());
        }
        for update in self.presence.everyone(self.now()) {
            // Cannot be too long: the board keeps to the session's limit.
            let _ = session.send_presence(&update);
        }
        debug!(%member, access = ?permission.access, "joined");
        let mut member_of_room = Member::new(link, permission, session, self.presence_rate, peer);
        member_of_room.tokens = tokens.then(Tokens::default);
        self.members.insert(member, member_of_room);
        self.due.insert(member);
    }

    fn on_message(&mut self, id: MemberId, message: &[u8]) {
        if self.origin != Origin::Settled {
            self.learn_origin(id, message);
        }
        let now = self.now();
        // A message may come after its channel was closed from here.
        let Some(member) = self.members.get_mut(&id) else { return };
        let past = match (self.attester.realm.trimming(), &member.peer) {
            (None, _) => Past::Any,
            (Some(trimming), Some(peer)) if trimming.is_trusted(peer.slot()) => Past::Any,
            (Some(trimming), _) if trimming.lags() => Past::Unknown,
            _ => Past::After(self.age.floor().heads()),
        };
        let log = &mut Admission {
            document: &mut self.document,
            claims: &self.claims,
            member: id,
            is_peer: member.peer.is_some(),
            past,
        };
        if let Err(error) = member.handle(message, log, now) {
            warn!(member = %id, %error, "session ended");
            if member.peer.is_none()
                && matches!(error, SessionError::Import(NotAdmitted::CatchingUp))
            {
                self.watching.turned_away(By::Session);
            }
        }
        self.due.insert(id);
        while let Some(event) = self.members.get_mut(&id).and_then(Member::poll_event) {
            self.on_event(id, event);
        }
    }

    fn on_event(&mut self, id: MemberId, event: Event) {
        let now = self.now();
        let Some(member) = self.members.get_mut(&id) else { return };
        let peer = member.peer.as_ref().map(PeerMember::slot);
        match event {
            Event::Established { .. } if peer.is_some() => self.tell_owners(id),
            Event::Established { writers } => {
                for replica in writers {
                    self.claim(id, replica);
                }
            }
            Event::WriterClaimed { replica } => self.claim(id, replica),
            Event::Changed { ranges } => {
                if peer.is_none() {
                    self.watching.took(By::Session);
                }
                if let Some(tokens) = &mut member.tokens {
                    tokens.wrote();
                }
                for range in ranges {
                    if let Some(slot) = peer {
                        self.stored.brought(range, slot);
                    } else if let Some(owner) = self.claims.wrote(id, range.replica) {
                        self.stored.own(range.replica, owner);
                        self.forward_owners(&[(range.replica, owner)]);
                    }
                }
            }
            Event::Presence(update) => {
                if !member.may_send_presence(self.presence_rate) {
                    return;
                }
                if let Err(error) = self.presence.take_in(&update, now) {
                    warn!(member = %id, %error, "presence cannot be read");
                    return member.session.refuse(Refusal::InvalidMessage);
                }
                for (&other, member) in &mut self.members {
                    // From one server it does not go on to the next: that has it, too.
                    let is_for_it = other != id && (peer.is_none() || member.peer.is_none());
                    if is_for_it && member.session.send_presence(&update).is_ok() {
                        self.due.insert(other);
                    }
                }
            }
            Event::Refused(refusal) => info!(member = %id, %refusal, "refused by the client"),
            // `PeerDurable` and `UpToDate` are news for people.
            _ => {}
        }
    }

    fn claim(&mut self, id: MemberId, replica: ReplicaId) {
        let Some(member) = self.members.get(&id) else { return };
        if member.permission.access == Access::Read {
            return;
        }
        // A claim that is not granted does no harm: it is events that would be refused, and
        // those of a template's author, which everyone claims, are held already.
        if self.claims.claim(replica, id, member.permission.identity).is_err() {
            info!(member = %id, %replica, "claims a replica id of someone else");
        }
    }

    /// An empty document begins as its first writer says. A reader's word holds until a
    /// writer says otherwise; whoever came by it then has to come again.
    fn learn_origin(&mut self, id: MemberId, message: &[u8]) {
        let Some(member) = self.members.get(&id) else { return };
        let Ok(Message::Hello(hello)) = Message::decode(message) else { return };
        let before = self.origin;
        let origin = match member.permission.access {
            Access::Write | Access::Peer => Origin::Settled,
            Access::Read if before == Origin::Unknown => Origin::Reader,
            Access::Read => return,
        };
        if before == Origin::Unknown || hello.genesis != *self.document.genesis().as_bytes() {
            self.document = Document::with_genesis(Genesis::from_bytes(hello.genesis));
            self.document.record_events(false);
            if before == Origin::Reader {
                self.send_away_all_but(id);
            }
        }
        self.origin = origin;
        for (&id, member) in &mut self.members {
            member.session.set_durable(self.stored.durable());
            self.due.insert(id);
        }
    }

    /// A request is the first to write: the document begins as documents do.
    pub(super) fn settle_origin(&mut self) {
        if self.origin == Origin::Settled {
            return;
        }
        self.origin = Origin::Settled;
        for (&id, member) in &mut self.members {
            member.session.set_durable(self.stored.durable());
            self.due.insert(id);
        }
    }

    fn send_away_all_but(&mut self, id: MemberId) {
        let (stay, go) = std::mem::take(&mut self.members).into_iter().partition(|(m, _)| *m == id);
        self.members = stay;
        for (gone, member) in go {
            self.claims.release(gone);
            member.link.close(CloseReason::GoingAway, "the document begins otherwise");
        }
    }

    /// What was imported is on its way to the store.
    pub(super) fn on_write(&mut self) {
        self.members.values_mut().filter_map(|m| m.tokens.as_mut()).for_each(Tokens::on_write);
    }

    pub(super) fn on_durable(&mut self) {
        let now = self.now();
        for (&id, member) in &mut self.members {
            if let Some(tokens) = &mut member.tokens {
                tokens.on_durable(now);
            }
            member.session.set_durable(self.stored.durable());
            self.due.insert(id);
        }
    }

    pub(super) fn on_wake(&mut self) {
        let blocked = self.members.iter().filter(|(_, member)| member.is_blocked);
        self.due.extend(blocked.map(|(&id, _)| id));
    }

    pub(super) fn on_deadline(&mut self) {
        let now = self.now();
        self.presence.expire(now);
        let due = self
            .members
            .iter()
            .filter(|(_, member)| member.deadline().is_some_and(|deadline| deadline <= now));
        self.due.extend(due.map(|(&id, _)| id));
    }

    pub(super) fn transmit(&mut self) {
        let now = self.now();
        for id in std::mem::take(&mut self.due) {
            let Some(member) = self.members.get_mut(&id) else { continue };
            let stays = member.transmit(&self.document, &self.wake, now);
            while let Some(event) = member.poll_event() {
                if let Event::Refused(refusal) = event {
                    warn!(member = %id, %refusal, "a change cannot be sent");
                }
            }
            member.report();
            if member.tokens.as_mut().is_some_and(|tokens| tokens.is_due(now)) {
                member.link.send_token(self.attester.token(self.stored.position()));
            }
            if let Stays::No(reason) = stays {
                member.link.close(reason, "");
                self.members.remove(&id);
                self.claims.release(id);
            }
        }
    }

    /// Stores what there is, acknowledges it, and says goodbye.
    pub(super) async fn finish(mut self) {
        loop {
            self.stored.write(&self.document);
            if self.stored.is_settled(&self.document) {
                break;
            }
            if self.stored.settled().await.is_err() {
                return;
            }
        }
        self.on_durable();
        self.answer();
        self.transmit();
        for member in self.members.values() {
            member.link.close(CloseReason::GoingAway, "the server is shutting down");
        }
    }

    /// Whether it has to be found out what members have to have seen, before they are listened to.
    pub(super) fn needs_floor(&self) -> bool {
        self.attester.realm.trimming().is_some()
            && !self.members.is_empty()
            && !self.age.has_floor()
    }

    pub(super) fn is_deserted(&self) -> bool {
        self.members.is_empty()
            && self.requests.is_empty()
            && self.stored.is_settled(&self.document)
    }

    /// When a session or someone's presence is due, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let sessions = self.members.values().filter_map(Member::deadline);
        let next = sessions.chain(self.presence.poll_timeout()).min()?;
        self.started.checked_add(Duration::from_millis(next))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// However a room ends, a panic included, its members learn of it.
impl Drop for OpenRoom {
    fn drop(&mut self) {
        for member in self.members.values() {
            member.link.close(CloseReason::Internal, "");
        }
    }
}

/// How many messages may be on their way to a member.
const IN_FLIGHT_MESSAGES_MAX: u64 = 64;

/// A message longer than this is imported where it does not hold up other rooms.
const HEAVY_BYTES: usize = 32 << 10;

/// Tells a session from others, also across restarts.
fn nonce() -> u64 {
    getrandom::u64().expect("the operating system has random numbers")
}
