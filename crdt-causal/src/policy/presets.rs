//! Tables that ship: data, to be used or to be copied.

use super::context::Urgency;
use super::rules::{DeadlineRule, LevelRange, Policy, Rule};
use crate::level::Level;
use crate::quorum::Preset;
use crate::session::Guarantees;

/// All four guarantees of a session.
const SESSION: Level = Level::session(Guarantees::ALL);

/// What there is time for: below a second eventual, below five session, below thirty causal, else
/// strong.
pub const DEADLINES: [DeadlineRule; 3] = [
    DeadlineRule { below_ms: 1_000, limit: Level::EVENTUAL },
    DeadlineRule { below_ms: 5_000, limit: SESSION },
    DeadlineRule { below_ms: 30_000, limit: Level::CAUSAL },
];

/// A platform for orders, with four levels in one order: payments are strong whatever happens, the status of an
/// order is causal and at least what its own session needs, notifications are session, menus and ratings eventual.
pub const ORDER_PLATFORM: [Rule<'static>; 5] = [
    Rule::class("payment", LevelRange::exactly(Level::STRONG)),
    Rule::class("order status", down_to(Level::CAUSAL, SESSION)),
    Rule::class("notification", LevelRange::at_best(SESSION)),
    Rule::class("menu", LevelRange::exactly(Level::EVENTUAL)),
    Rule::class("rating", LevelRange::exactly(Level::EVENTUAL)),
];

/// That platform, with [`DEADLINES`]; what it does not know is causal, down to session.
#[must_use]
pub const fn order_platform() -> Policy<'static> {
    Policy::new(&ORDER_PLATFORM, &DEADLINES, down_to(Level::CAUSAL, SESSION))
}

/// By how soon it matters, and by the time of day: what somebody waits for is strong during business hours (9 to
/// 18) and causal otherwise, what somebody looks at is causal, and what nobody does is eventual.
pub const URGENCIES: [Rule<'static>; 4] = [
    with_urgency(Urgency::Immediate, Some((9 * 60, 18 * 60)), Level::STRONG),
    with_urgency(Urgency::Immediate, None, Level::CAUSAL),
    with_urgency(Urgency::NearRealTime, None, Level::CAUSAL),
    with_urgency(Urgency::Background, None, Level::EVENTUAL),
];

/// How something is replicated in a season: how often, how many take part, and how long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicationPreset {
    /// The replication factor.
    pub replicas: usize,
    /// Which replicas take part.
    pub quorum: Preset,
    /// For how long they may take.
    pub timeout_ms: u64,
}

/// For the monsoon, from what must not be lost to what can be had again.
pub const MONSOON: [ReplicationPreset; 3] = [
    ReplicationPreset { replicas: 5, quorum: Preset::Quorum, timeout_ms: 2_000 },
    ReplicationPreset { replicas: 3, quorum: Preset::LocalQuorum, timeout_ms: 1_000 },
    ReplicationPreset { replicas: 3, quorum: Preset::One, timeout_ms: 500 },
];

/// A range of a table. That the first promises what the second does is a test of the tables.
const fn down_to(prefer: Level, floor: Level) -> LevelRange {
    LevelRange::unchecked(prefer, floor)
}

const fn with_urgency(
    urgency: Urgency,
    minutes: Option<(u16, u16)>,
    level: Level,
) -> Rule<'static> {
    let mut rule = Rule::new(LevelRange::at_best(level));
    rule.urgency = Some(urgency);
    rule.minutes = minutes;
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tables_prefer_promises_their_floors() {
        for rule in ORDER_PLATFORM.iter().chain(&URGENCIES) {
            assert!(LevelRange::new(rule.range.prefer(), rule.range.floor()).is_some());
        }
    }
}
