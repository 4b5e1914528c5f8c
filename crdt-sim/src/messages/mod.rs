//! Values whose changes are sent as messages: `crdt-core`'s types, and `crdt-causal`'s delivery
//! buffer in front of them.
//!
//! How messages get around is the laboratory's own, and as simple as can be: whatever is durable
//! is sent to every neighbour once, at once; neighbours tell each other what they have until it
//! is the same; what the buffer finds missing is asked for. Who connects shows its whole state,
//! and whoever has all of that joins it all the same: an older state changes nothing.

mod carried;
mod hostile;
#[cfg(test)]
mod reused;
mod values;
mod wire;

use std::collections::{BTreeMap, VecDeque};

use crdt_causal::delivery::{CausalBuffer, InsertError, Limits, Message, Retry};
use crdt_core::codec::{Encode, Reader, Writer};
use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

pub use carried::{Carried, OfType};
pub use hostile::HostileSender;
pub use values::Values;

use crate::model::{Draft, History, version};
use crate::plan::{Edit, LimitsPlan};
use crate::replica::{Machine, Received, Refused, Replica, Violation};
use wire::{Packet, read_message, write_message};

/// Values, the messages that changed them, and a buffer for those that come too early.
pub struct MessagesReplica<C = Values> {
    id: ReplicaId,
    limits: LimitsPlan,
    buffer: CausalBuffer<Vec<u8>>,
    values: C,
    /// All messages that were delivered.
    log: BTreeMap<Dot, Message<Vec<u8>>>,
    /// In this order.
    order: Vec<Dot>,
    /// Those that nothing here follows.
    heads: Vec<Dot>,
    durable: VersionVector,
    links: BTreeMap<usize, Link>,
    was_up_to_date: bool,
}

#[derive(Default)]
struct Link {
    out: VecDeque<Vec<u8>>,
    /// What the other end said that it has stored.
    theirs: Option<VersionVector>,
    /// How much of the order was sent, or need not be.
    sent: usize,
    /// How much of the order the other end has.
    has: usize,
    /// When to tell what there is here, as long as the two are not known to be equal.
    tell_at: u64,
    wait_ms: u64,
}

/// Messages that one question is answered with, at most.
const ANSWER_MAX: usize = 24;
/// One in so many of those that are lacking, if that is more, and the other end has got on since it was answered last.
/// Otherwise what it was sent may be on its way: with each of its questions there would be more of the same.
const ANSWER_PART: usize = 4;
/// Who connects is sent so many at once, the last ones; what comes before, if it is lacking, when the other
/// end has said what it has.
const AT_ONCE: usize = 200;

impl<C: Carried> MessagesReplica<C> {
    /// Hands on what the buffer delivers, until nothing is left: the buffer's version counts what can be
    /// polled, and what is written to the disk goes by that version.
    fn deliver(&mut self, applied: &mut Vec<Vec<DotRange>>) -> Result<(), String> {
        self.deliver_with(None, applied).map(drop)
    }

    /// The same where `own` may be among it, which was made here and changes nothing any more. Says whether
    /// it was.
    fn deliver_with(
        &mut self,
        own: Option<Dot>,
        applied: &mut Vec<Vec<DotRange>>,
    ) -> Result<bool, String> {
        let mut found = false;
        while let Some(message) = self.buffer.poll_deliver() {
            let dot = message.dot;
            if Some(dot) == own {
                found = true;
            } else {
                self.values.apply(&message.payload)?;
                applied.push(vec![DotRange::new(dot.replica, dot.seq, dot.seq)]);
            }
            self.note(message);
        }
        Ok(found)
    }

    fn note(&mut self, message: Message<Vec<u8>>) {
        let Message { dot, parents, .. } = &message;
        self.heads.retain(|head| head.replica != dot.replica && !parents.contains(head));
        self.heads.push(*dot);
        self.order.push(*dot);
        self.log.insert(*dot, message);
    }

