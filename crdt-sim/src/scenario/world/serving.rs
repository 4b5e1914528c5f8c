//! What servers do with a request: policy, decision, answer.

use crdt_causal::clock::HybridTime;
use crdt_causal::cut::{Admission, Cut};
use crdt_causal::level::engine::Engine as _;
use crdt_causal::level::{Decision, EngineView, Level, NodeView, Staleness, decide, decide_write};
use crdt_causal::policy::{Choice, LevelRange, OpContext, Reply as Degraded};
use crdt_causal::session::{SessionToken, VerifiedToken};

use super::keys::{EPOCH, Keys, REALM};
use super::packet::{Outcome, Packet, Reply, Request, What};
use super::server::REGISTERS;
use super::{Event, World};

/// What the way back to the client takes: a server does not use all of the time that there is.
const WAY_BACK_MS: u64 = 100;

/// A request that was decided.
enum Decided {
    Serve(Level),
    Engine,
    Wait(u64),
    Elsewhere(usize),
    Refuse,
}

impl World {
    fn context(&self, class: &'static str, what: What, remaining: u64) -> OpContext<'static> {
        OpContext::new(class, what.operation()).due_in(remaining)
    }

    /// The level that would be best for something.
    pub(super) fn preferred(&self, class: &'static str, what: What, within_ms: u64) -> Level {
        self.policy.decide(&self.context(class, what, within_ms)).level
    }

    /// A request comes, and waits for its turn.
    pub(super) fn asked(&mut self, server: usize, request: Request) {
        let attainable = self.servers[server].degrade.attainable();
        let context = self
            .context(request.class, request.what, request.due - request.made_at)
            .where_attainable(attainable);
        let cost = if self.policy.decide(&context).level.is_strong() {
            self.cost_us.1
        } else {
            self.cost_us.0
        };
        let busy = &mut self.servers[server].busy_until_us;
        *busy = (*busy).max(self.now * 1_000) + cost;
        let at = (*busy / 1_000).max(self.now);
        self.queue.push(at, Event::Serve(server, request));
    }

    pub(super) fn serve(&mut self, server: usize, request: Request) {
        if self.now + WAY_BACK_MS >= request.due {
            // Nobody waits any more.
            return;
        }
        match self.servers[server].answered.get(&request.client) {
            Some((number, _)) if *number > request.number => return,
            Some((number, reply)) if *number == request.number => {
                let reply = reply.clone();
                self.send(server, self.servers.len() + request.client, Packet::Reply(reply));
                return;
            }
            _ => {}
        }
        self.try_serve(server, request, true);
    }

    /// Decides, and does it or lets it wait: when it is over is planned the first time.
    fn try_serve(&mut self, server: usize, request: Request, is_first: bool) {
        let mut session = self.verified(&request);
        let decided = self.decide(server, &request, &session);
        match decided {
            Decided::Serve(level) => {
                let outcome = self.perform(server, &request, level, &mut session);
                self.reply(server, &request, outcome, Some(&session));
            }
            Decided::Engine => self.propose(server, request, session),
            Decided::Wait(until) => {
                self.servers[server].parked.push(request);
                if is_first {
                    self.queue.push(until.max(self.now + 1), Event::Expire(server));
                }
            }
            Decided::Elsewhere(other) => {
                self.reply(server, &request, Outcome::Elsewhere(other), None);
            }
            Decided::Refuse => self.reply(server, &request, Outcome::Refused, None),
        }
    }

    /// What waits is decided again.
    pub(super) fn retry_parked(&mut self, server: usize) {
        let waiting = std::mem::take(&mut self.servers[server].parked);
        for request in waiting {
            self.try_serve(server, request, false);
        }
    }

    pub(super) fn verified(&self, request: &Request) -> VerifiedToken {
        let token: SessionToken = request.token.parse().unwrap_or_default();
        token.verify(REALM, EPOCH, &Keys, |_| false).expect("a server attested it")
    }

    fn decide(&mut self, server: usize, request: &Request, session: &VerifiedToken) -> Decided {
        let now = self.now;
        // The rule counts from when the request was made, so that it does not weaken while it waits.
        let attainable = self.servers[server].degrade.attainable();
        let remaining = (request.due - request.made_at).saturating_sub(1);
        let context =
            self.context(request.class, request.what, remaining).where_attainable(attainable);
        let choice = self.policy.decide(&context);
        if request.what == What::Buy {
            // Escrow needs nobody else: rights are local.
            return Decided::Serve(choice.level);
        }
        let until = request.due.saturating_sub(WAY_BACK_MS);
        let spec =
            crdt_causal::level::Spec::new(choice.level).or_at_least(choice.floor).until(until);
        let durable = self.engine.node(server).durable().clone();
        let host = &self.servers[server];
        let mut node = NodeView::new(EPOCH, &host.progress);
        node.strong = host.strong;
        node.peers = &host.peers;
        node.engine = Some(EngineView { durable: &durable });
        let is_write = matches!(request.what, What::Write(..) | What::Pay(_));
        let decision = if is_write {
            decide_write(&spec, session, &node, now)
        } else {
            decide(&spec, session, &node, now)
        };
        let decided = match decision {
            Decision::Serve(achieved) => {
                let truth = self.staleness(server);
                if let Staleness::Known { age_ms, .. } = achieved.staleness
                    && truth.0 > age_ms.saturating_add(1)
                {
                    self.false_claims += 1;
                }
                let kept = if achieved.level.promises(choice.level) || is_write {
                    choice.level
                } else {
                    choice.floor
                };
                if !is_write && !achieved.level.promises(choice.floor) {
                    self.below_floor += 1;
                }
                Decided::Serve(kept)
            }
            Decision::Engine { .. } => Decided::Engine,
            Decision::WaitFor { until, .. } => Decided::Wait(until),
            Decision::Redirect(candidates) => {
                candidates.first().map_or(Decided::Refuse, |slot| Decided::Elsewhere(slot.0.into()))
            }
            Decision::Refuse(_) => Decided::Refuse,
        };
        let range = self.range(&choice);
        if matches!(decided, Decided::Serve(_)) && range.prefer() != range.floor() {
            // Levels may change here, and nobody may see time go backwards.
            let host = &mut self.servers[server];
            let mut seen: Cut = session.read().clone();
            seen.join(session.written());
            let at = host.progress.applied().clone();
            match host.degrade.serve(range, &at, &seen) {
                Degraded::Served { .. } => {}
                Degraded::BelowFloor { .. } => return Decided::Refuse,
                Degraded::Behind if now < until => return Decided::Wait(until),
                Degraded::Behind => return Decided::Refuse,
            }
        }
        decided
    }

    /// From which level to which the rule of a choice goes.
    fn range(&self, choice: &Choice) -> LevelRange {
        LevelRange::new(choice.level, choice.floor).unwrap_or(LevelRange::exactly(choice.level))
    }

    /// Does what was asked for, here and now.
    fn perform(
        &mut self,
        server: usize,
        request: &Request,
        level: Level,
        session: &mut VerifiedToken,
    ) -> Outcome {
        match request.what {
            What::Read(key) => {
                let staleness = Some(self.staleness(server));
                let host = &self.servers[server];
                session.observe_read(host.progress.applied());
                Outcome::Done { level, value: host.register(key), staleness }
            }
            What::Write(..) | What::Pay(_) => {
                // A payment that is not strong is a register like any other, and nothing keeps it from
                // being made twice.
                let (key, value) = match request.what {
                    What::Write(key, value) => (key, value),
                    What::Pay(order) | What::Read(order) => (order, order),
                    What::Buy => (0, 0),
                };
                let before = self.servers[server].head();
                let set = |tx: &mut crdt_document::Transaction<'_>| {
                    tx.map(REGISTERS).set(&key.to_string(), value as i64);
                    Ok(())
                };
                self.servers[server].doc.transact(set).expect("registers are plain values");
                self.made(server, before);
                self.note_done(request);
                let host = &mut self.servers[server];
                session.observe_write(Admission::new(host.slot, host.head()));
                Outcome::Done { level, value: None, staleness: None }
            }
            What::Buy => match self.servers[server].stock.as_mut().is_some_and(|s| s.sell()) {
                true => Outcome::Done { level, value: None, staleness: None },
                false => Outcome::Refused,
            },
        }
    }

    /// Whoever judges has to know of writes that nobody was told of.
    fn note_done(&mut self, request: &Request) {
        let deeds = &mut self.clients[request.client].deeds;
        let What::Write(_, value) = request.what else { return };
        let deed = deeds.iter_mut().rev().find(|deed| deed.is_write && deed.value == Some(value));
        deed.expect("a client has asked for it").is_done = true;
    }

    /// Answers, and remembers the answer for whoever asks again.
    pub(super) fn reply(
        &mut self,
        server: usize,
        request: &Request,
        outcome: Outcome,
        session: Option<&VerifiedToken>,
    ) {
        let time = HybridTime::new(self.now, 0).expect("this century");
        let token = session.filter(|_| self.has_tokens).map(|session| {
            session.attest(REALM, time, &Keys).expect("tokens are short").to_string()
        });
        let is_final = matches!(outcome, Outcome::Done { .. });
        let reply = Reply { number: request.number, outcome, token };
        if is_final {
            let kept = (request.number, reply.clone());
            self.servers[server].answered.insert(request.client, kept);
        }
        self.send(server, self.servers.len() + request.client, Packet::Reply(reply));
        self.flush(server);
    }
}
