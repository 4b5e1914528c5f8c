//! The sending half of a session: from the log to numbered messages.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crdt_core::codec::Writer;
use crdt_core::collections::sort;
use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

use super::chain::ChainHash;
use super::hello::FRONTIER_DOTS_MAX;
use super::limits::{Limits, Retry};
use super::log::ChangeLog;
use super::message::{Acknowledgement, Content, Last, Message, NUMBERED_OVERHEAD};
use super::table::SendTables;
use super::window::{NeverSent, Outgoing, Window};

/// A body that reached this length is sent; the next change goes into another one.
const BODY_BYTES_TARGET: usize = 64 << 10;

/// What one side has to tell the other, and how far that has come.
#[derive(Debug)]
pub(super) struct Outbox {
    window: Window,
    tables: SendTables,
    /// What the peer is known to hold durably: what its greeting said, what it acknowledged,
    /// and what it sent itself.
    known: VersionVector,
    /// The same, and what is on its way.
    sent: VersionVector,
    /// The events of which both sides hold the same: running hashes up to here were compared, or
    /// the events themselves, as they came and went.
    compared: VersionVector,
    body: Option<Body>,
    claims: VecDeque<ReplicaId>,
    /// Whether the log may hold something durable that was not encoded.
    stale: bool,
}

/// An encoded body, of which a part was cut into messages.
#[derive(Debug)]
struct Body {
    bytes: Vec<u8>,
    cut: usize,
    ranges: Vec<DotRange>,
    fresh_tables: bool,
    /// What it builds on and the two sides have not compared, to be sent before it.
    builds_on: Vec<(Dot, ChainHash)>,
}

