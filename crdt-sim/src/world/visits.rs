//! Clients that go from one machine to another, and what they saw, as a history.
//!
//! A client is served by a machine that has whatever the client has written and seen, which it carries
//! along as a version, its *token*, or by a server that [decides](super::asking); and it is answered once what it wrote, or was shown, is on the disk there, since a crash
//! could take it back otherwise. What clients did and saw is judged in the end by the checker that is for histories of any
//! system, and knows nothing of versions, replicas and events.

use std::collections::{BTreeMap, BTreeSet};

use crdt_core::Dot;
use crdt_core::canary::is_planted;

use super::World;
use super::asking::{Asked, Carried};
use crate::history::{self, Criterion, Event, History};
use crate::model::{Version, includes};
use crate::plan::REGISTERS;
use crate::replica::{Replica, Violation};
use crate::trace::Happening;

/// What clients are promised that carry their token from machine to machine.
const PROMISED: [&str; 4] = ["ryw+mr+mw+wfr", "rc", "cc", "ccv"];

/// All clients of a run.
#[derive(Default)]
pub(super) struct Visits {
    pub(super) clients: BTreeMap<u8, Client>,
    /// Who waits for an answer.
    waiting: Vec<Waiting>,
    /// Who waits for a decision.
    pub(super) asked: Vec<Asked>,
    /// Writes that nobody knows the fate of: the machine ended before it answered.
    unknown: Vec<Event>,
    written: u64,
    /// Values that a machine has written once more, under another name and later: in the history these are other ones,
    /// which nobody wrote who says so.
    again: BTreeMap<u64, u64>,
    /// All these other ones.
    later: BTreeSet<u64>,
    /// Visits that were answered, and that were not served.
    pub(super) answered: u64,
    pub(super) refused: u64,
    /// Answers that said how fresh they are.
    pub(super) bounded: u64,
}

#[derive(Default)]
pub(super) struct Client {
    token: Version,
    pub(super) is_waiting: bool,
    /// Where clients ask for levels: what this one carries.
    pub(super) carried: Carried,
    deeds: Vec<Vec<Event>>,
    /// Each of them is by itself: no promise holds from one to the next.
    apart: Vec<Vec<Event>>,
}

struct Waiting {
    client: u8,
    node: usize,
    has_token: bool,
    events: Vec<Event>,
    /// What has to be on the disk.
    needs: Version,
    /// The event that was made, if one was.
    wrote: Option<Dot>,
}

impl Visits {
    /// From now on a client waits.
    pub(super) fn begin(&mut self, client: u8) {
        self.clients.entry(client).or_default().is_waiting = true;
    }

    /// From now on, whoever reads one of these values reads what was written again.
    pub(super) fn written_again(&mut self, values: &[u64]) {
        for value in values {
            self.written += 1;
            self.again.insert(*value, self.written);
            self.later.insert(self.written);
        }
    }
}

