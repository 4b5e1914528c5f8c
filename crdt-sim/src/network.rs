//! Links that lose, repeat, reorder, delay and hold packets, and are cut.

use std::collections::{BTreeMap, BTreeSet};

use crate::faults::{Counters, Fault};
use crate::plan::{NetworkPlan, PacketFate, PacketFault};
use crate::random::mixed;

/// A connection between two machines, which ends now and then and is made again.
#[derive(Clone, Debug)]
pub struct Link {
    /// The machines, by their places in the plan.
    pub ends: [usize; 2],
    /// The how-many-th connection this is; 0 before the first.
    pub connection: u64,
    /// Which end has this connection open.
    pub open: [bool; 2],
    /// Until when nobody may connect again.
    pub not_before: u64,
    /// Someone will try to connect.
    pub waiting: bool,
    /// How long to wait before the next attempt.
    pub backoff_ms: u64,
    /// Nobody connects here any more.
    pub closed: bool,
    /// Packets sent by each end over this connection.
    sent: [u64; 2],
    /// When the last packet of each end arrives: what is sent later does not overtake it.
    last_arrival: [u64; 2],
    clogged_until: u64,
}

impl Link {
    /// A link that was never connected.
    #[must_use]
    pub fn new(ends: [usize; 2]) -> Self {
        Self {
            ends,
            connection: 0,
            open: [false; 2],
            not_before: 0,
            waiting: false,
            backoff_ms: 0,
            closed: false,
            sent: [0; 2],
            last_arrival: [0; 2],
            clogged_until: 0,
        }
    }

    /// Which end a machine is.
    #[must_use]
    pub fn end_of(&self, node: usize) -> usize {
        usize::from(self.ends[1] == node)
    }

    /// A new connection: what was on its way over the last one never arrives.
    pub fn connect(&mut self) {
        self.connection += 1;
        self.open = [true; 2];
        self.sent = [0; 2];
        self.last_arrival = [0; 2];
    }
}

/// What becomes of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// When it arrives; twice, or never.
    pub arrivals: Vec<u64>,
    /// What befell it.
    pub fault: Option<Fault>,
}

/// All links.
#[derive(Debug)]
pub struct Network {
    seed: u64,
    /// What each link does to packets.
    shapes: Vec<NetworkPlan>,
    /// By their places in the plan.
    pub links: Vec<Link>,
    /// What cuts which direction of which link, by the step of the plan that did.
    cuts: BTreeMap<usize, (Fault, BTreeSet<(usize, usize)>)>,
    /// The only packets that anything befalls.
    chosen: Option<BTreeMap<[u64; 4], PacketFate>>,
    /// What befell packets, for the next plan.
    pub record: Vec<PacketFault>,
    calm: bool,
}

impl Network {
    /// Links that are not connected yet.
    #[must_use]
    pub fn new(
        seed: u64,
        plan: NetworkPlan,
        links: &[[usize; 2]],
        chosen: Option<&[PacketFault]>,
    ) -> Self {
        let key = |fault: &PacketFault| {
            [fault.link as u64, fault.connection, fault.end as u64, fault.packet]
        };
        Self {
            seed,
            shapes: vec![plan; links.len()],
            links: links.iter().map(|ends| Link::new(*ends)).collect(),
            cuts: BTreeMap::new(),
            chosen: chosen.map(|all| all.iter().map(|fault| (key(fault), fault.fault)).collect()),
            record: Vec::new(),
            calm: false,
        }
    }

    /// From now on every packet arrives.
    pub fn calm(&mut self) {
        self.calm = true;
        self.cuts.clear();
    }

    /// From now on this is what a link does to packets, whatever the others do.
    pub fn shape(&mut self, link: usize, shape: NetworkPlan) {
        self.shapes[link] = shape;
    }

    /// What a link does to packets.
    #[must_use]
    pub fn shape_of(&self, link: usize) -> &NetworkPlan {
        &self.shapes[link]
    }

