//! Documents that sync sessions keep in step: `crdt-document` and `crdt-causal::sync` as they are.

mod edit;
mod hostile;
mod log;
mod read;
mod rebase;
mod usage;

use std::collections::{BTreeMap, BTreeSet};

use crdt_causal::sync::{Config, Event, Limits, Refusal, Retry, Session, SessionError};
use crdt_core::{DotRange, Frontier, ReplicaId, VersionVector};
use crdt_document::{Document, ImportError, Value};

pub use hostile::HostilePeer;
pub use usage::{Everything, OfSchema, Usage};

use crate::model::{Draft, History};
use crate::plan::{Edit, LimitsPlan, REGISTERS};
use crate::replica::{Machine, Received, Refused, Replica, Violation};
use log::Observed;

/// A document, and a session for each link that is connected.
pub struct DocumentReplica<U: Usage = Everything> {
    doc: Document,
    sight: U::Sight,
    id: ReplicaId,
    limits: LimitsPlan,
    durable: VersionVector,
    links: BTreeMap<usize, Link>,
    was_up_to_date: bool,
    /// What has to be seen by whatever comes, but over some links.
    floor: (VersionVector, BTreeSet<usize>),
    /// In place of this document, soon.
    copy: Option<Copied>,
}

/// A copy of what others have, of a document that lacks what was trimmed there.
struct Copied {
    doc: Document,
    id: ReplicaId,
    is_whole: bool,
}

struct Link {
    session: Session,
    /// What the peer had acknowledged when the last session ended.
    base: Frontier,
    connected: bool,
}

impl<U: Usage> DocumentReplica<U> {
    fn config(&self, base: Frontier) -> Config {
        let LimitsPlan { retry_ms, retry_ms_max, acknowledge_ms, .. } = self.limits;
        let limits = Limits::default()
            .with_message_bytes_max(self.limits.message_bytes_max)
            .with_in_flight_max(
                self.limits.in_flight_bytes_max,
                self.limits.in_flight_messages_max,
            );
        let retry = Retry::default()
            .with_interval_ms(retry_ms, retry_ms_max)
            .with_acknowledge_ms(acknowledge_ms);
        let id = self.copy.as_ref().map_or(self.id, |copy| copy.id);
        Config::new().with_limits(limits).with_retry(retry).with_base(base).with_writers([id])
    }
}

/// What a client reads in a register.
fn get(doc: &Document, register: u8) -> Option<u64> {
    match doc.map(edit::REGISTERS).get(&register.to_string())? {
        Value::Int(value) => u64::try_from(*value).ok(),
        _ => None,
    }
}

/// What others are told of: the copy, as long as there is one.
fn shared<'a>(doc: &'a Document, copy: &'a Option<Copied>) -> &'a Document {
    copy.as_ref().map_or(doc, |copy| &copy.doc)
}

impl<U: Usage> Machine for DocumentReplica<U> {
    fn connect(&mut self, link: usize, nonce: u64, now: u64) {
        let base = self.links.get(&link).map(|link| link.base.clone()).unwrap_or_default();
        let mut session = Session::new(self.config(base.clone()), nonce, now);
        // A copy can be had again, so nobody has to wait until it is written.
        let copied = self.copy.as_ref().map(|copy| copy.doc.version());
        session.set_durable(copied.unwrap_or(&self.durable));
        self.links.insert(link, Link { session, base, connected: true });
    }

    fn disconnect(&mut self, link: usize) {
        let shared = shared(&self.doc, &self.copy);
        let Some(link) = self.links.get_mut(&link) else { return };
        link.connected = false;
        let known = link.session.acknowledged();
        let base = known.and_then(|known| {
            // As a program would that remembers it: only what is itself a version that is held.
            let mut both = known.clone();
            both.meet(shared.version());
            crdt_causal::sync::ChangeLog::frontier_of(shared, &both)
        });
        if let Some(base) = base {
            link.base = base;
        }
    }

