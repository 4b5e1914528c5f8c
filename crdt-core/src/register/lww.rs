//! The last-writer-wins register.

use alloc::vec::Vec;

use crate::codec::{self, Decode, DecodeError, DecodeErrorKind, Encode, Reader};
use crate::lattice::Decompose;
use crate::{Dot, Lattice, ReplicaId, SEQ_MAX, WriteError, Writer};

/// A register that keeps one value: the one written with the greatest stamp.
///
/// The greatest (stamp, [`Dot`]) wins, so that equal stamps are decided by the replica id,
/// everywhere alike. A stamp is any ordered value: a Lamport time, a hybrid logical clock, a
/// version number.
///
/// | one replica | concurrently, another | after the join |
/// |---|---|---|
/// | `set(v)` at 5 | `set(w)` at 7 | w |
/// | `set(v)` at 5 | `set(w)` at 5 | the one of the greater replica id |
/// | `set(v)` at 5 | nothing | v |
///
/// Causality plays no part: a write that follows one with a greater stamp is lost too, and
/// of two concurrent writes one is lost without a trace. Balances and stocks belong into a
/// [`PnCounter`](crate::PnCounter), and where losers are to be seen, use an
/// [`LwwMap`](crate::LwwMap).
///
/// **State.** The greatest write; O(1), whatever the number of replicas. The lattice is the
/// maximum. **Cost.** O(1).
///
/// Johnson, Thomas, *Maintenance of duplicate databases* (1975); Shapiro, Preguiça, Baquero,
/// Zawirski, *A comprehensive study of convergent and commutative replicated data types*
/// (2011), specification 8.
///
/// ```
/// use crdt_core::{LwwRegister, ReplicaId};
///
/// let (mut left, mut right) = (LwwRegister::new(), LwwRegister::new());
/// let mut on_left = left.writer(ReplicaId::from_u128(1));
/// let mut on_right = right.writer(ReplicaId::from_u128(2));
///
/// let first = left.set("Connaught Place", 30, &mut on_left)?;
/// let second = right.set("Karol Bagh", 35, &mut on_right)?;
/// left.join(second);
/// right.join(first);
///
/// assert_eq!(left.get(), Some(&"Karol Bagh"));
/// assert_eq!(left, right);
/// # Ok::<(), crdt_core::WriteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LwwRegister<V, S = u64> {
    pub(crate) written: Option<Written<V, S>>,
}

/// A part of an [`LwwRegister`]: what `set` returns, or the greatest of several.
#[must_use = "a delta has to reach the other replicas"]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LwwRegisterDelta<V, S = u64>(pub(crate) LwwRegister<V, S>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Written<V, S> {
    pub(crate) stamp: S,
    // The number tells apart two writes of one replica with one stamp.
    pub(crate) dot: Dot,
    pub(crate) value: V,
}

impl<V, S> LwwRegister<V, S> {
    /// The register that was never written.
    pub const fn new() -> Self {
        Self { written: None }
    }

    /// A writer for `replica`; see [`Writer`].
    pub fn writer(&self, replica: ReplicaId) -> Writer {
        Writer::new(replica, self.last_seq(replica))
    }

    /// The value, unless the register was never written.
    pub const fn get(&self) -> Option<&V> {
        match &self.written {
            Some(written) => Some(&written.value),
            None => None,
        }
    }

    /// The stamp that the value was written with.
    pub const fn stamp(&self) -> Option<&S> {
        match &self.written {
            Some(written) => Some(&written.stamp),
            None => None,
        }
    }

    /// Who wrote the value.
    pub fn written_by(&self) -> Option<ReplicaId> {
        self.written.as_ref().map(|written| written.dot.replica)
    }

    /// The register with a write: its stamp, event and value.
    #[cfg(feature = "serde")]
    pub(crate) fn of_written(written: Option<(S, Dot, V)>) -> Self {
        Self { written: written.map(|(stamp, dot, value)| Written { stamp, dot, value }) }
    }

    fn last_seq(&self, replica: ReplicaId) -> u64 {
        match &self.written {
            Some(written) if written.dot.replica == replica => written.dot.seq,
            _ => 0,
        }
    }
}

