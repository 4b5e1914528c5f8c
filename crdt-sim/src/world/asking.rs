//! Clients that ask for levels, with tokens as servers hand them out, and who judges what they are told.
//!
//! Servers decide by [`decide`](crdt_causal::level::decide), from positions in lists and from what others told of
//! themselves. The laboratory knows who has which event, and when what became durable where; it looks at every answer, and
//! at every level that an answer claims.

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Cut, Epoch, Slot};
use crdt_causal::level::{Decision, Level, NodeView, ReadSpec, Staleness, decide, decide_write};
use crdt_causal::session::{
    Authenticator, Guarantees, KeyId, LogTag, Mac, Realm, SessionToken, VerifiedToken,
};
use crdt_core::codec::checksum;
use crdt_core::{Dot, ReplicaId};

use super::World;
use super::check::join;
use super::event::Event;
use super::standing::Standing;
use crate::model::{Version, covers, includes};
use crate::plan::{ClientPlan, REGISTERS};
use crate::replica::{Replica, Violation};

const REALM: Realm = Realm(7);
const EPOCH: Epoch = Epoch(1);
/// There is one log, or document.
const LOG: LogTag = LogTag(1);

/// What a client carries from machine to machine, and what the laboratory knows of it.
#[derive(Default)]
pub(super) struct Carried {
    /// The token, as text.
    token: String,
    /// What it was shown.
    read: Version,
    /// What it has written.
    wrote: Version,
}

/// A client that waits for a decision.
pub(super) struct Asked {
    pub(super) client: u8,
    pub(super) node: usize,
    writes: Option<u8>,
    /// On the clock of the machine.
    until: u64,
}

/// Clients mean no harm here: what counts is that servers check.
struct Keys;

impl Authenticator for Keys {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
        let mut mac = Mac::default();
        mac[..4].copy_from_slice(&checksum(message).to_le_bytes());
        (key == self.newest()).then_some(mac)
    }
}

fn verified(token: &str, is_own: impl Fn(ReplicaId) -> bool) -> VerifiedToken {
    if token.is_empty() {
        return VerifiedToken::new(EPOCH);
    }
    let token: SessionToken = token.parse().expect("a server has made it");
    token.verify(REALM, EPOCH, &Keys, is_own).expect("a server has attested it")
}

/// What a machine writes into the tokens of its answers.
pub(super) enum Attesting {
    Server {
        slot: Slot,
        applied: Cut,
        durable: Version,
        now: HybridTime,
    },
    /// It is no server: what is written there is not attested by anybody.
    Device,
}

impl Attesting {
    /// The answer is on its way.
    pub(super) fn answer(&self, carried: &mut Carried, needs: &Version, wrote: Option<Dot>) {
        match wrote {
            Some(dot) => {
                let seq = carried.wrote.entry(dot.replica).or_default();
                *seq = (*seq).max(dot.seq);
            }
            None => join(&mut carried.read, needs),
        }
        carried.token = match (self, wrote) {
            (Self::Device, Some(dot)) => {
                let mut token: SessionToken = carried.token.parse().unwrap_or_default();
                let recorded = token.record_write(dot.replica, LOG, dot.seq);
                recorded.expect("one log has room");
                token.to_string()
            }
            (Self::Device, None) => return,
            (Self::Server { slot, applied, durable, now }, _) => {
                let mut session = verified(&carried.token, |_| true);
                // Whatever is durable here has been admitted here, at this position at the latest.
                let admission = Admission::new(*slot, applied.get(*slot));
                let offline: Vec<Dot> = session.offline().iter().map(|(_, dot)| dot).collect();
                for dot in offline.into_iter().filter(|dot| covers(durable, *dot)) {
                    session.settle(dot.replica, LOG, dot.seq, admission);
                }
                match wrote {
                    Some(_) => session.observe_write(admission),
                    None => session.observe_read(applied),
                }
                let answer = session.attest(REALM, *now, &Keys).expect("it has room");
                let sent: SessionToken = carried.token.parse().unwrap_or_default();
                let mut token = sent.clone();
                token.replace(&sent, &answer).expect("it has room");
                token.to_string()
            }
        };
    }
}

