//! Clients that roam between servers with nothing but a token.

use std::collections::BTreeSet;

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Epoch};
use crdt_causal::level::{
    Achieved, Decision, Level, NodeView, Refusal, Scope, Spec, decide, decide_write,
};
use crdt_causal::session::{Authenticator, KeyId, LogTag, Mac, Realm, SessionToken, VerifiedToken};
use crdt_core::ReplicaId;

use crate::world::{Counts, Made, Server, World, Write};

pub(crate) const REALM: Realm = Realm(11);
pub(crate) const EPOCH: Epoch = Epoch(1);
const LOG: LogTag = LogTag(5);

/// HMAC-SHA-256 under one key.
pub(crate) struct Keys;

impl Authenticator for Keys {
    fn newest(&self) -> KeyId {
        KeyId(1)
    }

    fn mac(&self, key: KeyId, message: &[u8]) -> Option<Mac> {
        let code = hmac_sha256::HMAC::mac(message, b"a secret of the servers");
        (key == KeyId(1)).then(|| *code.first_chunk().expect("32 bytes"))
    }
}

pub(crate) struct Client {
    replica: ReplicaId,
    /// As text: it goes through every step that it goes through on the way to a server.
    pub(crate) token: String,
    /// Made offline, and sent to nobody yet.
    outbox: Vec<Write>,
    offline_seq: u64,
    // The truth about the session.
    written: Vec<Write>,
    read: BTreeSet<Write>,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was answered at this level.
    Served(Level),
    /// It may be asked again until then.
    Wait(u64),
    /// Others were named.
    Elsewhere(Vec<usize>),
    Refused(Refusal),
}

impl Outcome {
    /// What was decided, if it was not to serve.
    fn of(decision: Decision<'_>) -> Self {
        match decision {
            Decision::WaitFor { until, .. } => Self::Wait(until),
            Decision::Redirect(candidates) => {
                Self::Elsewhere(candidates.iter().map(|slot| usize::from(slot.0)).collect())
            }
            Decision::Refuse(refusal) => Self::Refused(refusal),
            other => panic!("{other:?}"),
        }
    }
}

impl Counts {
    fn note(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Served(_) => &mut self.served,
            Outcome::Wait(_) => &mut self.waiting,
            Outcome::Elsewhere(_) => &mut self.redirected,
            Outcome::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }
}

impl Client {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            replica: ReplicaId::from_u128(u128::from(number) + 1),
            token: SessionToken::new().to_string(),
            outbox: Vec::new(),
            offline_seq: 0,
            written: Vec::new(),
            read: BTreeSet::new(),
        }
    }
}

impl World {
    fn verified(&self, client: usize) -> VerifiedToken {
        let Client { token, replica, .. } = &self.clients[client];
        let token: SessionToken = token.parse().expect("what a server made");
        token.verify(REALM, EPOCH, &Keys, |id| id == *replica).expect("what a server attested")
    }

