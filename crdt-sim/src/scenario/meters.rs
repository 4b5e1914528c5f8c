//! What clients got: how soon, how old, and how often at all, for each level.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crdt_causal::level::Level;
use crdt_causal::session::Guarantees;

use super::distribution::Distribution;

/// What one level came to in one phase.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// Requests for which it was the best that could be asked for.
    pub asked: u64,
    /// Those that were answered in time, at whatever level.
    pub answered: u64,
    /// Those that were refused.
    pub refused: u64,
    /// Those that nobody answered in time.
    pub unanswered: u64,
    /// From the request to the answer, in milliseconds, of those that were answered at this level.
    pub latency: Distribution,
    /// How old the oldest event was that existed somewhere and was not shown, in milliseconds.
    pub age_ms: Distribution,
    /// How many events existed somewhere and were not shown.
    pub lacking: Distribution,
}

impl Meter {
    /// How many of a thousand requests were answered in time; 1,000 if there were none.
    #[must_use]
    pub fn availability_permille(&self) -> u64 {
        (self.answered * 1_000).checked_div(self.asked).unwrap_or(1_000)
    }

    fn add(&mut self, other: &Self) {
        self.asked += other.asked;
        self.answered += other.answered;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.latency.extend(&other.latency);
        self.age_ms.extend(&other.age_ms);
        self.lacking.extend(&other.lacking);
    }
}

/// The name of a level, as far as meters tell them apart.
#[must_use]
pub(crate) fn name_of(level: Level) -> &'static str {
    if level.is_strong() {
        "strong"
    } else if level.promises(Level::CAUSAL) {
        "causal"
    } else if level.promises(Level::session(Guarantees::ALL)) {
        "session"
    } else if level.bound().is_some() {
        "bounded"
    } else {
        "eventual"
    }
}

/// All meters, by phase and level.
#[derive(Clone, Debug, Default)]
pub struct Meters(BTreeMap<(usize, &'static str), Meter>, Vec<&'static str>);

impl Meters {
    /// From now on it is this phase.
    pub fn begin(&mut self, phase: &'static str) {
        self.1.push(phase);
    }

    /// The number of the present phase.
    #[must_use]
    pub const fn present(&self) -> usize {
        self.1.len().saturating_sub(1)
    }

    /// The meter of a level in a phase: that in which the request was made.
    pub fn at(&mut self, phase: usize, level: &'static str) -> &mut Meter {
        self.0.entry((phase, level)).or_default()
    }

    /// What a level came to over all phases of a name, or over all.
    #[must_use]
    pub fn total(&self, phase: Option<&str>, level: &str) -> Meter {
        let mut sum = Meter::default();
        for ((number, of), meter) in &self.0 {
            let is_phase = phase.is_none_or(|phase| self.1.get(*number) == Some(&phase));
            if is_phase && *of == level {
                sum.add(meter);
            }
        }
        sum
    }

    /// A table: latency, staleness and availability, with and without whatever was wrong.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = format!(
            "{:<12} {:<9} {:>7} {:>8} {:>8} {:>8} | latency {:>5} {:>6} {:>6} {:>8} | staleness {:>3} {:>6} {:>6} {:>8}\n",
            "phase",
            "level",
            "asked",
            "answered",
            "refused",
            "late",
            "p50",
            "p95",
            "p99",
            "max",
            "p50",
            "p95",
            "p99",
            "max ms",
        );
        for ((phase, level), meter) in &self.0 {
            let phase = self.1.get(*phase).copied().unwrap_or("");
            let share = meter.availability_permille();
            let _ = writeln!(
                out,
                "{phase:<12} {level:<9} {:>7} {:>6}.{}% {:>7} {:>8} |       {} |        {}",
                meter.asked,
                share / 10,
                share % 10,
                meter.refused,
                meter.unanswered,
                meter.latency,
                meter.age_ms,
            );
        }
        out
    }
}
