//! A trace as one engine writes it: done once before anything is measured, to warm up, to
//! compare the replicas, and to have something to save.

use std::borrow::Cow;

use benches::Kind;

use crate::case::Case;
use crate::engine::{Engine, Outcome};
use crate::script::Script;
use crate::session::Session;
use benches::timed;

/// What a trace came to in an engine.
pub(crate) struct Prepared<'c, 't, E: Engine> {
    pub(crate) case: &'c Case<'t>,
    /// The edits, within the text as the engine orders it.
    pub(crate) script: Cow<'c, Script<'t>>,
    /// A replica that knows everything.
    pub(crate) replica: E::Replica,
    /// Its text.
    pub(crate) text: String,
    /// How many milliseconds the writing took.
    pub(crate) time: f64,
}

impl<'c, 't, E: Engine> Prepared<'c, 't, E> {
    pub(crate) fn new(case: &'c Case<'t>) -> Outcome<Self> {
        match case.kind {
            Kind::Sequential => Self::alone(case),
            Kind::Concurrent => Self::together(case),
        }
    }

    fn alone(case: &'c Case<'t>) -> Outcome<Self> {
        let script = case.script::<E>()?;
        let (time, written) = timed(|| write_alone::<E>(script));
        let (replica, text) = written?;
        case.check(&text)?;
        Ok(Self { case, script: Cow::Borrowed(script), replica, text, time })
    }

    fn together(case: &'c Case<'t>) -> Outcome<Self> {
        let (time, written) = timed(|| -> Outcome<_> {
            if case.is_ambiguous() {
                let written = Session::<E>::write_within(&case.plan, case.code_points())?;
                return Ok((written.0, Cow::Owned(written.1)));
            }
            let script = case.script::<E>()?;
            Ok((Session::write(&case.plan, script)?, Cow::Borrowed(script)))
        });
        let (mut session, script) = written?;
        let text = session.text(&case.plan)?;
        case.check(&text)?;
        session.check_agreement(&case.plan, &text)?;
        Ok(Self { case, script, replica: session.into_last(&case.plan), text, time })
    }
}

/// Replays a script as the edits of one writer.
pub(crate) fn write_alone<E: Engine>(script: &Script<'_>) -> Outcome<(E::Replica, String)> {
    let mut replica = E::replica(0);
    for edits in script.transactions() {
        E::edit(&mut replica, edits)?;
    }
    E::finish(&mut replica);
    let text = E::text(&replica)?;
    Ok((replica, text))
}
