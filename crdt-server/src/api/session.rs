use std::sync::Arc;

use axum::http::Uri;
use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Cut, Slot};
use crdt_causal::level::{Decision, Level, NodeView, ReadSpec, Staleness};
use crdt_causal::session::{Guarantees, LogTag, SessionToken, VerifiedToken};
use crdt_core::ReplicaId;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Duration, sleep};

use super::ask::Ask;
use super::problem::Problem;
use crate::auth::{Identity, Owner, Permission};
use crate::room::{Input, RoomHandle};
use crate::server::Shared;
use crate::store::unix_ms;

/// What a room knows of a replica: its last event that is durable, and who owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) replica: ReplicaId,
    pub(crate) last: u64,
    pub(crate) owner: Option<Owner>,
}

/// The session of one request.
pub(super) struct Session {
    token: VerifiedToken,
    log: LogTag,
    /// The client's own replicas that the token says have written offline to this document.
    offline: Vec<ReplicaId>,
}

/// What an answer has achieved, as text.
pub(super) struct Achieved {
    pub(super) level: String,
    pub(super) staleness: Value,
    /// What the session's token is to be kept of.
    pub(super) promised: Guarantees,
    /// How old the state is at most, if that is known.
    pub(super) age_ms: Option<u64>,
    /// If it is strong: the position that the answer must not be before.
    pub(super) strong: Option<u64>,
}

type Decide = for<'n, 'a> fn(&ReadSpec, &VerifiedToken, &NodeView<'n, 'a>, u64) -> Decision<'n>;

impl Session {
    /// Checks the token; without one a session begins.
    pub(super) async fn open(
        shared: &Shared,
        room: &RoomHandle,
        text: Option<&str>,
        document: &str,
        permission: Permission,
    ) -> Result<Self, Problem> {
        let log = LogTag::of_name(document.as_bytes());
        let place = shared.realm.place();
        let Some(text) = text else {
            return Ok(Self { token: VerifiedToken::new(place.epoch), log, offline: Vec::new() });
        };
        let token = SessionToken::from_base64url(text).map_err(|error| Problem::token(&error))?;
        let mut offline: Vec<ReplicaId> =
            token.offline().iter().map(|(_, dot)| dot.replica).collect();
        offline.dedup();
        // What a client says of its own writes is believed of its own replicas alone.
        let known = known(room, &offline).await?;
        let is_own = |replica: ReplicaId| {
            let owner = known.iter().find(|known| known.replica == replica);
            match (permission.identity, owner.and_then(|known| known.owner)) {
                (Identity::Token(own), Some(owner)) => own == owner,
                _ => true,
            }
        };
        let verified = token.verify(place.realm, place.epoch, &*shared.keys, is_own);
        let token = verified.map_err(|error| Problem::token(&error))?;
        let offline = token.offline().iter().filter(|(tag, _)| *tag == log);
        let offline = offline.map(|(_, dot)| dot.replica).collect();
        Ok(Self { token, log, offline })
    }

    /// Waits until the request may be answered here, as long as it wants to.
    pub(super) async fn settle(
        &mut self,
        shared: &Arc<Shared>,
        room: &RoomHandle,
        ask: &Ask,
        uri: &Uri,
        decide: Decide,
    ) -> Result<Achieved, Problem> {
        let spec = ask.spec(self.log);
        let (mut realm_changes, mut head_changes) = shared.realm.changes();
        loop {
            // Marked as seen before looking: what changes meanwhile wakes.
            realm_changes.mark_unchanged();
            head_changes.mark_unchanged();
            self.settle_offline(shared, room).await?;
            let now = unix_ms();
            let held = |_: ReplicaId, _: LogTag| 0;
            let strong = &shared.config.strong;
            let next = shared.realm.decide(strong, &held, |node| {
                let decision = decide(&spec, &self.token, node, now);
                Next::of(decision, || staleness(node.progress.staleness(now)))
            });
            let until = match next {
                Next::Serve(achieved) => return Ok(achieved),
                Next::WaitUntil(until) => until,
                Next::Redirect(slots) => {
                    let path = uri.path_and_query().map_or("", |path| path.as_str());
                    let urls = slots.into_iter().filter_map(|slot| shared.realm.url(slot));
                    let urls = urls.map(|url| format!("{url}{path}")).collect();
                    return Err(Problem::elsewhere(urls));
                }
                Next::Refuse(problem) => return Err(problem),
            };
            tokio::select! {
                _ = realm_changes.changed() => {}
                _ = head_changes.changed() => {}
                () = sleep(Duration::from_millis(until.saturating_sub(now))) => {}
                () = shared.stopping.cancelled() => return Err(Problem::gone()),
            }
        }
    }