    /// Puts an own change into the buffer, which has to let it through at once. Says whether it did: not where
    /// somebody else writes under this id.
    fn publish(
        &mut self,
        payload: Vec<u8>,
        draft: &mut Draft<'_, C::Op>,
        applied: &mut Vec<Vec<DotRange>>,
    ) -> Result<bool, Violation> {
        let dot = draft.next_dot();
        let parents = self.heads.iter().copied().filter(|head| head.replica != self.id);
        let message = Message { dot, parents: parents.collect(), payload };
        let inserted = self.buffer.insert(message, 0);
        // More than the own one may come: what others made after an earlier message of this name.
        let own = inserted.is_ok().then_some(dot);
        match self.deliver_with(own, applied) {
            Ok(true) => Ok(true),
            _ if draft.is_blind() => Ok(false),
            // It has come here before: this one is the fork.
            _ if draft.is_taken(dot) => {
                draft.note_fork();
                Ok(false)
            }
            delivered => {
                let what = format!("an own message: {inserted:?}, delivered {delivered:?}");
                Err(Violation::new("edits", what))
            }
        }
    }

    fn insert(
        &mut self,
        message: Message<Vec<u8>>,
        now: u64,
        received: &mut Received,
    ) -> Result<(), String> {
        match self.buffer.insert(message, now) {
            Ok(_) | Err(InsertError::Quarantined(_)) => {}
            Err(InsertError::Equivocation(equivocation)) => {
                received.refused = Some(Refused::Equivocation(equivocation.dot.replica));
            }
            Err(error) => received.refused = Some(Refused::Offence(error.to_string())),
        }
        while self.buffer.poll_event().is_some() {}
        self.deliver(&mut received.applied)
    }

    /// The durable messages that the other end lacks, newest first: what comes first there has to wait.
    fn answer(&self, link: &mut Link, gets_on: bool) -> Vec<Vec<u8>> {
        let Some(theirs) = &link.theirs else { return Vec::new() };
        let left = &self.order[link.has..];
        link.has += left.iter().take_while(|dot| theirs.contains(**dot)).count();
        let lacks = |dot: &&Dot| self.durable.contains(**dot) && !theirs.contains(**dot);
        let lacking: Vec<&Dot> = self.order[link.has..].iter().filter(lacks).collect();
        let part = if gets_on { lacking.len() / ANSWER_PART } else { 0 };
        let count = ANSWER_MAX.max(part).min(lacking.len());
        lacking[..count].iter().rev().map(|dot| self.packet(**dot)).collect()
    }

    fn packet(&self, dot: Dot) -> Vec<u8> {
        Packet::Message(self.log[&dot].clone()).to_bytes()
    }

    fn is_settled(&self, link: &Link) -> bool {
        link.theirs.as_ref() == Some(&self.durable) && self.durable == self.buffer.version()
    }

    /// Puts what is to be said on a link into its queue.
    fn refill(&mut self, number: usize, now: u64) {
        if self.buffer.poll_timeout().is_some_and(|at| at <= now) {
            let ranges = self.buffer.missing(now);
            if !ranges.is_empty() {
                let request = Packet::Request(ranges).to_bytes();
                self.links.values_mut().for_each(|link| link.out.push_back(request.clone()));
            }
        }
        let Some(mut link) = self.links.remove(&number) else { return };
        while let Some(dot) = self.order.get(link.sent).filter(|dot| self.durable.contains(**dot)) {
            if !link.theirs.as_ref().is_some_and(|theirs| theirs.contains(*dot)) {
                link.out.push_back(self.packet(*dot));
                link.wait_ms = self.limits.retry_ms;
                link.tell_at = link.tell_at.min(now + link.wait_ms);
            }
            link.sent += 1;
        }
        if !self.is_settled(&link) && link.tell_at <= now {
            let version = self.durable.clone();
            link.out.push_back(Packet::Summary { version, asks: true }.to_bytes());
            link.tell_at = now + link.wait_ms;
            link.wait_ms = (2 * link.wait_ms).min(self.limits.retry_ms_max);
        }
        self.links.insert(number, link);
    }
}

