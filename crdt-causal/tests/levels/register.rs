//! A register that can be compared and set, for a checker of linearizability that is not ours (Wing and Gong,
//! Lowe), which knows it from this alone. The tests of the server judge their histories by it, too.

use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::Action::{self, Call, Response};
use todc_utils::linearizability::history::History;
use todc_utils::specifications::Specification;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Read(Option<u64>),
    Write(u64),
    /// With what came of it; nothing for one of which nobody knows.
    CompareAndSet(u64, u64, Option<bool>),
}

struct Register;

impl Specification for Register {
    type State = u64;
    type Operation = Operation;

    /// What nobody has written.
    fn init() -> u64 {
        0
    }

    fn apply(operation: &Operation, state: &u64) -> (bool, u64) {
        match *operation {
            Operation::Read(value) => (value == Some(*state), *state),
            Operation::Write(value) => (true, value),
            Operation::CompareAndSet(from, to, outcome) => {
                let done = *state == from;
                (outcome.is_none_or(|outcome| outcome == done), if done { to } else { *state })
            }
        }
    }
}

/// What is known of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) process: usize,
    /// As it was asked for, and as it was answered.
    pub(crate) called: Operation,
    pub(crate) answered: Operation,
    /// Places among all beginnings and ends; no end, where nobody knows whether it was done.
    pub(crate) begun: usize,
    pub(crate) ended: Option<usize>,
}

/// All cases are tried of which of these were done.
const UNKNOWN_MAX: usize = 12;

pub(crate) fn is_linearizable(records: &[Record]) -> bool {
    let unknown = records.iter().filter(|record| record.ended.is_none()).count();
    assert!(unknown <= UNKNOWN_MAX, "{unknown} answers were lost: too many to try all cases");
    (0..1 << unknown).any(|done| is_linearizable_if(records, done))
}

/// Whether there is an order, if of those of which nobody knows the ones in `done` were done, at any time
/// until the end, and the others never.
fn is_linearizable_if(records: &[Record], done: u32) -> bool {
    let processes = records.iter().map(|record| record.process + 1).max().unwrap_or(0);
    let mut unknown = 0;
    let mut actions: Vec<(usize, (usize, Action<Operation>))> = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let (process, ended) = match record.ended {
            Some(ended) => (record.process, ended),
            None => {
                unknown += 1;
                if done >> (unknown - 1) & 1 == 0 {
                    continue;
                }
                // Its process goes on: it is as one of another.
                (processes + index, usize::MAX / 2 + index)
            }
        };
        actions.push((record.begun, (process, Call(record.called))));
        actions.push((ended, (process, Response(record.answered))));
    }
    actions.sort_by_key(|(moment, _)| *moment);
    let actions: Vec<_> = actions.into_iter().map(|(_, action)| action).collect();
    actions.is_empty() || WGLChecker::<Register>::is_linearizable(History::from_actions(actions))
}

/// The checker sees what it is there for.
#[test]
fn a_stale_read_is_not_linearizable() {
    let record = |called, answered, begun, ended| Record {
        process: begun / 2,
        called,
        answered,
        begun,
        ended,
    };
    let write = Operation::Write(1);
    let read = |value| (Operation::Read(None), Operation::Read(Some(value)));
    let (called, old) = read(0);
    let stale = [record(write, write, 0, Some(1)), record(called, old, 2, Some(3))];
    assert!(!is_linearizable(&stale));
    // Unless nobody knows whether the write was done.
    let maybe = [record(write, write, 0, None), record(called, old, 2, Some(3))];
    assert!(is_linearizable(&maybe));
    let (_, new) = read(1);
    assert!(is_linearizable(&[maybe[0], record(called, new, 2, Some(3))]));
    let back = [maybe[0], record(called, new, 2, Some(3)), record(called, old, 4, Some(5))];
    assert!(!is_linearizable(&back));
}
