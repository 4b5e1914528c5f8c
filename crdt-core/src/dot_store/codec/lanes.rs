use alloc::vec::Vec;

use crate::causality::VersionVector;
use crate::{Dot, ReplicaId};

/// A numbering, from 0 and without gaps, of the dots that a version vector covers: first
/// everyone's first, then everyone's second, and so on. Among equal sequence numbers the
/// replicas with more events come first.
///
/// So replicas that take turns have consecutive numbers, and so has one that works alone.
#[derive(Debug)]
pub(super) struct Lanes {
    // In ascending order of ids, each with its place in `lengths`.
    places: Vec<(ReplicaId, u32)>,
    // How many events each replica has, most first, ...
    lengths: Vec<(u64, ReplicaId)>,
    // ... and how many all from a place on have together.
    sums: Vec<u64>,
}

/// Tells which dot comes next, from those that came before: its replica's next, where the
/// replica is the one that came after this one the last time.
#[derive(Debug)]
pub(super) struct Foresight {
    // For each place, its last sequence number and who came after it.
    seen: Vec<(u64, u32)>,
    last: u32,
    behind: u64,
}

impl Foresight {
    pub(super) fn new(lanes: &Lanes) -> Self {
        let mut seen = Vec::with_capacity(lanes.lengths.len());
        seen.extend((0..).take(lanes.lengths.len()).map(|place| (0, place)));
        Self { seen, last: 0, behind: 0 }
    }

    /// The number of the dot that is expected, unless there is none.
    pub(super) fn expected(&self, lanes: &Lanes) -> Option<u64> {
        let (_, next) = *self.seen.get(self.last as usize)?;
        let (seq, _) = self.seen[next as usize];
        lanes.number(Dot::new(lanes.lengths[next as usize].1, seq + 1))
    }

    /// From where a number is told that is not expected.
    pub(super) fn base(&self, lanes: &Lanes) -> u64 {
        self.expected(lanes).unwrap_or(self.behind)
    }

    /// A dot came, of this number.
    pub(super) fn learn(&mut self, dot: Dot, number: u64, lanes: &Lanes) {
        let place = lanes.place(dot.replica).expect("a dot with a number has a place");
        self.seen[self.last as usize].1 = place as u32;
        self.seen[place].0 = dot.seq;
        self.last = place as u32;
        self.behind = number + 1;
    }
}

/// More dots than these together are not numbered, so that sums stay below 2⁶³.
const DOTS_MAX: u64 = 1 << 62;

impl Lanes {
    pub(super) fn of(vector: &VersionVector) -> Self {
        let mut lengths = Vec::with_capacity(vector.len());
        lengths.extend(vector.iter().map(|(replica, len)| (len, replica)));
        let total = lengths.iter().try_fold(0u64, |sum, &(len, _)| sum.checked_add(len));
        if total.is_none_or(|total| total > DOTS_MAX) {
            lengths = Vec::new();
        }
        lengths.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut sums = Vec::with_capacity(lengths.len() + 1);
        sums.push(0);
        sums.extend(lengths.iter().rev().scan(0, |sum, &(len, _)| {
            *sum += len;
            Some(*sum)
        }));
        sums.reverse();
        let mut places = Vec::with_capacity(lengths.len());
        places.extend(lengths.iter().zip(0..).map(|(&(_, replica), place)| (replica, place)));
        places.sort_unstable();
        Self { places, lengths, sums }
    }

    /// How many dots have a number.
    pub(super) fn len(&self) -> u64 {
        self.sums[0]
    }

    /// The number of a dot, if it has one.
    pub(super) fn number(&self, dot: Dot) -> Option<u64> {
        let place = self.place(dot.replica)?;
        (dot.seq <= self.lengths[place].0).then(|| self.before(dot.seq) + place as u64)
    }

    /// The dot of a number, which has to be one.
    pub(super) fn dot(&self, number: u64) -> Dot {
        // The more replicas take part in a turn, the earlier it is.
        let is_reached = |active: usize| self.before(self.turn(active)) <= number;
        let (mut active, mut above) = (1, self.lengths.len());
        while active < above {
            let middle = active + (above - active) / 2;
            if is_reached(middle) { above = middle } else { active = middle + 1 }
        }
        let turn = self.turn(active);
        let behind = number - self.before(turn);
        let place = (behind % active as u64) as usize;
        Dot::new(self.lengths[place].1, turn + behind / active as u64)
    }

    fn place(&self, replica: ReplicaId) -> Option<usize> {
        let at = self.places.binary_search_by_key(&replica, |&(replica, _)| replica).ok()?;
        Some(self.places[at].1 as usize)
    }

    /// The first sequence number that no more than `active` replicas have reached.
    fn turn(&self, active: usize) -> u64 {
        1 + self.lengths.get(active).map_or(0, |&(len, _)| len)
    }

    /// How many dots have a lower sequence number.
    fn before(&self, seq: u64) -> u64 {
        let active = self.lengths.partition_point(|&(len, _)| len >= seq);
        self.sums[active] + (seq - 1) * active as u64
    }
}
