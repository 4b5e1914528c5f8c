//! Structs of one's own by derive: stores under one context, and products of lattices.

use std::cell::Cell;

use crdt_core::causality::CausalContext;
use crdt_core::codec::DecodeErrorKind;
use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{Delta, DotChange, DotSet, DotStore, Edit};
use crdt_core::laws::{check, decomposition};
use crdt_core::register::MultiValueStore;
use crdt_core::set::AddWinsStore;
use crdt_core::{Dot, ReplicaId, Replicated};

use crate::laws::every_history;
use crate::support::derived::{
    Everything, EverythingAt, EverythingEdit as _, FieldOp, PairEdit as _, PairOf, PairOp, RootOf,
};
use crate::support::list::ListAt;
use crate::support::nest::{
    CounterAt, CounterOp, EnableWinsAt, FlagOp, KeyOp, MapOf, RedactableAt, RootMap, SetAt,
    SiblingOp, SiblingsAt,
};
use crate::support::subjects::SetOp;
use crate::support::{bytes, parse};

const A: ReplicaId = ReplicaId::from_u128(7);

#[test]
fn a_struct_of_every_store() {
    check::<RootOf<EverythingAt>>();
    decomposition::<RootOf<EverythingAt>>();
    every_history::<RootOf<EverythingAt>>(&[
        FieldOp::Tags(SetOp::Add(1)),
        FieldOp::Tags(SetOp::Remove(1)),
        FieldOp::Views(CounterOp::Increment(2)),
    ]);
}

#[test]
#[cfg_attr(canary, should_panic)]
fn a_map_of_structs() {
    type Pairs = RootMap<PairOf<SetAt, CounterAt>>;
    check::<Pairs>();
    decomposition::<Pairs>();
    every_history::<Pairs>(&[
        KeyOp::Update(1, PairOp::One(SetOp::Add(1))),
        KeyOp::Update(1, PairOp::Other(CounterOp::Reset)),
        KeyOp::Remove(1),
    ]);
}

#[test]
fn a_struct_of_structs() {
    type Inner = PairOf<MapOf<SiblingsAt>, EnableWinsAt>;
    check::<RootOf<PairOf<Inner, Inner>>>();
    decomposition::<RootOf<PairOf<Inner, Inner>>>();
    every_history::<RootOf<PairOf<EnableWinsAt, EnableWinsAt>>>(&[
        PairOp::One(FlagOp::Enable),
        PairOp::One(FlagOp::Disable),
        PairOp::Other(FlagOp::Disable),
    ]);
    every_history::<RootOf<PairOf<SiblingsAt, SiblingsAt>>>(&[
        PairOp::One(SiblingOp::Set(1)),
        PairOp::Other(SiblingOp::Clear),
    ]);
}

/// What is redacted in a field is told to those who have not heard of it.
#[test]
fn a_struct_with_a_field_that_can_be_redacted() {
    type Notes = RootOf<PairOf<CounterAt, MapOf<RedactableAt>>>;
    check::<Notes>();
    decomposition::<Notes>();
}

#[test]
fn a_struct_of_a_list_and_a_set() {
    check::<RootOf<PairOf<ListAt, SetAt>>>();
    check::<RootMap<PairOf<ListAt, CounterAt>>>();
}

/// D6 of sizes: what was overwritten leaves nothing.
#[test]
fn fields_written_in_turn_leave_nothing_behind() {
    let mut root = Replicated::<Everything>::new();
    let mut writer = root.writer(A);
    for turn in 0..100_000_u32 {
        let value = turn as u8;
        let delta = root.edit(&mut writer, |it| match turn % 8 {
            0 => it.name().set(value),
            1 => it.tags().add(1),
            2 => it.starred().enable(),
            3 => _ = it.tags().remove(&1),
            4 => it.limits().other().update(2, |counter| {
                counter.reset();
                counter.increment(i64::from(turn));
            }),
            5 => it.notes().update(3, |note| note.other().set(value)),
            6 => it.carts().update(4, |cart| cart.add(5)),
            _ => it.bans().add(6),
        });
        let delta = bytes(&delta.unwrap());
        assert!(delta.len() <= 64, "{} bytes for one field", delta.len());
    }
    root.check_invariants();
    let state = bytes(&root);
    println!("{} bytes after 100,000 writes", state.len());
    assert!(state.len() <= 200, "{} bytes", state.len());
}

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// A store that counts how often a join looks at it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Spy(DotSet);