impl<R: Replica> World<'_, R> {
    fn client_plan(&self, client: u8) -> &ClientPlan {
        let clients = &self.plan.levels.as_ref().expect("clients ask for levels").clients;
        &clients[usize::from(client) % clients.len()]
    }

    /// A client comes. Its own device serves it at once; a server decides.
    pub(super) fn ask(
        &mut self,
        client: u8,
        node: usize,
        writes: Option<u8>,
    ) -> Result<(), Violation> {
        let &ClientPlan { wait_ms, device, .. } = self.client_plan(client);
        let here = self.visits.clients.entry(client).or_default();
        let is_up = self.nodes[node].is_running() && self.nodes[node].is_honest();
        if here.is_waiting || !is_up || self.is_forked() {
            return Ok(());
        }
        if !self.is_server(node) {
            if device == Some(node) && self.writes(node) {
                self.visits.begin(client);
                let register = writes.unwrap_or(client) % REGISTERS as u8;
                self.act(client, node, Some(register), false)?;
                return self.settle(node);
            }
            return Ok(());
        }
        self.visits.begin(client);
        // Who has a device writes there alone.
        let writes = writes.filter(|_| device.is_none());
        let until = self.nodes[node].clock.read(self.now) + wait_ms;
        self.visits.asked.push(Asked { client, node, writes, until });
        self.settle(node)?;
        self.set_deadline(node);
        Ok(())
    }

    /// If somebody still waits at a server, it looks again when the first of them waits no longer.
    pub(super) fn set_deadline(&mut self, node: usize) {
        let here = self.visits.asked.iter().filter(|asked| asked.node == node);
        if let Some(until) = here.map(|asked| asked.until).min() {
            let at = self.nodes[node].clock.when(self.now, until).max(self.now + 1);
            self.queue.push(at, Event::Deadline { node });
        }
    }

    /// A server decides about everybody who waits there.
    pub(super) fn decide_all(&mut self, node: usize) -> Result<(), Violation> {
        self.note_progress(node);
        let mut index = 0;
        while let Some(asked) = self.visits.asked.get(index) {
            if asked.node != node || !self.decide_one(index)? {
                index += 1;
            }
        }
        Ok(())
    }

    /// Whether the server has decided, one way or the other.
    fn decide_one(&mut self, index: usize) -> Result<bool, Violation> {
        let &Asked { client, node, writes, until } = &self.visits.asked[index];
        let now = self.nodes[node].clock.read(self.now);
        let &ClientPlan { level, floor, wait_ms, .. } = self.client_plan(client);
        let carried = &self.visits.clients[&client].carried;
        let here = &self.nodes[node];
        let Some(standing) = &here.standing else { return Ok(false) };
        let token = verified(&carried.token, |_| true);
        let mut spec = ReadSpec::new(level).or_at_least(floor);
        if wait_ms > 0 {
            spec = spec.until(until);
        }
        let held = |replica: ReplicaId, _: LogTag| here.truth.get(&replica).copied().unwrap_or(0);
        let view = NodeView { held: &held, ..NodeView::new(EPOCH, &standing.progress) };
        let decision = match writes {
            None => decide(&spec, &token, &view, now),
            Some(_) => decide_write(&spec, &token, &view, now),
        };
        let served = match decision {
            Decision::Serve(achieved) => Some((achieved.level, achieved.staleness)),
            Decision::WaitFor { .. } => return Ok(false),
            Decision::Redirect(_) | Decision::Engine { .. } | Decision::Refuse(_) => None,
        };
        self.trace.add(&[self.now, 11, node as u64, u64::from(served.is_some())], &[]);
        self.visits.asked.remove(index);
        let is_writable = writes.is_none() || self.writes(node);
        let Some((achieved, staleness)) = served.filter(|_| is_writable && !self.is_forked())
        else {
            self.visits.refused += 1;
            self.visits.clients.entry(client).or_default().is_waiting = false;
            return Ok(true);
        };
        self.judge(client, node, writes.is_some(), achieved, staleness)?;
        // The history of clients is of those who are promised that they see one.
        let is_causal =
            floor.guarantees() == Guarantees::ALL && self.client_plan(client).device.is_none();
        self.act(client, node, writes, is_causal)?;
        Ok(true)
    }

    /// Whether what a server claims of its answer is so.
    fn judge(
        &mut self,
        client: u8,
        node: usize,
        is_write: bool,
        achieved: Level,
        staleness: Staleness,
    ) -> Result<(), Violation> {
        let wrong = |checker, what: &str| {
            let what = format!("node {node} serves client {client} at {achieved}: {what}");
            Err(Violation::new(checker, what))
        };
        let floor = self.client_plan(client).floor;
        // How fresh it is matters to reads alone.
        let floor = if is_write { Level::session(floor.guarantees()) } else { floor };
        if !achieved.promises(floor) {
            return wrong("levels", &format!("it asked for {floor}"));
        }
        let carried = &self.visits.clients[&client].carried;
        let holds = &self.nodes[node].holds;
        let (of_written, of_read) = if is_write {
            (Guarantees::MONOTONIC_WRITES, Guarantees::WRITES_FOLLOW_READS)
        } else {
            (Guarantees::READ_YOUR_WRITES, Guarantees::MONOTONIC_READS)
        };
        for (guarantee, past) in [(of_written, &carried.wrote), (of_read, &carried.read)] {
            if achieved.guarantees().contains(guarantee) && !includes(holds, past) {
                return wrong("levels", &format!("{guarantee} wants {past:?} of {holds:?}"));
            }
        }
        let Some(bound) = staleness.bound() else {
            return Ok(());
        };
        self.visits.bounded += 1;
        let Some(Standing { told_at, .. }) = &self.nodes[node].standing else { return Ok(()) };
        let now = self.nodes[node].clock.clone().read(self.now);
        let old = now.saturating_sub(bound.age_ms);
        let mut lacking = 0;
        for (server, admitted) in self.admissions.at.iter().enumerate() {
            if server == node {
                continue;
            }
            let before = |time: u64| admitted.iter().take_while(move |one| one.shown[node] < time);
            if let Some(one) = before(old).find(|one| !covers(holds, one.dot)) {
                let what = format!(
                    "{:?} was durable at node {server} {} ms ago, not {} or less",
                    one.dot,
                    now - one.shown[node],
                    bound.age_ms
                );
                return wrong("staleness", &what);
            }
            let told = before(told_at[server].unwrap_or(0));
            lacking += told.filter(|one| !covers(holds, one.dot)).count() as u64;
        }
        if lacking > bound.ops {
            return wrong("staleness", &format!("it lacks {lacking} events, not {}", bound.ops));
        }
        Ok(())
    }

    /// What this machine writes into tokens now.
    pub(super) fn attesting(&mut self, node: usize) -> Option<Attesting> {
        self.plan.levels.as_ref()?;
        if !self.is_server(node) {
            return Some(Attesting::Device);
        }
        self.note_progress(node);
        let here = &mut self.nodes[node];
        let now = here.clock.read(self.now);
        let applied = here.standing.as_ref()?.progress.applied().clone();
        let now = HybridTime::new(now, 0).expect("clocks are wrong by years, not by ages");
        Some(Attesting::Server {
            slot: Slot(node as u16),
            applied,
            durable: here.truth.clone(),
            now,
        })
    }
}
