use super::{DecodeStore, DotStore, EncodeStore, Places, StoreReader, StoreWriter};
use crate::causality::{CausalContext, DotCloud};
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crate::lattice::Lattice;

/// A part of a causal value: content, and the events that it tells about.
///
/// An event in the context whose dot is not in the store is told to be removed. Deltas form
/// the same lattice as the values they belong to: they join with each other and with values
/// in any order, any number of times, whether or not what came before them has arrived.
///
/// A delta also remembers the keys that it removes from. That changes nothing of what it
/// means; it lets [`Causal::join`](super::Causal::join) go straight to them, so that the
/// cost of a join follows the size of the delta and not that of the value.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delta<S: DotStore> {
    pub(super) store: S,
    pub(super) context: CausalContext,
    pub(super) touched: S::Places,
}

impl<S: DotStore> Default for Delta<S> {
    fn default() -> Self {
        Self { store: S::default(), context: CausalContext::new(), touched: S::Places::default() }
    }
}

impl<S: DotStore> Delta<S> {
    /// The delta, if the context covers the store.
    #[cfg(feature = "serde")]
    pub(crate) fn of_parts(store: S, context: CausalContext, touched: S::Places) -> Option<Self> {
        live_dots(&store, &context).map(|_| Self { store, context, touched })
    }

    /// Where it removes.
    #[cfg(feature = "serde")]
    pub(crate) const fn touched(&self) -> &S::Places {
        &self.touched
    }

    /// Whether the delta tells nothing, so that it need not be sent.
    pub fn is_empty(&self) -> bool {
        self.context.is_empty()
    }

    /// The events that the delta tells about.
    pub fn context(&self) -> &CausalContext {
        &self.context
    }

    /// The content that it brings.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Takes in another delta; whether it brought news.
    ///
    /// The result is the smallest delta that tells both. Costs the size of the two.
    pub fn join(&mut self, other: impl Into<Self>) -> bool {
        let other = other.into();
        let mut changed = false;
        self.store.join(&self.context, other.store, &other.context, &mut |_| changed = true);
        changed |= self.context.join(&other.context);
        changed |= self.touched.extend(other.touched);
        changed
    }

    /// Panics if the context does not cover the store, or either is not in normal form.
    pub fn check_invariants(&self) {
        self.store.check_invariants();
        self.context.check_invariants();
        self.store.for_each_dot(&mut |dot| {
            assert!(self.context.contains(dot), "the context covers the store");
        });
    }
}

impl<S: DotStore<Places: Clone> + Clone> From<&Self> for Delta<S> {
    fn from(delta: &Self) -> Self {
        delta.clone()
    }
}

impl<S: DotStore> Lattice for Delta<S> {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        Self::join(self, other)
    }
}

const VERSION: u8 = 0;

impl<S> Encode for Delta<S>
where
    S: DotStore<Places: Encode> + EncodeStore,
{
    /// The format version, the context, the store, then the touched places.
    fn encode(&self, out: &mut Writer) {
        out.u8(VERSION);
        StoreWriter::write(&self.context, &self.store, out);
        self.touched.encode(out);
    }
}

impl<S> Decode for Delta<S>
where
    S: DotStore<Places: Decode> + DecodeStore,
{
    const BYTES_MIN: usize = 2 + S::STORE_BYTES_MIN + S::Places::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let Parts { store, context, .. } = decode_parts::<S>(VERSION, input)?;
        let touched = S::Places::decode(input)?;
        Ok(Self { store, context, touched })
    }
}

/// A store, its context, and the dots that it holds.
pub(super) struct Parts<S> {
    pub(super) store: S,
    pub(super) context: CausalContext,
    pub(super) live: DotCloud,
}

/// Reads what values and deltas have in common. The context has to cover the store, and no
/// dot may stand in two places of it: joins preserve both and rely on both.
pub(super) fn decode_parts<S: DotStore + DecodeStore>(
    version: u8,
    input: &mut Reader<'_>,
) -> Result<Parts<S>, DecodeError> {
    let at = input.position();
    if input.u8()? != version {
        return Err(DecodeErrorKind::UnknownVersion.at(at));
    }
    let at = input.position();
    let (context, store) = StoreReader::read::<S>(input)?;
    match live_dots(&store, &context) {
        Some(live) => Ok(Parts { store, context, live }),
        None => Err(DecodeErrorKind::OutOfRange.at(at)),
    }
}

/// The dots of a store, if the context covers them and none stands in two places.
pub(super) fn live_dots(store: &impl DotStore, context: &CausalContext) -> Option<DotCloud> {
    let (mut live, mut fits) = (DotCloud::new(), true);
    store.for_each_dot(&mut |dot| fits &= context.contains(dot) && live.insert(dot));
    fits.then_some(live)
}
