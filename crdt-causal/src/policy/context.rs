use crate::level::Level;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// It changes nothing.
    Read,
    /// It changes something.
    Write,
}

/// How soon it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// Somebody waits for it.
    Immediate,
    /// Somebody looks at it.
    NearRealTime,
    /// Nobody does.
    Background,
}

/// What is the matter with the world: a name that the application gives it, as `monsoon`.
pub type Circumstance<'a> = &'a str;

/// What a [`Policy`](super::Policy) is asked about.
///
/// It is data: the time of day, what is left until the deadline and what the system can keep at the moment
/// are told to it, so that the same context always gives the same level.
///
/// ```
/// use crdt_causal::policy::{OpContext, Operation};
///
/// let context = OpContext::new("payment", Operation::Write).in_region("mumbai").due_in(800);
/// assert_eq!(context.remaining_ms, Some(800));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpContext<'a> {
    /// What the data is.
    pub class: &'a str,
    /// What is done with it.
    pub operation: Operation,
    /// Where.
    pub region: &'a str,
    /// How soon it matters.
    pub urgency: Urgency,
    /// What is the matter with the world.
    pub circumstance: Option<Circumstance<'a>>,
    /// The local time, in minutes since midnight.
    pub minute_of_day: u16,
    /// How long until the answer is of no use, if it ever is.
    pub remaining_ms: Option<u64>,
    /// What the system can keep at the moment: see [`Degrade::attainable`](super::Degrade::attainable).
    pub attainable: Level,
}

impl<'a> OpContext<'a> {
    /// An operation nowhere in particular, at midnight, in a system that is well, which somebody waits for.
    #[must_use]
    pub const fn new(class: &'a str, operation: Operation) -> Self {
        Self {
            class,
            operation,
            region: "",
            urgency: Urgency::Immediate,
            circumstance: None,
            minute_of_day: 0,
            remaining_ms: None,
            attainable: Level::STRONG,
        }
    }

    /// In this region.
    #[must_use]
    pub const fn in_region(mut self, region: &'a str) -> Self {
        self.region = region;
        self
    }

    /// With this urgency.
    #[must_use]
    pub const fn with_urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// In this circumstance.
    #[must_use]
    pub const fn during(mut self, circumstance: Circumstance<'a>) -> Self {
        self.circumstance = Some(circumstance);
        self
    }

    /// At this local time, in minutes since midnight.
    #[must_use]
    pub const fn at_minute(mut self, minute_of_day: u16) -> Self {
        self.minute_of_day = minute_of_day;
        self
    }

    /// With so many milliseconds left.
    #[must_use]
    pub const fn due_in(mut self, remaining_ms: u64) -> Self {
        self.remaining_ms = Some(remaining_ms);
        self
    }

    /// In a system that can keep this level.
    #[must_use]
    pub const fn where_attainable(mut self, attainable: Level) -> Self {
        self.attainable = attainable;
        self
    }
}
