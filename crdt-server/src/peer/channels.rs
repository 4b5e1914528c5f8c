//! The documents on a link: opened, passed on to their rooms, and closed.

use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::link::{Channel, PeerLink, RETRY_PAUSE};
use crate::auth::{Access, Identity, Permission};
use crate::frame::{
    CHANNEL_MAX, Close, CloseReason, Frame, FrameBody, Open, PROTOCOL_VERSION,
    is_valid_document_name,
};
use crate::outbound::Link;
use crate::room::{Input, PeerMember, PeerSide, RoomHandle};

impl PeerLink {
    pub(super) async fn watch(&mut self, document: &Arc<str>) {
        let Some(channel) = self.documents.get(document).and_then(|n| self.channels.get_mut(n))
        else {
            return;
        };
        let watch = self.progress.watch(document, channel.watched);
        channel.watched = watch.ranges.last().map_or(channel.watched, |(position, _)| *position);
        channel.quiet_since = None;
        // A room that has ended says so by itself.
        channel.room.send(Input::Watch { member: channel.link.member, watch }).await;
    }

    pub(super) async fn open_what_is_due(&mut self) {
        let now = Instant::now();
        let channels_max = self.shared.config.limits.peer_channels_max;
        loop {
            if self.channels.len() >= channels_max && !self.close_a_quiet_one().await {
                return;
            }
            let Some(document) = self.progress.next_due() else { return };
            if self.next_channel > CHANNEL_MAX {
                self.progress.postpone(&document);
                return;
            }
            let Ok(room) = self.shared.rooms.enter(&document) else {
                // Too many documents are open: some will close.
                self.later.push((now + RETRY_PAUSE, Arc::clone(&document)));
                self.progress.opened(&document);
                return;
            };
            let number = self.next_channel;
            self.next_channel += 2;
            let open = Open { protocol: PROTOCOL_VERSION, document: &document, token: None };
            self.outbound.send(&Frame { channel: number, body: FrameBody::Open(open) });
            self.join(number, document, room).await;
        }
    }

    /// Lets the other server into the room of a document.
    pub(super) async fn join(&mut self, number: u32, document: Arc<str>, room: RoomHandle) {
        let watch = self.progress.opened(&document);
        let watched = watch.ranges.last().map_or(0, |(position, _)| *position);
        let link = Link::new(number, Arc::clone(&self.outbound));
        // Whoever it is, on a link it is a server.
        let permission = Permission { identity: Identity::Anonymous, access: Access::Peer };
        let side = PeerSide { slot: self.remote, channel: number, news: self.news.clone() };
        let peer = Some((PeerMember::new(side), watch));
        let joined = room
            .send(Input::Join { link: Arc::clone(&link), permission, tokens: false, peer })
            .await;
        if joined {
            self.documents.insert(Arc::clone(&document), number);
            let channel = Channel { document, room, link, watched, quiet_since: None };
            self.channels.insert(number, channel);
        } else {
            link.close(CloseReason::GoingAway, "");
            self.later.push((Instant::now() + RETRY_PAUSE, document));
        }
    }

    pub(super) async fn on_open(&mut self, number: u32, open: Open<'_>) {
        let is_theirs = (number % 2 == 1) == self.dialled;
        if !is_theirs || self.channels.contains_key(&number) || open.protocol != PROTOCOL_VERSION {
            return self.refuse(number, CloseReason::ProtocolViolation);
        }
        if !is_valid_document_name(open.document) {
            return self.refuse(number, CloseReason::InvalidName);
        }
        let present = self.documents.get(open.document).copied();
        if let Some(present) = present {
            if self.dialled {
                // Both have opened it at once: the channel of the side that dialled stays.
                return self.refuse(number, CloseReason::Done);
            }
            self.close_channel(present).await;
        }
        // As many again as this side opens.
        if self.channels.len() >= 2 * self.shared.config.limits.peer_channels_max {
            return self.refuse(number, CloseReason::LimitExceeded);
        }
        match self.shared.rooms.enter(open.document) {
            Ok(room) => self.join(number, open.document.into(), room).await,
            Err(reason) => self.refuse(number, reason),
        }
    }

    pub(super) fn refuse(&self, channel: u32, reason: CloseReason) {
        let body = FrameBody::Close(Close { reason, text: "" });
        self.outbound.send(&Frame { channel, body });
    }

    pub(super) async fn on_session(&mut self, number: u32, message: Bytes) {
        let Some(channel) = self.channels.get_mut(&number) else { return };
        channel.quiet_since = None;
        let weight = message.len().clamp(1, self.inbound_bytes_max);
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        let inbound = Arc::clone(&self.inbound).acquire_many_owned(weight).await;
        let permit = inbound.expect("the semaphore is never closed");
        let input = Input::Message { member: channel.link.member, message, permit };
        // A room that has ended says so by itself.
        channel.room.send(input).await;
    }

    pub(super) async fn on_close(&mut self, number: u32, close: Close<'_>) {
        let Some(channel) = self.channels.get(&number) else { return };
        channel.link.set_closed();
        channel.room.send(Input::Leave { member: channel.link.member }).await;
        // For any other reason the room has the last word, and says so: what came before the end
        // may have told it that the two documents can never be kept in step.
        if close.reason == CloseReason::Done
            && let Some(channel) = self.remove(number)
        {
            self.progress.closed(&channel.document);
        }
    }

    /// Closes a channel of this side on which there is nothing to say.
    pub(super) fn close_if_quiet(&mut self, number: u32) {
        let Some(channel) = self.channels.get(&number) else { return };
        if (number % 2 == 1) == self.dialled || self.progress.is_wanted(&channel.document) {
            return;
        }
        if let Some(channel) = self.remove(number) {
            channel.link.close(CloseReason::Done, "");
            self.progress.closed(&channel.document);
            tokio::spawn(async move {
                channel.room.send(Input::Leave { member: channel.link.member }).await;
            });
        }
    }

    pub(super) async fn close_a_quiet_one(&mut self) -> bool {
        let quiet = self.channels.iter().filter(|(number, channel)| {
            channel.quiet_since.is_some()
                && (**number % 2 == 0) == self.dialled
                && !self.progress.is_wanted(&channel.document)
        });
        let oldest =
            quiet.min_by_key(|(_, channel)| channel.quiet_since).map(|(&number, _)| number);
        let Some(oldest) = oldest else { return false };
        self.close_channel(oldest).await;
        true
    }

    pub(super) async fn close_channel(&mut self, number: u32) {
        if let Some(channel) = self.remove(number) {
            channel.link.close(CloseReason::Done, "");
            channel.room.send(Input::Leave { member: channel.link.member }).await;
            self.progress.closed(&channel.document);
        }
    }

    pub(super) fn remove(&mut self, number: u32) -> Option<Channel> {
        let channel = self.channels.remove(&number)?;
        if self.documents.get(&channel.document) == Some(&number) {
            self.documents.remove(&channel.document);
        }
        Some(channel)
    }
}
