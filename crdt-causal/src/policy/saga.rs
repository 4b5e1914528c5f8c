use core::fmt;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// The name of one step of one saga, or of its compensation: by it whoever does it knows that it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SagaKey {
    /// Which saga: a random number.
    pub saga: u128,
    /// Which step, from 0.
    pub step: u32,
}

/// What to ask a participant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SagaCommand {
    /// To do a step, unless it has done it, or has been asked to compensate for it.
    Do(SagaKey),
    /// To take back what the step did, if it did anything, and never to do it any more.
    Compensate(SagaKey),
}

impl SagaCommand {
    /// The step that it is about.
    #[must_use]
    pub const fn key(self) -> SagaKey {
        match self {
            Self::Do(key) | Self::Compensate(key) => key,
        }
    }
}

/// What a participant says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaReply {
    /// It was done, now or before.
    Done,
    /// It was not done, and will not be. Of a compensation that is no answer, and it is asked again.
    Refused,
}

/// How far a saga has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaState {
    /// The steps before this one are done, and it may be.
    Doing(u32),
    /// The steps after this one are taken back, and it may be.
    Compensating(u32),
    /// All steps are done.
    Committed,
    /// All that was done is taken back.
    Compensated,
}

/// What was said to be saved is not what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedError {
    /// The number of what there is.
    pub revision: u64,
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "revision {} does not exist yet", self.revision)
    }
}

impl core::error::Error for SavedError {}

/// Steps at several participants, all of which are done, or all that were done taken back in reverse order.
///
/// There is no isolation: others see steps of a saga that is later taken back. What has to be atomic to
/// others belongs into one strong operation.
///
/// A saga survives its coordinator: its state is a value that is encoded and saved *before* the command goes out
/// that follows from it. [`poll`](Self::poll) gives nothing until what was saved is what there is
/// ([`saved`](Self::saved)). So a coordinator that crashes knows when it comes back all that may have been done,
/// and asks again: each command as often as it takes, under one name, by which participants do it once. A
/// compensation is asked for until it is acknowledged; none is ever given up, because that is somebody's money.
///
/// Garcia-Molina and Salem, *Sagas* (1987).
///
/// ```
/// use crdt_causal::policy::{Saga, SagaCommand, SagaKey, SagaReply, SagaState};
///
/// // Order, payment.
/// let mut saga = Saga::new(1, 2, 1_000);
/// assert_eq!(saga.poll(0), None, "it is not saved yet");
/// saga.saved(saga.revision())?;
/// assert_eq!(saga.poll(0), Some(SagaCommand::Do(SagaKey { saga: 1, step: 0 })));
/// saga.reply(0, SagaReply::Done);
/// saga.saved(saga.revision())?;
/// assert_eq!(saga.poll(20), Some(SagaCommand::Do(SagaKey { saga: 1, step: 1 })));
/// // The payment is refused: the order is taken back.
/// saga.reply(1, SagaReply::Refused);
/// saga.saved(saga.revision())?;
/// assert_eq!(saga.poll(40), Some(SagaCommand::Compensate(SagaKey { saga: 1, step: 0 })));
/// saga.reply(0, SagaReply::Done);
/// assert_eq!(saga.state(), SagaState::Compensated);
/// # Ok::<(), crdt_causal::policy::SavedError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Saga {
    id: u128,
    steps: u32,
    state: SagaState,
    retry_ms: u64,
    /// Rises whenever the state changes.
    revision: u64,
    saved: u64,
    /// When the command is given again.
    again_at: u64,
}

impl Saga {
    /// Nothing is done of so many steps. A command that is not answered is given again after `retry_ms`.
    #[must_use]
    pub const fn new(id: u128, steps: u32, retry_ms: u64) -> Self {
        let state = if steps == 0 { SagaState::Committed } else { SagaState::Doing(0) };
        Self { id, steps, state, retry_ms, revision: 1, saved: 0, again_at: 0 }
    }

