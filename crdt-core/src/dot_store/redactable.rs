use super::{
    DecodeStore, DotChange, DotFun, DotStore, EncodeStore, Split, StoreReader, StoreWriter,
};
use crate::Dot;
use crate::causality::CausalContext;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// What an event brought, or what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payload<V, C> {
    /// The content.
    Held(V),
    /// The content was dropped. What it was committed to is kept.
    Redacted(C),
}

impl<V, C> Payload<V, C> {
    /// The content, unless it is redacted.
    pub const fn held(&self) -> Option<&V> {
        match self {
            Self::Held(value) => Some(value),
            Self::Redacted(_) => None,
        }
    }

    /// What the content was committed to, if it is redacted.
    pub const fn redacted(&self) -> Option<&C> {
        match self {
            Self::Held(_) => None,
            Self::Redacted(commitment) => Some(commitment),
        }
    }
}

impl<V, C: Ord + Clone> Payload<V, C> {
    /// Takes in what another side has of the same event; whether that is news. What one side
    /// has redacted is redacted. Two commitments of one content are equal, unless someone
    /// forges: then the greater one stands, everywhere.
    fn join(&mut self, other: &Self) -> bool {
        let Self::Redacted(theirs) = other else { return false };
        let news = self.redacted().is_none_or(|ours| ours < theirs);
        if news {
            *self = Self::Redacted(theirs.clone());
        }
        news
    }
}

const HELD: u8 = 0;
const REDACTED: u8 = 1;

impl<V: Encode, C: Encode> Encode for Payload<V, C> {
    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Held(value) => {
                out.u8(HELD);
                value.encode(out);
            }
            Self::Redacted(commitment) => {
                out.u8(REDACTED);
                commitment.encode(out);
            }
        }
    }
}

impl<V: Decode, C: Decode> Decode for Payload<V, C> {
    const BYTES_MIN: usize =
        1 + if V::BYTES_MIN < C::BYTES_MIN { V::BYTES_MIN } else { C::BYTES_MIN };

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        match input.u8()? {
            HELD => V::decode(input).map(Self::Held),
            REDACTED => C::decode(input).map(Self::Redacted),
            _ => Err(DecodeErrorKind::OutOfRange.at(at)),
        }
    }
}

/// A [`DotFun`] whose values can be *redacted*: dropped, while the events that brought them
/// stay.
///
/// A redacted payload equals any payload: it is no other event and no later one, so it names
/// none and needs no writer's number. Under one dot the states form a chain, not seen, then
/// held, then redacted, then removed, and the join takes the later one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RedactableStore<V, C>(pub(crate) DotFun<Payload<V, C>>);

impl<V, C> Default for RedactableStore<V, C> {
    fn default() -> Self {
        Self(DotFun::default())
    }
}

impl<V, C> RedactableStore<V, C> {
    /// The store of no dots.
    pub fn new() -> Self {
        Self::default()
    }

    /// The dots with their payloads, in ascending order of dots.
    pub fn entries(&self) -> &[(Dot, Payload<V, C>)] {
        self.0.entries()
    }

    /// The payload of `dot`.
    pub fn get(&self, dot: Dot) -> Option<&Payload<V, C>> {
        self.0.get(dot)
    }

    /// Puts a payload under a dot that has none; whether it had none.
    pub fn insert(&mut self, dot: Dot, payload: Payload<V, C>) -> bool {
        self.0.insert(dot, payload)
    }

    /// Drops the content under `dot`, and keeps what `commit` makes of it; whether there was
    /// content.
    pub fn redact(&mut self, dot: Dot, commit: impl FnOnce(&V) -> C) -> bool {
        let Some(payload) = self.0.get_mut(dot) else { return false };
        let Payload::Held(value) = payload else { return false };
        *payload = Payload::Redacted(commit(value));
        true
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<V, C: Ord + Clone> DotStore for RedactableStore<V, C> {
    type Places = ();

    const REDACTABLE: bool = true;

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn for_each_dot(&self, visit: &mut dyn FnMut(Dot)) {
        self.0.for_each_dot(visit);
    }

    fn for_each_redacted(&self, visit: &mut dyn FnMut(Dot)) {
        let redacted = |(_, payload): &&(Dot, Payload<V, C>)| payload.redacted().is_some();
        self.entries().iter().filter(redacted).for_each(|&(dot, _)| visit(dot));
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
        for (dot, theirs) in other.entries() {
            if self.0.get_mut(*dot).is_some_and(|ours| ours.join(theirs)) {
                report(DotChange::Redacted(*dot));
            }
        }
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
        self.0.count_at(&other.0, others, &())
    }

    fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

impl<V, C: Ord + Clone> Split for RedactableStore<V, C> {
    fn split(self, visit: &mut dyn FnMut(Dot, Self)) {
        self.0.split(&mut |dot, payload| visit(dot, Self(payload)));
    }
}

impl<V: Encode, C: Encode> EncodeStore for RedactableStore<V, C> {
    /// As a [`DotFun`]; each payload is 0 and the content, or 1 and the commitment.
    fn encode_store(&self, near: Option<&Self>, out: &mut StoreWriter) {
        self.0.encode_store(near.map(|near| &near.0), out);
    }
}

impl<V: Decode, C: Decode> DecodeStore for RedactableStore<V, C> {
    const STORE_BYTES_MIN: usize = DotFun::<Payload<V, C>>::STORE_BYTES_MIN;

    fn decode_store(near: Option<&Self>, input: &mut StoreReader<'_>) -> Result<Self, DecodeError> {
        DotFun::decode_store(near.map(|near| &near.0), input).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaId;

    #[test]
    fn what_another_side_covers_is_counted() {
        let dot = |seq| Dot::new(ReplicaId::from_u128(1), seq);
        let mut store = RedactableStore::<&str, u8>::default();
        assert!([1, 2, 3, 5].into_iter().all(|seq| store.insert(dot(seq), Payload::Held("a"))));
        assert!(store.redact(dot(2), |_| 7));
        for (seen, count) in [(0, 0), (1, 1), (2, 2), (4, 3), (5, 4)] {
            let others: CausalContext = (1..=seen).map(dot).collect();
            assert_eq!(store.count_at(&RedactableStore::default(), &others, &()), count);
        }
    }
}
