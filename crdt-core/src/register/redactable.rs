//! The register whose values can be redacted.

use alloc::vec::Vec;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, DotStore, Edit, Payload, RedactableStore};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A [multi-value register](super::MultiValueRegister) whose values can be *redacted*: the
/// content is dropped everywhere, in every encoded form, and the event that wrote it stays, with
/// a commitment to the content.
///
/// It is for what must stay provable and yet be erasable: entries of a signed or hash-chained
/// log under the keys of an [`ObservedRemoveMap`](crate::ObservedRemoveMap), for instance. (What
/// may vanish altogether needs no redaction: nothing here keeps the content of what is removed,
/// overwritten or cleared.)
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `redact(d)` | `set(w)` over it | w alone: what it has replaced is gone, redacted or not |
/// | `redact(d)` | `clear()` | nothing |
/// | `redact(d)` | `redact(d)` | d, redacted once |
/// | `redact(d)` | joins, or sends, an old state or delta that has d's content | d, redacted: the content does not come back |
/// | `redact(d)` | `set(w)` without having seen d | d, redacted, and w |
///
/// **A redaction is no event.** It names none, needs no number of a writer and follows nothing:
/// the redacted payload counts as equal to the one it stands for, so that it does not matter
/// when, how often or by whom it is redacted. As an event it would outlive the content: a write
/// that replaced d would have a sibling again, which says that d was redacted. Who may redact,
/// and who did, is a matter of the application's.
///
/// **The commitment** is whatever the caller makes of the content: a hash, usually, since this
/// crate has none. A chain that is to verify afterwards links the commitments, and not the
/// contents. What can be guessed is found by hashing guesses, so the content should hold a
/// random salt, which goes with it.
///
/// **State.** What stands, with its dots, and the causal context: O(siblings + replicas). A
/// redacted sibling is as large as its commitment. **Cost.** As a multi-value register; a
/// redaction's delta is the dot and the commitment.
///
/// **How redactions travel.** By the delta that [`redact`](Self::redact) returns, with every
/// whole state, and by [`digest`](Self::digest), which tells what is redacted. Not by a
/// comparison of causal contexts alone, since no event tells of them.
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), for the store; the
/// states of one event form a chain: not seen, held, redacted, removed.
///
/// ```
/// use crdt_core::{RedactableRegister, ReplicaId};
///
/// // The commitment: in earnest a cryptographic hash of a salt and the content.
/// let commit = |text: &String| text.len() as u64;
///
/// let (mut here, mut there) = (RedactableRegister::new(), RedactableRegister::new());
/// let mut anna = here.writer(ReplicaId::from_u128(1));
/// let mut bela = there.writer(ReplicaId::from_u128(2));
/// let written = here.set(String::from("a secret"), &mut anna)?;
/// there.join(&written);
///
/// let redacted = there.redact_all(commit, &mut bela);
/// here.join(redacted);
/// // What is under way, or in an old backup, does not bring it back.
/// here.join(written);
/// assert_eq!(here.held().count(), 0);
/// assert_eq!(here.payloads()[0].1.redacted(), Some(&8));
/// assert_eq!(here, there);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RedactableRegister<V, C: Ord + Clone>(pub(crate) Causal<RedactableStore<V, C>>);

/// A part of a [`RedactableRegister`]: what a mutator returns, or several of those joined.
pub type RedactableRegisterDelta<V, C> = Delta<RedactableStore<V, C>>;

impl<V: Clone, C: Ord + Clone> RedactableRegister<V, C> {
    /// The register that was never written.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Writes the register: the value replaces all siblings.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn set(
        &mut self,
        value: V,
        writer: &mut Writer,
    ) -> Result<RedactableRegisterDelta<V, C>, WriteError> {
        self.0.edit(writer, |register| register.set(value))
    }

    /// Takes every sibling away that was seen here.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn clear(&mut self, writer: &mut Writer) -> RedactableRegisterDelta<V, C> {
        self.0.edit_out(writer, |register| register.clear())
    }

    /// Drops the content that the event `dot` wrote, and keeps what `commit` makes of it. The
    /// delta is empty if no content stands there.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn redact(
        &mut self,
        dot: Dot,
        commit: impl FnOnce(&V) -> C,
        writer: &mut Writer,
    ) -> RedactableRegisterDelta<V, C> {
        self.0.edit_out(writer, |register| _ = register.redact(dot, commit))
    }

    /// Redacts every sibling.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn redact_all(
        &mut self,
        commit: impl FnMut(&V) -> C,
        writer: &mut Writer,
    ) -> RedactableRegisterDelta<V, C> {
        self.0.edit_out(writer, |register| register.redact_all(commit))
    }
}

