use alloc::collections::BTreeMap;
use core::fmt;

use crdt_core::Dot;
use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::gate::Past;
use crate::cut::POSITION_MAX;

/// The name of an effect: the strong operation that it belongs to, and which of its effects it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectId {
    /// The strong operation.
    pub commit: Dot,
    /// Which effect, from 0.
    pub number: u32,
}

/// An effect that may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect<E> {
    /// Its name, by which whoever takes it knows that it has it.
    pub id: EffectId,
    /// What it depends on: the position at which its strong operation was committed. A [`Gate`](super::Gate)
    /// where it arrives holds it until that is visible there.
    pub past: Past,
    /// What it does.
    pub effect: E,
}

/// Why something is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutboxError {
    /// There is a strong operation of this name already.
    Known(Dot),
    /// There is none of this name, or what became of it is known already.
    NotPending(Dot),
    /// There are as many effects as there may be.
    Full,
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(dot) => write!(f, "the effects of {dot} are in the outbox already"),
            Self::NotPending(dot) => write!(f, "the outbox does not wait for {dot}"),
            Self::Full => f.write_str("the outbox is full"),
        }
    }
}

impl core::error::Error for OutboxError {}

/// The effects of one strong operation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<E> {
    /// Where it was committed, if it was.
    position: Option<u64>,
    /// By their numbers; those that were acknowledged are gone.
    effects: BTreeMap<u32, E>,
}

/// Weak effects of strong operations: sent when these are committed, and never if they abort.
///
/// An operation that is strong at its core and weak at its edges (pay, then notify, count and index) must not begin with
/// its edges: what was sent cannot be recalled. So the effects go into the outbox *before* the operation is
/// proposed, and the outbox is saved with it, best in one transaction of the engine. They leave when it is known to be
/// committed, each with its position as [`Past`]; if it aborts they are dropped. While nobody knows,
/// they stay. Effects are given until they are acknowledged, so whoever takes them remembers names.
///
/// Each call is O(log n) for n operations with effects; a poll looks at those that are given already.
///
/// ```
/// use crdt_causal::policy::Outbox;
/// use crdt_core::{Dot, ReplicaId};
///
/// let payment = Dot::new(ReplicaId::from_u128(7), 1);
/// let mut outbox = Outbox::new(1_000, 5_000);
/// outbox.prepare(payment, ["notify", "count"])?;
/// assert_eq!(outbox.poll(0), None, "nothing is known of the payment");
/// outbox.committed(payment, 12)?;
/// let effect = outbox.poll(0).expect("it is committed");
/// assert_eq!((effect.effect, effect.past.strong), ("notify", 12));
/// # Ok::<(), crdt_causal::policy::OutboxError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outbox<E> {
    entries: BTreeMap<Dot, Entry<E>>,
    /// When each effect that was given is given again.
    again_at: BTreeMap<EffectId, u64>,
    effects_max: usize,
    retry_ms: u64,
    count: usize,
}

impl<E: Clone> Outbox<E> {
    /// No effects; so many may be in it, and one that is not acknowledged is given again after `retry_ms`.
    #[must_use]
    pub const fn new(effects_max: usize, retry_ms: u64) -> Self {
        Self {
            entries: BTreeMap::new(),
            again_at: BTreeMap::new(),
            effects_max,
            retry_ms,
            count: 0,
        }
    }

    /// The same with other limits: they are not saved.
    #[must_use]
    pub fn with_limits(mut self, effects_max: usize, retry_ms: u64) -> Self {
        self.effects_max = effects_max;
        self.retry_ms = retry_ms;
        self
    }

    /// Takes the effects of a strong operation that is about to be proposed.
    ///
    /// # Errors
    ///
    /// [`OutboxError::Known`] if it has effects here, and [`OutboxError::Full`]: nothing is taken then, and it must not be
    /// proposed.
    pub fn prepare(
        &mut self,
        commit: Dot,
        effects: impl IntoIterator<Item = E>,
    ) -> Result<(), OutboxError> {
        if self.entries.contains_key(&commit) {
            return Err(OutboxError::Known(commit));
        }
        let effects: BTreeMap<u32, E> = (0..).zip(effects).collect();
        if self.count + effects.len() > self.effects_max {
            return Err(OutboxError::Full);
        }
        self.count += effects.len();
        self.entries.insert(commit, Entry { position: None, effects });
        Ok(())
    }

    /// The strong operation was committed at this position.
    ///
    /// # Errors
    ///
    /// [`OutboxError::NotPending`] if there is none that waits for that.
    pub fn committed(&mut self, commit: Dot, position: u64) -> Result<(), OutboxError> {
        let entry = self.pending(commit)?;
        entry.position = Some(position);
        if entry.effects.is_empty() {
            self.entries.remove(&commit);
        }
        Ok(())
    }

