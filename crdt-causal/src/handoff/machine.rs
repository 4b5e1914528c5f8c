//! Keeping what a replica misses while it is away.

use alloc::collections::{BTreeMap, VecDeque};

use super::limits::HandoffLimits;
use super::target::{Kept, Target};
use crate::elapsed::Elapsed;

/// What can be kept for a replica that is away: a delta with its context.
///
/// It has to be a *join*: a delta of core's types, or a change with its dots. Replaying it late, twice or
/// after newer writes then changes nothing that it should not. A hint that says "set it to this" would
/// overwrite what came after it.
pub trait Hint {
    /// What it holds in memory.
    fn size_bytes(&self) -> usize;
}

impl Hint for alloc::vec::Vec<u8> {
    fn size_bytes(&self) -> usize {
        self.len()
    }
}

/// Whether a hint was kept. In neither case has the replica that it is for acknowledged anything.
#[must_use = "a hint that is not kept is left to anti-entropy"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is given to the target when that is back.
    Kept,
    /// There is no room, or was none before: the target needs anti-entropy, which brings this too.
    LeftToAntiEntropy,
}

/// Why the hints for a target were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// There were more than [`HandoffLimits::hints_max`].
    Count,
    /// There were more bytes than [`HandoffLimits::bytes_max`].
    Bytes,
    /// All targets together had more bytes than [`HandoffLimits::total_bytes_max`], and this one the
    /// most.
    TotalBytes,
    /// One was older than [`HandoffLimits::age_ms_max`].
    Age,
}

/// The hints for a target were dropped: it needs anti-entropy, and then
/// [`reconciled`](Handoff::reconciled).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FellBack<T> {
    /// For whom they were.
    pub target: T,
    /// Why.
    pub why: Overflow,
    /// How many there were.
    pub hints: usize,
}

/// Up to where anti-entropy that begins now brings a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AntiEntropy {
    last: u64,
}

/// A hint to be sent. It is given again until it is [acknowledged](Handoff::acknowledge).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given<H> {
    /// To be named by the acknowledgement.
    pub number: u64,
    /// What to send.
    pub hint: H,
}

/// Keeps hints for targets that are away, within bounds of count, bytes and age.
///
/// Where a bound is passed *all* hints for that target are dropped, and it is left to anti-entropy: half of
/// them would save nothing, since anti-entropy has to run anyway. That is an
/// [event](Self::poll_event), so that it does run. Targets are as many as there are replicas; they
/// are the caller's, not a peer's, to name.
///
/// A hint is no acknowledgement (see [`Write`](crate::quorum::Write)): counting it as one, a
/// *sloppy quorum*, lets a write succeed that no read quorum sees. DeCandia et al., *Dynamo* (2007).
///
/// Each call costs O(targets + log hints), amortised.
///
/// ```
/// use crdt_causal::handoff::{Handoff, HandoffLimits, Held};
///
/// let mut handoff = Handoff::new(HandoffLimits::default(), 0);
/// assert_eq!(handoff.hold("delhi", b"a delta".to_vec(), 0), Held::Kept);
///
/// // Delhi is back.
/// let given = handoff.give(&"delhi", 60_000).expect("there is a hint");
/// assert_eq!(given.hint, b"a delta");
/// assert!(handoff.give(&"delhi", 60_001).is_none(), "it is waited for an answer");
/// handoff.acknowledge(&"delhi", given.number);
/// assert_eq!(handoff.bytes(), 0);
/// ```
#[derive(Clone, Debug)]
pub struct Handoff<T, H> {
    limits: HandoffLimits,
    elapsed: Elapsed,
    targets: BTreeMap<T, Target<H>>,
    bytes: usize,
    next_number: u64,
    events: VecDeque<FellBack<T>>,
}

/// What a hint holds beside itself.
const OVERHEAD_BYTES: usize = 64;

impl<T: Ord + Clone, H: Hint + Clone> Handoff<T, H> {
    /// Nothing is kept.
    #[must_use]
    pub const fn new(limits: HandoffLimits, now: u64) -> Self {
        Self {
            limits,
            elapsed: Elapsed::since(now),
            targets: BTreeMap::new(),
            bytes: 0,
            next_number: 0,
            events: VecDeque::new(),
        }
    }