impl<V, C: Ord + Clone> RedactableRegister<V, C> {
    /// Takes in a delta or another register; whether it brought news.
    pub fn join(&mut self, other: impl Into<RedactableRegisterDelta<V, C>>) -> bool {
        self.0.join(other)
    }

    /// The siblings, redacted or not, each under the event that wrote it, in ascending order of
    /// those.
    pub fn payloads(&self) -> &[(Dot, Payload<V, C>)] {
        self.0.store().entries()
    }

    /// The contents that are not redacted, each under the event that wrote it.
    pub fn held(&self) -> impl DoubleEndedIterator<Item = (Dot, &V)> {
        self.payloads().iter().filter_map(|(dot, payload)| Some((*dot, payload.held()?)))
    }

    /// How many siblings there are, redacted or not.
    pub fn len(&self) -> usize {
        self.payloads().len()
    }

    /// Whether there is no value: the register was never written, or is cleared.
    pub fn is_empty(&self) -> bool {
        self.0.store().is_empty()
    }

    /// All events that the register has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The siblings with their dots.
    pub fn store(&self) -> &RedactableStore<V, C> {
        self.0.store()
    }

    /// What the register holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the register of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> RedactableRegisterDelta<V, C>
    where
        V: Clone,
    {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Registers whose values can be redacted, inside a root.
impl<V: Clone, C: Ord + Clone> Edit<'_, RedactableStore<V, C>> {
    /// Writes the register: the value replaces all siblings.
    pub fn set(&mut self, value: V) {
        self.put(value);
    }

    /// Takes every value away that was seen here.
    pub fn clear(&mut self) {
        self.take_out();
    }

    /// Drops the content that the event `dot` wrote, and keeps what `commit` makes of it;
    /// whether content stood there.
    pub fn redact(&mut self, dot: Dot, commit: impl FnOnce(&V) -> C) -> bool {
        self.drop_content(dot, commit)
    }

    /// Redacts every sibling.
    pub fn redact_all(&mut self, mut commit: impl FnMut(&V) -> C) {
        let dots: Vec<Dot> = self.get().entries().iter().map(|&(dot, _)| dot).collect();
        for dot in dots {
            self.redact(dot, &mut commit);
        }
    }
}

impl<V, C: Ord + Clone> Default for RedactableRegister<V, C> {
    fn default() -> Self {
        Self(Causal::default())
    }
}

impl<V: fmt::Debug, C: Ord + Clone + fmt::Debug> fmt::Debug for RedactableRegister<V, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.payloads().iter().map(|(dot, payload)| (dot, payload))).finish()
    }
}

impl<V, C: Ord + Clone> From<RedactableRegister<V, C>> for RedactableRegisterDelta<V, C> {
    fn from(register: RedactableRegister<V, C>) -> Self {
        register.0.into()
    }
}

impl<V: Clone, C: Ord + Clone> From<&RedactableRegister<V, C>> for RedactableRegisterDelta<V, C> {
    fn from(register: &RedactableRegister<V, C>) -> Self {
        (&register.0).into()
    }
}

impl<V, C: Ord + Clone> Lattice for RedactableRegister<V, C> {
    type Delta = RedactableRegisterDelta<V, C>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl<V: Clone, C: Ord + Clone> Decompose for RedactableRegister<V, C> {
    fn decompose(&self) -> Vec<RedactableRegisterDelta<V, C>> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> RedactableRegisterDelta<V, C> {
        self.0.difference(&other.0)
    }
}

impl<V: Encode, C: Ord + Clone + Encode> Encode for RedactableRegister<V, C> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<V: Decode, C: Ord + Clone + Decode> Decode for RedactableRegister<V, C> {
    const BYTES_MIN: usize = Causal::<RedactableStore<V, C>>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
