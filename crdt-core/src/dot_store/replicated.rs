use super::Causal;

/// A replicated value of your own: a struct of stores, one causal context for all of them.
///
/// With the feature `derive`, `#[derive(Replicated)]` makes a store of a struct whose fields are
/// stores, so that it can be a root, stand under the keys of an
/// [`ObservedRemoveMap`](crate::ObservedRemoveMap), or be a field of another such struct.
///
/// ```
/// use crdt_core::counter::CounterStore;
/// use crdt_core::register::MultiValueStore;
/// use crdt_core::set::AddWinsStore;
/// use crdt_core::{Replicated, ReplicaId};
///
/// #[derive(Clone, Debug, Default, PartialEq, Replicated)]
/// struct Profile {
///     name: MultiValueStore<String>,
///     tags: AddWinsStore<String>,
///     views: CounterStore,
/// }
///
/// let (mut here, mut there) = (Replicated::<Profile>::new(), Replicated::<Profile>::new());
/// let mut on_here = here.writer(ReplicaId::from_u128(1));
/// let mut on_there = there.writer(ReplicaId::from_u128(2));
/// let named = here.edit(&mut on_here, |profile| {
///     profile.name().set("Asha".into());
///     profile.views().increment(1);
/// })?;
/// let tagged = there.edit(&mut on_there, |profile| {
///     profile.tags().add("crdt".into());
///     profile.views().increment(1);
/// })?;
/// here.join(tagged);
/// there.join(named);
///
/// assert_eq!(here, there);
/// assert_eq!(here.store().views.sum(), 2);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | changes a field | changes another field | both |
/// | changes a field | changes the same field | as the field's store defines |
///
/// To remove a key under which the struct stands resets the fields that the removal has seen, each
/// to what it would be without that.
///
/// # What the derive makes
///
/// * [`DotStore`](super::DotStore), field by field, and [`Split`](super::Split) if all fields have
///   it. A field's type is any store: those of this crate, a [`DotMap`](super::DotMap), another
///   derived struct, a store of your own. The struct itself has to be [`Default`].
/// * [`EncodeStore`](super::EncodeStore) and [`DecodeStore`](super::DecodeStore), if all fields have
///   them, so that root and deltas can be saved and sent.
/// * A trait that is called as the struct, with `Edit` behind it: a method for each field that
///   opens it. Bring it into scope where you edit (`use profile::ProfileEdit`). It is as visible as
///   the field that the fewest can see; make all fields `pub` if other crates are to change them.
///
/// A field that is no store is an error at that field:
///
/// ```compile_fail,E0277
/// # use crdt_core::Replicated;
/// #[derive(Default, Replicated)]
/// struct Profile {
///     name: String, // `String` is no dot store
/// }
/// ```
///
/// Type parameters are allowed. An enum has no derive: two replicas that chose different variants
/// would have nothing to join. Keep it in a register.
///
/// # Bytes
///
/// Fields that hold something are written in the order of their numbers, each behind its number:
/// 1, 2, … in the order of declaration, or what `#[crdt(number = 7)]` says, from which those behind
/// it go on. So the struct may change while old bytes are about:
///
/// | change | old bytes | new bytes for old code |
/// |---|---|---|
/// | a field is added at the end, or with a number of its own | are read; the field is empty | are read as long as the field is empty, then refused |
/// | fields change places, and keep their numbers by the attribute | are read | are read |
/// | a field is renamed | are read | are read |
/// | a field is taken out | are read if it is empty in them, else refused | are read |
/// | a field's type changes | are refused, or **misread** if they happen to fit; give it a new number | the same |
///
/// `#[crdt(crate = path)]` on the struct says where this crate is, if not at `::crdt_core`.
///
/// # Cost
///
/// An edit and the join of its delta cost what they cost in the fields that they touch, and O(1) for
/// each of the others. In bytes, a field that holds something costs its number, and a struct one
/// byte for its end. In memory, a struct takes what all its fields take, the empty ones too: a map
/// of wide structs that hold little is better a struct of maps, and decoding may take a width of it
/// for each key.
///
/// Baquero, Almeida, Cunha, Ferreira, *Composition in state-based replicated data types* (2017),
/// products; Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), one context for
/// many stores.
pub type Replicated<S> = Causal<S>;
