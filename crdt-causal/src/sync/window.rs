//! The numbered messages that one side has sent and the other has not made durable yet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crdt_core::DotRange;
use crdt_core::canary::is_planted;

use super::limits::{Limits, Retry};
use super::message::Acknowledgement;
use super::timer::Timer;

/// Go-back-N with identical bytes: what was not received is sent again from the first missing
/// message on, after a timeout or at once when the receiver reports a gap.
///
/// A message keeps its bytes until it is received, and its dots until it is durable there.
#[derive(Debug)]
pub(super) struct Window {
    /// Not durable at the receiver, in order of their numbers.
    entries: VecDeque<Entry>,
    /// How many numbered messages there were, acknowledged or not: the number of the last one.
    last: u64,
    /// The number of the last message that was transmitted at least once.
    transmitted: u64,
    /// The number to transmit next. What is below it and was not received is on its way.
    next: u64,
    /// What the receiver has acknowledged.
    received: u64,
    /// The length of what was not received.
    bytes: u64,
    timer: Timer,
    /// The acknowledgement whose gap was answered. One early answer is enough: if that is lost
    /// too, the timer is there.
    answered_gap: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    bytes: Vec<u8>,
    ranges: Vec<DotRange>,
}

/// What there is to transmit from a [`Window`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    Message(Vec<u8>),
    /// Everything was received; ask whether it is durable now.
    RequestAcknowledgement,
}

/// An acknowledgement of what was never sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NeverSent;

impl Window {
    pub(super) fn new() -> Self {
        Self {
            entries: VecDeque::new(),
            last: 0,
            transmitted: 0,
            next: 1,
            received: 0,
            bytes: 0,
            timer: Timer::default(),
            answered_gap: None,
        }
    }

    /// The number that the next message will have.
    pub(super) fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// Whether another message of `len` bytes may be on its way. One always may.
    pub(super) fn has_room(&self, len: usize, limits: &Limits) -> bool {
        // A planted bug: a peer that acknowledges nothing is sent everything.
        let boundless = is_planted("boundless-window");
        (boundless || (self.entries.len() as u64) < limits.in_flight_messages_max)
            && (self.bytes == 0 || self.bytes + len as u64 <= limits.in_flight_bytes_max)
    }

    /// Whether everything that was sent is durable at the receiver.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a message, which bears [`next_number`](Self::next_number) and brings `ranges`.
    pub(super) fn push(&mut self, bytes: Vec<u8>, ranges: Vec<DotRange>) {
        self.bytes += bytes.len() as u64;
        self.last += 1;
        self.entries.push_back(Entry { bytes, ranges });
    }

    /// What is to be transmitted now.
    pub(super) fn poll(&mut self, retry: &Retry, now: u64) -> Option<Outgoing> {
        let unreceived = self.received < self.transmitted;
        if self.timer.is_due(now) {
            self.timer.back_off(retry, now);
            if !unreceived {
                return Some(Outgoing::RequestAcknowledgement);
            }
            // A planted bug: what was lost is not sent again.
            if !is_planted("never-resend") {
                self.next = self.received + 1;
            }
        }
        if self.entries.is_empty() || self.next > self.last {
            return None;
        }
        let bytes = self.entries[self.index(self.next)].bytes.clone();
        if self.next > self.transmitted {
            if !unreceived {
                // What waits for durability alone may have waited long; this one has not.
                self.timer.start(retry, now);
            }
            self.transmitted = self.next;
        }
        self.next += 1;
        Some(Outgoing::Message(bytes))
    }

    /// Takes in an acknowledgement, and hands the dots that turned out to be durable at the
    /// receiver to `durable`.
    pub(super) fn acknowledge(
        &mut self,
        acknowledgement: Acknowledgement,
        retry: &Retry,
        now: u64,
        mut durable: impl FnMut(DotRange),
    ) -> Result<(), NeverSent> {
        let Acknowledgement { received, durable: durable_through, gap } = acknowledgement;
        if received > self.transmitted {
            return Err(NeverSent);
        }
        let mut progress = false;
        while self.received < received {
            self.received += 1;
            let index = self.index(self.received);
            let bytes = core::mem::take(&mut self.entries[index].bytes);
            self.bytes -= bytes.len() as u64;
            progress = true;
        }
        self.next = self.next.max(self.received + 1);
        while self.first() <= durable_through {
            let Some(entry) = self.entries.pop_front() else { break };
            entry.ranges.into_iter().for_each(&mut durable);
            progress = true;
        }
        if self.first() > self.transmitted {
            self.timer.stop();
        } else if progress {
            self.timer.start(retry, now);
        }
        if gap
            && received == self.received
            && received < self.transmitted
            && self.answered_gap != Some(received)
        {
            self.answered_gap = Some(received);
            self.next = received + 1;
        }
        Ok(())
    }

    pub(super) fn deadline(&self) -> Option<u64> {
        self.timer.deadline()
    }

    /// The number of the first message that is not durable at the receiver.
    fn first(&self) -> u64 {
        self.last + 1 - self.entries.len() as u64
    }

    fn index(&self, number: u64) -> usize {
        usize::try_from(number - self.first()).expect("the window is bounded")
    }

    /// Panics if the parts contradict each other.
    pub(super) fn check_invariants(&self) {
        let first = self.first();
        assert!(first <= self.received + 1, "what is durable was received");
        assert!(self.received <= self.transmitted && self.transmitted <= self.last);
        assert!(self.next > self.received);
        assert!(self.next <= self.transmitted + 1);
        let unreceived = self.entries.iter().skip((self.received + 1 - first) as usize);
        let bytes: usize = unreceived.map(|entry| entry.bytes.len()).sum();
        assert_eq!(bytes as u64, self.bytes);
        assert_eq!(self.timer.deadline().is_some(), first <= self.transmitted);
    }
}
