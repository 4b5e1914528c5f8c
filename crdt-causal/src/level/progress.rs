use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::cut::{Cut, Slot};

use super::lattice::Bound;

/// How many positions of another server are remembered that have not been applied yet. Beyond it the
/// staleness is estimated as greater than it is.
const MARKS_MAX: usize = 64;

/// How far behind a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// All servers were heard of lately.
    Known {
        /// Events that are lacking.
        ops: u64,
        /// Everything older than that is there, in milliseconds.
        age_ms: u64,
    },
    /// Some server was not heard of for longer than is usual.
    AtLeast {
        /// Events that are known to be lacking; there may be more.
        ops: u64,
        /// Everything older than that is there, in milliseconds.
        age_ms: u64,
    },
    /// Some server was never heard of: it may have anything.
    Unknown,
}

impl Staleness {
    /// The bound that a read keeps to now, unless nobody knows.
    pub const fn bound(self) -> Option<Bound> {
        match self {
            Self::Known { ops, age_ms } | Self::AtLeast { ops, age_ms } => {
                Some(Bound { ops, age_ms })
            }
            Self::Unknown => None,
        }
    }
}

/// What a node supposes about clocks and heartbeats, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgressConfig {
    /// How far another server's clock may be ahead of this one's. It is added to every age; 0 if
    /// heads are told by the time of this clock at which they were asked for.
    pub skew_ms_max: u64,
    /// After how long without a word a server's head is no longer counted as known.
    pub silence_ms_max: u64,
}

impl Default for ProgressConfig {
    fn default() -> Self {
        Self { skew_ms_max: 500, silence_ms_max: 5_000 }
    }
}

/// A server's head at a time: everything that it had admitted until then is within the position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    position: u64,
    at: u64,
}

/// What is known of another server.
#[derive(Clone, Debug)]
struct Head {
    slot: Slot,
    /// Ascending in both. The first is the last that is applied; nothing, while none is.
    marks: VecDeque<Mark>,
    /// The head that it told, or that was applied of it.
    position: u64,
    /// When it was last heard of, on the clock here.
    heard_at: u64,
}

impl Head {
    const fn new(slot: Slot) -> Self {
        Self { slot, marks: VecDeque::new(), position: 0, heard_at: 0 }
    }

    /// Until when everything is applied, unless nothing was ever heard.
    fn complete_until(&self, applied: u64) -> Option<u64> {
        let first = self.marks.front()?;
        Some(if first.position <= applied { first.at } else { 0 })
    }

    fn forget_before(&mut self, applied: u64) {
        while self.marks.get(1).is_some_and(|next| next.position <= applied) {
            self.marks.pop_front();
        }
    }

    fn remember(&mut self, mark: Mark) {
        let Some(&last) = self.marks.back() else { return self.marks.push_back(mark) };
        if mark.position < last.position || mark.at <= last.at {
            // A delayed word, or nothing new.
            return;
        }
        // The last one gives way if it tells nothing that its neighbours do not, or too little:
        // marks are kept a part of the whole span from each other. Without one the state may seem
        // older than it is, and never fresher.
        let before = self.marks.iter().rev().nth(1).map(|before| before.at);
        let spacing = (mark.at - self.marks[0].at) / (MARKS_MAX as u64 / 2);
        if mark.position == last.position || before.is_some_and(|at| last.at - at < spacing) {
            self.marks.pop_back();
        }
        self.marks.push_back(mark);
        if self.marks.len() > MARKS_MAX {
            // The span has doubled since: every second one goes, but for the first and the last.
            let (mut index, last) = (0, self.marks.len() - 1);
            self.marks.retain(|_| {
                index += 1;
                index > last || index % 2 == 1
            });
        }
    }
}

/// How far a node has got: what it has applied, and what it knows of the heads of the others.
///
/// Others tell their heads every now and then ([`heard`](Self::heard)), also while nothing happens: a
/// server from which nothing is heard may have admitted anything. Each word says that everything
/// admitted until some time is within some position; once that position is applied, nothing that
/// old is lacking. So the age of a node's state is known without a clock in every event.
///
/// Updates are O(S) for S servers; the [staleness](Self::staleness) is O(1), for reads are more
/// frequent than words.
#[derive(Clone, Debug)]
pub struct Progress {
    own: Slot,
    config: ProgressConfig,
    applied: Cut,
    /// Of the other servers.
    heads: Vec<Head>,
    /// Of all heads together.
    lag: Lag,
}

/// What staleness is computed from, kept up to date with the heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lag {
    /// Some server was never heard of.
    Unknown,
    /// There is no other server.
    Alone,
    Heard {
        ops: u64,
        /// Everything that was admitted until then is there.
        complete_until: u64,
        /// The longest ago that a server was heard of.
        heard_at: u64,
    },
}

