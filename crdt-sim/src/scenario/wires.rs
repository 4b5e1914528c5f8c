//! Machines with names, links of some profile between them, and someone who films what passes.

use std::collections::{BTreeMap, BTreeSet};

use super::profile::Profile;
use crate::faults::{Counters, Fault};
use crate::network::Network;
use crate::random::Random;
use crate::trace::{Happening, Line};

/// How many lines are filmed after something was announced: what a picture has room for.
const FILMED: usize = 40;

/// The laboratory's network, with a profile for each link.
pub(crate) struct Wires {
    network: Network,
    faults: Counters,
    names: Vec<String>,
    links: BTreeMap<(usize, usize), usize>,
    /// Of each link, with the times until when each end is busy sending.
    profiles: Vec<(Profile, [u64; 2])>,
    timeline: Vec<(u64, String)>,
    film: Vec<Line>,
    film_left: usize,
    /// Only these are drawn.
    drawn: usize,
}

impl Wires {
    /// These machines, of which the first few are drawn, and these links.
    pub(crate) fn new(
        seed: u64,
        names: Vec<String>,
        drawn: usize,
        links: &[(usize, usize, Profile)],
    ) -> Self {
        let ends: Vec<[usize; 2]> = links.iter().map(|&(a, b, _)| [a, b]).collect();
        let quiet = super::profile::METRO.plan();
        let mut network = Network::new(seed, quiet, &ends, None);
        let mut numbers = BTreeMap::new();
        for (link, &(a, b, profile)) in links.iter().enumerate() {
            network.shape(link, profile.plan());
            network.links[link].connect();
            numbers.insert((a, b), link);
            numbers.insert((b, a), link);
        }
        Self {
            network,
            faults: Counters::default(),
            names,
            links: numbers,
            profiles: links.iter().map(|&(_, _, profile)| (profile, [0; 2])).collect(),
            timeline: Vec::new(),
            film: Vec::new(),
            film_left: FILMED,
            drawn,
        }
    }

    /// What a machine is called.
    pub(crate) fn name(&self, node: usize) -> &str {
        &self.names[node]
    }

    /// The machines that one is connected to, below a number.
    pub(crate) fn neighbours(&self, node: usize, below: usize) -> Vec<usize> {
        let all = self.links.keys().filter(|&&(a, b)| a == node && b < below);
        all.map(|&(_, b)| b).collect()
    }

    /// Which connection there is between two.
    pub(crate) fn connection(&self, a: usize, b: usize) -> u64 {
        self.network.links[self.links[&(a, b)]].connection
    }

    /// The connection between two ends, and another one is made: what was under way is lost.
    pub(crate) fn reconnect(&mut self, a: usize, b: usize) {
        let link = self.links[&(a, b)];
        self.network.links[link].connect();
        self.profiles[link].1 = [0; 2];
        self.faults.count(Fault::Disconnect);
    }

    /// A packet of some bytes leaves, and arrives then: twice, or never.
    pub(crate) fn send(&mut self, from: usize, to: usize, bytes: usize, now: u64) -> Vec<u64> {
        let link = self.links[&(from, to)];
        let end = self.network.links[link].end_of(from);
        let (profile, busy) = &mut self.profiles[link];
        let mut departs = now;
        if let Some(rate) = profile.bytes_per_second {
            departs = now.max(busy[end]) + (bytes as u64 * 1_000).div_ceil(rate);
            busy[end] = departs;
        }
        let route = self.network.route(link, end, departs, &mut self.faults);
        // Nobody replays scenarios packet by packet.
        self.network.record.clear();
        if to < self.drawn && from < self.drawn {
            let (arrivals, fault) = (route.arrivals.clone(), route.fault);
            self.shoot(now, from, || Happening::Sent { to, arrivals, fault });
        }
        route.arrivals
    }

    /// How long a round trip between two may take at the moment, drawn from the link's profile.
    pub(crate) fn round_trip(&self, a: usize, b: usize, random: &mut Random) -> u64 {
        let shape = self.network.shape_of(self.links[&(a, b)]);
        2 * shape.latency_ms + random.below(2 * shape.jitter_ms + 1)
    }

    /// From now on a link is of another kind.
    pub(crate) fn set_profile(&mut self, a: usize, b: usize, profile: Profile) {
        let link = self.links[&(a, b)];
        self.profiles[link].0 = profile;
        self.network.shape(link, profile.plan());
    }

    /// What kind a link is of.
    pub(crate) fn profile(&self, a: usize, b: usize) -> Profile {
        self.profiles[self.links[&(a, b)]].0
    }

    /// From now on machines that are apart do not hear of each other; replaces the last cut.
    pub(crate) fn cut(&mut self, are_apart: impl Fn(usize, usize) -> bool) {
        let apart = |&&(a, b): &&(usize, usize)| are_apart(a, b);
        let ends = self.links.iter().filter(|(pair, _)| apart(pair));
        let ends: BTreeSet<_> =
            ends.map(|(&(from, _), &link)| (link, self.network.links[link].end_of(from))).collect();
        self.network.cut(0, Fault::SymmetricPartition, ends);
    }

    /// From now on what one sends to another is lost, in this direction alone.
    pub(crate) fn cut_one_way(&mut self, from: usize, to: usize) {
        let link = self.links[&(from, to)];
        let end = self.network.links[link].end_of(from);
        self.network.cut(1 + link * 2 + end, Fault::AsymmetricPartition, [(link, end)].into());
    }

    /// All cuts are mended.
    pub(crate) fn mend(&mut self) {
        self.network.mend(0);
        for link in 0..self.profiles.len() * 2 {
            self.network.mend(1 + link);
        }
    }

    /// How often something befell a packet.
    pub(crate) fn faults(&self) -> &Counters {
        &self.faults
    }

    /// Notes what happens in the timeline, and films what follows.
    pub(crate) fn say(&mut self, now: u64, what: impl Into<String>) {
        let what = what.into();
        self.timeline.push((now, what.clone()));
        self.film_left = FILMED;
        self.shoot(now, 0, || Happening::Announced(what));
    }

    /// Films something, if a film is running.
    pub(crate) fn shoot(&mut self, at_ms: u64, node: usize, what: impl FnOnce() -> Happening) {
        if self.film_left > 0 && node < self.drawn {
            self.film_left -= 1;
            self.film.push(Line { at_ms, node, what: what() });
        }
    }

    /// The timeline, what was filmed, and the names of the machines in it.
    pub(crate) fn into_film(self) -> (Vec<(u64, String)>, Vec<Line>, Vec<String>) {
        let names = self.names.into_iter().take(self.drawn).collect();
        (self.timeline, self.film, names)
    }
}
