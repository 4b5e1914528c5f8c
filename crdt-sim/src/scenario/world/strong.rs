//! Strong operations: the way to the engine and back.

use crdt_causal::level::Level;
use crdt_causal::level::engine::{Engine as _, Fault, Outcome as Decided, Ticket};
use crdt_causal::quorum::majority;
use crdt_causal::session::VerifiedToken;

use super::packet::{Outcome, Request, What};
use super::{DecidedBy, Event, World};
use crate::scenario::ledger::{Answer, Command, Ledger};

/// How long a server waits for the engine.
pub(super) const TIMEOUT_MS: u64 = 2_000;

/// A strong operation under way.
pub(super) struct Proposed {
    server: usize,
    request: Request,
    session: VerifiedToken,
    since: u64,
}

impl World {
    /// Begins a strong operation. It takes as long as a majority is away, at the moment; of payments
    /// every thirtieth is made and nobody hears of it.
    pub(super) fn propose(&mut self, server: usize, request: Request, session: VerifiedToken) {
        let (now, count) = (self.now, self.servers.len());
        let mut trips: Vec<u64> = self
            .wires
            .neighbours(server, count)
            .into_iter()
            .map(|peer| self.wires.round_trip(server, peer, &mut self.random))
            .collect();
        trips.sort_unstable();
        let others = match self.decided_by {
            DecidedBy::Majority => majority(count) - 1,
            DecidedBy::TwoPhases => count - 1,
        };
        let round_ms = others.checked_sub(1).and_then(|last| trips.get(last)).copied().unwrap_or(1);
        let request_ms = match self.decided_by {
            DecidedBy::Majority => round_ms,
            DecidedBy::TwoPhases => 2 * round_ms,
        };
        let answer_lost = matches!(request.what, What::Pay(_)) && self.random.below(30) == 0;
        self.engine.fault(Fault { request_ms, answer_ms: 0, request_lost: false, answer_lost });
        if let What::Pay(order) = request.what {
            self.prepare_notice(server, order);
        }
        let mut node = self.engine.node(server);
        let ticket = match request.what {
            What::Read(key) => node.read(Some(key), now),
            What::Write(key, value) => node.propose(Command::Put { key, value }, now),
            What::Pay(order) => node.propose(Command::Pay { order }, now),
            What::Buy => unreachable!("stock is sold from rights"),
        };
        self.proposed.insert(ticket, Proposed { server, request, session, since: now });
        self.plan_engine();
    }

    fn plan_engine(&mut self) {
        let next = self.engine.node(0).poll_timeout();
        if let Some(at) = next
            && self.engine_at.is_none_or(|planned| at < planned)
        {
            self.engine_at = Some(at);
            self.queue.push(at.max(self.now), Event::Engine);
        }
    }

    pub(super) fn poll_engine(&mut self) {
        self.engine_at = None;
        while let Some((ticket, outcome)) = self.engine.node(0).poll(self.now) {
            self.decided(ticket, outcome);
        }
        self.plan_engine();
    }

    fn decided(&mut self, ticket: Ticket, outcome: Decided<Answer>) {
        let proposed = self.proposed.remove(&ticket).expect("each is told of once");
        let Proposed { server, request, mut session, since } = proposed;
        // What was decided just before the cut may be heard of just after it.
        let is_done_there = since >= self.cut_at;
        let outcome = match outcome {
            Decided::Committed { position, answer } => {
                session.observe_strong(position);
                self.without_majority += u64::from(self.is_in_minority(server) && is_done_there);
                let host = &mut self.servers[server];
                host.strong = host.strong.max(position);
                if let What::Pay(order) = request.what {
                    self.paid(server, order, position);
                }
                match (answer, request.what) {
                    (Answer::Value(None), What::Read(key)) => {
                        self.read_behind_barrier(server, key, &mut session)
                    }
                    (Answer::Value(value), _) => {
                        Outcome::Done { level: Level::STRONG, value, staleness: None }
                    }
                    _ => Outcome::Done { level: Level::STRONG, value: None, staleness: None },
                }
            }
            Decided::Conflict { .. } | Decided::Unavailable => {
                if let What::Pay(order) = request.what {
                    self.not_paid(server, order);
                }
                Outcome::Refused
            }
            Decided::Indeterminate => {
                if let What::Pay(order) = request.what {
                    self.perhaps_paid(order);
                }
                Outcome::Unknown
            }
        };
        self.reply(server, &request, outcome, Some(&session));
    }

    /// What the engine does not have is written at weaker levels: a strong read of it is a barrier of the
    /// engine, and then a read of a state that contains all that the session depends on.
    fn read_behind_barrier(
        &mut self,
        server: usize,
        key: u64,
        session: &mut VerifiedToken,
    ) -> Outcome {
        let staleness = Some(self.staleness(server));
        let host = &mut self.servers[server];
        let applied = host.progress.applied();
        if !applied.dominates(session.read()) || !applied.dominates(session.written()) {
            // Not here yet: the client asks again.
            return Outcome::Unknown;
        }
        session.observe_read(applied);
        Outcome::Done { level: Level::STRONG, value: host.register(key), staleness }
    }

    /// The books of the engine, when everything is over and everybody reaches it.
    pub(crate) fn books(&mut self) -> Ledger {
        let ticket = self.engine.node(0).read(None, self.now);
        loop {
            let Some((told, outcome)) = self.engine.node(0).poll(self.now) else {
                self.now += 1;
                continue;
            };
            match outcome {
                Decided::Committed { answer: Answer::Books(books), .. } if told == ticket => {
                    return *books;
                }
                outcome => self.decided(told, outcome),
            }
        }
    }
}