    /// Offline writes to this document that have come are attested from here on.
    async fn settle_offline(&mut self, shared: &Shared, room: &RoomHandle) -> Result<(), Problem> {
        if self.offline.is_empty() {
            return Ok(());
        }
        let known = known(room, &self.offline).await?;
        let here = Admission::new(shared.realm.place().slot, shared.store.head());
        for Known { replica, last, .. } in known {
            self.token.settle(replica, self.log, last, here);
        }
        let token = &self.token;
        self.offline.retain(|&replica| token.offline().get(replica, self.log) > 0);
        Ok(())
    }

    /// What the session has written and seen.
    pub(super) const fn token(&self) -> &VerifiedToken {
        &self.token
    }

    pub(super) fn observe_read(&mut self, applied: &Cut) {
        self.token.observe_read(applied);
    }

    pub(super) fn observe_strong(&mut self, position: u64) {
        self.token.observe_strong(position);
    }

    pub(super) fn observe_write(&mut self, slot: Slot, position: u64) {
        self.token.observe_write(Admission::new(slot, position));
    }

    /// The token of the answer.
    pub(super) fn attest(&self, shared: &Shared) -> Option<String> {
        let time = HybridTime::new(unix_ms(), 0)?;
        let token = self.token.attest(shared.realm.place().realm, time, &*shared.keys).ok()?;
        Some(token.to_base64url())
    }
}

/// A decision, without what it borrows.
enum Next {
    Serve(Achieved),
    WaitUntil(u64),
    Redirect(Vec<Slot>),
    Refuse(Problem),
}

impl Next {
    fn of(decision: Decision<'_>, how_stale: impl FnOnce() -> Value) -> Self {
        match decision {
            Decision::Serve(achieved) => Self::Serve(Achieved {
                level: achieved.level.to_string(),
                staleness: staleness(achieved.staleness),
                promised: achieved.level.guarantees(),
                age_ms: achieved.staleness.bound().map(|bound| bound.age_ms),
                strong: None,
            }),
            Decision::Engine { at_least } => Self::Serve(Achieved {
                level: Level::STRONG.to_string(),
                staleness: how_stale(),
                promised: Guarantees::ALL,
                age_ms: Some(0),
                strong: Some(at_least),
            }),
            Decision::WaitFor { until, .. } => Self::WaitUntil(until),
            Decision::Redirect(candidates) => Self::Redirect(candidates.to_vec()),
            Decision::Refuse(refusal) => Self::Refuse(Problem::refused(refusal)),
        }
    }
}

fn staleness(staleness: Staleness) -> Value {
    match staleness {
        Staleness::Known { ops, age_ms } => json!({"ops": ops, "age_ms": age_ms, "known": true}),
        Staleness::AtLeast { ops, age_ms } => json!({"ops": ops, "age_ms": age_ms, "known": false}),
        Staleness::Unknown => json!({"known": false}),
    }
}

async fn known(room: &RoomHandle, replicas: &[ReplicaId]) -> Result<Vec<Known>, Problem> {
    if replicas.is_empty() {
        return Ok(Vec::new());
    }
    let (reply, answer) = oneshot::channel();
    room.send(Input::Known { replicas: replicas.to_vec(), reply }).await;
    answer.await.map_err(|_| Problem::gone())
}
