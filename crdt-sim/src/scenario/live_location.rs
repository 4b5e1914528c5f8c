//! Live location: 50,000 couriers in five zones of a city, of which the south and Navi Mumbai are cut off,
//! as in July 2023.
//!
//! A courier reports to the zone where it is, every ten seconds, and that goes on whatever is cut. Zones tell
//! each other what the other one lacks. Some couriers have no network at all for a while: of all that
//! they have not sent only the last position matters.

use crdt_causal::clock::{HybridClock, HybridTime};
use crdt_causal::policy::{OfflineLimits, OfflineOp, OfflineQueue, OfflineReply};
use crdt_core::dot_store::Digest;
use crdt_core::map::LwwMapDelta;
use crdt_core::{Dot, LwwMap, ReplicaId, Writer};

use super::profile::{ZONE_CUTS, ZONE_MATRIX, ZONES};
use super::wires::Wires;
use super::{Bound, Distribution, Options, Report, Verdict, Without};
use crate::queue::Queue;
use crate::random::Random;
use crate::trace::Happening;

/// A place, in metres from some corner.
type Place = (u32, u32);
type Positions = LwwMap<u64, Place, HybridTime>;

const REPORT_EVERY_MS: u64 = 10_000;
const TICK_MS: u64 = 100;
const GOSSIP_MS: u64 = 2_000;
/// One of so many couriers has no network during the cut.
const OFFLINE_OF: u64 = 50;

struct Zone {
    positions: Positions,
    writer: Writer,
    clock: HybridClock,
}

struct Courier {
    zone: usize,
    place: Place,
    /// What it has not sent, while it has no network.
    queue: Option<OfflineQueue<Place>>,
    reports: u64,
}

enum Packet {
    /// What a zone has, so that the other one can tell what it lacks.
    Digest(Digest),
    Delta(LwwMapDelta<u64, Place, HybridTime>),
}

struct City {
    now: u64,
    wires: Wires,
    queue: Queue<(usize, usize, Packet)>,
    zones: Vec<Zone>,
    couriers: Vec<Courier>,
    random: Random,
    coalesces: bool,
    reported: u64,
    accepted: u64,
    /// How old what is shown of a courier is in another zone.
    ages: Distribution,
}

impl City {
    /// The zone's server takes a position.
    fn store(&mut self, courier: usize, place: Place) {
        let now = self.now;
        let Zone { positions, writer, clock } = &mut self.zones[self.couriers[courier].zone];
        let stamp = clock.stamp(now).expect("the clock is right");
        let told = positions.set(courier as u64, place, stamp, writer);
        // Others ask for what they lack.
        self.accepted += u64::from(told.is_ok());
    }

    /// A courier moves on and reports.
    fn report(&mut self, courier: usize) {
        let step = (self.random.below(80) as u32, self.random.below(80) as u32);
        let coalesces = self.coalesces;
        let Courier { place, queue, reports, .. } = &mut self.couriers[courier];
        *place = (place.0 + step.0, place.1 + step.1);
        *reports += 1;
        let (place, seq) = (*place, *reports);
        if let Some(queue) = queue {
            let id = Dot::new(ReplicaId::from_u128(courier as u128 + 100), seq);
            let register = coalesces.then(|| b"position".to_vec());
            queue.push(OfflineOp { id, register, payload: place }).expect("there is room");
            return;
        }
        self.reported += 1;
        self.store(courier, place);
    }

    fn send(&mut self, from: usize, to: usize, packet: Packet) {
        let mut packet = Some(packet);
        // Links between zones lose nothing, unless they are cut.
        if let Some(&at) = self.wires.send(from, to, 64, self.now).first()
            && let Some(packet) = packet.take()
        {
            self.queue.push(at, (from, to, packet));
        }
    }

    fn gossip(&mut self) {
        for zone in 0..ZONES.len() {
            for other in (0..ZONES.len()).filter(|other| *other != zone) {
                let digest = self.zones[zone].positions.digest();
                self.send(zone, other, Packet::Digest(digest));
            }
        }
    }

    fn arrive(&mut self, from: usize, to: usize, packet: Packet) {
        match packet {
            Packet::Digest(digest) => {
                let delta = self.zones[to].positions.missing_from(&digest);
                self.send(to, from, Packet::Delta(delta));
            }
            Packet::Delta(delta) => {
                let news = self.zones[to].positions.join(delta);
                let now = self.now;
                self.wires
                    .shoot(now, to, || Happening::Received { from, applied: u64::from(news) });
            }
        }
    }

    /// Looks at some couriers from zones where they are not.
    fn look(&mut self) {
        for _ in 0..40 {
            let courier = self.random.below(self.couriers.len() as u64);
            let zone =
                (self.couriers[courier as usize].zone + 1 + self.random.below(4) as usize) % 5;
            if let Some(entry) = self.zones[zone].positions.entry(&courier) {
                self.ages.add(self.now.saturating_sub(entry.stamp.ms()));
            }
        }
    }

    fn run_for(&mut self, ms: u64) {
        let until = self.now + ms;
        let ticks_per_report = REPORT_EVERY_MS / TICK_MS;
        while self.now < until {
            self.now += TICK_MS;
            let tick = self.now / TICK_MS;
            while self.queue.next_at().is_some_and(|at| at <= self.now) {
                let (_, (from, to, packet)) = self.queue.pop().expect("it was just looked at");
                self.arrive(from, to, packet);
            }
            for courier in 0..self.couriers.len() {
                if courier as u64 % ticks_per_report == tick % ticks_per_report {
                    self.report(courier);
                }
            }
            if self.now.is_multiple_of(GOSSIP_MS) {
                self.gossip();
                self.look();
            }
        }
    }

