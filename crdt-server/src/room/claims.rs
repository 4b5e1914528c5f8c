use std::collections::{BTreeMap, BTreeSet};

use crdt_core::ReplicaId;

use crate::auth::{Identity, Owner};
use crate::outbound::MemberId;

/// In whose name each member of a room may write.
///
/// A replica id is bound twice: to the *connections* that claimed it, for as long as they
/// last, and, where tokens are used, to the *token* that first wrote with it, for ever. New
/// events of a replica are taken from a member that holds a claim on it and from no one
/// else; events that are held already may come from anyone.
///
/// Members of one identity may hold a claim together: after a reconnect the old connection
/// is often not yet known to be dead, and the tabs of one browser profile hand over one
/// another's changes. Between identities a live claim excludes.
#[derive(Debug, Default)]
pub(super) struct Claims {
    live: BTreeMap<ReplicaId, Holders>,
    by_member: BTreeMap<MemberId, BTreeSet<ReplicaId>>,
    owners: BTreeMap<ReplicaId, Owner>,
}

#[derive(Debug)]
struct Holders {
    identity: Identity,
    members: usize,
}

/// The replica id belongs to someone else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign;

impl Claims {
    pub(super) fn new(owners: BTreeMap<ReplicaId, Owner>) -> Self {
        Self { owners, ..Self::default() }
    }

    /// `member`, who is `identity`, says that it writes in the name of `replica`.
    pub(super) fn claim(
        &mut self,
        replica: ReplicaId,
        member: MemberId,
        identity: Identity,
    ) -> Result<(), Foreign> {
        // Without tokens there is one identity; owners may be left from a time with tokens.
        if let (Identity::Token(own), Some(owner)) = (identity, self.owners.get(&replica))
            && *owner != own
        {
            return Err(Foreign);
        }
        let holders = self.live.entry(replica).or_insert(Holders { identity, members: 0 });
        if holders.identity != identity {
            return Err(Foreign);
        }
        if self.by_member.entry(member).or_default().insert(replica) {
            holders.members += 1;
        }
        Ok(())
    }

    /// Whether `member` holds a claim on `replica`.
    pub(super) fn holds(&self, member: MemberId, replica: ReplicaId) -> bool {
        self.by_member.get(&member).is_some_and(|replicas| replicas.contains(&replica))
    }

    /// Notes that `member` wrote in the name of `replica`; returns the owner that this makes.
    pub(super) fn wrote(&mut self, member: MemberId, replica: ReplicaId) -> Option<Owner> {
        let holders = self.live.get(&replica).filter(|_| self.holds(member, replica))?;
        let Identity::Token(owner) = holders.identity else { return None };
        if self.owners.contains_key(&replica) {
            return None;
        }
        self.owners.insert(replica, owner);
        Some(owner)
    }

    /// Whether anybody holds a claim on `replica` now.
    pub(super) fn is_live(&self, replica: ReplicaId) -> bool {
        self.live.contains_key(&replica)
    }

    /// The replicas that somebody holds a claim on now.
    pub(super) fn live(&self) -> impl Iterator<Item = ReplicaId> + '_ {
        self.live.keys().copied()
    }

    /// Replicas that are no longer known belong to nobody.
    pub(super) fn forget(&mut self, replicas: &[ReplicaId]) {
        for replica in replicas {
            self.owners.remove(replica);
        }
    }

    /// Who owns `replica`, if anybody does.
    pub(super) fn owner(&self, replica: ReplicaId) -> Option<Owner> {
        self.owners.get(&replica).copied()
    }

    /// Takes over what another server says of an owner; returns whether it was news.
    pub(super) fn adopt(&mut self, replica: ReplicaId, owner: Owner) -> bool {
        let is_news = !self.owners.contains_key(&replica);
        if is_news {
            self.owners.insert(replica, owner);
        }
        is_news
    }

    /// Who owns which replica id.
    pub(super) fn owners(&self) -> impl Iterator<Item = (ReplicaId, Owner)> + '_ {
        self.owners.iter().map(|(&replica, &owner)| (replica, owner))
    }

    /// `member` is gone.
    pub(super) fn release(&mut self, member: MemberId) {
        for replica in self.by_member.remove(&member).unwrap_or_default() {
            if let Some(holders) = self.live.get_mut(&replica) {
                holders.members -= 1;
                if holders.members == 0 {
                    self.live.remove(&replica);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{Link, Outbound};

    const REPLICA: ReplicaId = ReplicaId::from_u128(7);

    fn member() -> MemberId {
        Link::new(0, Outbound::new(1, <_>::default()).0).member
    }

    fn holder(token: &str) -> Identity {
        Identity::Token(Owner::of(token))
    }

    #[test]
    fn a_live_claim_excludes_other_identities_until_it_is_released() {
        let mut claims = Claims::default();
        let (first, second, other) = (member(), member(), member());
        assert_eq!(claims.claim(REPLICA, first, holder("a")), Ok(()));
        assert_eq!(claims.claim(REPLICA, first, holder("a")), Ok(()), "again");
        assert_eq!(claims.claim(REPLICA, other, holder("b")), Err(Foreign));
        assert_eq!(claims.claim(REPLICA, second, holder("a")), Ok(()), "a reconnect");
        claims.release(first);
        assert!(!claims.holds(first, REPLICA) && claims.holds(second, REPLICA));
        assert_eq!(claims.claim(REPLICA, other, holder("b")), Err(Foreign));
        claims.release(second);
        assert_eq!(claims.claim(REPLICA, other, holder("b")), Ok(()), "nothing was written");
    }

    #[test]
    fn who_writes_first_owns_for_ever() {
        let mut claims = Claims::default();
        let (first, other) = (member(), member());
        assert_eq!(claims.wrote(first, REPLICA), None, "without a claim");
        claims.claim(REPLICA, first, holder("a")).expect("free");
        assert_eq!(claims.wrote(first, REPLICA), Some(Owner::of("a")));
        assert_eq!(claims.wrote(first, REPLICA), None, "known already");
        claims.release(first);
        assert_eq!(claims.claim(REPLICA, other, holder("b")), Err(Foreign));
        assert_eq!(claims.claim(REPLICA, first, holder("a")), Ok(()));

        let mut loaded = Claims::new([(REPLICA, Owner::of("a"))].into());
        assert_eq!(loaded.claim(REPLICA, other, holder("b")), Err(Foreign));
        assert_eq!(loaded.claim(REPLICA, first, Identity::Anonymous), Ok(()), "no tokens now");
    }

    #[test]
    fn what_another_server_says_of_owners_holds_unless_it_is_known_otherwise() {
        let mut claims = Claims::default();
        let (holder_a, holder_b) = (member(), member());
        assert!(claims.adopt(REPLICA, Owner::of("a")));
        assert!(!claims.adopt(REPLICA, Owner::of("b")), "the first word counts");
        assert_eq!(claims.claim(REPLICA, holder_b, holder("b")), Err(Foreign));
        assert_eq!(claims.claim(REPLICA, holder_a, holder("a")), Ok(()));
        assert_eq!(claims.wrote(holder_a, REPLICA), None, "known already");
    }

    #[test]
    fn a_refused_claim_leaves_nothing_behind() {
        let mut claims = Claims::new([(REPLICA, Owner::of("a"))].into());
        let stranger = member();
        assert_eq!(claims.claim(REPLICA, stranger, holder("b")), Err(Foreign));
        assert!(!claims.holds(stranger, REPLICA));
        claims.release(stranger);
        assert!(claims.live.is_empty() && claims.by_member.is_empty());
    }
}