    /// Step `step` of the plan cuts these (link, sending end).
    pub fn cut(&mut self, step: usize, fault: Fault, cut: BTreeSet<(usize, usize)>) {
        self.cuts.insert(step, (fault, cut));
    }

    /// What a step has cut is whole again.
    pub fn mend(&mut self, step: usize) {
        self.cuts.remove(&step);
    }

    /// Packets of a link wait until then.
    pub fn clog(&mut self, link: usize, until: u64) {
        self.links[link].clogged_until = self.links[link].clogged_until.max(until);
    }

    /// Takes a packet that one end sends, and says when it arrives.
    pub fn route(&mut self, link: usize, end: usize, now: u64, counters: &mut Counters) -> Route {
        let packet = self.links[link].sent[end];
        self.links[link].sent[end] += 1;
        let name = [link as u64, self.links[link].connection, end as u64, packet];
        let mut draws = Draws { seed: self.seed, name, drawn: 0 };
        let NetworkPlan { latency_ms, jitter_ms, .. } = self.shapes[link];
        let natural = now + latency_ms + draws.below(jitter_ms + 1);
        let cut = self.cuts.values().find(|(_, cut)| cut.contains(&(link, end)));
        if let Some((fault, _)) = cut {
            counters.count(*fault);
            return Route { arrivals: Vec::new(), fault: Some(*fault) };
        }
        let fate = if self.calm { None } else { self.fate(name, &mut draws) };
        if let Some(fate) = fate {
            let [link, connection, end, packet] = name;
            let (link, end) = (link as usize, end as usize);
            self.record.push(PacketFault { link, connection, end, packet, fault: fate });
        }
        let here = &mut self.links[link];
        let in_order = natural.max(here.last_arrival[end]);
        let clogged = here.clogged_until.max(in_order);
        let mut route = Route::default();
        if clogged > in_order {
            counters.count(Fault::Clog);
            route.fault = Some(Fault::Clog);
        }
        let arrival = clogged;
        match fate {
            None => {
                here.last_arrival[end] = arrival;
                route.arrivals.push(arrival);
            }
            Some(PacketFate::Lost) => route.fault = Some(Fault::Loss),
            Some(PacketFate::Twice(later)) => {
                here.last_arrival[end] = arrival;
                route.arrivals = vec![arrival, arrival + later];
                route.fault = Some(Fault::Duplication);
            }
            Some(PacketFate::Overtaken(later)) => {
                route.arrivals.push(arrival + later);
                route.fault = Some(Fault::Reordering);
            }
            Some(PacketFate::Delayed(later)) => {
                here.last_arrival[end] = arrival + later;
                route.arrivals.push(arrival + later);
                route.fault = Some(Fault::Delay);
            }
        }
        if let (Some(fault), Some(_)) = (route.fault, fate) {
            counters.count(fault);
        }
        route
    }

    fn fate(&self, name: [u64; 4], draws: &mut Draws) -> Option<PacketFate> {
        if let Some(chosen) = &self.chosen {
            return chosen.get(&name).copied();
        }
        let shape = &self.shapes[name[0] as usize];
        let NetworkPlan { latency_ms, jitter_ms, delay_ms, .. } = *shape;
        let later = 1 + draws.below(2 * (latency_ms + jitter_ms) + 40);
        let delayed = 1 + draws.below(delay_ms);
        if draws.below(1000) < shape.loss_permille {
            Some(PacketFate::Lost)
        } else if draws.below(1000) < shape.duplication_permille {
            Some(PacketFate::Twice(later))
        } else if draws.below(1000) < shape.reordering_permille {
            Some(PacketFate::Overtaken(later))
        } else if draws.below(1000) < shape.delay_permille {
            Some(PacketFate::Delayed(delayed))
        } else {
            None
        }
    }
}

/// Numbers that a packet's name decides: what happens to others does not matter.
struct Draws {
    seed: u64,
    name: [u64; 4],
    drawn: u64,
}

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        let [link, connection, end, packet] = self.name;
        mixed(&[self.seed, link, connection, end, packet, self.drawn]) % bound
    }
}
