//! Sale day: 15,000 pieces in eight regions, 100,000 requests, and a network that falls apart again and
//! again.
//!
//! Each region sells from its own rights, and asks for those of others when it runs out. Nobody is asked
//! before a sale, and nothing is sold twice.

use super::profile::TIER_1;
use super::stock::{Stock, StockState};
use super::wires::Wires;
use super::{Bound, Options, Report, Verdict, Without};
use crate::queue::Queue;
use crate::random::Random;
use crate::trace::Happening;

const REGIONS: usize = 8;
const PIECES: u64 = 15_000;
const REQUESTS: u64 = 100_000;
const TICK_MS: u64 = 100;
/// For so many ticks there are cuts.
const TICKS: u64 = 600;
/// How often regions tell each other about the stock, in ticks.
const GOSSIP_TICKS: u64 = 5;

enum Packet {
    State(StockState),
    Rights(u64),
}

/// The regions and what is under way between them.
struct Shops {
    now: u64,
    wires: Wires,
    queue: Queue<(usize, usize, Packet)>,
    stocks: Vec<Stock>,
    random: Random,
    /// How the requests are spread over the regions.
    weights: Vec<u64>,
    most_sold: u64,
    asked_for_rights: u64,
}

impl Shops {
    fn send(&mut self, from: usize, to: usize, packet: impl Fn() -> Packet) {
        for at in self.wires.send(from, to, 400, self.now) {
            self.queue.push(at, (from, to, packet()));
        }
    }

    /// A request comes to some region.
    fn request(&mut self) {
        let mut drawn = self.random.below(self.weights.iter().sum());
        let region = self.weights.iter().position(|&weight| {
            let is_it = drawn < weight;
            drawn = drawn.wrapping_sub(weight);
            is_it
        });
        self.stocks[region.expect("the draw is below the sum")].sell();
        let sold: u64 = self.stocks.iter().map(|stock| stock.sold).sum();
        self.most_sold = self.most_sold.max(sold);
    }

    /// Packets arrive, and time passes; every now and then all tell each other.
    fn tick(&mut self, number: u64) {
        self.now += TICK_MS;
        while self.queue.next_at().is_some_and(|at| at <= self.now) {
            let (at, (from, to, packet)) = self.queue.pop().expect("it was just looked at");
            match packet {
                Packet::State(state) => self.stocks[to].merge(&state),
                Packet::Rights(amount) => self.stocks[to].give(from, amount),
            }
            self.wires.shoot(at, to, || Happening::Received { from, applied: 1 });
        }
        if !number.is_multiple_of(GOSSIP_TICKS) {
            return;
        }
        for region in 0..REGIONS {
            let wanted = self.stocks[region].wants(100);
            for other in (0..REGIONS).filter(|other| *other != region) {
                let state = self.stocks[region].state().clone();
                self.send(region, other, || Packet::State(state.clone()));
                if let Some((richest, amount)) = wanted
                    && richest == other
                {
                    self.asked_for_rights += 1;
                    self.send(region, other, || Packet::Rights(amount));
                }
            }
        }
    }

    fn sold(&self) -> u64 {
        self.stocks.iter().map(|stock| stock.sold).sum()
    }
}

pub(super) fn play(options: &Options) -> Report {
    let names = (1..=REGIONS).map(|n| format!("region {n}")).collect();
    let pairs = (0..REGIONS).flat_map(|a| (a + 1..REGIONS).map(move |b| (a, b, TIER_1)));
    let pairs: Vec<_> = pairs.collect();
    let mut random = Random::new(options.seed, 0x5a1e);
    let mut shops = Shops {
        now: 0,
        wires: Wires::new(options.seed, names, REGIONS, &pairs),
        queue: Queue::default(),
        stocks: Stock::split(PIECES, REGIONS, !options.lacks(Without::Escrow)),
        weights: (0..REGIONS).map(|_| random.between(1, 20)).collect(),
        random,
        most_sold: 0,
        asked_for_rights: 0,
    };
    let shares: Vec<String> = shops.weights.iter().map(ToString::to_string).collect();
    shops
        .wires
        .say(0, format!("{PIECES} pieces; demand in the regions is as {}", shares.join(" : ")));
    let (mut requests, mut next_cut, mut cuts) = (0, 20, 0);
    for tick in 0..TICKS {
        if tick == next_cut {
            let sides = shops.random.between(2, 4);
            let groups: Vec<u64> = (0..REGIONS).map(|_| shops.random.below(sides)).collect();
            if shops.random.permille(250) {
                shops.wires.mend();
                shops.wires.say(shops.now, "whole again");
            } else {
                shops.wires.cut(|a, b| groups[a] != groups[b]);
                cuts += 1;
                shops.wires.say(shops.now, format!("cut into {sides}"));
            }
            next_cut = tick + shops.random.between(20, 90);
        }
        while requests * TICKS < REQUESTS * (tick + 1) {
            shops.request();
            requests += 1;
        }
        shops.tick(tick);
    }
    let during = shops.sold();
    shops.wires.mend();
    shops.wires.say(shops.now, format!("whole again, for good; {during} pieces are sold"));
    // As long as something is left, people keep asking.
    let mut ticks = 0;
    while shops.sold() < PIECES && ticks < TICKS * 2 {
        for _ in 0..50 {
            shops.request();
            requests += 1;
        }
        shops.tick(TICKS + ticks);
        ticks += 1;
    }
    // And a little longer, when nothing is.
    for tick in 0..50 {
        shops.request();
        shops.tick(tick);
    }
    let sold = shops.sold();
    shops.wires.say(
        shops.now,
        format!("{sold} pieces are sold, {} ms after the last cut", ticks * TICK_MS),
    );
    let refused: u64 = shops.stocks.iter().map(|stock| stock.refused).sum();
    let though_left: u64 = shops.stocks.iter().map(|stock| stock.refused_though_left).sum();
    let table = format!(
        "{requests} requests, {cuts} cuts, rights were asked for {} times; {during} sold before the network was whole \
         for good\nrefused {refused} times, {though_left} of them while others had rights: the price of asking nobody",
        shops.asked_for_rights
    );
    let verdicts = vec![
        Verdict::new(
            "T10",
            "pieces sold that there were not, at any time",
            shops.most_sold.saturating_sub(PIECES),
            Bound::Exactly(0),
        ),
        Verdict::new("T10", "pieces sold when the network is whole", sold, Bound::Exactly(PIECES)),
        Verdict::new("T10", "requests", requests, Bound::AtLeast(REQUESTS)),
    ];
    let (timeline, lines, names) = shops.wires.into_film();
    Report { timeline, tables: vec![table], verdicts, lines, names }
}