impl<C: Carried> Machine for MessagesReplica<C> {
    fn connect(&mut self, link: usize, _nonce: u64, now: u64) {
        let sent = self.order.len().saturating_sub(AT_ONCE);
        let mut new = Link { tell_at: now, wait_ms: self.limits.retry_ms, sent, ..Link::default() };
        let mut values = Writer::new();
        self.values.write(&mut values);
        let state = Packet::State { version: self.version(), values: values.into_bytes() };
        new.out.push_back(state.to_bytes());
        self.links.insert(link, new);
    }

    fn disconnect(&mut self, link: usize) {
        self.links.remove(&link);
    }

    fn transmit(&mut self, link: usize, now: u64) -> Option<Vec<u8>> {
        self.refill(link, now);
        self.links.get_mut(&link)?.out.pop_front()
    }

    fn timeout(&self) -> Option<u64> {
        let told = self.links.values().filter_map(|link| match link.out.is_empty() {
            false => Some(0),
            true => (!self.is_settled(link)).then_some(link.tell_at),
        });
        told.chain(self.buffer.poll_timeout()).min()
    }
}

impl<C: Carried> Replica for MessagesReplica<C> {
    type Op = C::Op;
    type Hostile = C::Hostile;

    fn new(id: ReplicaId, limits: &LimitsPlan) -> Self {
        let mut bounds = Limits::default();
        bounds.pending_max = limits.pending_max as usize;
        let mut retry = Retry::default();
        retry.interval_ms = limits.retry_ms;
        retry.interval_ms_max = limits.retry_ms_max;
        Self {
            id,
            limits: *limits,
            buffer: CausalBuffer::with_limits(bounds, retry),
            values: C::default(),
            log: BTreeMap::new(),
            order: Vec::new(),
            heads: Vec::new(),
            durable: VersionVector::new(),
            links: BTreeMap::new(),
            was_up_to_date: false,
        }
    }

    /// A record is messages in the order of their delivery, and perhaps the values with all of
    /// them, which are read then instead of being made again.
    fn load(&mut self, record: &[u8]) -> Result<(), String> {
        let text = |error: crdt_core::codec::DecodeError| error.to_string();
        let mut input = Reader::new(record);
        let whole = input.u8().map_err(text)? == 1;
        let count = input.count(18).map_err(text)?;
        for _ in 0..count {
            let message = read_message(&mut input).map_err(text)?;
            self.buffer.insert(message, 0).map_err(|error| error.to_string())?;
        }
        if whole {
            while let Some(message) = self.buffer.poll_deliver() {
                self.note(message);
            }
            self.values = C::read(&mut input)?;
        } else {
            self.deliver(&mut Vec::new())?;
        }
        input.finish().map_err(text)
    }

    fn record_since(&self, version: &VersionVector) -> Vec<u8> {
        let whole = version.is_empty();
        // What was written before is what was delivered before.
        let is_new = |dot: &&Dot| !version.contains(**dot);
        let count = self.order.iter().rev().take_while(is_new).count();
        let new = &self.order[self.order.len() - count..];
        let mut out = Writer::new();
        out.u8(u8::from(whole));
        out.count(new.len());
        new.iter().for_each(|dot| write_message(&self.log[dot], &mut out));
        if whole {
            self.values.write(&mut out);
        }
        out.into_bytes()
    }

    fn set_durable(&mut self, version: &VersionVector) {
        self.durable.join(version);
    }

