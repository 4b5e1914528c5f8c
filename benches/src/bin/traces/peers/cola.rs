//! cola: it keeps positions and leaves the text to its user, so here a rope stands beside
//! it. What it can store has no history, so that it is measured in writing alone.

use cola::{Deletion, Insertion};
use jumprope::JumpRope;

use crate::engine::{Edit, Engine, Offsets, Outcome};

pub(crate) enum Cola {}

pub(crate) struct Replica {
    positions: cola::Replica,
    text: JumpRope,
}

pub(crate) enum Operation {
    Insert(Insertion, String),
    Delete(Deletion),
}

/// All replicas fork from one, which writes nothing.
const ORIGIN: u64 = u64::MAX;

impl Replica {
    fn insert(&mut self, at: usize, inserted: &str) -> Insertion {
        self.text.insert(at, inserted);
        self.positions.inserted(at, inserted.chars().count())
    }

    fn delete(&mut self, at: usize, deleted: usize) -> Deletion {
        self.text.remove(at..at + deleted);
        self.positions.deleted(at..at + deleted)
    }
}

impl Engine for Cola {
    /// It takes any unit, as long as all take the same.
    const OFFSETS: Offsets = Offsets::CodePoints;

    type Replica = Replica;
    type Update = Vec<Operation>;

    fn replica(writer: usize) -> Replica {
        let positions = cola::Replica::new(ORIGIN, 0).fork(writer as u64 + 1);
        Replica { positions, text: JumpRope::new() }
    }

    fn edit(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome {
        for &Edit { at, deleted, inserted } in edits {
            if deleted > 0 {
                replica.delete(at, deleted);
            }
            if !inserted.is_empty() {
                replica.insert(at, inserted);
            }
        }
        Ok(())
    }

    fn edit_and_send(replica: &mut Replica, edits: &[Edit<'_>]) -> Outcome<Vec<Operation>> {
        let mut operations = Vec::with_capacity(edits.len());
        for &Edit { at, deleted, inserted } in edits {
            if deleted > 0 {
                operations.push(Operation::Delete(replica.delete(at, deleted)));
            }
            if !inserted.is_empty() {
                let insertion = replica.insert(at, inserted);
                operations.push(Operation::Insert(insertion, inserted.to_owned()));
            }
        }
        Ok(operations)
    }

    fn receive(replica: &mut Replica, updates: &[&Vec<Operation>]) -> Outcome {
        let Replica { positions, text } = replica;
        for operation in updates.iter().copied().flatten() {
            match operation {
                Operation::Insert(insertion, inserted) => {
                    let at = positions.integrate_insertion(insertion);
                    text.insert(at.ok_or("an insertion came too early")?, inserted);
                }
                // From the last range to the first, so that their offsets stay true.
                Operation::Delete(deletion) => {
                    for range in positions.integrate_deletion(deletion).into_iter().rev() {
                        text.remove(range);
                    }
                }
            }
        }
        Ok(())
    }

    fn text(replica: &Replica) -> Outcome<String> {
        Ok(replica.text.to_string())
    }
}
