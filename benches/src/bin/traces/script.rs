//! The edits of a trace in the offsets that an engine counts in, converted before anything
//! is timed.

use benches::{Patch, Trace};
use crdt_core::sequence::Rope;

use crate::engine::{Edit, Engine, Offsets, Outcome};
use crate::ours::Ours;
use crate::plan::Plan;

/// Edits by transaction.
#[derive(Clone, Default, Debug)]
pub(crate) struct Script<'t> {
    edits: Vec<Edit<'t>>,
    /// For each transaction, where its edits end.
    ends: Vec<usize>,
}

impl<'t> Script<'t> {
    /// The edits as the trace has them.
    pub(crate) fn in_code_points(trace: &'t Trace) -> Self {
        let mut script = Self::default();
        for transaction in &trace.transactions {
            let edits = transaction.patches.iter().map(|Patch(at, deleted, inserted)| Edit {
                at: *at as usize,
                deleted: *deleted as usize,
                inserted,
            });
            script.edits.extend(edits);
            script.ends.push(script.edits.len());
        }
        script
    }

    /// Adds a transaction.
    pub(crate) fn push(&mut self, edits: &[Edit<'t>]) {
        self.edits.extend_from_slice(edits);
        self.ends.push(self.edits.len());
    }

    /// The edits of each transaction.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &[Edit<'t>]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.edits[start..end])
    }

    /// The same edits with offsets in bytes of UTF-8, from those in code points.
    ///
    /// What stands before an edit is known only where it was written, so everything is
    /// written once with this library.
    pub(crate) fn in_bytes(&self, plan: &Plan) -> Outcome<Self> {
        if self.edits.iter().all(|edit| edit.inserted.is_ascii()) {
            return Ok(self.clone());
        }
        let mut replicas: Vec<_> = (0..plan.writers).map(Ours::replica).collect();
        let mut updates = Vec::with_capacity(self.ends.len());
        let mut script = Self::default();
        for (step, edits) in plan.steps.iter().zip(self.transactions()) {
            let replica = &mut replicas[step.writer];
            for &index in &step.receives {
                Ours::receive(replica, &Vec::from_iter(&updates[index as usize]))?;
            }
            let mut sent = Vec::with_capacity(edits.len());
            for edit in edits {
                script.edits.push(edit_in_bytes(replica.rope(), edit)?);
                sent.push(Ours::edit_and_send(replica, &[*edit])?);
            }
            script.ends.push(script.edits.len());
            updates.push(sent);
        }
        Ok(script)
    }
}

fn edit_in_bytes<'t>(rope: &Rope, edit: &Edit<'t>) -> Outcome<Edit<'t>> {
    let byte = |at: usize| {
        let byte = rope.char_to_byte(at as u32).map(|byte| byte as usize);
        byte.ok_or_else(|| format!("the trace edits at {at}, beyond the end"))
    };
    let at = byte(edit.at)?;
    Ok(Edit { at, deleted: byte(edit.at + edit.deleted)? - at, ..*edit })
}

/// Edits of a text, in code points: moved to its end and made shorter where they reach
/// beyond it, and in other offsets.
pub(crate) fn within<'t>(text: &str, edits: &[Edit<'t>], offsets: Offsets) -> Vec<Edit<'t>> {
    let mut rope = Rope::new();
    rope.insert(0, text);
    let edits = edits.iter().map(|edit| {
        let length = rope.len_chars();
        let at = length.min(edit.at as u32);
        let deleted = (length - at).min(edit.deleted as u32);
        let fitting = Edit { at: at as usize, deleted: deleted as usize, ..*edit };
        let converted = match offsets {
            Offsets::CodePoints => fitting,
            Offsets::Bytes => edit_in_bytes(&rope, &fitting).expect("it is within the text"),
        };
        rope.remove(at, deleted);
        rope.insert(at, edit.inserted);
        converted
    });
    edits.collect()
}

/// Where code point `at` of a text begins.
pub(crate) fn offset(text: &str, at: usize, offsets: Offsets) -> usize {
    match offsets {
        Offsets::CodePoints => at,
        Offsets::Bytes => text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte),
    }
}
