//! The laboratory for types and documents of others: it finds what does not converge, and what a schema
//! says may never be.

use crdt_core::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crdt_core::counter::PnCounterDelta;
use crdt_core::{Lattice, PnCounter, ReplicaId};
use crdt_document::{Document, EditError, Transaction};
use crdt_sim::campaign::Keep;
use crdt_sim::laboratory::{Schema, Type, replay_schema, replay_type, try_schema, try_type};
use crdt_sim::plan::Plan;
use crdt_sim::random::Random;

struct Votes;

impl Type for Votes {
    type Root = PnCounter;

    fn edit(votes: &mut PnCounter, id: ReplicaId, chance: &mut Random) -> PnCounterDelta {
        let mut writer = votes.writer(id);
        votes.increment(chance.below(4), &mut writer).expect("far from the end")
    }
}

#[test]
fn a_sound_type_passes() {
    let tried = try_type::<Votes>(0..150).expect("counters converge");
    assert_eq!(tried.runs, 150);
    assert!(tried.events > 1_000 && tried.applied > tried.events);
}

/// Whatever comes last stands: a register without a clock.
#[derive(Clone, Default)]
struct LastArrival(u8);

impl Lattice for LastArrival {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        let before = std::mem::replace(&mut self.0, other.into().0);
        before != self.0
    }
}

impl Encode for LastArrival {
    fn encode(&self, out: &mut Writer) {
        out.u8(self.0);
    }
}

impl Decode for LastArrival {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.u8().map(Self)
    }
}

struct Careless;

impl Type for Careless {
    type Root = LastArrival;

    fn edit(register: &mut LastArrival, _: ReplicaId, chance: &mut Random) -> LastArrival {
        register.0 = chance.below(250) as u8;
        register.clone()
    }
}

#[test]
fn a_type_that_depends_on_the_order_of_arrival_is_found() {
    let failure = try_type::<Careless>(0..50).expect_err("it does not converge");
    // The plan is a text, and fails in the same way when it is read back.
    let plan = Plan::from_json(&failure.plan.to_json()).expect("its own text");
    let again = replay_type::<Careless>(&plan, Keep::default()).violation;
    assert_eq!(again, Some(failure.violation.clone()));
    assert!(failure.plan.steps.len() < Plan::draw(failure.seed).steps.len(), "{failure}");
    assert!(failure.to_string().contains("the smallest plan"));
}

/// Each replica takes one only if something is left, as far as it knows: which is not enough.
struct Stock;

impl Schema for Stock {
    fn edit(tx: &mut Transaction<'_>, chance: &mut Random) -> Result<(), EditError> {
        let left = tx.counter("stock").value();
        let amount = if left > 0 && chance.permille(700) { -1 } else { 1 };
        tx.counter("stock").increment(amount);
        Ok(())
    }

    fn check(document: &Document) -> Result<(), String> {
        match document.counter("stock").value() {
            left @ ..0 => Err(format!("{left} pieces are left")),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_document_that_breaks_its_schema_is_found() {
    let failure = try_schema::<Stock>(0..200).expect_err("two take the last one");
    assert!(failure.violation.what.contains("pieces are left"), "{failure}");
    let again = replay_schema::<Stock>(&failure.plan, Keep::default()).violation;
    assert_eq!(again, Some(failure.violation.clone()));
    assert!(failure.plan.links.len() <= 3, "{failure}");
}

/// A union of all that anybody said.
struct Guests;

impl Schema for Guests {
    fn edit(tx: &mut Transaction<'_>, chance: &mut Random) -> Result<(), EditError> {
        tx.set("guests").add(chance.below(20) as i64);
        tx.map("rooms").set(&chance.below(4).to_string(), chance.below(100) as i64);
        Ok(())
    }

    fn check(document: &Document) -> Result<(), String> {
        let (guests, rooms) = (document.set("guests").len(), document.map("rooms").len());
        if guests <= 20 && rooms <= 4 { Ok(()) } else { Err(format!("{guests} and {rooms}")) }
    }
}

#[test]
fn a_sound_document_passes() {
    let tried = try_schema::<Guests>(0..150).expect("it holds");
    assert!(tried.compared > tried.runs && tried.events > 1_000);
}
