//! What the two sides of a link tell each other beside the sessions.

use std::sync::Arc;

use crdt_causal::reconcile;
use tracing::{info, warn};

use super::compare::{self, Comparison, Difference};
use super::greet::say;
use super::link::PeerLink;
use crate::auth::Owner;
use crate::peer_message::{NAMES_MAX, PeerMessage, Statement};
use crate::realm::SLOT_UNMET;
use crate::room::Input;
use crate::store::unix_ms;

impl PeerLink {
    pub(super) async fn on_message(
        &mut self,
        channel: u32,
        message: PeerMessage,
    ) -> Result<(), &'static str> {
        match message {
            PeerMessage::Holds(cut) => self.shared.realm.learn(self.remote, &cut),
            PeerMessage::Heads(heads) => {
                let now = unix_ms();
                for (slot, position, at) in heads {
                    self.shared.realm.heard(slot, position, at, now);
                }
            }
            PeerMessage::Offer(offer) => {
                let limits = self.reconcile_limits();
                let answer = compare::answer(&self.shared.store, offer, limits).await;
                let answer = answer.map_err(|error| {
                    warn!(%error, "the collection cannot be read");
                    "the store cannot be read"
                })?;
                let answer = answer.map_err(|_| "an offer that cannot be read")?;
                say(&self.outbound, &PeerMessage::Answer(answer));
            }
            PeerMessage::Answer(answer) => {
                let Some(comparison) = &mut self.comparison else {
                    return Err("an answer without a question");
                };
                match comparison.handle(&answer).map_err(|_| "an answer that cannot be read")? {
                    Some(difference) => self.on_difference(difference),
                    None => self.offer(),
                }
            }
            PeerMessage::Differing { documents, is_last } => {
                for document in &documents {
                    self.progress.differs(document, false);
                }
                if is_last {
                    self.progress.listed();
                }
            }
            PeerMessage::Owners(owners) => {
                if let Some(channel) = self.channels.get(&channel) {
                    let owners = owners.into_iter();
                    let owners = owners.map(|(id, digest)| (id, Owner::from_digest(digest)));
                    let owners = owners.collect();
                    channel.room.send(Input::Owners { owners }).await;
                }
            }
            PeerMessage::Report(statement) => {
                let realm = &self.shared.realm;
                let Some(trimming) = realm.trimming() else { return Ok(()) };
                if statement.report.epoch != realm.place().epoch {
                    return Err("a report of another epoch");
                }
                let (slot, number) = (statement.slot, statement.number);
                if slot == SLOT_UNMET || realm.has_retired(slot) {
                    return Ok(());
                }
                trimming.receive(statement, slot != self.remote);
                // Bounded as those that are heard of are: of nobody else is anything said here.
                if self.statements.as_ref().is_some_and(|all| all.borrow().contains_key(&slot)) {
                    let last = self.stated.entry(slot).or_default();
                    *last = number.max(*last);
                }
            }
            PeerMessage::Greeting(_) => return Err("a second greeting"),
            PeerMessage::Refusal { code, text } => {
                info!(code, text, "the other server ends the link");
                return Err("ended by the other server");
            }
        }
        Ok(())
    }

    /// Says how far this server has got with trimming, if it has looked, and passes on what others
    /// have said: all that was not said on this link, by either side.
    pub(super) fn report(&mut self) {
        let Some(statements) = &mut self.statements else { return };
        let statements = Arc::clone(&statements.borrow_and_update());
        for (&slot, statement) in &*statements {
            let is_news = self.stated.get(&slot).is_none_or(|last| *last < statement.number);
            if slot != self.remote && is_news {
                self.stated.insert(slot, statement.number);
                say(&self.outbound, &PeerMessage::Report(Statement::clone(statement)));
            }
        }
    }

    pub(super) async fn begin_comparison(&mut self) -> Result<(), &'static str> {
        let begun = Comparison::begin(&self.shared.store, self.reconcile_limits()).await;
        self.comparison = Some(begun.map_err(|error| {
            warn!(%error, "the collection cannot be read");
            "the store cannot be read"
        })?);
        self.offer();
        Ok(())
    }

    pub(super) fn offer(&mut self) {
        if let Some(offer) = self.comparison.as_mut().and_then(Comparison::poll_offer) {
            say(&self.outbound, &PeerMessage::Offer(offer));
        }
    }

    /// What came of comparing: the side that dialled opens all of it, and names to the other what
    /// may have to be sent from there.
    pub(super) fn on_difference(&mut self, difference: Difference) {
        self.comparison = None;
        let Difference { only_here, only_there, different, is_complete } = difference;
        info!(
            only_here = only_here.len(),
            only_there = only_there.len(),
            different = different.len(),
            is_complete,
            "the collections were compared"
        );
        let theirs: Vec<_> = different.iter().chain(&only_there).cloned().collect();
        let mut parts: Vec<_> = theirs.chunks(NAMES_MAX).map(<[_]>::to_vec).collect();
        let last = parts.pop().unwrap_or_default();
        for documents in parts {
            say(&self.outbound, &PeerMessage::Differing { documents, is_last: false });
        }
        say(&self.outbound, &PeerMessage::Differing { documents: last, is_last: is_complete });
        for document in only_here.iter().chain(&different) {
            self.progress.differs(document, true);
        }
        for document in &only_there {
            self.progress.visit(document);
        }
        if is_complete {
            self.progress.listed();
        }
    }

    pub(super) fn reconcile_limits(&self) -> reconcile::Limits {
        // With the bytes of the frame and of the message around it.
        let bytes_max = self.shared.config.limits.message_bytes_max.saturating_sub(64);
        reconcile::Limits::default().with_message_bytes_max(bytes_max.min(1 << 20))
    }

    pub(super) fn has_news_to_announce(&self) -> bool {
        let position = self.progress.acknowledged();
        self.shared.realm.holds_news(self.remote, position)
    }

    pub(super) fn announce(&mut self) {
        self.announce_at = None;
        if let Some(cut) = self.shared.realm.acknowledged(self.remote, self.progress.acknowledged())
        {
            say(&self.outbound, &PeerMessage::Holds(cut));
        }
    }
}