    fn edit(
        &mut self,
        edits: &[Edit],
        fails: bool,
        mut draft: Draft<'_, C::Op>,
    ) -> Result<Vec<Vec<DotRange>>, Violation> {
        let mut applied = Vec::new();
        // There are no transactions here, and so none that fails.
        for edit in edits.iter().filter(|_| !fails) {
            let (payload, op) = self.values.edit(edit, self.id, &draft);
            if !self.publish(payload, &mut draft, &mut applied)? {
                break;
            }
            draft.push(op);
        }
        draft.commit_each();
        Ok(applied)
    }

    fn put(
        &mut self,
        register: u8,
        value: u64,
        mut draft: Draft<'_, C::Op>,
    ) -> Result<Option<Vec<Vec<DotRange>>>, Violation> {
        let mut applied = Vec::new();
        let Some((payload, op)) = self.values.put(register, value, self.id, &draft) else {
            return Ok(None);
        };
        let is_made = self.publish(payload, &mut draft, &mut applied)?;
        if is_made {
            draft.push(op);
        }
        draft.commit_each();
        Ok(is_made.then_some(applied))
    }

    fn get(&self, register: u8) -> Option<u64> {
        self.values.get(register)
    }

    fn receive(&mut self, number: usize, bytes: &[u8], now: u64) -> Received {
        let mut received = Received::default();
        let outcome = match Packet::decode(bytes) {
            Ok(Packet::Message(message)) => self.insert(message, now, &mut received),
            Ok(Packet::Request(ranges)) => {
                let named = ranges.iter().flat_map(|DotRange { replica, first, last }| {
                    self.log.range(Dot::new(*replica, *first)..=Dot::new(*replica, *last))
                });
                let durable = named.filter(|(dot, _)| self.durable.contains(**dot));
                let found: Vec<Vec<u8>> =
                    durable.take(ANSWER_MAX).map(|(dot, _)| self.packet(*dot)).collect();
                if let Some(link) = self.links.get_mut(&number) {
                    link.out.extend(found);
                }
                Ok(())
            }
            Ok(Packet::Summary { version, asks }) => {
                let held = self.buffer.version();
                let Some(mut link) = self.links.remove(&number) else { return received };
                self.was_up_to_date |= held.dominates(&version);
                let gets_on = link.theirs.as_ref().is_none_or(|theirs| !theirs.dominates(&version));
                if gets_on {
                    link.wait_ms = self.limits.retry_ms;
                    link.tell_at = link.tell_at.min(now + link.wait_ms);
                }
                link.theirs.get_or_insert_default().join(&version);
                let answer = self.answer(&mut link, gets_on);
                link.out.extend(answer);
                if asks {
                    let version = self.durable.clone();
                    link.out.push_back(Packet::Summary { version, asks: false }.to_bytes());
                }
                self.links.insert(number, link);
                Ok(())
            }
            Ok(Packet::State { version, values }) => {
                let mut input = Reader::new(&values);
                C::read(&mut input).and_then(|older| {
                    if self.buffer.version().dominates(&version) {
                        return self.values.join(older);
                    }
                    Ok(())
                })
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = outcome {
            received.refused = Some(Refused::Offence(error));
        }
        received
    }

    fn version(&self) -> VersionVector {
        self.buffer.version().iter().filter(|(_, seq)| *seq > 0).collect()
    }

    fn acknowledged(&self, link: usize) -> Option<VersionVector> {
        self.links.get(&link)?.theirs.clone()
    }

    fn was_up_to_date(&self) -> bool {
        self.was_up_to_date
    }

    fn canonical(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.version().encode(&mut out);
        self.values.write(&mut out);
        out.into_bytes()
    }

    fn compare(&self, history: &History<C::Op>) -> Result<(), String> {
        self.values.compare(history, &version(&self.version()))
    }

    fn check(&self) -> Result<(), String> {
        self.buffer.check_invariants();
        self.values.check();
        let [pending, most] = [self.buffer.pending() as u64, self.limits.pending_max];
        if pending > most {
            return Err(format!("{pending} messages wait, and {most} may"));
        }
        Ok(())
    }
}
