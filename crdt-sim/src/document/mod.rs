//! Documents that sync sessions keep in step: `crdt-document` and `crdt-causal::sync` as they are.

mod edit;
mod hostile;
mod log;
mod read;
mod usage;

use std::collections::BTreeMap;

use crdt_causal::sync::{Config, Event, Limits, Refusal, Retry, Session, SessionError};
use crdt_core::{DotRange, Frontier, ReplicaId, VersionVector};
use crdt_document::{Document, ImportError, Value};

pub use hostile::HostilePeer;
pub use usage::{Everything, OfSchema, Usage};

use crate::model::{Draft, History};
use crate::plan::{Edit, LimitsPlan};
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
        Config::new().with_limits(limits).with_retry(retry).with_base(base).with_writers([self.id])
    }
}

impl<U: Usage> Machine for DocumentReplica<U> {
    fn connect(&mut self, link: usize, nonce: u64, now: u64) {
        let base = self.links.get(&link).map(|link| link.base.clone()).unwrap_or_default();
        let mut session = Session::new(self.config(base.clone()), nonce, now);
        session.set_durable(&self.durable);
        self.links.insert(link, Link { session, base, connected: true });
    }

    fn disconnect(&mut self, link: usize) {
        let Some(link) = self.links.get_mut(&link) else { return };
        link.connected = false;
        let known = link.session.acknowledged();
        let base = known.and_then(|known| {
            // As a program would that remembers it: only what is itself a version that is held.
            let mut both = known.clone();
            both.meet(self.doc.version());
            crdt_causal::sync::ChangeLog::frontier_of(&self.doc, &both)
        });
        if let Some(base) = base {
            link.base = base;
        }
    }

    fn transmit(&mut self, link: usize, now: u64) -> Option<Vec<u8>> {
        let link = self.links.get_mut(&link).filter(|link| link.connected)?;
        let bytes = link.session.poll_transmit(&self.doc, now);
        link.session.check_invariants();
        while let Some(event) = link.session.poll_event() {
            self.was_up_to_date |= event == Event::UpToDate;
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
        }
    }

    fn load(&mut self, record: &[u8]) -> Result<(), String> {
        self.doc.import(record).map(drop).map_err(|error| error.to_string())
    }

    fn record_since(&self, version: &VersionVector) -> Vec<u8> {
        if version.is_empty() { self.doc.encode() } else { self.doc.changes_since(version) }
    }

    fn set_durable(&mut self, version: &VersionVector) {
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
        match self.doc.map(edit::REGISTERS).get(&register.to_string())? {
            Value::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    fn receive(&mut self, link: usize, bytes: &[u8], now: u64) -> Received {
        let Self { doc, links, was_up_to_date, .. } = self;
        let mut received = Received::default();
        let Some(link) = links.get_mut(&link).filter(|link| link.connected) else {
            return received;
        };
        let before = doc.version().clone();
        let mut log = Observed { doc, applied: Vec::new() };
        let outcome = link.session.handle(bytes, &mut log, now);
        link.session.check_invariants();
        received.applied = log.applied;
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

    fn check(&self) -> Result<(), String> {
        self.doc.check_invariants();
        Ok(())
    }
}
