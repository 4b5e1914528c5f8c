//! Structs by derive, with every kind of store in them, beside their specification: each field
//! as it would be alone.

use std::fmt::Debug;
use std::marker::PhantomData;

use crdt_core::counter::CounterStore;
use crdt_core::dot_store::{Delta, DotMap, DotStore, Edit};
use crdt_core::flag::{DisableWinsStore, EnableWinsStore};
use crdt_core::laws::{Arbitrary, Event, Gen, Subject, Version};
use crdt_core::map::{LatticeStore, LwwStore};
use crdt_core::register::MultiValueStore;
use crdt_core::sequence::ListStore;
use crdt_core::set::{AddWinsStore, RemoveWinsStore};
use crdt_core::tree::TreeStore;
use crdt_core::{GrowOnlySet, ReplicaId, Replicated, Writer};

use serde::{Deserialize, Serialize};

use super::list::ListAt;
use super::nest::{
    At, CounterAt, DisableWinsAt, EnableWinsAt, LatticeAt, LwwAt, MapOf, Nest, RemoveWinsAt, SetAt,
    SiblingsAt, all_here, seen_as,
};
use super::tree::TreeAt;

/// A struct of whatever stands in its two fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Replicated, Serialize, Deserialize)]
pub(crate) struct Pair<A, B> {
    #[crdt(number = 3)]
    pub(crate) one: A,
    #[crdt(number = 1)]
    pub(crate) other: B,
}

pub(crate) struct PairOf<A, B>(PhantomData<(A, B)>);

#[derive(Clone, Debug)]
pub(crate) enum PairOp<A, B> {
    One(A),
    Other(B),
}

impl<A: Arbitrary, B: Arbitrary> Arbitrary for PairOp<A, B> {
    fn arbitrary(g: &mut Gen) -> Self {
        if bool::arbitrary(g) { Self::One(A::arbitrary(g)) } else { Self::Other(B::arbitrary(g)) }
    }
}

/// What a field shows, unless nothing stands in it.
fn shown<N: Nest>(store: &N::Store) -> Option<N::Value> {
    (!store.is_empty()).then(|| N::value(store))
}

/// What a field shows by its specification, if `here` picks the operations on it.
fn specified<N: Nest, Op>(
    events: &[Event<At<Op>>],
    version: Version,
    here: impl Fn(&Op) -> Option<&N::Op>,
) -> Option<N::Value> {
    let events = seen_as(events, |op| match op {
        At::Here(op) => here(op).map_or(At::Elsewhere, |op| At::Here(op.clone())),
        At::Reset => At::Reset,
        At::Elsewhere => At::Elsewhere,
    });
    N::specified(&events, version)
}

impl<A: Nest, B: Nest> Nest for PairOf<A, B> {
    type Op = PairOp<A::Op, B::Op>;
    type Store = Pair<A::Store, B::Store>;
    type Value = (Option<A::Value>, Option<B::Value>);

    fn edit(edit: &mut Edit<'_, Self::Store>, op: &Self::Op) {
        match op {
            PairOp::One(op) => A::edit(&mut edit.one(), op),
            PairOp::Other(op) => B::edit(&mut edit.other(), op),
        }
    }

    fn value(store: &Self::Store) -> Self::Value {
        (shown::<A>(&store.one), shown::<B>(&store.other))
    }

    fn specified(events: &[Event<At<Self::Op>>], version: Version) -> Option<Self::Value> {
        let one = specified::<A, _>(events, version, |op| match op {
            PairOp::One(op) => Some(op),
            PairOp::Other(_) => None,
        });
        let other = specified::<B, _>(events, version, |op| match op {
            PairOp::One(_) => None,
            PairOp::Other(op) => Some(op),
        });
        (one.is_some() || other.is_some()).then_some((one, other))
    }
}

