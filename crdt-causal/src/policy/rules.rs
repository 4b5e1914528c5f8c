use super::context::{Circumstance, OpContext, Operation, Urgency};
use crate::level::{Level, Spec};

/// From which level to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelRange {
    floor: Level,
    prefer: Level,
}

impl LevelRange {
    /// This level, or if it cannot be had, down to the floor; `None` if the preferred one does not promise
    /// what the floor does.
    #[must_use]
    pub fn new(prefer: Level, floor: Level) -> Option<Self> {
        prefer.promises(floor).then_some(Self { floor, prefer })
    }

    /// The same in a table, which a test goes through.
    pub(super) const fn unchecked(prefer: Level, floor: Level) -> Self {
        Self { floor, prefer }
    }

    /// This level and no other.
    #[must_use]
    pub const fn exactly(level: Level) -> Self {
        Self { floor: level, prefer: level }
    }

    /// This level, and anything below if it cannot be had.
    #[must_use]
    pub const fn at_best(level: Level) -> Self {
        Self { floor: Level::EVENTUAL, prefer: level }
    }

    /// What is never gone below.
    #[must_use]
    pub const fn floor(self) -> Level {
        self.floor
    }

    /// What is asked for if nothing is in the way.
    #[must_use]
    pub const fn prefer(self) -> Level {
        self.prefer
    }

    /// The preferred level where no more than `limit` can be had: never below the floor.
    #[must_use]
    pub fn within(self, limit: Level) -> Level {
        self.prefer.meet(limit).join(self.floor)
    }
}

/// A line of a policy: what it is about, and what is asked for then. What is `None` matches anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule<'t> {
    /// The data class.
    pub class: Option<&'t str>,
    /// The operation.
    pub operation: Option<Operation>,
    /// The region.
    pub region: Option<&'t str>,
    /// The urgency.
    pub urgency: Option<Urgency>,
    /// What is the matter with the world.
    pub circumstance: Option<Circumstance<'t>>,
    /// From which minute of the day to before which; where the second is less, through midnight.
    pub minutes: Option<(u16, u16)>,
    /// What is asked for.
    pub range: LevelRange,
}

impl<'t> Rule<'t> {
    /// A rule for anything.
    #[must_use]
    pub const fn new(range: LevelRange) -> Self {
        Self {
            class: None,
            operation: None,
            region: None,
            urgency: None,
            circumstance: None,
            minutes: None,
            range,
        }
    }

    /// A rule for a data class.
    #[must_use]
    pub const fn class(class: &'t str, range: LevelRange) -> Self {
        let mut rule = Self::new(range);
        rule.class = Some(class);
        rule
    }

    /// Whether it is about this.
    #[must_use]
    pub fn matches(&self, context: &OpContext<'_>) -> bool {
        fn is<T: PartialEq>(wanted: Option<T>, given: T) -> bool {
            wanted.is_none_or(|wanted| wanted == given)
        }
        let minute = context.minute_of_day;
        let in_time = self.minutes.is_none_or(|(from, to)| {
            if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
        });
        is(self.class, context.class)
            && is(self.operation, context.operation)
            && is(self.region, context.region)
            && is(self.urgency, context.urgency)
            && self.circumstance.is_none_or(|wanted| context.circumstance == Some(wanted))
            && in_time
    }
}

/// With less time than this nothing beyond a level is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineRule {
    /// With less than so many milliseconds left,
    pub below_ms: u64,
    /// this is the most.
    pub limit: Level,
}

/// What made a choice less than the preferred level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Nothing did.
    None,
    /// There is too little time.
    Deadline,
    /// The system cannot keep it at the moment.
    Health,
}

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The level.
    pub level: Level,
    /// What will do if it cannot be had by the deadline.
    pub floor: Level,
    /// Which rule said so, counted from 0; `None` if none was about it.
    pub rule: Option<usize>,
    /// Why it is not the preferred level, the tighter reason if there are two.
    pub limit: Limit,
}

impl Choice {
    /// The same as [`decide`](crate::level::decide) takes it, at the time `now`.
    #[must_use]
    pub fn spec(&self, context: &OpContext<'_>, now: u64) -> Spec {
        let spec = Spec::new(self.level).or_at_least(self.floor);
        match context.remaining_ms {
            Some(remaining_ms) => spec.until(now.saturating_add(remaining_ms)),
            None => spec,
        }
    }
}

/// A table of rules, of which the first that matches holds.
///
/// Deadlines and health only ever lower what is preferred, and never below the floor of the rule: a
/// payment whose time is short is refused, not made weaker.
///
/// ```
/// use crdt_causal::level::Level;
/// use crdt_causal::policy::{DEADLINES, LevelRange, OpContext, Operation, Policy, Rule};
///
/// let rules = [
///     Rule::class("payment", LevelRange::exactly(Level::STRONG)),
///     Rule::class("status", LevelRange::at_best(Level::CAUSAL)),
/// ];
/// let policy = Policy::new(&rules, &DEADLINES, LevelRange::exactly(Level::EVENTUAL));
/// let level = |class, ms| policy.decide(&OpContext::new(class, Operation::Read).due_in(ms)).level;
/// assert_eq!(level("status", 60_000), Level::CAUSAL);
/// assert_eq!(level("status", 900), Level::EVENTUAL, "that is all there is time for");
/// assert_eq!(level("payment", 900), Level::STRONG, "or it is not made");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Policy<'t> {
    rules: &'t [Rule<'t>],
    deadlines: &'t [DeadlineRule],
    otherwise: LevelRange,
}

impl<'t> Policy<'t> {
    /// These rules, the first of these deadlines that there is less time for, and what holds where no
    /// rule does.
    #[must_use]
    pub const fn new(
        rules: &'t [Rule<'t>],
        deadlines: &'t [DeadlineRule],
        otherwise: LevelRange,
    ) -> Self {
        Self { rules, deadlines, otherwise }
    }

    /// What to ask for. Pure, and O(rules).
    #[must_use]
    pub fn decide(&self, context: &OpContext<'_>) -> Choice {
        let rule = self.rules.iter().position(|rule| rule.matches(context));
        let range = rule.map_or(self.otherwise, |rule| self.rules[rule].range);
        let short = |rule: &&DeadlineRule| {
            context.remaining_ms.is_some_and(|remaining| remaining < rule.below_ms)
        };
        let in_time = self.deadlines.iter().find(short).map_or(Level::STRONG, |rule| rule.limit);
        let by_deadline = range.within(in_time);
        let level = range.within(in_time.meet(context.attainable));
        let limit = if level != by_deadline {
            Limit::Health
        } else if level != range.prefer {
            Limit::Deadline
        } else {
            Limit::None
        };
        Choice { level, floor: range.floor, rule, limit }
    }
}