    /// The saga that was saved as these bytes, which are what there is.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if they are no saga.
    pub fn from_saved(bytes: &[u8], retry_ms: u64) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let mut saga = Self::decode(&mut input)?;
        input.finish()?;
        saga.retry_ms = retry_ms;
        saga.saved = saga.revision;
        Ok(saga)
    }

    /// The number of its state, for [`saved`](Self::saved).
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What was encoded at this revision is on the disk.
    ///
    /// # Errors
    ///
    /// [`SavedError`] if there has been no such revision.
    pub const fn saved(&mut self, revision: u64) -> Result<(), SavedError> {
        if revision > self.revision {
            return Err(SavedError { revision });
        }
        if revision > self.saved {
            self.saved = revision;
        }
        Ok(())
    }

    /// How far it has come.
    #[must_use]
    pub const fn state(&self) -> SagaState {
        self.state
    }

    /// The command to give now: nothing while the state is not saved, while an answer is waited for, and in the end.
    pub const fn poll(&mut self, now: u64) -> Option<SagaCommand> {
        if self.saved < self.revision || now < self.again_at {
            return None;
        }
        let command = match self.state {
            SagaState::Doing(step) => SagaCommand::Do(SagaKey { saga: self.id, step }),
            SagaState::Compensating(step) => {
                SagaCommand::Compensate(SagaKey { saga: self.id, step })
            }
            SagaState::Committed | SagaState::Compensated => return None,
        };
        let wait = if self.retry_ms == 0 { 1 } else { self.retry_ms };
        self.again_at = now.saturating_add(wait);
        Some(command)
    }

    /// What a participant said of a step. What is not about the step at hand came late, and changes nothing.
    pub const fn reply(&mut self, step: u32, reply: SagaReply) {
        let next = match (self.state, reply) {
            (SagaState::Doing(at), SagaReply::Done) if at == step => {
                if step + 1 == self.steps {
                    SagaState::Committed
                } else {
                    SagaState::Doing(step + 1)
                }
            }
            (SagaState::Doing(at), SagaReply::Refused) if at == step => Self::before(step),
            (SagaState::Compensating(at), SagaReply::Done) if at == step => Self::before(step),
            _ => return,
        };
        self.enter(next);
    }

    /// Gives it up: what was done is taken back, the step at hand included, since it may have been done. Whether
    /// it was not too late for that.
    pub const fn abort(&mut self) -> bool {
        match self.state {
            SagaState::Doing(step) => {
                self.enter(SagaState::Compensating(step));
                true
            }
            SagaState::Compensating(_) | SagaState::Compensated => true,
            SagaState::Committed => false,
        }
    }

    /// Back to the step before, if there is one.
    const fn before(step: u32) -> SagaState {
        match step.checked_sub(1) {
            Some(previous) => SagaState::Compensating(previous),
            None => SagaState::Compensated,
        }
    }

    const fn enter(&mut self, state: SagaState) {
        self.state = state;
        self.revision += 1;
        self.again_at = 0;
    }

    /// When to poll next; `None` while it has to be saved, and in the end.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u64> {
        match self.state {
            SagaState::Committed | SagaState::Compensated => None,
            _ if self.saved < self.revision => None,
            _ => Some(self.again_at),
        }
    }
}

impl Encode for Saga {
    /// The id, the number of steps, the state as one byte, and the step that it is about.
    fn encode(&self, out: &mut Writer) {
        self.id.to_be_bytes().encode(out);
        out.varint(u64::from(self.steps));
        let (state, step) = match self.state {
            SagaState::Doing(step) => (0, Some(step)),
            SagaState::Compensating(step) => (1, Some(step)),
            SagaState::Committed => (2, None),
            SagaState::Compensated => (3, None),
        };
        out.u8(state);
        if let Some(step) = step {
            out.varint(u64::from(step));
        }
    }
}

impl Decode for Saga {
    const BYTES_MIN: usize = 18;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = u128::from_be_bytes(Decode::decode(input)?);
        let steps = input.varint_u32()?;
        let at = input.position();
        let kind = input.u8()?;
        let mut step = || {
            let at = input.position();
            let step = input.varint_u32()?;
            if step < steps { Ok(step) } else { Err(DecodeErrorKind::OutOfRange.at(at)) }
        };
        let state = match kind {
            0 => SagaState::Doing(step()?),
            1 => SagaState::Compensating(step()?),
            2 => SagaState::Committed,
            3 if steps > 0 => SagaState::Compensated,
            _ => return Err(DecodeErrorKind::OutOfRange.at(at)),
        };
        Ok(Self { state, ..Self::new(id, steps, 0) })
    }
}
