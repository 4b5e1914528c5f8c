use core::cmp::Ordering;
use core::fmt;

/// The name of one writer of one replicated value: 128 bits, as a UUID has.
///
/// One id belongs to one *storage lease*: a process or browser tab that holds the lease's
/// lock and finds its stored counter at or above what others have seen may go on with the
/// id; everyone else mints a new one. It names neither a user nor a place: two devices of
/// one user are two replicas. Two writers under one id issue the same [`Dot`](crate::Dot)
/// for different events, which every replica reports as an *equivocation*.
///
/// With random ids, 10⁹ replicas collide with probability below 10⁻²⁰.
///
/// ```
/// use crdt_core::ReplicaId;
///
/// let id = ReplicaId::from_u128(0x67e5504410b1426f9247bb680e5fe0c8);
/// assert_eq!(id.to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
/// assert_eq!(ReplicaId::from_bytes(*id.as_bytes()), id);
/// ```
// Bytes rather than a u128: the order is the same (big-endian), and a `Dot` stays 24 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReplicaId([u8; 16]);

impl Ord for ReplicaId {
    fn cmp(&self, other: &Self) -> Ordering {
        // As numbers they are compared at once, except where there is no instruction that turns
        // bytes round: a dozen take its place, wherever ids are compared.
        if cfg!(target_arch = "wasm32") {
            self.0.cmp(&other.0)
        } else {
            self.as_u128().cmp(&other.as_u128())
        }
    }
}

impl PartialOrd for ReplicaId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ReplicaId {
    /// The id whose big-endian number is `value`.
    pub const fn from_u128(value: u128) -> Self {
        Self(value.to_be_bytes())
    }

    /// The id as a big-endian number.
    pub const fn as_u128(self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The id with these sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes, most significant first.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<u128> for ReplicaId {
    fn from(value: u128) -> Self {
        Self::from_u128(value)
    }
}

#[cfg(feature = "uuid")]
impl From<uuid::Uuid> for ReplicaId {
    fn from(value: uuid::Uuid) -> Self {
        Self(value.into_bytes())
    }
}

#[cfg(feature = "uuid")]
impl From<ReplicaId> for uuid::Uuid {
    fn from(value: ReplicaId) -> Self {
        Self::from_bytes(value.0)
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplicaId({self})")
    }
}