    /// The strong operation was not done, and will not be.
    ///
    /// # Errors
    ///
    /// [`OutboxError::NotPending`] if there is none that waits for that.
    pub fn aborted(&mut self, commit: Dot) -> Result<(), OutboxError> {
        self.count -= self.pending(commit)?.effects.len();
        self.entries.remove(&commit);
        Ok(())
    }

    fn pending(&mut self, commit: Dot) -> Result<&mut Entry<E>, OutboxError> {
        let entry = self.entries.get_mut(&commit);
        entry.filter(|entry| entry.position.is_none()).ok_or(OutboxError::NotPending(commit))
    }

    /// The next effect to send: one of an operation that is committed, which was not given yet, or not acknowledged in
    /// time.
    pub fn poll(&mut self, now: u64) -> Option<Effect<E>> {
        let again_at = &self.again_at;
        let mut due = self.entries.iter().filter_map(|(&commit, entry)| {
            let position = entry.position?;
            let is_due = |number: &u32| {
                let id = EffectId { commit, number: *number };
                again_at.get(&id).is_none_or(|&at| at <= now)
            };
            let (&number, effect) = entry.effects.iter().find(|(number, _)| is_due(number))?;
            let id = EffectId { commit, number };
            Some((id, Effect { id, past: Past::of_strong(position), effect: effect.clone() }))
        });
        let (id, effect) = due.next()?;
        self.again_at.insert(id, now.saturating_add(self.retry_ms.max(1)));
        Some(effect)
    }

    /// Whoever takes the effects has this one, durably. Whether it was waited for.
    pub fn acknowledged(&mut self, id: EffectId) -> bool {
        let Some(entry) = self.entries.get_mut(&id.commit) else { return false };
        if entry.position.is_none() || entry.effects.remove(&id.number).is_none() {
            return false;
        }
        self.again_at.remove(&id);
        self.count -= 1;
        if entry.effects.is_empty() {
            self.entries.remove(&id.commit);
        }
        true
    }

    /// The strong operations of which nobody knows yet what became: to be asked for after a crash.
    pub fn in_doubt(&self) -> impl Iterator<Item = Dot> {
        self.entries.iter().filter(|(_, entry)| entry.position.is_none()).map(|(&dot, _)| dot)
    }

    /// How many effects there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Panics if the outbox is not what it has to be. For tests.
    pub fn check_invariants(&self) {
        let effects = |entry: &Entry<E>| entry.effects.len();
        assert_eq!(self.count, self.entries.values().map(effects).sum::<usize>());
        let is_known = |id: &EffectId| self.entries[&id.commit].effects.contains_key(&id.number);
        assert!(self.again_at.keys().all(is_known), "only what is here is given again");
    }
}

impl<E: Encode> Encode for Outbox<E> {
    /// The operations in the order of their names: each with 0 or its position plus one, and its effects with
    /// their numbers.
    fn encode(&self, out: &mut Writer) {
        out.count(self.entries.len());
        for (commit, entry) in &self.entries {
            commit.replica.encode(out);
            out.varint(commit.seq);
            out.varint(entry.position.map_or(0, |position| position + 1));
            out.count(entry.effects.len());
            for (number, effect) in &entry.effects {
                out.varint(u64::from(*number));
                effect.encode(out);
            }
        }
    }
}

impl<E: Decode + Clone> Decode for Outbox<E> {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut outbox = Self::new(usize::MAX, 0);
        for _ in 0..input.count(19)? {
            let at = input.position();
            let commit = Dot::new(Decode::decode(input)?, input.seq()?);
            if outbox.entries.last_key_value().is_some_and(|(&last, _)| last >= commit) {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            let position = input.varint_max(POSITION_MAX + 1)?.checked_sub(1);
            let mut effects: BTreeMap<u32, E> = BTreeMap::new();
            let at = input.position();
            for _ in 0..input.count(1 + E::BYTES_MIN)? {
                let at = input.position();
                let number = input.varint_u32()?;
                if effects.last_key_value().is_some_and(|(&last, _)| last >= number) {
                    return Err(DecodeErrorKind::OutOfRange.at(at));
                }
                effects.insert(number, E::decode(input)?);
            }
            // A committed operation without effects is done with.
            if position.is_some() && effects.is_empty() {
                return Err(DecodeErrorKind::OutOfRange.at(at));
            }
            outbox.count += effects.len();
            outbox.entries.insert(commit, Entry { position, effects });
        }
        Ok(outbox)
    }
}
