use alloc::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::cut::Slot;

/// From when on an objective is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Thresholds {
    /// A server that lags behind by more than this.
    pub lag_ms: u64,
    /// So many of a hundred writes that are refused…
    pub refused_percent: u64,
    /// …within so long…
    pub refused_window_ms: u64,
    /// …if there were so many writes in that time.
    pub refused_writes_min: u64,
    /// A server that is out of reach for longer than this.
    pub unreachable_ms: u64,
}

/// 5 s; 5 % of at least 20 writes in two minutes; a quarter of an hour.
impl Default for Thresholds {
    fn default() -> Self {
        Self {
            lag_ms: 5_000,
            refused_percent: 5,
            refused_window_ms: 120_000,
            refused_writes_min: 20,
            unreachable_ms: 900_000,
        }
    }
}

/// What is promised to whoever operates the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Objective {
    /// A server is not far behind.
    Lag(Slot),
    /// Writes are taken.
    Writes,
    /// A server is out of reach for a short time only.
    Reach(Slot),
}

/// An objective that is missed from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Which one.
    pub objective: Objective,
    /// By what: milliseconds, or the share of writes in percent.
    pub by: u64,
    /// When it was noticed.
    pub at: u64,
}

/// Objectives, each of which is told of once when it begins to be missed, and again only after it was met.
///
/// O(log S) for what is told of one of S servers; a write is O(1) amortised: each is put into one of the parts of the window, and
/// each part leaves it once.
#[derive(Clone, Debug)]
pub struct Objectives {
    thresholds: Thresholds,
    missed: BTreeSet<Objective>,
    /// Since when servers are out of reach.
    away: BTreeMap<Slot, u64>,
    window: Window,
}

/// Writes by when they were made, in parts of a time.
#[derive(Clone, Debug, Default)]
struct Window {
    /// The number of the part, and how many writes were made and refused in it.
    parts: VecDeque<(u64, [u64; 2])>,
    sum: [u64; 2],
}

/// So many parts have a window.
const PARTS: u64 = 12;

impl Objectives {
    /// Nothing is missed yet.
    #[must_use]
    pub const fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            missed: BTreeSet::new(),
            away: BTreeMap::new(),
            window: Window { parts: VecDeque::new(), sum: [0; 2] },
        }
    }

    /// A server is behind by so much.
    pub fn lag(&mut self, server: Slot, lag_ms: u64, now: u64) -> Option<Missed> {
        self.judge(Objective::Lag(server), lag_ms > self.thresholds.lag_ms, lag_ms, now)
    }

    /// A write was taken, or refused.
    pub fn write(&mut self, refused: bool, now: u64) -> Option<Missed> {
        let part = now / (self.thresholds.refused_window_ms / PARTS).max(1);
        let [writes, refusals] = self.window.add(part, refused);
        let enough = writes >= self.thresholds.refused_writes_min.max(1);
        let percent = refusals * 100 / writes.max(1);
        let is_missed = enough && percent >= self.thresholds.refused_percent;
        self.judge(Objective::Writes, is_missed, percent, now)
    }

    /// A server can be reached, or cannot. To be told as often as it is tried: that time passes is
    /// noticed by being told.
    pub fn reach(&mut self, server: Slot, reached: bool, now: u64) -> Option<Missed> {
        if reached {
            self.away.remove(&server);
            return self.judge(Objective::Reach(server), false, 0, now);
        }
        let since = *self.away.entry(server).or_insert(now);
        let away_ms = now.saturating_sub(since);
        let is_missed = away_ms > self.thresholds.unreachable_ms;
        self.judge(Objective::Reach(server), is_missed, away_ms, now)
    }

    /// What is missed at present.
    pub fn missed(&self) -> impl Iterator<Item = Objective> + '_ {
        self.missed.iter().copied()
    }

    fn judge(&mut self, objective: Objective, missed: bool, by: u64, at: u64) -> Option<Missed> {
        if !missed {
            self.missed.remove(&objective);
            return None;
        }
        self.missed.insert(objective).then_some(Missed { objective, by, at })
    }
}

impl Window {
    /// One more write; returns how many there are now, and how many of them were refused.
    fn add(&mut self, part: u64, refused: bool) -> [u64; 2] {
        // A clock that goes back adds to the last part.
        let part = self.parts.back().map_or(part, |(last, _)| part.max(*last));
        while let Some((first, counts)) = self.parts.front()
            && part - first >= PARTS
        {
            self.sum = [self.sum[0] - counts[0], self.sum[1] - counts[1]];
            self.parts.pop_front();
        }
        if self.parts.back().is_none_or(|(last, _)| *last != part) {
            self.parts.push_back((part, [0; 2]));
        }
        let counts = [1, u64::from(refused)];
        if let Some((_, last)) = self.parts.back_mut() {
            *last = [last[0] + counts[0], last[1] + counts[1]];
        }
        self.sum = [self.sum[0] + counts[0], self.sum[1] + counts[1]];
        self.sum
    }
}
