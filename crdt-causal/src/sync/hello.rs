//! The greeting: who is there, what it accepts, and what it holds.

use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};
use crdt_core::{Frontier, ReplicaId, VersionVector};

use super::chain::{self, ChainHash};
use super::limits::{Limits, WRITERS_MAX};
use super::reconciling::Reconciling;

/// The first message of each side. It is repeated until the other side has shown that it came.
///
/// Fields in this order: flags, genesis (16 bytes), nonce (8 bytes), the echoed nonce (flag 1),
/// limits, the frontier (flag 2), base and vector (flag 4), writers. After frontier and base come the
/// running hashes at their dots (flag 16). Flag 8 asks for a vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The common beginning of what is kept in step.
    pub genesis: [u8; 16],
    /// Tells this session of the sender from its other ones.
    pub nonce: u64,
    /// The nonce of the receiver's greeting, if that has arrived at the sender.
    pub echo: Option<u64>,
    /// What the sender accepts.
    pub limits: Limits,
    /// What the sender holds durably.
    pub holds: Summary,
    /// Asks for a greeting with a vector, because the receiver's last one could not be made
    /// out: it is about events that the sender does not hold.
    pub wants_vector: bool,
    /// The replicas in whose name the sender writes.
    pub writers: Vec<ReplicaId>,
    /// Where no common past is known: how the vectors of both sides differ.
    pub reconciling: Reconciling,
}

/// What a side of a session holds, in as few bytes as its peer can make sense of.
///
/// A summary only tells what to send. Nobody's own version grows by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The maximal events. Whoever holds them all knows the whole version from them.
    pub frontier: Option<Frontier>,
    /// The running hash at each event of the frontier; or none at all.
    pub chains: Vec<ChainHash>,
    /// What is held beyond a base.
    pub vector: Option<RelativeVector>,
}

/// A version, given as the past of a base and what is beyond it.
///
/// Where the sender had no room for all entries, it is the part of the version that it tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RelativeVector {
    /// The maximal events of the base. Without any, the vector tells the whole version.
    pub base: Frontier,
    /// The running hash at each event of the base; or none at all.
    pub chains: Vec<ChainHash>,
    /// What is held of the replicas of which more is held than the base has.
    pub beyond: VersionVector,
}

/// A frontier of more dots than this is left out: the vector tells as much. Running hashes go
/// with no more dots at once.
pub(super) const FRONTIER_DOTS_MAX: usize = 256;

impl Summary {
    fn has_chains(&self) -> bool {
        !self.chains.is_empty()
            || self.vector.as_ref().is_some_and(|vector| !vector.chains.is_empty())
    }
}

const ECHO: u8 = 1;
const FRONTIER: u8 = 2;
const VECTOR: u8 = 4;
const WANTS_VECTOR: u8 = 8;
const CHAINS: u8 = 16;
const ANSWERS: u8 = 32;
const SKETCH: u8 = 64;
const DIFFERENCE: u8 = 128;

impl Encode for Hello {
    fn encode(&self, out: &mut Writer) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        out.u8(flag(self.echo.is_some(), ECHO)
            | flag(self.holds.frontier.is_some(), FRONTIER)
            | flag(self.holds.vector.is_some(), VECTOR)
            | flag(self.wants_vector, WANTS_VECTOR)
            | flag(self.holds.has_chains(), CHAINS)
            | flag(self.reconciling.answers, ANSWERS)
            | flag(self.reconciling.sketch.is_some(), SKETCH)
            | flag(self.reconciling.difference.is_some(), DIFFERENCE));
        out.raw(&self.genesis);
        out.raw(&self.nonce.to_le_bytes());
        if let Some(echo) = self.echo {
            out.raw(&echo.to_le_bytes());
        }
        self.limits.encode(out);
        if let Some(frontier) = &self.holds.frontier {
            frontier.encode(out);
        }
        chain::encode(&self.holds.chains, out);
        if let Some(vector) = &self.holds.vector {
            vector.base.encode(out);
            chain::encode(&vector.chains, out);
            vector.beyond.encode(out);
        }
        out.count(self.writers.len());
        for writer in &self.writers {
            writer.encode(out);
        }
        let Reconciling { sketch, difference, .. } = &self.reconciling;
        sketch.iter().chain(difference).for_each(|bytes| out.bytes(bytes));
    }
}

impl Decode for Hello {
    const BYTES_MIN: usize = 1 + 16 + 8 + Limits::BYTES_MIN + 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let flags = input.u8()?;
        let genesis = input.array()?;
        let nonce = u64::from_le_bytes(input.array()?);
        let echo = match flags & ECHO {
            0 => None,
            _ => Some(u64::from_le_bytes(input.array()?)),
        };
        let limits = Limits::decode(input)?;
        let frontier = match flags & FRONTIER {
            0 => None,
            _ => Some(Frontier::decode(input)?),
        };
        let read_chains = |dots: usize, input: &mut Reader<'_>| match flags & CHAINS {
            0 => Ok(Vec::new()),
            // Each costs the receiver a look into its log.
            _ if dots <= FRONTIER_DOTS_MAX => chain::decode(dots, input),
            _ => Err(DecodeErrorKind::OutOfRange.at(at)),
        };
        let chains = read_chains(frontier.as_ref().map_or(0, Frontier::len), input)?;
        let vector = match flags & VECTOR {
            0 => None,
            _ => {
                let base = Frontier::decode(input)?;
                let chains = read_chains(base.len(), input)?;
                Some(RelativeVector { base, chains, beyond: VersionVector::decode(input)? })
            }
        };
        let holds = Summary { frontier, chains, vector };
        if flags & CHAINS != 0 && !holds.has_chains() {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        let at = input.position();
        let count = input.count(ReplicaId::BYTES_MIN)?;
        if count > WRITERS_MAX {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        let mut writers = Vec::with_capacity(count);
        for _ in 0..count {
            writers.push(ReplicaId::decode(input)?);
        }
        let mut section = |flag: u8| match flags & flag {
            0 => Ok(None),
            _ => input.bytes().map(|bytes| Some(bytes.to_vec())),
        };
        let (sketch, difference) = (section(SKETCH)?, section(DIFFERENCE)?);
        Ok(Self {
            genesis,
            nonce,
            echo,
            limits,
            holds,
            wants_vector: flags & WANTS_VECTOR != 0,
            writers,
            reconciling: Reconciling { answers: flags & ANSWERS != 0, sketch, difference },
        })
    }
}
