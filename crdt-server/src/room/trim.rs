//! Forgetting history of one document, and who may no longer write beside it.

use std::collections::BTreeSet;

use crdt_core::ReplicaId;
use crdt_document::Genesis;
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::member::Member;
use super::open::OpenRoom;
use super::peer::PeerMember;
use super::without_blocking;
use crate::store::{Held, PERMANENT, RENEWED, Renewal, StoreError, StoreWriter, Trim, up_to};
use crate::trimming::{Floor, Trimming};

/// What a room knows of how old its document is.
#[derive(Default)]
pub(super) struct Age {
    /// Found out once somebody is here whom it concerns: it takes the history.
    floor: Option<Floor>,
    /// Those who wait until the floor is renewed and everything from before is durable.
    waiting: Vec<oneshot::Sender<()>>,
    /// The same, once it is renewed, with how many writes have to be durable.
    renewed: Vec<(u64, oneshot::Sender<()>)>,
    /// Up to which position the document was trimmed.
    trimmed: u64,
    /// Those who wait for that.
    asked: Vec<oneshot::Sender<()>>,
    /// When it was last noted who is here.
    renewed_at: u64,
    /// Whose presence was noted then, or since.
    present: BTreeSet<ReplicaId>,
}

impl Age {
    /// What comes from members has to have seen it.
    pub(super) fn floor(&self) -> &Floor {
        self.floor
            .as_ref()
            .expect("it is found out after somebody joins, and before they are heard")
    }

    pub(super) const fn has_floor(&self) -> bool {
        self.floor.is_some()
    }

    pub(super) fn ask_to_renew(&mut self, done: oneshot::Sender<()>) {
        self.waiting.push(done);
    }

    pub(super) fn ask_to_trim(&mut self, done: oneshot::Sender<()>) {
        self.asked.push(done);
    }
}

impl OpenRoom {
    fn trimming(&self) -> Option<&Trimming> {
        self.attester.realm.trimming()
    }

    /// Does what is due, if anything is: reads the store, where the floor is another one, and
    /// trims. To be called before anything is taken in, and whenever something was.
    pub(super) async fn keep_up(&mut self, store: &StoreWriter) -> Result<(), StoreError> {
        let Some(trimming) = self.trimming() else { return Ok(()) };
        let (floor, trim) = (trimming.floor(), trimming.trim());
        let (elapsed, horizon) = (trimming.elapsed_ms(), trimming.horizon_ms());
        let is_other = self.age.floor.as_ref().is_none_or(|known| known.position() != floor);
        let is_here = !self.members.is_empty();
        if is_here && (is_other || !self.age.waiting.is_empty()) {
            let durable = self.stored.durable().clone();
            let held = store.held(self.stored.document()).await?;
            self.age.floor = Some(Floor::of(&self.document, &durable, &held, floor));
        } else if is_other {
            // Nobody is here to be measured by it, and the history may sleep on.
            self.age.floor = None;
        }
        let awaited = self.stored.awaits(&self.document);
        let waiting = self.age.waiting.drain(..).map(|done| (awaited, done));
        self.age.renewed.extend(waiting);
        self.renew_all(elapsed, horizon);
        let durable = self.stored.durable_writes();
        // Who waits is told by dropping what it waits for.
        self.age.renewed.retain(|(awaited, _)| *awaited > durable);
        // A document that nobody has open is trimmed when it is its turn.
        let is_asked = is_here || !self.age.asked.is_empty();
        if is_asked && self.age.trimmed < trim && self.may_trim() {
            let held = store.held(self.stored.document()).await?;
            self.trim(&held, trim, elapsed.saturating_sub(horizon));
        }
        self.age.asked.clear();
        Ok(())
    }

    /// Whether nobody relies on what would be dropped: all is durable, and nobody is in the middle
    /// of getting it.
    fn may_trim(&self) -> bool {
        let is_in_step = |member: &Member| {
            let known = member.session.acknowledged();
            member.peer.as_ref().is_none_or(PeerMember::is_idle)
                && known.is_some_and(|known| known.dominates(self.stored.durable()))
        };
        self.stored.is_settled(&self.document)
            && self.requests.is_empty()
            && self.members.values().all(is_in_step)
    }

    fn trim(&mut self, held: &[Held], position: u64, renewed_after: u64) {
        let before = self.document.version().clone();
        let stable = up_to(held, &before, position);
        let own = self.requests.own();
        let authors = self.authors(held);
        let is_present = |replica| {
            held.iter().filter(|row| row.replica == replica).any(|row| match row.stratum {
                RENEWED => row.position > renewed_after,
                _ => row.position > position,
            })
        };
        let claims = &self.claims;
        let document = &mut self.document;
        let remember = |replica| {
            Some(replica) == own
                || authors.contains(&replica)
                || claims.is_live(replica)
                || is_present(replica)
        };
        let trimmed = match without_blocking(|| document.trim(&stable, remember)) {
            Ok(trimmed) => trimmed,
            Err(error) => return warn!(%error, "the document cannot be trimmed"),
        };
        self.age.trimmed = position;
        let version = self.document.version();
        let is_forgotten = |replica: &ReplicaId| version.get(*replica) == 0;
        let forgotten: Vec<ReplicaId> =
            before.iter().map(|(replica, _)| replica).filter(is_forgotten).collect();
        self.claims.forget(&forgotten);
        if let Some(trimmed) = trimmed {
            debug!(events = trimmed.events, forgotten = trimmed.forgotten, "trimmed");
            if let Some(trimming) = self.trimming() {
                trimming.trimmed(trimmed.events, trimmed.forgotten);
            }
        }
        let authors = authors.into_iter().collect();
        let trim = Trim { position, forgotten, authors, renewed_after };
        self.stored.trimmed(&self.document, trim);
    }

    /// Who has written what the document begins with everywhere: it is in each newcomer's document,
    /// so that they must not be forgotten. Told once, and found in the store from then on.
    fn authors(&self, held: &[Held]) -> BTreeSet<ReplicaId> {
        let known = held.iter().filter(|row| row.stratum == PERMANENT).map(|row| row.replica);
        let known: BTreeSet<ReplicaId> = known.collect();
        if self.document.genesis() == Genesis::new() || !known.is_empty() {
            return known;
        }
        match self.document.base() {
            // Trimmed elsewhere: it may be any of them.
            Some(base) => base.writers().iter().map(|(replica, _)| replica).collect(),
            None => {
                let changes = self.document.changes();
                let first = changes.filter(|it| it.parents.is_empty() && it.dots.first == 1);
                first.map(|change| change.replica()).collect()
            }
        }
    }

    /// Those who are here are not forgotten for as long as a browser may be away, though they
    /// write nothing: some times in a horizon that is noted.
    fn renew_all(&mut self, elapsed: u64, horizon: u64) {
        if elapsed.saturating_sub(self.age.renewed_at) > horizon / RENEWALS_IN_A_HORIZON {
            self.age.renewed_at = elapsed;
            self.age.present.clear();
        }
        for replica in self.claims.live() {
            if self.stored.durable().get(replica) > 0 && self.age.present.insert(replica) {
                self.stored.renew(Renewal { replica, at: elapsed });
            }
        }
    }
}

/// How exactly it is known who has been here.
const RENEWALS_IN_A_HORIZON: u64 = 64;
