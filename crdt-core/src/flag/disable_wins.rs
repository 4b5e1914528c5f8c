//! The flag that disabling wins.

use alloc::vec::Vec;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, DotFun, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A flag that is disabled where one side enables it and the other disables it.
///
/// It starts disabled, and so does one that was removed from a map.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `enable()` | `disable()` | **disabled**; [`conflicts`](Self::conflicts) shows the enabling |
/// | `disable()`, then `enable()` | `disable()` | disabled: the enabling has not seen the other disabling |
/// | `disable()`, then `enable()` | `disable()`, then `enable()` | enabled: each side has overruled its own disabling |
/// | `enable()` | `enable()` | enabled |
///
/// For what must not be granted by accident: a permission, a consent, a feature that is being
/// withdrawn.
///
/// **State.** The dots of the enablings and disablings that no later one has seen, and the
/// causal context: O(concurrent writers + replicas) memory and bytes. **Cost.** A change and
/// its join take O(concurrent writers + log replicas).
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7.
///
/// ```
/// use crdt_core::{DisableWinsFlag, ReplicaId};
///
/// let (mut left, mut right) = (DisableWinsFlag::new(), DisableWinsFlag::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
///
/// let enabled = left.enable(&mut on_left)?;
/// let disabled = right.disable(&mut on_right)?;
/// left.join(disabled);
/// right.join(enabled);
///
/// assert!(!left.is_enabled());
/// assert_eq!(left.conflicts().next().map(|lost| lost.replica), Some(on_left.replica()));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct DisableWinsFlag(pub(crate) Causal<DisableWinsStore>);

/// The content of a [`DisableWinsFlag`], without a context of its own: the enablings and
/// disablings that no later one has seen. The flag is enabled if there is one, and none of
/// them disables.
pub type DisableWinsStore = DotFun<Toggle>;

/// A part of a [`DisableWinsFlag`]: what a mutator returns, or several of those joined.
pub type DisableWinsFlagDelta = Delta<DisableWinsStore>;

/// What an event does to a [`DisableWinsFlag`], or to an element of a
/// [`RemoveWinsSet`](crate::RemoveWinsSet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Toggle {
    pub(crate) enables: bool,
}

impl Toggle {
    /// Whether the event enables the flag, or adds the element.
    pub const fn enables(self) -> bool {
        self.enables
    }
}

impl DisableWinsFlag {
    /// The flag, disabled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Enables the flag: overrules every disabling that was seen here.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn enable(&mut self, writer: &mut Writer) -> Result<DisableWinsFlagDelta, WriteError> {
        self.0.edit(writer, |flag| flag.enable())
    }

    /// Disables the flag. To disable one that is disabled protects it from concurrent
    /// enablings.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn disable(&mut self, writer: &mut Writer) -> Result<DisableWinsFlagDelta, WriteError> {
        self.0.edit(writer, |flag| flag.disable())
    }

    /// Takes in a delta or another flag; whether it brought news.
    pub fn join(&mut self, other: impl Into<DisableWinsFlagDelta>) -> bool {
        self.0.join(other)
    }

    /// Whether the flag is enabled.
    pub fn is_enabled(&self) -> bool {
        self.0.store().is_enabled()
    }

    /// The enablings that lost against a concurrent disabling: which events, and whose.
    pub fn conflicts(&self) -> impl Iterator<Item = Dot> + '_ {
        self.0.store().overruled()
    }

    /// All events that the flag has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The enablings and disablings that no later one has seen.
    pub fn store(&self) -> &DisableWinsStore {
        self.0.store()
    }

    /// What the flag holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the flag of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> DisableWinsFlagDelta {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Disable-wins flags, and the elements of remove-wins sets.
impl DotFun<Toggle> {
    /// Whether the flag is enabled.
    pub fn is_enabled(&self) -> bool {
        !self.entries().is_empty() && self.entries().iter().all(|(_, toggle)| toggle.enables)
    }

    /// The enablings that lost against a concurrent disabling.
    pub fn overruled(&self) -> impl Iterator<Item = Dot> + '_ {
        let lost = |&&(_, toggle): &&(Dot, Toggle)| toggle.enables && !self.is_enabled();
        self.entries().iter().filter(lost).map(|&(dot, _)| dot)
    }
}

/// Disable-wins flags inside a root.
impl Edit<'_, DotFun<Toggle>> {
    /// Enables the flag: overrules every disabling that was seen here.
    pub fn enable(&mut self) {
        self.put(Toggle { enables: true });
    }

    /// Disables the flag.
    pub fn disable(&mut self) {
        self.put(Toggle { enables: false });
    }
}

impl fmt::Debug for DisableWinsFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DisableWinsFlag").field(&self.is_enabled()).finish()
    }
}

impl From<DisableWinsFlag> for DisableWinsFlagDelta {
    fn from(flag: DisableWinsFlag) -> Self {
        flag.0.into()
    }
}

impl From<&DisableWinsFlag> for DisableWinsFlagDelta {
    fn from(flag: &DisableWinsFlag) -> Self {
        (&flag.0).into()
    }
}

impl Lattice for DisableWinsFlag {
    type Delta = DisableWinsFlagDelta;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl Encode for Toggle {
    fn encode(&self, out: &mut codec::Writer) {
        self.enables.encode(out);
    }
}

impl Decode for Toggle {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { enables: bool::decode(input)? })
    }
}

impl Decompose for DisableWinsFlag {
    fn decompose(&self) -> Vec<DisableWinsFlagDelta> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> DisableWinsFlagDelta {
        self.0.difference(&other.0)
    }
}

impl Encode for DisableWinsFlag {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl Decode for DisableWinsFlag {
    const BYTES_MIN: usize = Causal::<DisableWinsStore>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
