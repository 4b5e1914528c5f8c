//! Who owns replica ids, between servers.

use crdt_core::ReplicaId;

use super::open::OpenRoom;
use crate::auth::Owner;
use crate::outbound::{Link, MemberId};
use crate::peer_message::{OWNERS_MAX, PeerMessage};

impl OpenRoom {
    /// Another server says who owns replica ids: nobody else may claim them here.
    pub(super) fn adopt(&mut self, owners: Vec<(ReplicaId, Owner)>) {
        let mut news = Vec::new();
        for (replica, owner) in owners {
            if self.claims.adopt(replica, owner) {
                self.stored.own(replica, owner);
                news.push((replica, owner));
            }
        }
        self.forward_owners(&news);
    }

    /// Before a server gets events, it hears who owns the ids that they are under.
    pub(super) fn tell_owners(&self, id: MemberId) {
        let Some(member) = self.members.get(&id) else { return };
        let known = member.session.acknowledged();
        let is_news = |replica| {
            known.is_none_or(|known| known.get(replica) < self.document.version().get(replica))
        };
        let owners: Vec<_> =
            self.claims.owners().filter(|(replica, _)| is_news(*replica)).collect();
        tell_owners(&member.link, &owners);
    }

    pub(super) fn forward_owners(&self, owners: &[(ReplicaId, Owner)]) {
        if owners.is_empty() {
            return;
        }
        for member in self.members.values().filter(|member| member.peer.is_some()) {
            tell_owners(&member.link, owners);
        }
    }
}

fn tell_owners(link: &Link, owners: &[(ReplicaId, Owner)]) {
    for part in owners.chunks(OWNERS_MAX) {
        let part = part.iter().map(|(replica, owner)| (*replica, owner.digest())).collect();
        link.tell(&PeerMessage::Owners(part));
    }
}