impl<V: Clone, S: Ord + Clone> LwwRegister<V, S> {
    /// Writes the register. The delta is empty, and nothing has changed, if the present value
    /// has a greater stamp, or an equal one and a greater replica id.
    ///
    /// A register keeps no history of its writers, so it cannot tell whether the writer is
    /// its own; another's does no harm.
    ///
    /// # Errors
    ///
    /// [`WriteError::SequenceExhausted`]: a peer has used up the replica's name.
    pub fn set(
        &mut self,
        value: V,
        stamp: S,
        writer: &mut Writer,
    ) -> Result<LwwRegisterDelta<V, S>, WriteError> {
        let replica = writer.replica();
        let seq = self.last_seq(replica).max(writer.position());
        let dot = Dot::new(replica, seq).next();
        let dot = dot.ok_or(WriteError::SequenceExhausted { replica })?;
        let delta = LwwRegisterDelta(Self { written: Some(Written { stamp, dot, value }) });
        if self.join(delta.clone()) {
            writer.advance(dot.seq);
            Ok(delta)
        } else {
            Ok(LwwRegisterDelta(Self::new()))
        }
    }
}

impl<V, S: Ord> LwwRegister<V, S> {
    /// Takes in a delta or another register; whether it brought news.
    pub fn join(&mut self, other: impl Into<LwwRegisterDelta<V, S>>) -> bool {
        let LwwRegisterDelta(other) = other.into();
        let news =
            other.written.as_ref().map(Written::rank) > self.written.as_ref().map(Written::rank);
        if news {
            self.written = other.written;
        }
        news
    }
}

impl<V, S> Written<V, S> {
    const fn rank(&self) -> (&S, Dot) {
        (&self.stamp, self.dot)
    }
}

impl<V, S> LwwRegisterDelta<V, S> {
    /// Whether the delta tells nothing, so that it need not be sent.
    pub const fn is_empty(&self) -> bool {
        self.0.written.is_none()
    }
}

impl<V, S: Ord> LwwRegisterDelta<V, S> {
    /// Takes in another delta; whether it brought news.
    pub fn join(&mut self, other: impl Into<Self>) -> bool {
        self.0.join(other.into())
    }
}

impl<V, S> Default for LwwRegister<V, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V, S> Default for LwwRegisterDelta<V, S> {
    fn default() -> Self {
        Self(LwwRegister::new())
    }
}

impl<V, S> From<LwwRegister<V, S>> for LwwRegisterDelta<V, S> {
    fn from(register: LwwRegister<V, S>) -> Self {
        Self(register)
    }
}

impl<V: Clone, S: Clone> From<&LwwRegister<V, S>> for LwwRegisterDelta<V, S> {
    fn from(register: &LwwRegister<V, S>) -> Self {
        Self(register.clone())
    }
}

impl<V: Clone, S: Clone> From<&Self> for LwwRegisterDelta<V, S> {
    fn from(delta: &Self) -> Self {
        delta.clone()
    }
}

impl<V, S: Ord> Lattice for LwwRegister<V, S> {
    type Delta = LwwRegisterDelta<V, S>;

    fn join(&mut self, other: impl Into<Self::Delta>) -> bool {
        Self::join(self, other)
    }
}

impl<V, S: Ord> Lattice for LwwRegisterDelta<V, S> {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        Self::join(self, other)
    }
}

impl<V: Clone, S: Ord + Clone> Decompose for LwwRegister<V, S> {
    fn decompose(&self) -> Vec<LwwRegisterDelta<V, S>> {
        self.written.iter().map(|_| LwwRegisterDelta(self.clone())).collect()
    }
}

const VERSION: u8 = 0;

impl<V: Encode, S: Encode> Encode for LwwRegister<V, S> {
    /// The format version, then, unless the register was never written, the replica, the
    /// number, the stamp and the value; the number is 0 in a register never written.
    fn encode(&self, out: &mut codec::Writer) {
        out.u8(VERSION);
        match &self.written {
            None => out.varint(0),
            Some(Written { stamp, dot, value }) => {
                out.varint(dot.seq);
                dot.replica.encode(out);
                stamp.encode(out);
                value.encode(out);
            }
        }
    }
}

impl<V: Decode, S: Decode> Decode for LwwRegister<V, S> {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        if input.u8()? != VERSION {
            return Err(DecodeErrorKind::UnknownVersion.at(at));
        }
        let seq = input.varint_max(SEQ_MAX)?;
        if seq == 0 {
            return Ok(Self::new());
        }
        let dot = Dot::new(ReplicaId::decode(input)?, seq);
        let (stamp, value) = (S::decode(input)?, V::decode(input)?);
        Ok(Self { written: Some(Written { stamp, dot, value }) })
    }
}

impl<V: Encode, S: Encode> Encode for LwwRegisterDelta<V, S> {
    fn encode(&self, out: &mut codec::Writer) {
        self.0.encode(out);
    }
}

impl<V: Decode, S: Decode> Decode for LwwRegisterDelta<V, S> {
    const BYTES_MIN: usize = LwwRegister::<V, S>::BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        LwwRegister::decode(input).map(Self)
    }
}
