//! The runs of a graph, in twenty-four bytes each, whatever they follow.

use alloc::vec::Vec;

use super::Lv;

/// Events of one replica, each the only parent of the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) start: Lv,
    /// The number of the replica.
    pub(super) replica: u32,
    /// The first event's sequence number. Those of a replica have no gaps, so that they are no
    /// greater than the number of events; nor are Lamport times.
    pub(super) seq: u32,
    pub(super) lamport: u32,
    /// The parents of the first event, if they are no more than two, with [`NONE`] in the places
    /// that are left; else where they lie among those of such runs, and [`MANY`].
    parents: [Lv; 2],
}

/// No event.
const NONE: Lv = Lv::MAX;

/// There are more than two. No event either: a graph has less than 2³² − 1.
const MANY: Lv = Lv::MAX - 1;

impl Run {
    pub(super) fn lamport_of(&self, lv: Lv) -> u32 {
        self.lamport + (lv - self.start)
    }

    pub(super) fn seq_of(&self, lv: Lv) -> u64 {
        u64::from(self.seq + (lv - self.start))
    }
}

/// All runs, in the order of their local versions.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    runs: Vec<Run>,
    /// Of each run with more than two parents: how many they are, and the parents.
    many: Vec<Lv>,
}

impl Runs {
    pub(super) fn reserve(&mut self, runs: usize) {
        self.runs.reserve(runs);
    }

    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Run> {
        self.runs.get(index)
    }

    pub(super) fn last(&self) -> Option<&Run> {
        self.runs.last()
    }

    /// Appends a run; its parents ascend.
    pub(super) fn push(
        &mut self,
        start: Lv,
        (replica, seq): (u32, u32),
        lamport: u32,
        parents: &[Lv],
    ) {
        let parents = match *parents {
            [] => [NONE; 2],
            [only] => [only, NONE],
            [one, other] => [one, other],
            _ => {
                let at = self.many.len() as u32;
                self.many.push(parents.len() as u32);
                self.many.extend_from_slice(parents);
                [at, MANY]
            }
        };
        self.runs.push(Run { start, replica, seq, lamport, parents });
    }

    /// Forgets the last run.
    pub(super) fn pop(&mut self) {
        if let Some(Run { parents: [at, MANY], .. }) = self.runs.pop() {
            self.many.truncate(at as usize);
        }
    }

    /// Panics if parents are kept for no run, or for one that has few. For tests.
    pub(super) fn check_invariants(&self) {
        let elsewhere = (0..self.len()).filter(|&index| self.runs[index].parents[1] == MANY);
        let counts = elsewhere.map(|index| self.parents(index).len());
        let kept = counts.inspect(|&count| assert!(count > 2, "few parents lie in their run"));
        assert_eq!(kept.map(|count| 1 + count).sum::<usize>(), self.many.len());
    }

    /// The parents of a run's first event, in ascending order; none is in another's past.
    pub(super) fn parents(&self, index: usize) -> &[Lv] {
        let parents = &self.runs[index].parents;
        match *parents {
            [NONE, _] => &[],
            [_, NONE] => &parents[..1],
            [at, MANY] => {
                let at = at as usize;
                &self.many[at + 1..at + 1 + self.many[at] as usize]
            }
            _ => parents,
        }
    }

    /// The run that holds `lv`, which is one of the first `below`. O(log), or less where it is
    /// one of the last of these.
    pub(super) fn index_of(&self, lv: Lv, below: usize) -> usize {
        let (mut end, mut step) = (below, 1);
        while step < end && self.runs[end - step].start > lv {
            end -= step;
            step *= 2;
        }
        let start = end.saturating_sub(step);
        start + self.runs[start..end].partition_point(|run| run.start <= lv) - 1
    }
}

impl core::ops::Index<usize> for Runs {
    type Output = Run;

    fn index(&self, index: usize) -> &Run {
        &self.runs[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_three_parents() -> Runs {
        let mut runs = Runs::default();
        for start in 0..4 {
            let parents: &[Lv] = if start == 3 { &[0, 1, 2] } else { &[] };
            runs.push(start, (start, 1), 1, parents);
        }
        runs.check_invariants();
        runs
    }

    #[test]
    #[should_panic(expected = "left == right")]
    fn parents_of_no_run_are_noticed() {
        let mut runs = of_three_parents();
        runs.many.push(1);
        runs.check_invariants();
    }

    #[test]
    #[should_panic(expected = "few parents lie in their run")]
    fn two_parents_apart_are_noticed() {
        let mut runs = of_three_parents();
        runs.many = alloc::vec![2, 0, 1];
        runs.check_invariants();
    }
}