    /// What a server makes of a request.
    fn decide<'a>(
        &'a self,
        client: usize,
        server: usize,
        spec: Spec,
        is_write: bool,
    ) -> (VerifiedToken, Decision<'a>) {
        let token = self.verified(client);
        let server = &self.servers[server];
        let held = |replica, log: LogTag| {
            assert!(replica == self.clients[client].replica && log == LOG);
            self.held(client, server)
        };
        let mut node = NodeView::new(EPOCH, &server.progress);
        (node.peers, node.held) = (&server.peers, &held);
        let spec = spec.about(Scope::Log(LOG));
        let decide = if is_write { decide_write } else { decide };
        let decision = decide(&spec, &token, &node, self.now);
        (token, decision)
    }

    /// How many of the writes that a client made offline a server has, without gaps.
    fn held(&self, client: usize, server: &Server) -> u64 {
        let mut offline: Vec<(u64, Write)> = self.clients[client]
            .written
            .iter()
            .map(|&write| (self.writes[write].offline_seq, write))
            .filter(|(seq, _)| *seq > 0)
            .collect();
        offline.sort_unstable();
        offline.iter().take_while(|(_, write)| server.holds.contains(write)).count() as u64
    }

    /// The client takes the token of an answer in place of the one that it sent.
    fn answer(&mut self, client: usize, session: &VerifiedToken) {
        let time = HybridTime::new(self.now, 0).expect("this millennium");
        let answer = session.attest(REALM, time, &Keys).expect("a short token");
        self.longest_token = self.longest_token.max(answer.to_bytes().len());
        let sent = self.clients[client].token.parse().expect("its own");
        let mut token: SessionToken = self.clients[client].token.parse().expect("its own");
        token.replace(&sent, &answer).expect("of one realm");
        self.clients[client].token = token.to_string();
    }

    /// A client reads everything that a server shows, if the server will have it.
    pub(crate) fn read(&mut self, client: usize, server: usize, spec: Spec) -> Outcome {
        let (mut session, decision) = self.decide(client, server, spec, false);
        let achieved = match decision {
            Decision::Serve(achieved) => achieved,
            other => {
                let outcome = Outcome::of(other);
                self.counts.note(&outcome);
                return outcome;
            }
        };
        let Achieved { level, at, .. } = achieved;
        // Where a bug is planted, the checks of the guarantees themselves have to find it.
        let is_as_asked = level >= spec.floor() || cfg!(canary = "chosen");
        assert!(is_as_asked, "{level} is not what was asked for");
        session.observe_read(at);
        self.counts.served += 1;
        let shown = &self.servers[server].holds;
        let Client { written, read, .. } = &mut self.clients[client];
        if written.iter().any(|write| !shown.contains(write)) {
            self.violations.read_your_writes += 1;
        }
        if read.iter().any(|write| !shown.contains(write)) {
            self.violations.monotonic_reads += 1;
        }
        read.extend(shown);
        self.answer(client, &session);
        Outcome::Served(level)
    }

    /// A client writes at a server, after what it has made offline.
    pub(crate) fn write(&mut self, client: usize, server: usize, spec: Spec) -> Outcome {
        while let Some(&write) = self.clients[client].outbox.first() {
            let outcome = self.admit(client, server, spec, write);
            if !matches!(outcome, Outcome::Served(_)) {
                return outcome;
            }
            self.clients[client].outbox.remove(0);
        }
        let write = self.made(client, 0);
        let outcome = self.admit(client, server, spec, write);
        if !matches!(outcome, Outcome::Served(_)) {
            // It has never happened.
            self.writes.pop();
            self.clients[client].written.pop();
        }
        outcome
    }

    /// A client writes without asking anybody.
    pub(crate) fn write_offline(&mut self, client: usize) {
        let seq = self.clients[client].offline_seq + 1;
        let write = self.made(client, seq);
        let Client { replica, token, outbox, offline_seq, .. } = &mut self.clients[client];
        (*offline_seq, _) = (seq, outbox.push(write));
        let mut noted: SessionToken = token.parse().expect("its own");
        noted.record_write(*replica, LOG, seq).expect("a short token");
        *token = noted.to_string();
    }

    fn made(&mut self, client: usize, offline_seq: u64) -> Write {
        let Client { written, read, .. } = &mut self.clients[client];
        let (written_before, read_before) = (written.clone(), read.clone());
        self.writes.push(Made { offline_seq, written_before, read_before });
        written.push(self.writes.len() - 1);
        self.writes.len() - 1
    }

    fn admit(&mut self, client: usize, server: usize, spec: Spec, write: Write) -> Outcome {
        let (mut session, decision) = self.decide(client, server, spec, true);
        let level = match decision {
            Decision::Serve(Achieved { level, .. }) => level,
            other => {
                let outcome = Outcome::of(other);
                self.counts.note(&outcome);
                return outcome;
            }
        };
        self.counts.served += 1;
        self.show(server, write);
        let at = &self.servers[server];
        let position = at.log.iter().position(|shown| *shown == write).expect("shown") + 1;
        let admission = Admission::new(at.slot, position as u64);
        session.observe_write(admission);
        let held = self.held(client, at);
        let replica = self.clients[client].replica;
        // The last of them is the latest: at this server everything up to here is held.
        session.settle(replica, LOG, held, Admission::new(at.slot, at.log.len() as u64));
        self.answer(client, &session);
        Outcome::Served(level)
    }
}