impl DotStore for Spy {
    type Places = ();

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        self.0.for_each_dot(visit);
    }

    fn retain(&mut self, keep: &mut dyn FnMut(Dot) -> bool) {
        self.0.retain(keep);
    }

    fn join(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        VISITS.set(VISITS.get() + 1);
        self.0.join(own, other.0, others, report);
    }

    fn join_at(
        &mut self,
        own: &CausalContext,
        other: Self,
        others: &CausalContext,
        (): &(),
        report: &mut dyn FnMut(DotChange),
    ) {
        self.join(own, other, others, report);
    }

    fn count_at(&self, other: &Self, others: &CausalContext, (): &()) -> u64 {
        VISITS.set(VISITS.get() + 1);
        self.0.count_at(&other.0, others, &())
    }

    fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// The derive asks of a field no more than that it is a store: this one has no codec and does not
/// fall apart.
#[derive(Clone, Debug, Default, PartialEq, Replicated)]
struct Watched {
    spy: Spy,
    tags: AddWinsStore<u8>,
    name: MultiValueStore<u8>,
    views: CounterStore,
}

#[test]
fn a_delta_goes_straight_to_its_fields() {
    let (mut here, mut there) = (Replicated::<Watched>::new(), Replicated::<Watched>::new());
    let mut writer = here.writer(A);
    let mut edit = |change: &dyn Fn(&mut Edit<'_, Watched>)| {
        VISITS.set(0);
        there.join(here.edit(&mut writer, |it| change(it)).unwrap());
        assert_eq!(here, there);
        VISITS.get()
    };
    assert_eq!(edit(&|it| it.tags().add(1)), 0);
    assert_eq!(edit(&|it| it.tags().add(1)), 0, "something is replaced");
    assert_eq!(edit(&|it| it.name().set(1)), 0);
    assert_eq!(edit(&|it| it.name().set(2)), 0);
    assert_eq!(edit(&|it| it.views().increment(1)), 0);
    assert_eq!(edit(&|it| _ = it.tags().remove(&1)), 0, "something is removed");
    assert_eq!(edit(&|it| it.views().reset()), 0);
    assert_eq!(edit(&|it| it.name().clear()), 0);
    assert_eq!(edit(&|it| _ = it.spy()), 0, "it was opened, and nothing done");
    // And does look where it is told to.
    let both = |it: &mut Edit<'_, Watched>| {
        let _open = it.spy();
        it.tags().add(2);
    };
    assert_eq!(edit(&both), 1);
}

#[derive(Clone, Debug, Default, PartialEq, Replicated)]
struct Old {
    tags: AddWinsStore<u8>,
    views: CounterStore,
}

/// As [`Old`], with one field more and the others in another order.
#[derive(Clone, Debug, Default, PartialEq, Replicated)]
struct New {
    #[crdt(number = 2)]
    views: CounterStore,
    name: MultiValueStore<u8>,
    #[crdt(number = 1)]
    labels: AddWinsStore<u8>,
}

#[test]
fn bytes_outlive_the_struct_that_wrote_them() {
    let mut old = Replicated::<Old>::new();
    let mut writer = old.writer(A);
    let _kept = old.edit(&mut writer, |it| {
        it.tags().add(5);
        it.views().increment(3);
    });
    let removal = old.clone().edit(&mut old.writer(A), |it| {
        it.tags().remove(&5);
        it.views().reset();
    });

    let mut new: Replicated<New> = parse(&bytes(&old)).expect("the new struct has these fields");
    assert!(new.store().labels.contains_key(&5) && new.store().views.sum() == 3);
    assert_eq!(bytes(&new), bytes(&old));
    // As long as the old one has no word for it.
    assert_eq!(parse(&bytes(&new)).as_ref(), Ok(&old));
    let mut writer = new.writer(A);
    let named = new.edit(&mut writer, |it| it.name().set(1)).unwrap();
    let refused = parse::<Replicated<Old>>(&bytes(&new)).expect_err("a field is not known");
    assert_eq!(refused.kind, DecodeErrorKind::UnknownTag);
    let refused = parse::<Delta<Old>>(&bytes(&named)).expect_err("a field is not known");
    assert_eq!(refused.kind, DecodeErrorKind::UnknownTag);

    // Deltas too, with the places that they remove from.
    new.join(parse::<Delta<New>>(&bytes(&removal.unwrap())).expect("fields that are known"));
    assert!(new.store().labels.is_empty() && new.store().views.is_empty());
    new.check_invariants();
}
