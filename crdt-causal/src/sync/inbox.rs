//! The receiving half of a session: from numbered messages to the log.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use crdt_core::canary::is_planted;
use crdt_core::collections::sort;

use crdt_core::codec::{Limits as CodecLimits, Reader};
use crdt_core::{Dot, DotRange, ReplicaId, VersionVector};

use super::chain;
use super::limits::{Limits, Retry};
use super::log::ChangeLog;
use super::message::{Acknowledgement, Content, Last};
use super::table::ReceiveTables;

/// What came from the other side, and how far it is durable here.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// The number of the last message taken in. Those before it were, too.
    received: u64,
    /// Up to this number everything is durable.
    durable: u64,
    /// What came with the messages after `durable`, in order.
    volatile: VecDeque<Vec<DotRange>>,
    tables: ReceiveTables,
    /// The `received` of the last acknowledgement.
    told: u64,
    /// The fragments of a body whose last one did not come yet.
    body: Vec<u8>,
    owed: Owed,
}

/// The acknowledgement that is owed to the peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Owed {
    #[default]
    No,
    /// Then, or when something becomes durable before.
    At(u64),
    Now {
        gap: bool,
    },
}

/// What a numbered message did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Nothing new: a duplicate, a message after a gap, or a part of a body.
    Nothing,
    Changes(Vec<DotRange>),
    Claim(ReplicaId),
}

/// Why a numbered message ends the session.
#[derive(Debug)]
pub(super) enum Rejected<E> {
    WindowExceeded,
    BodyTooLarge,
    TablesExceeded,
    /// The peer builds on other events than are held here under the same names.
    Fork(Dot),
    Import(E),
}

impl Inbox {
    /// Takes in one numbered message, where `durable` is what of the log is durable.
    #[expect(clippy::too_many_arguments, reason = "all are parts of the one session")]
    pub(super) fn receive<L: ChangeLog>(
        &mut self,
        number: u64,
        content: Content<'_>,
        log: &mut L,
        durable: &VersionVector,
        own: &Limits,
        retry: &Retry,
        now: u64,
    ) -> Result<Received, Rejected<L::Error>> {
        if number <= self.received && !is_planted("deliver-twice") {
            self.owe_now(false);
            return Ok(Received::Nothing);
        }
        if number - self.durable > own.in_flight_messages_max {
            return Err(Rejected::WindowExceeded);
        }
        // A planted bug: what comes is taken, whatever is missing before it.
        let on_arrival = is_planted("deliver-on-arrival");
        if number != self.received + 1 && !on_arrival {
            self.owe_now(true);
            return Ok(Received::Nothing);
        }
        let received = match content {
            Content::Claim(replica) => Received::Claim(replica),
            Content::Check { dots, chains } => match chain::compare(&dots, &chains, log) {
                Ok(_) => Received::Nothing,
                Err(dot) => return Err(Rejected::Fork(dot)),
            },
            Content::Fragment { bytes, last } => {
                if (self.body.len() + bytes.len()) as u64 > own.body_bytes_max {
                    return Err(Rejected::BodyTooLarge);
                }
                if last == Last::No {
                    self.body.extend_from_slice(bytes);
                    Received::Nothing
                } else {
                    Received::Changes(self.import(bytes, last, log)?)
                }
            }
        };
        self.received = number;
        self.volatile.push_back(match &received {
            Received::Changes(ranges) => ranges.clone(),
            Received::Nothing | Received::Claim(_) => Vec::new(),
        });
        if self.owed == Owed::No {
            self.owed = Owed::At(now.saturating_add(retry.acknowledge_ms));
        }
        // Half a window without an answer is enough: the peer shall not have to stop.
        if (self.received - self.told).saturating_mul(2) >= own.in_flight_messages_max {
            self.owe_now(false);
        }
        self.log_grew(durable);
        Ok(received)
    }

    fn import<L: ChangeLog>(
        &mut self,
        last_fragment: &[u8],
        last: Last,
        log: &mut L,
    ) -> Result<Vec<DotRange>, Rejected<L::Error>> {
        if last == Last::YesFreshTables {
            self.tables = ReceiveTables::new();
        } else if self.tables.is_full() {
            return Err(Rejected::TablesExceeded);
        }
        let mut earlier = core::mem::take(&mut self.body);
        let body = if earlier.is_empty() {
            last_fragment
        } else {
            earlier.extend_from_slice(last_fragment);
            &earlier
        };
        // The length was checked against the limit that was announced to the peer.
        let limits = CodecLimits::default().with_input_bytes_max(body.len());
        let mut reader = Reader::with_limits(body, limits).expect("the limit is the length");
        let mut ranges =
            log.import_changes(&mut reader, &mut self.tables).map_err(Rejected::Import)?;
        merge(&mut ranges);
        Ok(ranges)
    }

    /// More is durable here than before.
    pub(super) fn log_grew(&mut self, durable: &VersionVector) {
        let before = self.durable;
        while self.volatile.front().is_some_and(|ranges| {
            ranges.iter().all(|range| durable.get(range.replica) >= range.last)
        }) {
            self.volatile.pop_front();
            self.durable += 1;
        }
        if self.durable > before {
            self.owe_now(false);
        }
    }

    /// The peer asks how far its messages have come.
    pub(super) fn owe_now(&mut self, gap: bool) {
        let gap = gap || self.owed == Owed::Now { gap: true };
        self.owed = Owed::Now { gap };
    }

    /// The acknowledgement, if it is time for one.
    pub(super) fn poll(&mut self, now: u64) -> Option<Acknowledgement> {
        let gap = match self.owed {
            Owed::No => return None,
            Owed::At(at) if now < at => return None,
            Owed::At(_) => false,
            Owed::Now { gap } => gap,
        };
        self.owed = Owed::No;
        self.told = self.received;
        // The planted bug: what was received is said to be safe.
        let durable = if cfg!(canary) || is_planted("acknowledge-before-sync") {
            self.received
        } else {
            self.durable
        };
        Some(Acknowledgement { received: self.received, durable, gap })
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        match self.owed {
            Owed::No => None,
            Owed::At(at) => Some(at),
            Owed::Now { .. } => Some(0),
        }
    }

    /// Panics if the parts contradict each other.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.received - self.durable, self.volatile.len() as u64);
    }
}

/// Joins ranges that touch: they are kept until they are durable, and a peer shall not make
/// that long by many small changes.
fn merge(ranges: &mut Vec<DotRange>) {
    sort(ranges);
    ranges.dedup_by(|next, last| {
        let touches = next.replica == last.replica && next.first <= last.last.saturating_add(1);
        if touches {
            last.last = last.last.max(next.last);
        }
        touches
    });
    ranges.shrink_to_fit();
}
