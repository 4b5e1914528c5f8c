//! What the types cost, beside those of another library (feature `peers`): the same work in one
//! process, the medians of several runs, each of which is checked.
//!
//! `cargo bench -p benches --bench family [--features peers] [-- NAME]` runs the rows whose
//! names contain NAME.

mod ours;
#[cfg(feature = "peers")]
mod peer;
mod rows;
mod table;

use std::time::Instant;

use benches::timed;

use crate::rows::{ROWS, Row, Work};
use crate::table::Figure;

/// A row is measured for as long as this, and at least `RUNS_MIN` times.
const SECONDS_MIN: f64 = 0.5;
const RUNS_MIN: usize = 5;

fn main() {
    // Cargo passes `--bench`; what is not an option is a part of a name.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let is_wanted = |row: &Row| wanted.is_empty() || wanted.iter().any(|w| row.name.contains(w));
    let mut table = table::Table::new();
    for row in ROWS.iter().filter(|row| is_wanted(row)) {
        table.print(row, &measure(&row.ours), row.peer.as_ref().map(measure).as_ref());
    }
}

fn measure(work: &Work) -> Figure {
    match work {
        Work::Time(prepare) => {
            let begun = Instant::now();
            let mut times = Vec::new();
            let mut warm = false;
            while times.len() < RUNS_MIN || begun.elapsed().as_secs_f64() < SECONDS_MIN {
                let run = prepare();
                let (millis, (operations, _held)) = timed(run);
                if warm {
                    times.push(millis * 1e6 / operations as f64);
                }
                warm = true;
            }
            times.sort_by(f64::total_cmp);
            Figure::Nanoseconds(times[times.len() / 2])
        }
        Work::Heap(make) => {
            let mut made = None;
            let counted = allocation_counter::measure(|| made = Some(make()));
            Figure::Mebibytes(counted.bytes_current as f64 / f64::from(1 << 20))
        }
        Work::Bytes(encoded) => Figure::Bytes(encoded()),
    }
}