impl Progress {
    /// A node that has applied nothing, beside other servers.
    pub fn new(own: Slot, others: impl IntoIterator<Item = Slot>, config: ProgressConfig) -> Self {
        let mut progress =
            Self { own, config, applied: Cut::new(), heads: Vec::new(), lag: Lag::Alone };
        progress.set_others(others);
        progress
    }

    /// The slot of this node.
    pub const fn own(&self) -> Slot {
        self.own
    }

    /// What the node has applied: all of it is in the state that it shows.
    pub const fn applied(&self) -> &Cut {
        &self.applied
    }

    /// Says which other servers there are. What is known of those that stay is kept.
    pub fn set_others(&mut self, others: impl IntoIterator<Item = Slot>) {
        let mut heads: Vec<Head> = Vec::new();
        for slot in others {
            if slot != self.own && heads.iter().all(|head| head.slot != slot) {
                let known = self.heads.iter().find(|head| head.slot == slot);
                heads.push(known.cloned().unwrap_or_else(|| Head::new(slot)));
            }
        }
        self.heads = heads;
        self.refresh();
    }

    /// Everything that a server admitted up to a position has been applied; of this node's own slot:
    /// has become visible.
    pub fn apply(&mut self, slot: Slot, position: u64) {
        self.applied.observe(slot, position);
        let applied = self.applied.get(slot);
        if let Some(head) = self.heads.iter_mut().find(|head| head.slot == slot) {
            head.position = head.position.max(applied);
            head.forget_before(applied);
        }
        self.refresh();
    }

    /// A server told that `position` was its last at the time `at`: on its clock, or on this one if
    /// it answered a question of that time. A time that has not come yet counts as the present.
    ///
    /// A server that is not among the others is not heard.
    pub fn heard(&mut self, slot: Slot, position: u64, at: u64, now: u64) {
        let applied = self.applied.get(slot);
        let Some(head) = self.heads.iter_mut().find(|head| head.slot == slot) else { return };
        head.heard_at = head.heard_at.max(now);
        head.position = head.position.max(position);
        head.remember(Mark { position, at: at.min(now) });
        head.forget_before(applied);
        self.refresh();
    }

    /// How long ago a server was last heard of, if it ever was, in milliseconds. What it has told may have come through
    /// others.
    pub fn silence(&self, slot: Slot, now: u64) -> Option<u64> {
        let head = self.heads.iter().find(|head| head.slot == slot)?;
        (!head.marks.is_empty()).then(|| now.saturating_sub(head.heard_at))
    }

    /// How far behind the node is.
    pub const fn staleness(&self, now: u64) -> Staleness {
        match self.lag {
            Lag::Unknown => Staleness::Unknown,
            Lag::Alone => Staleness::Known { ops: 0, age_ms: 0 },
            Lag::Heard { ops, complete_until, heard_at } => {
                let age_ms =
                    now.saturating_sub(complete_until).saturating_add(self.config.skew_ms_max);
                if now.saturating_sub(heard_at) > self.config.silence_ms_max {
                    Staleness::AtLeast { ops, age_ms }
                } else {
                    Staleness::Known { ops, age_ms }
                }
            }
        }
    }

    fn refresh(&mut self) {
        let mut lag = Lag::Alone;
        for head in &self.heads {
            let applied = self.applied.get(head.slot);
            let lacking = head.position.saturating_sub(applied);
            let Some(complete) = head.complete_until(applied) else {
                self.lag = Lag::Unknown;
                return;
            };
            lag = match lag {
                Lag::Heard { ops, complete_until, heard_at } => Lag::Heard {
                    ops: ops.saturating_add(lacking),
                    complete_until: complete_until.min(complete),
                    heard_at: heard_at.min(head.heard_at),
                },
                _ => Lag::Heard { ops: lacking, complete_until: complete, heard_at: head.heard_at },
            };
        }
        self.lag = lag;
    }

    /// Panics if something is not as it has to be. For tests.
    pub fn check_invariants(&self) {
        self.applied.check_invariants();
        for head in &self.heads {
            let applied = self.applied.get(head.slot);
            let ascend = |(a, b): (&Mark, &Mark)| a.position < b.position && a.at < b.at;
            assert!(head.marks.iter().zip(head.marks.iter().skip(1)).all(ascend));
            assert!(head.marks.len() <= MARKS_MAX, "{}", head.marks.len());
            assert!(head.marks.iter().skip(1).all(|mark| mark.position > applied));
            assert!(head.marks.iter().all(|mark| mark.position <= head.position));
        }
        let mut again = self.clone();
        again.refresh();
        assert_eq!(again.lag, self.lag, "what is kept is what it would come to");
    }
}
