//! Writers at work: one replica each, each transaction written where its parents are known.

use crate::engine::{Edit, Engine, Outcome};
use crate::plan::Plan;
use crate::script::{Script, within};

/// The replicas of all writers, and what they sent.
pub(crate) struct Session<E: Engine> {
    replicas: Vec<E::Replica>,
    updates: Vec<E::Update>,
}

impl<E: Engine> Session<E> {
    /// Writes everything; in the end the last writer knows everything.
    pub(crate) fn write(plan: &Plan, script: &Script<'_>) -> Outcome<Self> {
        Self::write_on((0..plan.writers).map(E::replica).collect(), plan, script)
    }

    /// As [`write`](Self::write), on these replicas.
    pub(crate) fn write_on(
        replicas: Vec<E::Replica>,
        plan: &Plan,
        script: &Script<'_>,
    ) -> Outcome<Self> {
        let mut session = Self::new(replicas, plan);
        for (step, edits) in plan.steps.iter().zip(script.transactions()) {
            session.receive(step.writer, &step.receives)?;
            session.edit(step.writer, edits)?;
        }
        session.complete(plan, plan.last_writer())?;
        Ok(session)
    }

    /// Writes a script in code points, each edit moved to within the text as this engine
    /// orders it; returns as well what was written, in the offsets of the engine.
    pub(crate) fn write_within<'t>(
        plan: &Plan,
        script: &Script<'t>,
    ) -> Outcome<(Self, Script<'t>)> {
        let mut session = Self::new((0..plan.writers).map(E::replica).collect(), plan);
        let mut written = Script::default();
        for (step, edits) in plan.steps.iter().zip(script.transactions()) {
            session.receive(step.writer, &step.receives)?;
            let text = E::text(&session.replicas[step.writer])?;
            let edits = within(&text, edits, E::OFFSETS);
            session.edit(step.writer, &edits)?;
            written.push(&edits);
        }
        session.complete(plan, plan.last_writer())?;
        Ok((session, written))
    }

    /// The text of the last writer.
    pub(crate) fn text(&self, plan: &Plan) -> Outcome<String> {
        E::text(&self.replicas[plan.last_writer()])
    }

    /// Lets all others know everything too, and compares their texts.
    pub(crate) fn check_agreement(&mut self, plan: &Plan, text: &str) -> Outcome {
        let last = plan.last_writer();
        for writer in (0..plan.writers).filter(|&writer| writer != last) {
            self.complete(plan, writer)?;
            if E::text(&self.replicas[writer])? != text {
                return Err(format!("writers {writer} and {last} do not agree").into());
            }
        }
        Ok(())
    }

    /// The replica of the last writer.
    pub(crate) fn into_last(mut self, plan: &Plan) -> E::Replica {
        self.replicas.swap_remove(plan.last_writer())
    }

    fn new(replicas: Vec<E::Replica>, plan: &Plan) -> Self {
        Self { replicas, updates: Vec::with_capacity(plan.steps.len()) }
    }

    /// Lets a writer receive the rest.
    fn complete(&mut self, plan: &Plan, writer: usize) -> Outcome {
        self.receive(writer, &plan.lacking[writer])
    }

    fn edit(&mut self, writer: usize, edits: &[Edit<'_>]) -> Outcome {
        self.updates.push(E::edit_and_send(&mut self.replicas[writer], edits)?);
        Ok(())
    }

    fn receive(&mut self, writer: usize, transactions: &[u32]) -> Outcome {
        if transactions.is_empty() {
            return Ok(());
        }
        let updates: Vec<&E::Update> =
            transactions.iter().map(|&index| &self.updates[index as usize]).collect();
        E::receive(&mut self.replicas[writer], &updates)
    }
}