impl<R: Replica> World<'_, R> {
    pub(super) fn visit(
        &mut self,
        client: u8,
        node: usize,
        writes: Option<u8>,
        has_token: bool,
    ) -> Result<(), Violation> {
        if self.plan.levels.is_some() {
            return self.ask(client, node, writes);
        }
        let here = self.visits.clients.entry(client).or_default();
        let (is_waiting, token) = (here.is_waiting, here.token.clone());
        let is_up = self.nodes[node].is_running() && self.nodes[node].is_honest();
        if is_waiting || !is_up || self.is_forked() {
            return Ok(());
        }
        // A planted bug: a client is served by whoever it comes to.
        let is_served = !has_token
            || includes(&self.nodes[node].holds, &token)
            || is_planted("serve-without-the-token");
        if !is_served || (writes.is_some() && !self.writes(node)) {
            self.visits.refused += 1;
            return Ok(());
        }
        self.visits.begin(client);
        self.act(client, node, writes, has_token)?;
        self.settle(node)
    }

    /// A client reads or writes, and waits for the answer.
    pub(super) fn act(
        &mut self,
        client: u8,
        node: usize,
        writes: Option<u8>,
        has_token: bool,
    ) -> Result<(), Violation> {
        let (mut events, mut wrote) = (Vec::new(), None);
        if let Some(register) = writes {
            self.visits.written += 1;
            let value = self.visits.written;
            let at = self.now;
            self.trace.line(at, node, || Happening::Edit(1));
            let (id, known) = (self.nodes[node].id, self.nodes[node].holds.clone());
            let draft = self.history.draft(id, known);
            let replica = self.nodes[node].replica_mut().expect("it runs");
            let Some(applied) = replica.put(register, value, draft)? else {
                self.visits.clients.entry(client).or_default().is_waiting = false;
                return Ok(());
            };
            self.note_own(node)?;
            applied.iter().try_for_each(|step| self.apply(node, step))?;
            wrote = self.nodes[node].holds.get(&id).map(|seq| Dot::new(id, *seq));
            events.push(Event::Write { key: register.into(), value });
        } else {
            let replica = self.nodes[node].replica().expect("it runs");
            let again = &self.visits.again;
            let name = |value| again.get(&value).copied().unwrap_or(value);
            let read = |key: u64| Event::Read { key, value: replica.get(key as u8).map(name) };
            events.extend((0..REGISTERS).map(read));
        }
        let needs = self.nodes[node].holds.clone();
        self.visits.waiting.push(Waiting { client, node, has_token, events, needs, wrote });
        Ok(())
    }

    /// Answers those that wait for what is on the disk now.
    pub(super) fn answer(&mut self, node: usize) {
        let attesting = self.attesting(node);
        let truth = &self.nodes[node].truth;
        // A planted bug: the answer does not wait for the disk.
        let is_durable =
            |needs: &Version| includes(truth, needs) || is_planted("answer-before-sync");
        let Visits { clients, waiting, answered, .. } = &mut self.visits;
        waiting.retain_mut(|one| {
            if one.node != node || !is_durable(&one.needs) {
                return true;
            }
            let client = clients.entry(one.client).or_default();
            client.is_waiting = false;
            *answered += 1;
            let events = core::mem::take(&mut one.events);
            if let Some(attesting) = &attesting {
                attesting.answer(&mut client.carried, &one.needs, one.wrote);
            }
            if one.has_token {
                super::check::join(&mut client.token, &one.needs);
                client.deeds.push(events);
            } else {
                client.apart.push(events);
            }
            false
        });
    }

    /// A machine has ended: who waits there hears nothing.
    pub(super) fn leave(&mut self, node: usize) {
        let Visits { clients, waiting, unknown, asked, .. } = &mut self.visits;
        asked.retain(|one| {
            if one.node == node {
                clients.entry(one.client).or_default().is_waiting = false;
            }
            one.node != node
        });
        waiting.retain_mut(|one| {
            if one.node != node {
                return true;
            }
            clients.entry(one.client).or_default().is_waiting = false;
            let is_write = |event: &Event| matches!(event, Event::Write { .. });
            unknown.extend(one.events.iter().copied().filter(is_write));
            false
        });
    }

    /// What clients did and saw: a session for each that carries a token, and for each visit without.
    fn clients_history(&self) -> History {
        let mut history = History::new();
        let mut session = |transactions: &[Vec<Event>]| {
            history.begin_session();
            for events in transactions {
                history.begin_transaction(true);
                events.iter().for_each(|event| history.push(*event));
            }
        };
        let mut read: BTreeMap<u64, u64> = BTreeMap::new();
        for client in self.visits.clients.values() {
            session(&client.deeds);
            client.apart.iter().for_each(|visit| session(core::slice::from_ref(visit)));
            for event in client.deeds.iter().chain(&client.apart).flatten() {
                if let Event::Read { key, value: Some(value) } = event {
                    read.insert(*value, *key);
                }
            }
        }
        let unanswered = self.visits.waiting.iter().flat_map(|one| &one.events);
        for event in self.visits.unknown.iter().chain(unanswered) {
            // It was done if somebody has seen it. Who made it does not know, and so it is nobody's.
            if matches!(event, Event::Write { value, .. } if read.contains_key(value)) {
                session(&[vec![*event]]);
            }
        }
        for value in &self.visits.later {
            if let Some(key) = read.get(value) {
                session(&[vec![Event::Write { key: *key, value: *value }]]);
            }
        }
        history
    }

    /// Whether clients saw what they were promised.
    pub(super) fn check_clients(&self) -> Result<(), Violation> {
        if self.visits.answered == 0 {
            return Ok(());
        }
        let history = self.clients_history();
        let criteria = PROMISED.map(|name| name.parse::<Criterion>().expect("it is one"));
        for (criterion, verdict) in history::check_all(&history, &criteria) {
            let broken = verdict.map(|verdict| verdict.violation.map(|broken| broken.to_string()));
            if let Some(what) = broken.unwrap_or_else(|unusable| Some(unusable.to_string())) {
                return Err(Violation::new("clients", format!("{criterion}: {what}")));
            }
        }
        Ok(())
    }
}