/// A struct of the given stores, its operations, values and specification.
macro_rules! everything {
    ($($field:ident $variant:ident: $store:ty, $nest:ty;)*) => {
        /// A struct with every kind of store.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Replicated, Serialize, Deserialize)]
        pub(crate) struct Everything {
            $(pub(crate) $field: $store,)*
        }

        pub(crate) struct EverythingAt;

        #[derive(Clone, Debug)]
        pub(crate) enum FieldOp {
            $($variant(<$nest as Nest>::Op),)*
        }

        impl Arbitrary for FieldOp {
            fn arbitrary(g: &mut Gen) -> Self {
                let any: &[fn(&mut Gen) -> Self] = &[$(|g| Self::$variant(Arbitrary::arbitrary(g)),)*];
                let any = g.choose(any).expect("there are fields");
                any(g)
            }
        }

        #[derive(Debug, Default, PartialEq)]
        pub(crate) struct Shown {
            $($field: Option<<$nest as Nest>::Value>,)*
        }

        impl Nest for EverythingAt {
            type Op = FieldOp;
            type Store = Everything;
            type Value = Shown;

            fn edit(edit: &mut Edit<'_, Everything>, op: &FieldOp) {
                match op {
                    $(FieldOp::$variant(op) => <$nest>::edit(&mut edit.$field(), op),)*
                }
            }

            fn value(store: &Everything) -> Shown {
                Shown { $($field: shown::<$nest>(&store.$field),)* }
            }

            fn specified(events: &[Event<At<FieldOp>>], version: Version) -> Option<Shown> {
                let shown = Shown {
                    $($field: specified::<$nest, _>(events, version, |op| match op {
                        FieldOp::$variant(op) => Some(op),
                        _ => None,
                    }),)*
                };
                Some(shown).filter(|shown| *shown != Shown::default())
            }
        }
    };
}

everything! {
    tags Tags: AddWinsStore<u8>, SetAt;
    bans Bans: RemoveWinsStore<u8>, RemoveWinsAt;
    name Name: MultiValueStore<u8>, SiblingsAt;
    settings Settings: LwwStore<u8, u8, u8>, LwwAt;
    starred Starred: EnableWinsStore, EnableWinsAt;
    public Public: DisableWinsStore, DisableWinsAt;
    views Views: CounterStore, CounterAt;
    seen_by SeenBy: LatticeStore<GrowOnlySet<u8>>, LatticeAt;
    carts Carts: DotMap<u8, AddWinsStore<u8>>, MapOf<SetAt>;
    limits Limits: Pair<CounterStore, DotMap<u8, CounterStore>>, PairOf<CounterAt, MapOf<CounterAt>>;
    notes Notes: DotMap<u8, Pair<EnableWinsStore, MultiValueStore<u8>>>,
        MapOf<PairOf<EnableWinsAt, SiblingsAt>>;
    steps Steps: ListStore<u8>, ListAt;
    outline Outline: TreeStore<u8>, TreeAt;
    pages Pages: DotMap<u8, ListStore<u8>>, MapOf<ListAt>;
}

/// A root, of which any store is the content.
pub(crate) struct RootOf<N>(PhantomData<N>);

impl<N: Nest> Subject for RootOf<N> {
    type Op = N::Op;
    type Root = Replicated<N::Store>;
    type Delta = Delta<N::Store>;
    type Writer = Writer;
    type Value = Option<N::Value>;

    fn writer(root: &Self::Root, replica: ReplicaId) -> Writer {
        root.writer(replica)
    }

    fn apply(root: &mut Self::Root, op: &N::Op, writer: &mut Writer) -> Self::Delta {
        root.edit(writer, |store| N::edit(store, op)).expect("numbers are left")
    }

    fn value(root: &Self::Root) -> Self::Value {
        shown::<N>(root.store())
    }

    fn check(root: &Self::Root) {
        root.check_invariants();
    }

    fn specified(events: &[Event<N::Op>], version: Version) -> Self::Value {
        N::specified(&all_here(events), version)
    }
}
