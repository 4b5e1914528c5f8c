//! What the two sides of a link tell each other beside the sessions.

use crdt_causal::reconcile;
use tracing::{info, warn};

use super::compare::{self, Comparison, Difference};
use super::greet::say;
use super::link::PeerLink;
use crate::auth::Owner;
use crate::peer_message::{NAMES_MAX, PeerMessage};
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
            PeerMessage::Report(report) => {
                if let Some(trimming) = self.shared.realm.trimming() {
                    if report.epoch != self.shared.realm.place().epoch {
                        return Err("a report of another epoch");
                    }
                    trimming.receive(self.remote, &report);
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

    /// Says how far this server has got with trimming, if it has looked.
    pub(super) fn report(&mut self) {
        let Some(reports) = &mut self.reports else { return };
        if let Some(report) = reports.borrow_and_update().as_deref() {
            say(&self.outbound, &PeerMessage::Report(report.clone()));
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
