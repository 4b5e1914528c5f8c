//! What was held a month ago.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use crate::cut::{Cut, Slot};
use crate::elapsed::Elapsed;

/// How long what a browser may still need is kept, and how exactly that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HorizonConfig {
    /// For how long at least. 30 days by default.
    pub horizon_ms: u64,
    /// How many cuts are remembered. Something is kept for two parts in so many longer than the
    /// horizon at most. 240 by default: three hours of a month.
    pub samples_max: usize,
}

impl Default for HorizonConfig {
    fn default() -> Self {
        Self { horizon_ms: 30 * 24 * 3_600_000, samples_max: 240 }
    }
}

impl HorizonConfig {
    /// How far apart two remembered cuts are.
    fn step_ms(&self) -> u64 {
        self.horizon_ms.div_ceil(self.samples_max.max(1) as u64).max(1)
    }
}

/// Tells which events were applied longer than the horizon ago.
///
/// A browser is no member: thousands come, and most never return. All of them together hold one *horizon
/// lease*: what is younger than the horizon is kept, so that whoever has been away for less merges as
/// if nothing had been. Nothing is remembered of any of them; a server remembers its own applied cut
/// at `samples_max` moments, a dozen kilobytes.
///
/// Only time in which the server was there counts, since only then could a browser come back: a month
/// in which it stood still for a week lasts five. So a clock that is set ahead moves the horizon by
/// one step at most, and one that is set back by none.
///
/// ```
/// use crdt_causal::cut::{Cut, Slot};
/// use crdt_causal::stability::{Horizon, HorizonConfig};
///
/// const HOUR: u64 = 3_600_000;
/// let mut horizon = Horizon::new(HorizonConfig::default(), 0);
/// for hour in 0..=31 * 24 {
///     // The server admits ten events an hour.
///     horizon.record(&Cut::from_iter([(Slot(0), 10 * hour)]), hour * HOUR);
/// }
/// let passed = horizon.passed().get(Slot(0));
/// assert!((10 * 18..=10 * 24).contains(&passed), "all but the last 30 days: {passed}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    config: HorizonConfig,
    elapsed: Elapsed,
    /// By when, in elapsed time, which cut was applied; ascending. Only the first may be older than the
    /// horizon.
    samples: VecDeque<(u64, Cut)>,
}

const NOTHING: &Cut = &Cut::new();

impl Horizon {
    /// Nothing was applied before.
    #[must_use]
    pub const fn new(config: HorizonConfig, now: u64) -> Self {
        Self { config, elapsed: Elapsed::since(now), samples: VecDeque::new() }
    }

    /// Goes on where [`to_saved`](Self::to_saved) has left off. The time in between does not count.
    ///
    /// # Errors
    ///
    /// If it is not what was saved.
    pub fn from_saved(config: HorizonConfig, saved: &[u8], now: u64) -> Result<Self, DecodeError> {
        let mut input = Reader::new(saved);
        let horizon = Self::decode_saved(config, &mut input, now)?;
        input.finish()?;
        Ok(horizon)
    }

    pub(super) fn decode_saved(
        config: HorizonConfig,
        input: &mut Reader<'_>,
        now: u64,
    ) -> Result<Self, DecodeError> {
        let total_ms = input.varint()?;
        let count = input.count(1 + Cut::BYTES_MIN)?;
        let mut samples = VecDeque::with_capacity(input.capacity(count, size_of::<(u64, Cut)>()));
        let mut at = 0_u64;
        let mut before = Cut::new();
        for index in 0..count {
            let position = input.position();
            let since = input.varint()?;
            at = at
                .checked_add(since)
                .filter(|at| *at <= total_ms)
                .ok_or(DecodeErrorKind::OutOfRange.at(position))?;
            let position = input.position();
            let cut = Cut::decode(input)?;
            if (since == 0 && index > 0) || !cut.dominates(&before) {
                return Err(DecodeErrorKind::NotAscending.at(position));
            }
            before = cut.clone();
            // The configuration may have changed, to fewer samples.
            let apart = |(last, _): &(u64, Cut)| at - last >= config.step_ms();
            if samples.back().is_none_or(apart) {
                samples.push_back((at, cut));
            }
        }
        let mut horizon = Self { config, elapsed: Elapsed::resumed(total_ms, now), samples };
        horizon.forget();
        Ok(horizon)
    }