    /// Couriers are back in the network, and send what they have. How many operations that was.
    fn come_back(&mut self) -> u64 {
        let mut sent = 0;
        for courier in 0..self.couriers.len() {
            let Some(mut queue) = self.couriers[courier].queue.take() else { continue };
            while let Some(request) = queue.poll(self.now) {
                for operation in &request.operations {
                    sent += 1;
                    self.store(courier, operation.payload);
                }
                queue.answer(OfflineReply::Done, self.now).expect("it was asked for");
            }
        }
        sent
    }
}

pub(super) fn play(options: &Options) -> Report {
    let couriers = options.brief_or(1_000, 50_000);
    let zone = |n: usize| {
        let positions = Positions::new();
        let writer = positions.writer(ReplicaId::from_u128(n as u128 + 1));
        Zone { positions, writer, clock: HybridClock::new(1_000) }
    };
    let courier = |n: u64| Courier {
        zone: (n % 5) as usize,
        place: (n as u32 % 40_000, n as u32 / 3),
        queue: None,
        reports: 0,
    };
    let names = ZONES.iter().map(ToString::to_string).collect();
    let mut city = City {
        now: 0,
        wires: Wires::new(options.seed, names, ZONES.len(), &ZONE_MATRIX),
        queue: Queue::default(),
        zones: (0..ZONES.len()).map(zone).collect(),
        couriers: (0..couriers).map(courier).collect(),
        random: Random::new(options.seed, 0x10c),
        coalesces: !options.lacks(Without::Coalescing),
        reported: 0,
        accepted: 0,
        ages: Distribution::default(),
    };
    city.wires.say(0, format!("{couriers} couriers in five zones, a position each every 10 s"));
    city.run_for(options.brief_or(30_000, 60_000));
    let whole = std::mem::take(&mut city.ages);

    let (name, groups) = ZONE_CUTS[3];
    city.wires.say(city.now, name);
    city.wires.cut(|a, b| groups[a] != groups[b]);
    let mut lost = 0;
    for courier in 0..city.couriers.len() {
        if city.random.below(OFFLINE_OF) == 0 {
            city.couriers[courier].queue = Some(OfflineQueue::new(OfflineLimits::default()));
            lost += 1;
        }
    }
    city.wires.say(city.now, format!("{lost} couriers have no network at all"));
    let (reported, accepted) = (city.reported, city.accepted);
    city.run_for(options.brief_or(60_000, 120_000));
    let (reported, accepted) = (city.reported - reported, city.accepted - accepted);
    let apart = std::mem::take(&mut city.ages);

    city.wires.say(city.now, "whole again");
    if !options.lacks(Without::Synchronisation) {
        city.wires.mend();
    }
    let sent = city.come_back();
    city.wires.say(city.now, format!("{lost} couriers are back, and sent {sent} operations"));
    city.run_for(10_000);
    let recovered = std::mem::take(&mut city.ages);
    // Nobody moves any more: what is under way arrives.
    for _ in 0..3 {
        city.gossip();
        for _ in 0..2 {
            city.now += 1_000;
            while city.queue.next_at().is_some_and(|at| at <= city.now) {
                let (_, (from, to, packet)) = city.queue.pop().expect("it was just looked at");
                city.arrive(from, to, packet);
            }
        }
    }
    city.zones.iter().for_each(|zone| zone.positions.check_invariants());
    let wrong = |zone: &Zone| {
        let couriers = city.couriers.iter().enumerate();
        couriers.filter(|(n, c)| zone.positions.get(&(*n as u64)) != Some(&c.place)).count() as u64
    };
    let wrong: u64 = city.zones.iter().map(wrong).sum();
    city.wires.say(city.now, format!("positions that some zone shows wrongly: {wrong}"));

    let mut table = format!(
        "{:<16} {:>7} | age of positions seen from elsewhere, ms: p50 p95 p99 max\n",
        "phase", "looks"
    );
    for (phase, ages) in [("whole", &whole), ("cut", &apart), ("whole again", &recovered)] {
        table += &format!("{phase:<16} {:>7} | {ages}\n", ages.len());
        for below in [5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 240_000] {
            table += &format!(
                "    no older than {below:>6} ms: {:>5} permille\n",
                ages.within_permille(below)
            );
        }
    }
    let verdicts = vec![
        Verdict::new(
            "T7",
            "permille of reports that the courier's own zone took during the cut",
            (accepted * 1_000).checked_div(reported).unwrap_or(0),
            Bound::Exactly(1_000),
        ),
        Verdict::new(
            "T7",
            "positions that some zone shows wrongly in the end",
            wrong,
            Bound::Exactly(0),
        ),
        Verdict::new(
            "T7",
            "of a thousand looks across the city during the cut, those older than 30 s",
            1_000 - apart.within_permille(30_000),
            Bound::AtLeast(1),
        ),
        Verdict::new(
            "T13",
            "permille of looks across the city no older than 30 s, when it is whole",
            whole.within_permille(30_000),
            Bound::AtLeast(950),
        ),
        Verdict::new(
            "C28",
            format!("operations sent by {lost} couriers who were offline"),
            sent,
            Bound::AtMost(lost),
        ),
    ];
    let (timeline, lines, names) = city.wires.into_film();
    Report { timeline, tables: vec![table], verdicts, lines, names }
}
