//! What a buffer tells, as flat lists of numbers; `causal/report.js` reads them.

use alloc::vec::Vec;

use crdt_causal::delivery::{Batch, Digest, Equivocation, Event, InsertError};
use crdt_core::{Dot, DotRange};

use crate::batch::replica_number;

/// Four counts, and then for each message that was not taken eleven numbers: its dot, why, and two
/// digests or zeros.
pub(crate) fn of_batch(batch: &Batch) -> Vec<f64> {
    let counts = [batch.ready, batch.pending, batch.duplicates, batch.dropped];
    let mut out: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
    for (dot, error) in &batch.refused {
        push_dot(*dot, &mut out);
        out.push(reason(error));
        if let InsertError::Equivocation(equivocation) = error {
            push_digests(equivocation, &mut out);
        } else {
            out.extend([0.0; 8]);
        }
    }
    out
}

/// Why a message was not taken, as a number; `causal/report.js` has the same in this order.
fn reason(error: &InsertError) -> f64 {
    match error {
        InsertError::InvalidDot(_) => 0.0,
        InsertError::Cyclic(_) => 1.0,
        InsertError::TooManyParents { .. } => 2.0,
        InsertError::TooFar(_) => 3.0,
        InsertError::TooLarge { .. } => 4.0,
        InsertError::TooManyReplicas => 5.0,
        InsertError::Quarantined(_) => 6.0,
        InsertError::Equivocation(_) => 7.0,
        InsertError::Forsaken(_) => 8.0,
        // What a later version of the buffer may say.
        _ => 9.0,
    }
}

/// Ten numbers for an equivocation (a dot and two digests), three for a range that was dropped
/// or passed over, each after its kind: 0, 1 or 2.
pub(crate) fn push_event(event: &Event, out: &mut Vec<f64>) {
    match event {
        Event::Equivocation(equivocation) => {
            out.push(0.0);
            push_dot(equivocation.dot, out);
            push_digests(equivocation, out);
        }
        Event::Dropped(range) => {
            out.push(1.0);
            push_range(range, out);
        }
        Event::Forsaken(range) => {
            out.push(2.0);
            push_range(range, out);
        }
        // Nothing that can be told here.
        _ => {}
    }
}

pub(crate) fn of_ranges(ranges: impl IntoIterator<Item = DotRange>) -> Vec<f64> {
    let mut out = Vec::new();
    ranges.into_iter().for_each(|range| push_range(&range, &mut out));
    out
}

fn push_range(range: &DotRange, out: &mut Vec<f64>) {
    out.extend([replica_number(range.replica), range.first as f64, range.last as f64]);
}

fn push_dot(dot: Dot, out: &mut Vec<f64>) {
    out.extend([replica_number(dot.replica), dot.seq as f64]);
}

/// Four words of 32 bits for each of the two.
fn push_digests(equivocation: &Equivocation, out: &mut Vec<f64>) {
    for Digest(bytes) in [equivocation.held, equivocation.offered] {
        let words = bytes
            .chunks(4)
            .map(|word| word.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)));
        out.extend(words.map(f64::from));
    }
}
