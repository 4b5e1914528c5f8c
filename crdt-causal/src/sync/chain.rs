//! Running hashes, which tell two histories under one replica id apart.

use alloc::vec::Vec;
use core::fmt;

use crdt_core::canary::is_planted;
use crdt_core::codec::{DecodeError, Reader, Writer};
use crdt_core::{Dot, Frontier};

use super::log::ChangeLog;

/// A running hash over the events of one replica: h(n) = H(h(n - 1), what event n is).
///
/// A dot names an event, and a replica that was cloned, or restored from a backup and written to
/// again, gives one name to two events. From the first such event on the hashes of the two
/// histories differ, so that two logs which hold a common dot find out by comparing eight bytes
/// whether they hold the same events up to it.
///
/// It is quick and not cryptographic: it finds accidents, all but one in 2⁶⁴, and does not stop
/// whoever makes histories up that collide.
///
/// ```
/// use crdt_causal::sync::ChainHash;
///
/// let first = ChainHash::START.bytes(b"first");
/// assert_eq!(first.bytes(b"second"), ChainHash::START.bytes(b"first").bytes(b"second"));
/// assert_ne!(first.bytes(b"second"), first.bytes(b"other"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainHash(pub u64);

/// The golden ratio, odd.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl ChainHash {
    /// Before the first event.
    pub const START: Self = Self(0x6c62_272e_07bb_0142);

    /// Takes in eight bytes of an event.
    #[must_use]
    pub const fn word(self, word: u64) -> Self {
        // A bijection for each word, so that two histories that differ once stay different as
        // long as what follows is the same.
        let mixed = (self.0 ^ word).wrapping_mul(FACTOR);
        Self(mixed ^ (mixed >> 32))
    }

    /// Takes in any bytes of an event, and how many there are.
    #[must_use]
    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut hash = self;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = hash.word(u64::from_le_bytes(word));
        }
        hash.word(bytes.len() as u64)
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Eight bytes that stand for everything that a log holds: equal for equal sets of events.
///
/// Of a log that knows no [running hashes](ChangeLog::chain) they stand for the names of the events.
#[must_use]
pub fn fingerprint<L: ChangeLog>(log: &L) -> u64 {
    let mut hash = ChainHash::START.bytes(&log.genesis());
    for dot in &log.frontier() {
        hash = hash.bytes(&dot.replica.to_bytes()).word(dot.seq);
        if let Some(chain) = log.chain(dot) {
            hash = hash.word(chain.0);
        }
    }
    hash.0
}

/// The running hashes at some dots, if the log knows each of them.
pub(super) fn of<L: ChangeLog>(dots: &Frontier, log: &L) -> Option<Vec<ChainHash>> {
    dots.iter().map(|dot| log.chain(dot)).collect()
}

/// Compares what a peer says of some dots with what is here: whether both sides hold the same
/// events up to each of them. `Err` names one up to which they hold different ones.
pub(super) fn compare<L: ChangeLog>(
    dots: &Frontier,
    chains: &[ChainHash],
    log: &L,
) -> Result<bool, Dot> {
    let mut same = chains.len() == dots.len();
    for (dot, theirs) in dots.iter().zip(chains) {
        let held = log.version().contains(dot);
        match if held { log.chain(dot) } else { None } {
            // A planted bug: whoever holds the same names is taken to hold the same events.
            Some(own) if own != *theirs && !is_planted("trust-the-numbers") => return Err(dot),
            Some(_) => {}
            None => same = false,
        }
    }
    Ok(same)
}

pub(super) fn encode(chains: &[ChainHash], out: &mut Writer) {
    chains.iter().for_each(|chain| out.raw(&chain.0.to_le_bytes()));
}

/// One for each of so many dots.
pub(super) fn decode(dots: usize, input: &mut Reader<'_>) -> Result<Vec<ChainHash>, DecodeError> {
    let mut chains = Vec::with_capacity(input.capacity(dots, 8));
    for _ in 0..dots {
        chains.push(ChainHash(u64::from_le_bytes(input.array()?)));
    }
    Ok(chains)
}
