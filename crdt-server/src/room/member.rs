use std::sync::Arc;
use std::time::Instant;

use crdt_causal::sync::{ChangeLog, Content, Event, Message, Refusal, Session, SessionError};
use tokio::sync::Notify;

use super::peer::PeerMember;
use super::tokens::Tokens;
use crate::auth::{Access, Permission};
use crate::bucket::{Bucket, Rate};
use crate::frame::CloseReason;
use crate::outbound::Link;

/// One channel in a room: its session, and what it may do.
pub(super) struct Member {
    pub(super) link: Arc<Link>,
    pub(super) permission: Permission,
    pub(super) session: Session,
    /// The queue of its connection is full: it waits to be woken.
    pub(super) is_blocked: bool,
    /// If another server is on the channel.
    pub(super) peer: Option<PeerMember>,
    /// If it has asked for session tokens.
    pub(super) tokens: Option<Tokens>,
    presence: Bucket,
}

/// Whether a member stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stays {
    Yes,
    No(CloseReason),
}

impl Member {
    pub(super) fn new(
        link: Arc<Link>,
        permission: Permission,
        session: Session,
        presence: Rate,
        peer: Option<PeerMember>,
    ) -> Self {
        let presence = Bucket::full(presence, Instant::now());
        Self { link, permission, session, is_blocked: false, peer, tokens: None, presence }
    }

    /// Takes in a message. The session's refusal, if it comes to that, is still to be sent.
    pub(super) fn handle<L: ChangeLog>(
        &mut self,
        message: &[u8],
        log: &mut L,
        now: u64,
    ) -> Result<(), SessionError<L::Error>> {
        if self.permission.access == Access::Read && brings_changes(message) {
            self.session.refuse(Refusal::NotAuthorisedToWrite);
            return Ok(());
        }
        let handled = self.session.handle(message, log, now);
        if let (Err(error), Some(peer)) = (&handled, &mut self.peer) {
            match error {
                SessionError::UnrelatedGenesis { .. } => peer.refused(Refusal::UnrelatedGenesis),
                SessionError::Import(error) => peer.refused(L::refusal(error)),
                _ => {}
            }
        }
        handled
    }

    /// Sends what the session has to say, as far as there is room in the queue.
    pub(super) fn transmit<L: ChangeLog>(
        &mut self,
        log: &L,
        wake: &Arc<Notify>,
        now: u64,
    ) -> Stays {
        loop {
            self.is_blocked = !self.link.has_room(wake);
            // A last word is small, and said even to who does not listen.
            if self.is_blocked && !self.session.is_over() {
                return Stays::Yes;
            }
            match self.session.poll_transmit(log, now) {
                Some(message) => {
                    if let Some(tokens) = &mut self.tokens
                        && brings_changes(&message)
                    {
                        tokens.was_sent(now);
                    }
                    self.link.send(&message);
                }
                None if self.session.is_over() => return Stays::No(CloseReason::Refused),
                None => return Stays::Yes,
            }
        }
    }

    /// When to transmit again, if nothing happens before.
    pub(super) fn deadline(&self) -> Option<u64> {
        if self.is_blocked {
            return None;
        }
        let token = self.tokens.as_ref().and_then(Tokens::deadline);
        self.session.poll_timeout().into_iter().chain(token).min()
    }

    pub(super) fn poll_event(&mut self) -> Option<Event> {
        let event = self.session.poll_event()?;
        if let Some(peer) = &mut self.peer {
            match event {
                Event::UpToDate => peer.up_to_date(),
                Event::Refused(refusal) => peer.refused(refusal),
                _ => {}
            }
        }
        Some(event)
    }

    /// Tells the link of another server what has become durable there.
    pub(super) fn report(&mut self) {
        if let Some(peer) = &mut self.peer {
            peer.report(&self.session);
        }
    }

    /// Whether the member may send another presence message now.
    pub(super) fn may_send_presence(&mut self, rate: Rate) -> bool {
        self.presence.take(rate, Instant::now())
    }
}

/// A member that may only read is refused at the first fragment, before any is kept.
fn brings_changes(message: &[u8]) -> bool {
    matches!(
        Message::decode(message),
        Ok(Message::Numbered { content: Content::Fragment { .. }, .. })
    )
}
