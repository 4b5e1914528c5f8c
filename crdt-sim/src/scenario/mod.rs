//! Situations in which distributed systems are tried: one file each, on the machines that ship.
//!
//! A scenario is a story that is played on the laboratory's clock and network: regions with servers, clients
//! with tokens, cuts and rain. It prints what happened, what clients got at which level (latency,
//! staleness, availability), and *verdicts*: what was claimed, what was measured, and whether the
//! one is the other. Nothing in it is a simulation of a machine: levels are decided by
//! [`crdt_causal::level`], weakened and restored by [`crdt_causal::policy`], synchronised by
//! [`crdt_causal::sync`]. What is modelled is what stands around them: links, load, users.
//!
//! Equal options have equal reports, byte by byte. [`Without`] leaves one machine out; then a verdict
//! has to fail, which is how it is known that it can.
//!
//! ```
//! use crdt_sim::scenario::{Options, Scenario, Without};
//!
//! let scenario = Scenario::find("split-brain").expect("there is one of that name");
//! let report = scenario.play(&Options::default());
//! assert_eq!(report.failed(), 0, "{report}");
//! let careless = Options { without: Some(Without::Majority), ..Options::default() };
//! assert!(scenario.play(&careless).failed() > 0);
//! ```

mod distribution;
mod festival_surge;
mod flash_sale;
mod island_cut;
mod ledger;
mod live_location;
mod meters;
mod monsoon;
mod order_tracking;
mod profile;
mod report;
mod sale_day;
mod six_hours;
mod split_brain;
mod stock;
mod trading_day;
mod verdict;
mod wires;
mod world;

use std::fmt;
use std::str::FromStr;

pub use distribution::Distribution;
pub use meters::{Meter, Meters};
pub use profile::{
    DATA_CENTRES, METRO, PROFILES, Profile, RURAL, TIER_1, TIER_2, ZONE_CUTS, ZONE_MATRIX, ZONES,
    ZoneCut,
};
pub use report::Report;
pub use verdict::{Bound, Verdict};

/// A machine that is left out, for the verdicts to notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// The engine decides without asking whether there is a majority.
    Majority,
    /// Clients do not carry tokens.
    Tokens,
    /// Levels change as often as latency does.
    Hysteresis,
    /// Everybody sells as long as something seems to be left.
    Escrow,
    /// Whoever is asked twice to charge charges twice.
    Idempotency,
    /// What was written during a cut is not sent afterwards.
    Synchronisation,
    /// Every update of a register that was made offline is sent.
    Coalescing,
    /// Balances are values that are read and written back.
    Counters,
    /// Whatever is preferred is asked for, also when it cannot be had.
    Degradation,
    /// Customers are told of payments when these are proposed.
    Outbox,
}

impl Without {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 10] = [
        ("majority", Self::Majority),
        ("tokens", Self::Tokens),
        ("hysteresis", Self::Hysteresis),
        ("escrow", Self::Escrow),
        ("idempotency", Self::Idempotency),
        ("synchronisation", Self::Synchronisation),
        ("coalescing", Self::Coalescing),
        ("counters", Self::Counters),
        ("degradation", Self::Degradation),
        ("outbox", Self::Outbox),
    ];
}

/// There is no machine of this name to be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMachine;

impl fmt::Display for UnknownMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no machine of this name; there are")?;
        Without::ALL.iter().try_for_each(|(name, _)| write!(f, " {name}"))
    }
}

impl std::error::Error for UnknownMachine {}

impl FromStr for Without {
    type Err = UnknownMachine;

    fn from_str(name: &str) -> Result<Self, UnknownMachine> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, without)| *without).ok_or(UnknownMachine)
    }
}

/// How a scenario is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What chance does.
    pub seed: u64,
    /// What is left out.
    pub without: Option<Without>,
    /// With fewer users, and for less time where that changes nothing else: for tests.
    pub is_brief: bool,
}

impl Options {
    /// Whether this machine is left out.
    const fn lacks(&self, machine: Without) -> bool {
        matches!(self.without, Some(without) if without as u8 == machine as u8)
    }

    /// One of two numbers: the first in a brief run.
    const fn brief_or(&self, brief: u64, full: u64) -> u64 {
        if self.is_brief { brief } else { full }
    }
}

/// A situation.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// By which it is asked for.
    pub name: &'static str,
    /// The rows of the talks that it reproduces.
    pub rows: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// Machines without which some verdict fails.
    pub needs: &'static [Without],
    play: fn(&Options) -> Report,
}

impl Scenario {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self {
            name: "split-brain",
            rows: "T1 T2",
            about: "one data centre of three is cut off; both sides write the same key",
            needs: &[Without::Majority, Without::Synchronisation],
            play: split_brain::play,
        },
        Self {
            name: "monsoon",
            rows: "T3 T5 D4",
            about: "three cities, ten minutes of rain: slow, lossy, narrow, and cut now and then",
            needs: &[Without::Tokens, Without::Synchronisation],
            play: monsoon::play,
        },
        Self {
            name: "six-hours",
            rows: "T8",
            about: "fifteen data centres hear nothing of each other for six hours, and write on",
            needs: &[Without::Synchronisation],
            play: six_hours::play,
        },
        Self {
            name: "order-tracking",
            rows: "T5 T13 T14 T16 C22",
            about: "four levels in one order, while one region is cut off for a while",
            needs: &[Without::Tokens, Without::Idempotency, Without::Outbox],
            play: order_tracking::play,
        },
        Self {
            name: "festival-surge",
            rows: "T15",
            about: "five times as many requests: levels go down, and come back",
            needs: &[Without::Hysteresis, Without::Degradation],
            play: festival_surge::play,
        },
        Self {
            name: "island-cut",
            rows: "T4 T6",
            about: "five zones of one city, cut off from each other in every way",
            needs: &[Without::Tokens, Without::Majority, Without::Synchronisation],
            play: island_cut::play,
        },
        Self {
            name: "trading-day",
            rows: "T9 D5",
            about: "war story one: fourteen hours of lag, refusals, weaker rules, and repair",
            needs: &[Without::Counters, Without::Majority, Without::Synchronisation],
            play: trading_day::play,
        },
        Self {
            name: "flash-sale",
            rows: "T10",
            about: "war story two: 25 times the load where 10 times was provided for, and cuts",
            needs: &[Without::Escrow, Without::Idempotency, Without::Hysteresis],
            play: flash_sale::play,
        },
        Self {
            name: "sale-day",
            rows: "T10 D6",
            about: "15,000 pieces, eight regions, 100,000 requests, random partitions",
            needs: &[Without::Escrow],
            play: sale_day::play,
        },
        Self {
            name: "live-location",
            rows: "T7 T13 C28",
            about: "50,000 couriers, while the south and Navi Mumbai are cut off",
            needs: &[Without::Coalescing, Without::Synchronisation],
            play: live_location::play,
        },
    ];

    /// The one of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scenario| scenario.name == name)
    }

    /// Plays it.
    #[must_use]
    pub fn play(&self, options: &Options) -> Report {
        (self.play)(options)
    }
}