    fn transmit(&mut self, link: usize, now: u64) -> Option<Vec<u8>> {
        let shared = shared(&self.doc, &self.copy);
        let link = self.links.get_mut(&link).filter(|link| link.connected)?;
        let bytes = link.session.poll_transmit(shared, now);
        link.session.check_invariants();
        while let Some(event) = link.session.poll_event() {
            match &mut self.copy {
                Some(copy) => copy.is_whole |= event == Event::UpToDate,
                None => self.was_up_to_date |= event == Event::UpToDate,
            }
        }
        bytes
    }

    fn timeout(&self) -> Option<u64> {
        let open = self.links.values().filter(|link| link.connected);
        open.filter_map(|link| link.session.poll_timeout()).min()
    }
}

impl<U: Usage> Replica for DocumentReplica<U> {
    type Op = U::Op;
    type Hostile = U::Hostile;

    fn new(id: ReplicaId, limits: &LimitsPlan) -> Self {
        Self {
            doc: Document::new(id),
            sight: U::Sight::default(),
            id,
            limits: *limits,
            durable: VersionVector::new(),
            links: BTreeMap::new(),
            was_up_to_date: false,
            floor: Default::default(),
            copy: None,
        }
    }

    fn load(&mut self, record: &[u8]) -> Result<(), String> {
        self.doc.import(record).map(drop).map_err(|error| error.to_string())
    }

    fn record_since(&self, version: &VersionVector) -> Vec<u8> {
        if version.is_empty() { self.doc.encode() } else { self.doc.changes_since(version) }
    }

    fn set_durable(&mut self, version: &VersionVector) {
        if self.copy.is_some() {
            return;
        }
        self.durable.join(version);
        for link in self.links.values_mut() {
            link.session.set_durable(version);
        }
    }

    fn edit(
        &mut self,
        edits: &[Edit],
        fails: bool,
        draft: Draft<'_, U::Op>,
    ) -> Result<Vec<Vec<DotRange>>, Violation> {
        U::edit(&mut self.doc, &mut self.sight, edits, fails, draft)?;
        Ok(Vec::new())
    }

    fn put(
        &mut self,
        register: u8,
        value: u64,
        draft: Draft<'_, U::Op>,
    ) -> Result<Option<Vec<Vec<DotRange>>>, Violation> {
        let is_made = U::put(&mut self.doc, &mut self.sight, register, value, draft)?;
        Ok(is_made.then(Vec::new))
    }

    fn get(&self, register: u8) -> Option<u64> {
        get(&self.doc, register)
    }

    fn receive(&mut self, link: usize, bytes: &[u8], now: u64) -> Received {
        let Self { doc, links, was_up_to_date, floor: (floor, trusted), copy, .. } = self;
        let mut received = Received::default();
        let is_trusted = trusted.contains(&link);
        let Some(link) = links.get_mut(&link).filter(|link| link.connected) else {
            return received;
        };
        let (doc, was_up_to_date, is_copy) = match copy {
            Some(copy) => (&mut copy.doc, &mut copy.is_whole, true),
            None => (doc, was_up_to_date, false),
        };
        let before = doc.version().clone();
        let floor = if is_trusted || floor.is_empty() {
            Frontier::default()
        } else {
            doc.heads_within(floor)
        };
        let mut log = Observed { doc, floor, applied: Vec::new() };
        let outcome = link.session.handle(bytes, &mut log, now);
        link.session.check_invariants();
        // What a copy has is applied when it takes its place.
        if is_copy {
            link.session.set_durable(log.doc.version());
        } else {
            received.applied = log.applied;
        }
        match outcome {
            Ok(()) => {}
            Err(SessionError::Over) => received.over = true,
            Err(error) => {
                if doc.version() != &before {
                    let what = format!("a refused message changed the log: {error}");
                    received.refused = Some(Refused::Offence(what));
                } else {
                    received.refused = Some(match error {
                        SessionError::Import(ImportError::Equivocation { replica, .. }) => {
                            Refused::Equivocation(replica)
                        }
                        SessionError::Fork(dot) => Refused::Equivocation(dot.replica),
                        SessionError::Trimmed
                        | SessionError::Import(
                            ImportError::BeforeTrim(_) | ImportError::HistoryNeeded(_),
                        ) => Refused::Trimmed,
                        error => Refused::Offence(error.to_string()),
                    });
                }
            }
        }
        while let Some(event) = link.session.poll_event() {
            match event {
                Event::UpToDate => *was_up_to_date = true,
                Event::Refused(Refusal::Equivocation { replica }) => {
                    received.refused = Some(Refused::Equivocation(replica));
                }
                Event::Refused(Refusal::Trimmed) => {
                    received.refused = Some(Refused::TrimmedByPeer);
                }
                Event::Refused(refusal) => {
                    received.refused = Some(Refused::ByPeer(format!("{refusal:?}")));
                }
                _ => {}
            }
        }
        received.over |= link.session.is_over();
        received
    }