    /// What has to outlast the process: how much time has passed, and the cuts with their times.
    #[must_use]
    pub fn to_saved(&self) -> Vec<u8> {
        let mut out = Writer::new();
        self.encode_saved(&mut out);
        out.into_bytes()
    }

    pub(super) fn encode_saved(&self, out: &mut Writer) {
        out.varint(self.elapsed.total_ms());
        out.count(self.samples.len());
        let mut before = 0;
        for (at, cut) in &self.samples {
            out.varint(at - before);
            cut.encode(out);
            before = *at;
        }
    }

    /// The server is there, and has applied `applied`. Costs O(1), but once a step, when it remembers
    /// the cut; whether it did. A slot that was [dropped](Self::drop_slot) is in it no more.
    ///
    /// # Panics
    ///
    /// If `applied` has shrunk: what was applied stays so.
    pub fn record(&mut self, applied: &Cut, now: u64) -> bool {
        let step_ms = self.config.step_ms();
        let at = self.elapsed.advance(now, step_ms);
        let is_due = self.samples.back().is_none_or(|(last, _)| at - last >= step_ms);
        if is_due {
            let last = self.samples.back();
            assert!(last.is_none_or(|(_, last)| applied.dominates(last)), "applied stays applied");
            self.samples.push_back((at, applied.clone()));
        }
        self.forget();
        is_due
    }

    /// When [`record`](Self::record) has to be called again. If that is later, the time in between counts
    /// less.
    #[must_use]
    pub fn poll_timeout(&self) -> u64 {
        let due =
            self.samples.back().map_or(0, |(last, _)| last.saturating_add(self.config.step_ms()));
        let left = due.saturating_sub(self.elapsed.total_ms());
        self.elapsed.read_at().saturating_add(left)
    }

    /// What was applied when that was last remembered.
    pub(super) fn last(&self) -> &Cut {
        self.samples.back().map_or(NOTHING, |(_, cut)| cut)
    }

    /// What was applied longer than the horizon ago: nothing younger, and all of it but what has passed
    /// the horizon in the last two steps.
    #[must_use]
    pub fn passed(&self) -> &Cut {
        let first = self.samples.front().filter(|(at, _)| self.is_passed(*at));
        first.map_or(NOTHING, |(_, cut)| cut)
    }

    /// How much time has passed in which the server was there, in milliseconds, as of the last
    /// [`record`](Self::record). It goes on where it was [saved](Self::to_saved).
    #[must_use]
    pub const fn elapsed_ms(&self) -> u64 {
        self.elapsed.total_ms()
    }

    /// The first of the cuts that are remembered which has all of `cut`, and how long ago, by elapsed
    /// time, it was applied; `None` if none has. What is [remembered](Self::record) is what was applied
    /// at some moments: so this tells when at the latest all of a cut was here.
    #[must_use]
    pub fn first_with(&self, cut: &Cut) -> Option<(u64, &Cut)> {
        let found = self.samples.iter().find(|(_, held)| held.dominates(cut));
        found.map(|(at, held)| (self.elapsed.total_ms() - at, held))
    }

    /// A slot was dropped, since everything of it is stable: it is in no cut any more.
    pub fn drop_slot(&mut self, slot: Slot) {
        for (_, cut) in &mut self.samples {
            cut.set(slot, 0);
        }
    }

    fn is_passed(&self, at: u64) -> bool {
        self.elapsed.total_ms() - at >= self.config.horizon_ms
    }

    /// Of the samples that have passed the horizon the last is enough.
    fn forget(&mut self) {
        while self.samples.get(1).is_some_and(|(at, _)| self.is_passed(*at)) {
            self.samples.pop_front();
        }
    }

    /// Panics if the parts contradict each other, or there are more cuts than configured. For tests.
    pub fn check_invariants(&self) {
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        for ((at, cut), (next_at, next)) in pairs {
            assert!(at < next_at && next.dominates(cut));
        }
        assert!(self.samples.len() <= self.config.samples_max.max(1) + 2);
        assert!(self.samples.get(1).is_none_or(|(at, _)| !self.is_passed(*at)));
    }
}
