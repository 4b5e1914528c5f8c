//! Networks of the talks, as data.

use crate::plan::NetworkPlan;

/// A kind of connection: how long a round trip takes, and what goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What it is called.
    pub name: &'static str,
    /// The shortest and the longest round trip, in milliseconds.
    pub round_trip_ms: (u64, u64),
    /// How many of a thousand packets are lost.
    pub loss_permille: u64,
    /// How many of a thousand are overtaken by later ones.
    pub reordering_permille: u64,
    /// How many bytes a second go through one direction; `None` for as many as there are.
    pub bytes_per_second: Option<u64>,
    /// How often it is cut in a month of thirty days.
    pub cuts_per_month: u64,
}

impl Profile {
    const fn of(name: &'static str, round_trip_ms: (u64, u64), cuts_per_month: u64) -> Self {
        Self {
            name,
            round_trip_ms,
            loss_permille: 0,
            reordering_permille: 0,
            bytes_per_second: None,
            cuts_per_month,
        }
    }

    /// What a link of this kind does to packets: each direction takes half of the round trip.
    #[must_use]
    pub const fn plan(&self) -> NetworkPlan {
        let (least, most) = self.round_trip_ms;
        NetworkPlan {
            latency_ms: least.div_ceil(2),
            jitter_ms: most / 2 - least.div_ceil(2),
            loss_permille: self.loss_permille,
            duplication_permille: 0,
            reordering_permille: self.reordering_permille,
            delay_permille: 0,
            delay_ms: 1,
        }
    }

    /// The same in the rain: round trips three times as long, one packet of twenty lost, six tenths of
    /// the bandwidth.
    #[must_use]
    pub fn in_monsoon(mut self) -> Self {
        self.round_trip_ms = (self.round_trip_ms.0 * 3, self.round_trip_ms.1 * 3);
        self.loss_permille = 50;
        self.reordering_permille = 20;
        self.bytes_per_second = self.bytes_per_second.map(|bytes| bytes * 6 / 10);
        self
    }

    /// The same with this bandwidth.
    #[must_use]
    pub const fn with_bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bytes_per_second = Some(bytes_per_second);
        self
    }
}

/// Large cities: 25 to 50 ms, and two or three cuts a month.
pub const TIER_1: Profile = Profile::of("tier 1", (25, 50), 3);
/// Towns: 50 to 100 ms, unsteady, and a cut a week.
pub const TIER_2: Profile =
    Profile { loss_permille: 5, reordering_permille: 20, ..Profile::of("tier 2", (50, 100), 4) };
/// Villages: 200 to 500 ms, and a cut a day.
pub const RURAL: Profile = Profile { loss_permille: 20, ..Profile::of("rural", (200, 500), 30) };
/// Between zones of one city.
pub const METRO: Profile = Profile::of("metro", (4, 10), 3);

/// All of them.
pub const PROFILES: [Profile; 4] = [TIER_1, TIER_2, RURAL, METRO];

/// Three data centres, with the round trips between them: 40, 50 and 45 ms.
pub const DATA_CENTRES: [(usize, usize, Profile); 3] = [
    (0, 1, Profile::of("Mumbai - Delhi", (38, 42), 3)),
    (0, 2, Profile::of("Mumbai - Bengaluru", (48, 52), 3)),
    (1, 2, Profile::of("Delhi - Bengaluru", (43, 47), 3)),
];

/// The zones of Mumbai.
pub const ZONES: [&str; 5] = ["Island City", "Western", "Eastern", "Navi Mumbai", "Thane"];

/// How the zones are connected, each with each.
pub const ZONE_MATRIX: [(usize, usize, Profile); 10] = [
    (0, 1, METRO),
    (0, 2, METRO),
    (0, 3, Profile::of("harbour", (8, 16), 3)),
    (0, 4, Profile::of("creek", (8, 16), 3)),
    (1, 2, METRO),
    (1, 3, Profile::of("across", (10, 20), 3)),
    (1, 4, METRO),
    (2, 3, Profile::of("harbour", (8, 16), 3)),
    (2, 4, METRO),
    (3, 4, Profile::of("creek", (8, 16), 3)),
];

/// A cut between zones: its name, and the group that each zone is in.
pub type ZoneCut = (&'static str, [usize; 5]);

/// Cuts of that network: the island from the mainland, east from west, Navi Mumbai from the rest, and the
/// south with Navi Mumbai, as in July 2023.
pub const ZONE_CUTS: [ZoneCut; 4] = [
    ("the island is cut off", [0, 1, 1, 1, 1]),
    ("east from west", [0, 0, 1, 1, 1]),
    ("Navi Mumbai is cut off", [0, 0, 0, 1, 0]),
    ("the south and Navi Mumbai are cut off", [0, 1, 1, 0, 1]),
];
