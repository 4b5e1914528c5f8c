//! The flag that enabling wins.

use alloc::vec::Vec;
use core::fmt;

use crate::causality::CausalContext;
use crate::codec::{self, Decode, DecodeError, Encode, Reader};
use crate::dot_store::{Causal, Delta, Digest, DotSet, DotStore, Edit};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, WriteError, Writer};

/// A flag that stays enabled where one side enables it and the other disables it.
///
/// It starts disabled.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `enable()` | `disable()` | **enabled**: the disabling has not seen this enabling |
/// | `enable()` | `enable()` | enabled, until both are disabled |
/// | `disable()` | `disable()` | disabled |
///
/// For what must not be lost by accident: a subscription, a legal hold, an alarm.
///
/// **State.** The dots of the enablings that no disabling has seen, and the causal context:
/// O(concurrent writers + replicas) memory and bytes. **Cost.** A change and its join take
/// O(concurrent writers + log replicas).
///
/// Almeida, Shoker, Baquero, *Delta state replicated data types* (2018), section 7.
///
/// ```
/// use crdt_core::{EnableWinsFlag, ReplicaId};
///
/// let (mut left, mut right) = (EnableWinsFlag::new(), EnableWinsFlag::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
/// right.join(left.enable(&mut on_left)?);
///
/// let disabled = left.disable(&mut on_left);
/// let enabled = right.enable(&mut on_right)?;
/// left.join(enabled);
/// right.join(disabled);
///
/// assert!(left.is_enabled());
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct EnableWinsFlag(pub(crate) Causal<EnableWinsStore>);

/// The content of an [`EnableWinsFlag`], without a context of its own: the dots of the
/// enablings. The flag is enabled while there is one.
pub type EnableWinsStore = DotSet;

/// A part of an [`EnableWinsFlag`]: what a mutator returns, or several of those joined.
pub type EnableWinsFlagDelta = Delta<EnableWinsStore>;

impl EnableWinsFlag {
    /// The flag, disabled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        self.0.writer(replica)
    }

    /// Enables the flag. To enable one that is enabled protects it from concurrent disablings.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn enable(&mut self, writer: &mut Writer) -> Result<EnableWinsFlagDelta, WriteError> {
        self.0.edit(writer, |flag| flag.enable())
    }

    /// Disables the flag: takes back every enabling that was seen here. The delta is empty if
    /// it is disabled.
    ///
    /// # Panics
    ///
    /// If the writer was made by another root.
    #[track_caller]
    pub fn disable(&mut self, writer: &mut Writer) -> EnableWinsFlagDelta {
        self.0.edit_out(writer, |flag| flag.disable())
    }

    /// Takes in a delta or another flag; whether it brought news.
    pub fn join(&mut self, other: impl Into<EnableWinsFlagDelta>) -> bool {
        self.0.join(other)
    }

    /// Whether the flag is enabled.
    pub fn is_enabled(&self) -> bool {
        !self.0.store().is_empty()
    }

    /// The enablings that keep the flag enabled: which events, and whose.
    pub fn dots(&self) -> &[Dot] {
        self.0.store().dots()
    }

    /// All events that the flag has seen.
    pub fn context(&self) -> &CausalContext {
        self.0.context()
    }

    /// The dots of the enablings.
    pub fn store(&self) -> &EnableWinsStore {
        self.0.store()
    }

    /// What the flag holds and has seen, for a peer that is to send what is lacking.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// The smallest delta that tells all that is known here to the flag of that digest. Costs
    /// O(n).
    pub fn missing_from(&self, other: &Digest) -> EnableWinsFlagDelta {
        self.0.missing_from(other)
    }

    /// Panics if an internal invariant does not hold.
    pub fn check_invariants(&self) {
        self.0.check_invariants();
    }
}

/// Enable-wins flags inside a root.
impl Edit<'_, DotSet> {
    /// Enables the flag.
    pub fn enable(&mut self) {
        self.put();
    }

    /// Disables the flag: takes back every enabling that was seen here.
    pub fn disable(&mut self) {
        self.take_out();
    }
}

impl fmt::Debug for EnableWinsFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EnableWinsFlag").field(&self.is_enabled()).finish()
    }
}

impl From<EnableWinsFlag> for EnableWinsFlagDelta {
    fn from(flag: EnableWinsFlag) -> Self {
        flag.0.into()
    }
}

impl From<&EnableWinsFlag> for EnableWinsFlagDelta {
    fn from(flag: &EnableWinsFlag) -> Self {
        (&flag.0).into()
    }
}

impl Lattice for EnableWinsFlag {
    type Delta = EnableWinsFlagDelta;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        self.0.join(other)
    }
}

impl Decompose for EnableWinsFlag {
    fn decompose(&self) -> Vec<EnableWinsFlagDelta> {
        self.0.decompose()
    }

    fn difference(&self, other: &Self) -> EnableWinsFlagDelta {
        self.0.difference(&other.0)
    }
}

impl Encode for EnableWinsFlag {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl Decode for EnableWinsFlag {
    const BYTES_MIN: usize = Causal::<EnableWinsStore>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Causal::decode(input).map(Self)
    }
}
