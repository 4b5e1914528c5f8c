//! A figure, measured several times.

use crate::engine::Outcome;

/// After a run as long as this, in milliseconds, one more has to do: what disturbs a
/// measurement does not matter in it, and the row must come to an end.
const LONG_RUN: f64 = 3_000.0;

/// The results of several runs, ascending.
#[derive(Clone, Debug)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// What is the same every time.
    pub(crate) fn exact(value: f64) -> Self {
        Self(vec![value])
    }

    /// The milliseconds of `runs` runs, after one that warms up.
    pub(crate) fn of(runs: usize, mut run: impl FnMut() -> Outcome<f64>) -> Outcome<Self> {
        let warm_up = run()?;
        Self::after(warm_up, runs, run)
    }

    /// As [`of`](Self::of), after a run that took `warm_up` milliseconds.
    pub(crate) fn after(
        warm_up: f64,
        runs: usize,
        mut run: impl FnMut() -> Outcome<f64>,
    ) -> Outcome<Self> {
        let runs = if warm_up < LONG_RUN { runs } else { 1 };
        let mut values = (0..runs).map(|_| run()).collect::<Outcome<Vec<_>>>()?;
        values.sort_by(f64::total_cmp);
        Ok(Self(values))
    }

    pub(crate) fn median(&self) -> f64 {
        let values = &self.0;
        let middle = values.len() / 2;
        if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        }
    }

    /// How far the runs lie apart, as a share of the median.
    pub(crate) fn spread(&self) -> f64 {
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        if most > least { (most - least) / self.median() } else { 0.0 }
    }
}