/// One transaction is longer than the peer takes.
#[derive(Debug)]
pub(super) struct BodyTooLarge;

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            window: Window::new(),
            tables: SendTables::new(),
            known: VersionVector::new(),
            sent: VersionVector::new(),
            compared: VersionVector::new(),
            body: None,
            claims: VecDeque::new(),
            stale: true,
        }
    }

    /// What the peer is known to hold durably.
    pub(super) fn known(&self) -> &VersionVector {
        &self.known
    }

    /// Up to `version` the peer holds the same events, and not only the same names.
    pub(super) fn learn_same(&mut self, version: &VersionVector) {
        self.compared.join(version);
    }

    /// The peer's greeting says that it holds `version`.
    pub(super) fn learn_version(&mut self, version: VersionVector) {
        self.known.join(&version);
        self.sent.join(&version);
    }

    /// The peer sent these events: it holds them, and what came before them of their replica.
    pub(super) fn learn_range(&mut self, range: DotRange) {
        self.known.observe(range.replica, range.last);
        self.sent.observe(range.replica, range.last);
        self.compared.observe(range.replica, range.last);
    }

    /// More of the log is durable than before.
    pub(super) fn log_grew(&mut self) {
        self.stale = true;
    }

    /// Tells the peer that this side writes in the name of `replica` from now on.
    pub(super) fn claim(&mut self, replica: ReplicaId) {
        self.claims.push_back(replica);
    }

    /// Whether all that is durable here is durable there.
    pub(super) fn is_idle(&self) -> bool {
        !self.stale && self.body.is_none() && self.claims.is_empty() && self.window.is_empty()
    }

    /// The next message, where `durable` is what may be sent.
    pub(super) fn poll<L: ChangeLog>(
        &mut self,
        log: &L,
        durable: &VersionVector,
        own: &Limits,
        peer: &Limits,
        retry: &Retry,
        now: u64,
    ) -> Result<Option<Outgoing>, BodyTooLarge> {
        if let Some(outgoing) = self.window.poll(retry, now) {
            return Ok(Some(outgoing));
        }
        // What is on its way is held here: a peer that accepts anything does not decide how much.
        let limits = &peer.stricter(own);
        if !self.window.has_room(0, limits) {
            return Ok(None);
        }
        let message_max = usize::try_from(limits.message_bytes_max).unwrap_or(usize::MAX);
        let number = self.window.next_number();
        if let Some(replica) = self.claims.pop_front() {
            let message = Message::Numbered { number, content: Content::Claim(replica) };
            self.window.push(message.to_bytes(), Vec::new());
            return Ok(self.window.poll(retry, now));
        }
        let fragment_max = message_max - NUMBERED_OVERHEAD;
        if self.body.is_none() && self.stale {
            self.body = self.encode(log, durable, fragment_max, peer)?;
        }
        if let Some(body) = self.body.as_mut().filter(|body| !body.builds_on.is_empty()) {
            let room = (message_max - NUMBERED_OVERHEAD - 1) / CHECK_BYTES_MAX;
            let count = body.builds_on.len().min(room.min(FRONTIER_DOTS_MAX));
            if !self.window.has_room(count * CHECK_BYTES_MAX, limits) {
                return Ok(None);
            }
            // They descend.
            let mut next = body.builds_on.split_off(body.builds_on.len() - count);
            next.reverse();
            let dots = next.iter().map(|(dot, _)| *dot).collect();
            let chains = next.iter().map(|(_, chain)| *chain).collect();
            let message = Message::Numbered { number, content: Content::Check { dots, chains } };
            self.window.push(message.to_bytes(), Vec::new());
            return Ok(self.window.poll(retry, now));
        }
        if let Some(body) = &mut self.body {
            let len = fragment_max.min(body.bytes.len() - body.cut);
            if !self.window.has_room(len + NUMBERED_OVERHEAD, limits) {
                return Ok(None);
            }
            let bytes = &body.bytes[body.cut..body.cut + len];
            body.cut += len;
            let last = match (body.cut == body.bytes.len(), body.fresh_tables) {
                (false, _) => Last::No,
                (true, false) => Last::Yes,
                (true, true) => Last::YesFreshTables,
            };
            let content = Content::Fragment { bytes, last };
            let message = Message::Numbered { number, content }.to_bytes();
            let ranges = match last {
                Last::No => Vec::new(),
                Last::Yes | Last::YesFreshTables => {
                    self.body.take().map(|body| body.ranges).unwrap_or_default()
                }
            };
            self.window.push(message, ranges);
            return Ok(self.window.poll(retry, now));
        }
        Ok(None)
    }

    fn encode<L: ChangeLog>(
        &mut self,
        log: &L,
        durable: &VersionVector,
        fragment_max: usize,
        peer: &Limits,
    ) -> Result<Option<Body>, BodyTooLarge> {
        // Full tables stay until there is a body that says that it begins with empty ones.
        let fresh_tables = self.tables.is_full();
        let mut fresh = SendTables::new();
        let tables = if fresh_tables { &mut fresh } else { &mut self.tables };
        let mark = tables.mark();
        let mut out = Writer::new();
        let bytes_max = fragment_max.min(BODY_BYTES_TARGET);
        let ranges = log.encode_changes(&self.sent, durable, bytes_max, tables, &mut out);
        if ranges.is_empty() {
            // Nothing of this reaches the peer, so nothing of it may be referred to later.
            tables.roll_back(mark);
            self.stale = false;
            return Ok(None);
        }
        if out.len() as u64 > peer.body_bytes_max {
            return Err(BodyTooLarge);
        }
        if fresh_tables {
            self.tables = fresh;
        }
        let builds_on = self.builds_on(log, &ranges);
        for range in &ranges {
            self.sent.observe(range.replica, range.last);
            self.compared.observe(range.replica, range.last);
        }
        Ok(Some(Body { bytes: out.into_bytes(), cut: 0, ranges, fresh_tables, builds_on }))
    }

    /// What changes build on beside each other, as far as it was not compared yet.
    fn builds_on<L: ChangeLog>(&mut self, log: &L, ranges: &[DotRange]) -> Vec<(Dot, ChainHash)> {
        let mut unchecked: Vec<(Dot, ChainHash)> = Vec::new();
        let mut parents = log.follows(ranges);
        // The last one of each replica first: it stands for those before it.
        sort(&mut parents);
        // What comes with the changes is compared when it comes.
        let mut firsts: Vec<Dot> =
            ranges.iter().map(|range| Dot::new(range.replica, range.first)).collect();
        sort(&mut firsts);
        firsts.dedup_by_key(|dot| dot.replica);
        for dot in parents.into_iter().rev() {
            let before = firsts.partition_point(|first| *first <= dot);
            let comes = before.checked_sub(1).is_some_and(|at| firsts[at].replica == dot.replica);
            if comes || self.compared.contains(dot) {
                continue;
            }
            if let Some(chain) = log.chain(dot) {
                unchecked.push((dot, chain));
                self.compared.observe(dot.replica, dot.seq);
            }
        }
        unchecked
    }

    /// Takes in what the peer acknowledges. Returns whether more is durable there than before.
    pub(super) fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        retry: &Retry,
        now: u64,
    ) -> Result<bool, NeverSent> {
        let Self { window, known, .. } = self;
        let mut grew = false;
        window.acknowledge(acknowledgement, retry, now, |range| {
            known.observe(range.replica, range.last);
            grew = true;
        })?;
        Ok(grew)
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.window.deadline()
    }

    /// Panics if the parts contradict each other.
    pub(super) fn check_invariants(&self) {
        self.window.check_invariants();
        assert!(self.sent.dominates(&self.known), "what is known was sent, or need not be");
        assert!(self.body.as_ref().is_none_or(|body| body.cut < body.bytes.len()));
    }
}

/// A dot and its running hash.
const CHECK_BYTES_MAX: usize = 16 + 9 + 8;
