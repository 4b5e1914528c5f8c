//! What is kept for one target.

use alloc::collections::{BTreeMap, VecDeque};

/// A hint and when it came, in elapsed time.
#[derive(Clone, Debug)]
pub(super) struct Kept<H> {
    pub(super) hint: H,
    pub(super) bytes: usize,
    pub(super) came_at: u64,
}

/// The hints for one target.
#[derive(Clone, Debug)]
pub(super) struct Hints<H> {
    /// By number, and so in the order in which they came.
    pub(super) kept: BTreeMap<u64, Kept<H>>,
    pub(super) bytes: usize,
    /// Those that were never given.
    fresh: VecDeque<u64>,
    /// Those that were given, with when to give them again; ascending. Some may not be kept any more.
    given: VecDeque<(u64, u64)>,
}

impl<H> Hints<H> {
    const fn new() -> Self {
        Self { kept: BTreeMap::new(), bytes: 0, fresh: VecDeque::new(), given: VecDeque::new() }
    }

    pub(super) fn keep(&mut self, number: u64, kept: Kept<H>) {
        self.bytes += kept.bytes;
        self.kept.insert(number, kept);
        self.fresh.push_back(number);
    }

    /// The number of the next one that is due. Amortised O(log hints).
    pub(super) fn give(&mut self, at: u64, retry_ms: u64) -> Option<u64> {
        // What was acknowledged in the meantime, given or not, is passed over.
        let number = loop {
            let due = self.given.pop_front_if(|(due, _)| *due <= at).map(|(_, number)| number);
            let number = due.or_else(|| self.fresh.pop_front())?;
            if self.kept.contains_key(&number) {
                break number;
            }
        };
        self.given.push_back((at.saturating_add(retry_ms), number));
        Some(number)
    }

    pub(super) fn take(&mut self, number: u64) -> Option<Kept<H>> {
        let kept = self.kept.remove(&number)?;
        self.bytes -= kept.bytes;
        Some(kept)
    }

    pub(super) fn check_invariants(&self) {
        assert!(!self.kept.is_empty(), "a target without hints is forgotten");
        assert_eq!(self.bytes, self.kept.values().map(|kept| kept.bytes).sum::<usize>());
        assert!(self.given.iter().zip(self.given.iter().skip(1)).all(|(a, b)| a.0 <= b.0));
        let waiting = self.given.iter().map(|(_, number)| number).chain(&self.fresh);
        let kept = waiting.filter(|number| self.kept.contains_key(number));
        assert_eq!(kept.count(), self.kept.len(), "each is given, or will be");
    }
}

#[derive(Clone, Debug)]
pub(super) enum Target<H> {
    Hints(Hints<H>),
    /// Something was dropped: only anti-entropy brings it up to date. The last that was left to it has
    /// this number.
    NeedsAntiEntropy {
        last: u64,
    },
}

impl<H> Target<H> {
    pub(super) const fn new() -> Self {
        Self::Hints(Hints::new())
    }
}
