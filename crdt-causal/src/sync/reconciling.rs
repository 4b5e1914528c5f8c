//! How two sides without a common past to name tell each other what they hold.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crdt_core::codec::{Decode, DecodeError, Encode, Limits, Reader, Writer};
use crdt_core::{ReplicaId, VersionVector};

use crate::reconcile::{Entry, Peeled, Salt, Sketch};

/// The part of a greeting that reconciles: see
/// [`Config::with_reconciliation`](super::Config::with_reconciliation).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciling {
    /// The sender can answer a sketch (flag 32).
    pub answers: bool,
    /// A [`Sketch`] of the sender's vector under its nonce, for a peer that says so (flag 64).
    pub sketch: Option<Vec<u8>>,
    /// The answer to one: how the sender's vector differs from it (flag 128).
    pub difference: Option<Vec<u8>>,
}

/// From a sketch, the own vector and the nonce of the sketch to what the peer holds, and what to
/// tell it.
type Answer = fn(&[u8], &VersionVector, u64) -> Option<(VersionVector, Vec<u8>)>;

/// What a session can do that reconciles. Who does not want it has none of its code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reconciler {
    /// The sketch of a vector, under a nonce.
    pub(super) sketch: fn(&VersionVector, u64) -> Vec<u8>,
    /// What the peer holds by its sketch, as far as it is of replicas that are known here, and the
    /// difference to tell it; `None` if the sketch is too short.
    pub(super) answer: Answer,
    /// What the peer holds, by how it differs from the vector of the sketch.
    pub(super) resolve: fn(&[u8], &VersionVector, u64) -> Option<VersionVector>,
}

pub(super) const RECONCILER: Reconciler = Reconciler { sketch, answer, resolve };

/// Symbols of a sketch: enough for 24 entries that differ, nearly always.
const SYMBOLS: usize = 64;
/// An answer of more entries is no shorter than a vector.
const ENTRIES_MAX: usize = 1 << 10;

fn salt(nonce: u64) -> Salt {
    let mut bytes = *b"........a vector";
    bytes[..8].copy_from_slice(&nonce.to_le_bytes());
    Salt(bytes)
}

fn entries(version: &VersionVector, salt: Salt) -> impl Iterator<Item = (ReplicaId, Entry)> + '_ {
    version.iter().map(move |(replica, seq)| (replica, salt.entry(&replica.to_bytes(), seq)))
}

fn sketch(version: &VersionVector, nonce: u64) -> Vec<u8> {
    let salt = salt(nonce);
    let mut out = Writer::new();
    Sketch::of(salt, entries(version, salt).map(|(_, entry)| entry), SYMBOLS).encode(&mut out);
    out.into_bytes()
}

fn answer(bytes: &[u8], own: &VersionVector, nonce: u64) -> Option<(VersionVector, Vec<u8>)> {
    let salt = salt(nonce);
    let sketch = all::<Sketch>(bytes).filter(|sketch| sketch.len() <= SYMBOLS)?;
    let Peeled { theirs, ours, .. } =
        sketch.peel(salt, entries(own, salt).map(|(_, entry)| entry)).ok()?;
    let mut theirs: BTreeMap<u64, u64> =
        theirs.into_iter().map(|entry| (entry.key, entry.value)).collect();
    let mut holds = own.clone();
    let mut differs = VersionVector::new();
    for (replica, entry) in entries(own, salt) {
        if ours.binary_search(&entry).is_ok() {
            differs.observe(replica, entry.value);
            holds.set(replica, theirs.remove(&entry.key).unwrap_or(0));
        }
    }
    let mut out = Writer::new();
    differs.encode(&mut out);
    out.count(theirs.len());
    theirs.keys().for_each(|key| out.raw(&key.to_le_bytes()));
    (differs.len() + theirs.len() <= ENTRIES_MAX).then(|| (holds, out.into_bytes()))
}

fn resolve(bytes: &[u8], sketched: &VersionVector, nonce: u64) -> Option<VersionVector> {
    let salt = salt(nonce);
    let (differs, unknown) = all::<Difference>(bytes).map(|Difference(a, b)| (a, b))?;
    let mut holds: VersionVector = entries(sketched, salt)
        .filter(|(_, entry)| unknown.binary_search(&entry.key).is_err())
        .map(|(replica, entry)| (replica, entry.value))
        .collect();
    differs.iter().for_each(|(replica, seq)| holds.set(replica, seq));
    Some(holds)
}

/// Entries that are other ones, or there alone; and the keys of those that are not there.
struct Difference(VersionVector, Vec<u64>);

impl Decode for Difference {
    const BYTES_MIN: usize = 2;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let differs = VersionVector::decode(input)?;
        let count = input.count(8)?;
        let mut unknown = Vec::with_capacity(input.capacity(count, 8));
        for _ in 0..count {
            unknown.push(u64::from_le_bytes(input.array()?));
        }
        unknown.sort_unstable();
        Ok(Self(differs, unknown))
    }
}

/// Reads something that fills `bytes`, which were within the limits of a greeting.
fn all<T: Decode>(bytes: &[u8]) -> Option<T> {
    let limits = Limits::default().with_input_bytes_max(bytes.len());
    let mut input = Reader::with_limits(bytes, limits).ok()?;
    let value = T::decode(&mut input).ok()?;
    input.finish().is_ok().then_some(value)
}