    fn version(&self) -> VersionVector {
        self.doc.version().clone()
    }

    fn acknowledged(&self, link: usize) -> Option<VersionVector> {
        let link = self.links.get(&link).filter(|link| link.connected)?;
        link.session.acknowledged().cloned()
    }

    fn was_up_to_date(&self) -> bool {
        self.was_up_to_date
    }

    fn canonical(&self) -> Vec<u8> {
        self.doc.encode()
    }

    fn compare(&self, history: &History<U::Op>) -> Result<(), String> {
        U::compare(&self.doc, history)
    }

    fn contradicts(&self, other: &Self) -> Option<String> {
        // By the contents themselves, and not by the hashes that sessions compare.
        let mut joined = Document::decode(&self.doc.encode()).ok()?;
        match joined.import(&other.doc.encode()) {
            Err(error @ ImportError::Equivocation { .. }) => Some(error.to_string()),
            _ => None,
        }
    }

    fn trim(&mut self, stable: &VersionVector) -> u64 {
        // Ids are kept, since versions are what the laboratory compares.
        let trimmed = self.doc.trim(stable, |_| true).expect("no transaction is open");
        trimmed.map_or(0, |trimmed| trimmed.events)
    }

    fn set_floor(&mut self, floor: VersionVector, trusted: BTreeSet<usize>) {
        self.floor = (floor, trusted);
    }

    fn begin_anew(&mut self, id: ReplicaId) {
        self.copy = Some(Copied { doc: Document::new(id), id, is_whole: false });
        self.links.clear();
    }

    fn copying(&self) -> Option<&VersionVector> {
        self.copy.as_ref().map(|copy| copy.doc.version())
    }

    fn copied(&self) -> Option<(ReplicaId, VersionVector)> {
        let copy = self.copy.as_ref().filter(|copy| copy.is_whole)?;
        Some((copy.id, copy.doc.version().clone()))
    }

    fn come_back(&mut self, draft: Draft<'_, U::Op>) -> Result<Vec<u64>, Violation> {
        let Some(Copied { mut doc, id, .. }) = self.copy.take() else {
            draft.give_up();
            return Ok(Vec::new());
        };
        self.durable = doc.version().clone();
        let before: Vec<Option<u64>> = (0..REGISTERS).map(|key| get(&doc, key as u8)).collect();
        U::rebase(&self.doc, &mut doc, &mut self.sight, draft)?;
        (self.doc, self.id, self.was_up_to_date) = (doc, id, true);
        let after = (0..REGISTERS).map(|key| get(&self.doc, key as u8));
        Ok(after
            .zip(before)
            .filter(|(after, before)| after != before)
            .filter_map(|(after, _)| after)
            .collect())
    }

    fn without_history(&self) -> Vec<u8> {
        let mut copy = Document::decode(&self.doc.encode()).expect("own bytes");
        let everything = copy.version().clone();
        copy.trim(&everything, |_| true).expect("no transaction is open");
        copy.encode()
    }

    fn check(&self) -> Result<(), String> {
        self.doc.check_invariants();
        Ok(())
    }
}
