//! What is done with documents in a run, and what they should show.

use std::fmt::Debug;
use std::marker::PhantomData;

use crdt_document::{Document, EditError};

use super::hostile::HostilePeer;
use super::{edit, read, rebase};
use crate::laboratory::Schema;
use crate::model::document::{Op, dump};
use crate::model::sight::Sight;
use crate::model::{Draft, History, version};
use crate::plan::Edit;
use crate::random::{Random, mixed};
use crate::replica::{Hostile, Nobody, Violation};

/// What is done with documents in a run, and what they should show.
pub trait Usage: Sized + 'static {
    /// What one event does, for the model.
    type Op: Clone + Debug;
    /// The peer that means harm.
    type Hostile: Hostile<Op = Self::Op>;
    /// What the model knows of what is seen at a replica.
    type Sight: Default;

    /// Makes one change of some edits, in the document and in the model.
    ///
    /// # Errors
    ///
    /// If something possible is refused, or what fails leaves something behind.
    fn edit(
        doc: &mut Document,
        sight: &mut Self::Sight,
        edits: &[Edit],
        fails: bool,
        draft: Draft<'_, Self::Op>,
    ) -> Result<(), Violation>;

    /// Writes into a register, in the document and in the model. Says whether it was done.
    ///
    /// # Errors
    ///
    /// As [`edit`](Self::edit).
    fn put(
        doc: &mut Document,
        sight: &mut Self::Sight,
        register: u8,
        value: u64,
        draft: Draft<'_, Self::Op>,
    ) -> Result<bool, Violation>;

    /// Does again in a copy what it lacks of a document, there and in the model.
    ///
    /// # Errors
    ///
    /// If something of it is lost.
    fn rebase(
        old: &Document,
        copy: &mut Document,
        sight: &mut Self::Sight,
        draft: Draft<'_, Self::Op>,
    ) -> Result<(), Violation>;

    /// Compares what is read with what it should be.
    ///
    /// # Errors
    ///
    /// The difference.
    fn compare(doc: &Document, history: &History<Self::Op>) -> Result<(), String>;
}

/// Everything that there is in documents, compared with the model.
pub struct Everything;

impl Usage for Everything {
    type Op = Op;
    type Hostile = HostilePeer;
    type Sight = Sight;

    fn edit(
        doc: &mut Document,
        sight: &mut Sight,
        edits: &[Edit],
        fails: bool,
        draft: Draft<'_, Op>,
    ) -> Result<(), Violation> {
        edit::change(doc, sight, edits, fails, draft)
    }

    fn put(
        doc: &mut Document,
        sight: &mut Sight,
        register: u8,
        value: u64,
        draft: Draft<'_, Op>,
    ) -> Result<bool, Violation> {
        edit::put(doc, sight, register, value, draft)
    }

    fn rebase(
        old: &Document,
        copy: &mut Document,
        sight: &mut Sight,
        draft: Draft<'_, Op>,
    ) -> Result<(), Violation> {
        rebase::again(old, copy, sight, draft)
    }

    fn compare(doc: &Document, history: &History<Op>) -> Result<(), String> {
        let version = version(doc.version());
        let specified = history.computed(&version, || dump(history, &version));
        let read = read::dump(doc);
        if read == *specified {
            return Ok(());
        }
        Err(format!("reads {read}, and the model says {specified}"))
    }
}

/// What users of a schema do, and what that says has to hold.
pub struct OfSchema<S>(PhantomData<S>);

impl<S: Schema> Usage for OfSchema<S> {
    type Op = ();
    type Hostile = Nobody<()>;
    type Sight = ();

    fn edit(
        doc: &mut Document,
        (): &mut (),
        edits: &[Edit],
        fails: bool,
        mut draft: Draft<'_, ()>,
    ) -> Result<(), Violation> {
        let before = (doc.len(), fails.then(|| doc.encode()));
        let mut refused = None;
        let result = doc.transact(|tx| {
            for edit in edits {
                let Edit { place, what, number, len } = *edit;
                let parts = [place, what, number, len].map(u64::from);
                if let Err(error) = S::edit(tx, &mut Random::new(mixed(&parts), 0x0f)) {
                    refused = Some(error.to_string());
                    return Err(error);
                }
            }
            if fails { Err(EditError::NoReplica) } else { Ok(()) }
        });
        match (result, before) {
            (Ok(()), (events, _)) => {
                (events..doc.len()).for_each(|_| draft.push(()));
                if draft.known().is_empty() || doc.len() == events {
                    draft.give_up();
                } else {
                    let _ = draft.commit();
                }
                Ok(())
            }
            (Err(_), (_, Some(before))) if refused.is_none() => {
                let is_as_before = doc.encode() == before;
                draft.give_up();
                let what = "a change that was given up left something behind";
                if is_as_before { Ok(()) } else { Err(Violation::new("edits", what)) }
            }
            // A document in which a fork was merged may be anything.
            (Err(_), _) if draft.is_blind() => {
                draft.give_up();
                Ok(())
            }
            (Err(error), _) => {
                draft.give_up();
                let what = refused.unwrap_or_else(|| error.to_string());
                Err(Violation::new("edits", format!("an edit was refused: {what}")))
            }
        }
    }

    fn put(
        _: &mut Document,
        (): &mut (),
        _: u8,
        _: u64,
        draft: Draft<'_, ()>,
    ) -> Result<bool, Violation> {
        draft.give_up();
        Ok(false)
    }

    fn rebase(
        _: &Document,
        _: &mut Document,
        (): &mut (),
        draft: Draft<'_, ()>,
    ) -> Result<(), Violation> {
        draft.give_up();
        Err(Violation::new("edits", "nothing is trimmed in runs of schemas"))
    }

    fn compare(doc: &Document, _: &History<()>) -> Result<(), String> {
        S::check(doc)
    }
}
