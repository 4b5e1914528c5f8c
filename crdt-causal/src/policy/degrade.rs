use super::ladder::Ladder;
use super::rules::LevelRange;
use crate::cut::Cut;
use crate::elapsed::Elapsed;
use crate::level::Level;

/// When a [`Degrade`] goes down and up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DegradeConfig {
    /// Above this latency it goes one level down. 200 ms by default.
    pub weaken_above_ms: u64,
    /// Below this latency, all the time for the length of a dwell, it goes one level up. 50 ms by default.
    /// Between the two nothing changes.
    pub strengthen_below_ms: u64,
    /// It changes at most once in this time. A minute by default.
    pub dwell_ms: u64,
    /// What a server alone can keep: to this it falls at once when the others cannot be reached. Causal by
    /// default.
    pub alone: Level,
    /// The levels.
    pub ladder: Ladder,
}

impl Default for DegradeConfig {
    fn default() -> Self {
        Self {
            weaken_above_ms: 200,
            strengthen_below_ms: 50,
            dwell_ms: 60_000,
            alone: Level::CAUSAL,
            ladder: Ladder::default(),
        }
    }
}

/// How it went with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// They answered after so many milliseconds.
    Latency(u64),
    /// They did not answer.
    Unreachable,
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What could be kept before.
    pub from: Level,
    /// What can be kept now.
    pub to: Level,
}

/// What a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Reply {
    /// An answer, and the level that it achieved, which the reply names.
    Served {
        /// The level.
        achieved: Level,
        /// Whether it is less than was preferred.
        is_degraded: bool,
    },
    /// Even the floor cannot be kept at the moment.
    BelowFloor {
        /// What can be.
        attainable: Level,
    },
    /// This state lacks something that the client has seen: it would see time go backwards.
    Behind,
}

/// Which level can be kept at the moment.
///
/// It goes down when the others are slow, or cannot be reached, and up again when they have been fast for
/// a while: a dead band between the two limits, and a dwell time between two changes, so that a
/// latency that trembles around a limit changes nothing more than once in a dwell. That is hysteresis,
/// as of Schmitt's trigger.
///
/// Two things hold whatever happens. No answer is below the floor that its request names: it is refused
/// instead ([`Reply::BelowFloor`]). And no client sees time go backwards: an answer contains what the client's token says it
/// has seen, or it is not given ([`Reply::Behind`]); and the level rises only when the state behind the
/// higher one contains everything that was served at the lower one, so that nobody has to be refused for that.
///
/// Each call costs O(S) for S servers. A clock that goes back does no harm.
///
/// ```
/// use crdt_causal::cut::{Cut, Slot};
/// use crdt_causal::level::Level;
/// use crdt_causal::policy::{Degrade, DegradeConfig, LevelRange, Reply, Sample};
///
/// let mut degrade = Degrade::new(DegradeConfig::default(), 0);
/// let (local, mut majority) = (Cut::from_iter([(Slot(0), 7)]), Cut::from_iter([(Slot(0), 5)]));
///
/// // The others are gone: what a server alone can keep is left.
/// degrade.observe(Sample::Unreachable, 1_000);
/// assert_eq!(degrade.poll(&majority, 1_000).map(|change| change.to), Some(Level::CAUSAL));
/// let tracking = LevelRange::at_best(Level::STRONG);
/// let reply = degrade.serve(tracking, &local, &Cut::new());
/// assert_eq!(reply, Reply::Served { achieved: Level::CAUSAL, is_degraded: true });
/// let payment = LevelRange::exactly(Level::STRONG);
/// let refused = Reply::BelowFloor { attainable: Level::CAUSAL };
/// assert_eq!(degrade.serve(payment, &local, &Cut::new()), refused);
///
/// // They are back, and fast. But they have not got yet what was served meanwhile.
/// for minute in 1..=3 {
///     degrade.observe(Sample::Latency(20), minute * 60_000);
/// }
/// assert_eq!(degrade.poll(&majority, 180_000), None);
/// majority.observe(Slot(0), 7);
/// assert_eq!(degrade.poll(&majority, 180_001).map(|change| change.to), Some(Level::STRONG));
/// ```
#[derive(Clone, Debug)]
pub struct Degrade {
    config: DegradeConfig,
    elapsed: Elapsed,
    rung: usize,
    /// When it changed last, if it did.
    changed_at: Option<u64>,
    /// What the last sample asks for: a rung that is further down.
    wanted: Option<usize>,
    /// Since when all samples were fast.
    fast_since: Option<u64>,
    /// All that was served since it went down.
    served: Cut,
}

impl Degrade {
    /// At the strongest level.
    #[must_use]
    pub const fn new(config: DegradeConfig, now: u64) -> Self {
        Self {
            config,
            elapsed: Elapsed::since(now),
            rung: 0,
            changed_at: None,
            wanted: None,
            fast_since: None,
            served: Cut::new(),
        }
    }

    /// What can be kept at the moment.
    #[must_use]
    pub fn attainable(&self) -> Level {
        self.config.ladder.get(self.rung)
    }

    /// Notes how it went with the others.
    pub fn observe(&mut self, sample: Sample, now: u64) {
        let at = self.elapsed.advance(now, u64::MAX);
        let last = self.config.ladder.len() - 1;
        self.wanted = match sample {
            Sample::Unreachable => Some(self.config.ladder.rung_of(self.config.alone)),
            Sample::Latency(ms) if ms > self.config.weaken_above_ms => {
                Some(last.min(self.rung + 1))
            }
            Sample::Latency(_) => None,
        };
        let is_fast = matches!(sample, Sample::Latency(ms) if ms < self.config.strengthen_below_ms);
        self.fast_since = if is_fast { self.fast_since.or(Some(at)) } else { None };
    }

    /// Changes the level, if it is time to. `behind_stronger` is what the state contains from which the next stronger level
    /// would be answered.
    pub fn poll(&mut self, behind_stronger: &Cut, now: u64) -> Option<Transition> {
        let at = self.elapsed.advance(now, u64::MAX);
        let dwell = self.config.dwell_ms;
        if self.changed_at.is_some_and(|changed| at - changed < dwell) {
            return None;
        }
        let from = self.attainable();
        if self.wanted.is_some_and(|wanted| wanted > self.rung) {
            self.rung = self.wanted.take().expect("it was just looked at");
        } else if self.rung > 0
            && self.fast_since.is_some_and(|since| at - since >= dwell)
            && behind_stronger.dominates(&self.served)
        {
            self.rung -= 1;
            // What was served so far is in whatever is served from now on.
            self.served = Cut::new();
        } else {
            return None;
        }
        self.changed_at = Some(at);
        self.fast_since = None;
        Some(Transition { from, to: self.attainable() })
    }

    /// Answers a request from a state that contains `at`, to a client that has seen `seen`: its token says it.
    pub fn serve(&mut self, range: LevelRange, at: &Cut, seen: &Cut) -> Reply {
        let attainable = self.attainable();
        if !attainable.promises(range.floor()) {
            return Reply::BelowFloor { attainable };
        }
        if !at.dominates(seen) {
            return Reply::Behind;
        }
        if self.rung > 0 {
            self.served.join(at);
        }
        let achieved = range.within(attainable);
        Reply::Served { achieved, is_degraded: achieved != range.prefer() }
    }
}
