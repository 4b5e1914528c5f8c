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
/// assert_eq!(ReplicaId::from_bytes(id.to_bytes()), id);
/// ```
// Two words rather than a u128, with which a `Dot` would take 32 bytes, and rather than bytes, which
// would have to be turned round wherever ids are compared. The order is that of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReplicaId {
    high: u64,
    low: u64,
}

impl ReplicaId {
    /// The id whose big-endian number is `value`.
    pub const fn from_u128(value: u128) -> Self {
        Self { high: (value >> 64) as u64, low: value as u64 }
    }

    /// The id as a big-endian number.
    pub const fn as_u128(self) -> u128 {
        (self.high as u128) << 64 | self.low as u128
    }

    /// The id with these sixteen bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// The sixteen bytes, most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.as_u128().to_be_bytes()
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
        Self::from_bytes(value.into_bytes())
    }
}

#[cfg(feature = "uuid")]
impl From<ReplicaId> for uuid::Uuid {
    fn from(value: ReplicaId) -> Self {
        Self::from_bytes(value.to_bytes())
    }
}

impl fmt::Display for ReplicaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.to_bytes().into_iter().enumerate() {
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
