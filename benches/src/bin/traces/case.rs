//! A trace, made ready for any engine.

use benches::{Kind, Trace};

use crate::engine::{Engine, Offsets, Outcome};
use crate::ours::Ours;
use crate::plan::Plan;
use crate::script::Script;
use crate::session::Session;

/// A trace with everything that must not be timed.
pub(crate) struct Case<'t> {
    pub(crate) kind: Kind,
    pub(crate) plan: Plan,
    code_points: Script<'t>,
    bytes: Result<Script<'t>, String>,
    /// The text at the end, if every correct engine comes to the same.
    end_content: Option<&'t str>,
}

impl<'t> Case<'t> {
    pub(crate) fn new(trace: &'t Trace) -> Self {
        let plan = Plan::new(trace);
        let code_points = Script::in_code_points(trace);
        let bytes = code_points.in_bytes(&plan).map_err(|error| error.to_string());
        let certain = trace.kind == Kind::Sequential || !has_ties(&plan, &code_points);
        let end_content = certain.then_some(trace.end_content.as_str());
        Self { kind: trace.kind, plan, code_points, bytes, end_content }
    }

    /// The edits of the trace; their offsets count code points.
    pub(crate) fn code_points(&self) -> &Script<'t> {
        &self.code_points
    }

    /// The edits as an engine takes them, where every engine takes the same.
    pub(crate) fn script<E: Engine>(&self) -> Outcome<&Script<'t>> {
        Ok(match E::OFFSETS {
            Offsets::CodePoints => &self.code_points,
            Offsets::Bytes => self.bytes.as_ref().map_err(String::as_str)?,
        })
    }

    /// Whether the trace is one whose final text differs between engines.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.end_content.is_none()
    }

    /// Compares the final text with the one that the trace states, if that is certain.
    pub(crate) fn check(&self, text: &str) -> Outcome {
        self.end_content.map_or(Ok(()), |expected| same_text(expected, text))
    }
}

/// Says where two texts differ, if they do.
pub(crate) fn same_text(expected: &str, text: &str) -> Outcome {
    if expected == text {
        return Ok(());
    }
    let common = expected.chars().zip(text.chars()).take_while(|(a, b)| a == b).count();
    Err(format!("the text is wrong from code point {common} on").into())
}

/// Whether writers inserted at one place at once: then their ids decide the order, and
/// positions typed later mean something else. Shows by writing it all with the ids the
/// other way round.
fn has_ties(plan: &Plan, script: &Script<'_>) -> bool {
    let write = |replicas| Session::<Ours>::write_on(replicas, plan, script)?.text(plan);
    let ids = || (0..plan.writers).map(Ours::replica);
    match (write(ids().collect()), write(ids().rev().collect())) {
        (Ok(text), Ok(reversed)) => text != reversed,
        _ => true,
    }
}
