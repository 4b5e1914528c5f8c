//! The laboratory for types and documents of your own.
//!
//! Say what a user does, and what has to hold of what is read; all faults that there are, the checkers, the
//! shrinking and the replay come with it. A type is anything whose changes are deltas of a lattice:
//!
//! ```
//! use crdt_core::set::AddWinsSetDelta;
//! use crdt_core::{AddWinsSet, ReplicaId};
//! use crdt_sim::laboratory::{Type, try_type};
//! use crdt_sim::random::Random;
//!
//! struct Basket;
//!
//! impl Type for Basket {
//!     type Root = AddWinsSet<u8>;
//!
//!     fn edit(basket: &mut AddWinsSet<u8>, id: ReplicaId, chance: &mut Random) -> AddWinsSetDelta<u8> {
//!         let (mut writer, item) = (basket.writer(id), chance.below(5) as u8);
//!         if chance.permille(300) {
//!             return basket.remove(&item, &mut writer);
//!         }
//!         basket.add(item, &mut writer).unwrap_or_default()
//!     }
//! }
//!
//! let tried = try_type::<Basket>(0..20).expect("it converges");
//! assert_eq!(tried.runs, 20);
//! ```
//!
//! A document is whatever transactions make of it, and a schema says what they never may:
//!
//! ```
//! use crdt_document::{Document, EditError, Transaction};
//! use crdt_sim::laboratory::{Schema, try_schema};
//! use crdt_sim::random::Random;
//!
//! struct Votes;
//!
//! impl Schema for Votes {
//!     fn edit(tx: &mut Transaction<'_>, chance: &mut Random) -> Result<(), EditError> {
//!         tx.counter(["tea", "coffee"][chance.below(2) as usize]).increment(1);
//!         Ok(())
//!     }
//!
//!     fn check(document: &Document) -> Result<(), String> {
//!         let counts = ["tea", "coffee"].map(|name| document.counter(name).value());
//!         if counts.iter().all(|count| *count >= 0) { Ok(()) } else { Err(format!("{counts:?}")) }
//!     }
//! }
//!
//! try_schema::<Votes>(0..20).expect("votes are only added");
//! ```
//!
//! What a type *should* show, as a function of all events, is not asked for here: that is what the laws of
//! `crdt_core::laws` compare with. Here a type has to converge whatever happens to packets, disks,
//! clocks and processes: equal events, equal bytes; nothing that was durable may be missing in the end.

use std::fmt;
use std::ops::Range;

use crdt_core::codec::{Decode, Encode};
use crdt_core::{Lattice, ReplicaId};
use crdt_document::{Document, EditError, Transaction};

use crate::campaign::{self, Keep, Summary};
use crate::document::{DocumentReplica, OfSchema};
use crate::messages::{MessagesReplica, OfType};
use crate::plan::{Action, Plan, Subject};
use crate::random::Random;
use crate::replica::Violation;
use crate::shrink;
use crate::world::{Report, World};

/// How many runs shrinking a failure may take.
const SHRINK_MAX: usize = 2_000;

/// A type whose changes are deltas.
pub trait Type: 'static {
    /// The type itself.
    type Root: Lattice<Delta: Encode + Decode> + Default + Encode + Decode;

    /// A user of a replica does something; returns the delta to be sent to the others.
    ///
    /// All chance is in `chance`, so that a run is a function of its seed.
    fn edit(
        root: &mut Self::Root,
        id: ReplicaId,
        chance: &mut Random,
    ) -> <Self::Root as Lattice>::Delta;

    /// What has to hold of every state of every replica; nothing by default.
    ///
    /// # Errors
    ///
    /// What does not hold.
    fn check(_root: &Self::Root) -> Result<(), String> {
        Ok(())
    }
}

/// What users do with documents of some kind, and what has to hold of them.
pub trait Schema: 'static {
    /// A user makes a transaction.
    ///
    /// All chance is in `chance`, so that a run is a function of its seed.
    ///
    /// # Errors
    ///
    /// What the transaction says; that fails the run.
    fn edit(tx: &mut Transaction<'_>, chance: &mut Random) -> Result<(), EditError>;

    /// What has to hold of the document of every replica, whatever was merged into it.
    ///
    /// # Errors
    ///
    /// What does not hold.
    fn check(document: &Document) -> Result<(), String>;
}

/// A seed failed.
pub struct Failure {
    /// Which one.
    pub seed: u64,
    /// What is wrong, in the smallest plan that fails.
    pub violation: Violation,
    /// That plan: a text, as [`Plan::to_json`] writes it, to be edited and [replayed](replay_type).
    pub plan: Box<Plan>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, violation: Violation { checker, what }, plan } = self;
        writeln!(f, "seed {seed}: {checker}: {what}")?;
        write!(f, "the smallest plan that fails so:\n{}", plan.to_json())
    }
}

/// As for people: `unwrap` shows the plan.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}

/// Plays seeds of a type, on all processors, each with its own mix of faults.
///
/// # Errors
///
/// The first seed that fails, with the smallest plan that was found to fail like it.
pub fn try_type<T: Type>(seeds: Range<u64>) -> Result<Summary, Failure> {
    try_seeds(seeds, Subject::Messages, replay_type::<T>)
}

/// The same for documents.
///
/// # Errors
///
/// As for [`try_type`].
pub fn try_schema<S: Schema>(seeds: Range<u64>) -> Result<Summary, Failure> {
    try_seeds(seeds, Subject::Documents, replay_schema::<S>)
}

/// Plays one plan of a type: that of a [`Failure`], or what was made of it.
#[must_use]
pub fn replay_type<T: Type>(plan: &Plan, keep: Keep) -> Report {
    campaign::guarded(|| World::<MessagesReplica<OfType<T>>>::new(plan, keep.lines).run())
}

/// The same for documents.
#[must_use]
pub fn replay_schema<S: Schema>(plan: &Plan, keep: Keep) -> Report {
    campaign::guarded(|| World::<DocumentReplica<OfSchema<S>>>::new(plan, keep.lines).run())
}

fn try_seeds(
    seeds: Range<u64>,
    subject: Subject,
    play: campaign::Play,
) -> Result<Summary, Failure> {
    let draw = move |seed| {
        let mut plan = Plan::draw(seed);
        plan.subject = subject;
        // Those that mean harm know the laboratory's own types alone.
        plan.nodes.iter_mut().for_each(|node| node.hostile = None);
        plan.trimming = None;
        plan.levels = None;
        // And so do clients.
        plan.steps.retain(|step| !matches!(step.action, Action::Visit { .. }));
        plan
    };
    let count = seeds.end.saturating_sub(seeds.start);
    let summary = campaign::run_as(play, &draw, seeds.start, count, 1, &|_| {});
    let Some((seed, violation)) = summary.failures.first() else { return Ok(summary) };
    let (plan, violation) = shrink::shrink_as(play, &draw(*seed), violation, SHRINK_MAX);
    Err(Failure { seed: *seed, violation, plan: Box::new(plan) })
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/laboratory.md")]
struct LaboratoryPage;