    /// Keeps a hint for a target that cannot be reached.
    pub fn hold(&mut self, target: T, hint: H, now: u64) -> Held {
        self.handle_timeout(now);
        let came_at = self.elapsed.total_ms();
        let number = self.next_number;
        self.next_number += 1;
        let hints = match self.targets.entry(target.clone()).or_insert_with(Target::new) {
            Target::Hints(hints) => hints,
            Target::NeedsAntiEntropy { last } => {
                *last = number;
                return Held::LeftToAntiEntropy;
            }
        };
        let bytes = hint.size_bytes().saturating_add(OVERHEAD_BYTES);
        if hints.kept.len() >= self.limits.hints_max {
            return self.fall_back(&target, number, Overflow::Count);
        }
        if hints.bytes.saturating_add(bytes) > self.limits.bytes_max {
            return self.fall_back(&target, number, Overflow::Bytes);
        }
        hints.keep(number, Kept { hint, bytes, came_at });
        self.bytes += bytes;
        while self.bytes > self.limits.total_bytes_max {
            let largest = self.targets.iter().max_by_key(|(_, target)| match target {
                Target::Hints(hints) => hints.bytes,
                Target::NeedsAntiEntropy { .. } => 0,
            });
            let largest = largest.expect("somebody holds the bytes").0.clone();
            let _ = self.fall_back(&largest, number, Overflow::TotalBytes);
        }
        if self.hints(&target) > 0 { Held::Kept } else { Held::LeftToAntiEntropy }
    }

    /// The next hint for a target that is back: one that was not acknowledged within
    /// [`HandoffLimits::retry_ms`], or else the oldest that was not given yet.
    pub fn give(&mut self, target: &T, now: u64) -> Option<Given<H>> {
        self.handle_timeout(now);
        let Target::Hints(hints) = self.targets.get_mut(target)? else { return None };
        let number = hints.give(self.elapsed.total_ms(), self.limits.retry_ms.max(1))?;
        Some(Given { number, hint: hints.kept[&number].hint.clone() })
    }

    /// The target has a hint, durably. Does nothing for one that is not kept any more.
    pub fn acknowledge(&mut self, target: &T, number: u64) {
        let Some(Target::Hints(hints)) = self.targets.get_mut(target) else { return };
        let Some(kept) = hints.take(number) else { return };
        self.bytes -= kept.bytes;
        if hints.kept.is_empty() {
            self.targets.remove(target);
        }
    }

    /// Whether a target can only be brought up to date by anti-entropy: to be asked when that begins, and
    /// handed to [`reconciled`](Self::reconciled) when it is over.
    #[must_use]
    pub fn needs_anti_entropy(&self, target: &T) -> Option<AntiEntropy> {
        match self.targets.get(target)? {
            Target::Hints(_) => None,
            Target::NeedsAntiEntropy { last } => Some(AntiEntropy { last: *last }),
        }
    }

    /// Anti-entropy with the target is over. Hints are kept for it again, unless another one was left to
    /// anti-entropy since that began; whether they are.
    pub fn reconciled(&mut self, target: &T, began: AntiEntropy) -> bool {
        let is_over = self.needs_anti_entropy(target).is_some_and(|now| now == began);
        if is_over {
            self.targets.remove(target);
        }
        is_over
    }

    /// Drops what has become too old.
    pub fn handle_timeout(&mut self, now: u64) {
        let at = self.elapsed.advance(now, u64::MAX);
        let age_ms_max = self.limits.age_ms_max;
        let is_old = |target: &Target<H>| match target {
            // They came in order, so the first is the oldest.
            Target::Hints(hints) => {
                let oldest = hints.kept.first_key_value();
                oldest.is_some_and(|(_, oldest)| at - oldest.came_at > age_ms_max)
            }
            Target::NeedsAntiEntropy { .. } => false,
        };
        while let Some((old, _)) = self.targets.iter().find(|(_, target)| is_old(target)) {
            let old = old.clone();
            // A number of its own: what is left to anti-entropy after this has a greater one.
            let number = self.next_number;
            self.next_number += 1;
            let _ = self.fall_back(&old, number, Overflow::Age);
        }
    }

    /// Whose hints were dropped.
    pub fn poll_event(&mut self) -> Option<FellBack<T>> {
        self.events.pop_front()
    }

    /// How many hints are kept for a target.
    #[must_use]
    pub fn hints(&self, target: &T) -> usize {
        match self.targets.get(target) {
            Some(Target::Hints(hints)) => hints.kept.len(),
            Some(Target::NeedsAntiEntropy { .. }) | None => 0,
        }
    }

    /// How many bytes are kept in all, counted against the bounds.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    fn fall_back(&mut self, target: &T, last: u64, why: Overflow) -> Held {
        let left = Target::NeedsAntiEntropy { last };
        if let Some(Target::Hints(hints)) = self.targets.insert(target.clone(), left) {
            self.bytes -= hints.bytes;
            let hints = hints.kept.len();
            self.events.push_back(FellBack { target: target.clone(), why, hints });
        }
        Held::LeftToAntiEntropy
    }

    /// Panics if the parts contradict each other, or a bound is passed. For tests.
    pub fn check_invariants(&self) {
        let mut total = 0;
        for target in self.targets.values() {
            let Target::Hints(hints) = target else { continue };
            hints.check_invariants();
            assert!(hints.kept.len() <= self.limits.hints_max);
            assert!(hints.bytes <= self.limits.bytes_max);
            total += hints.bytes;
        }
        assert_eq!(total, self.bytes);
        assert!(self.bytes <= self.limits.total_bytes_max);
    }
}
