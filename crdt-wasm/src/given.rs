//! Ids and versions as JavaScript gives them: bytes that it keeps, and does not read.

use crdt_core::codec::{Decode, Reader};
use crdt_core::{ReplicaId, VersionVector};

use crate::error::Thrown;

/// A replica id from its 16 bytes.
pub(crate) fn replica_from_js(bytes: &[u8]) -> Result<ReplicaId, Thrown> {
    let bytes =
        bytes.try_into().map_err(|_| Thrown::new("argument", "a replica id has 16 bytes"))?;
    Ok(ReplicaId::from_bytes(bytes))
}

/// A version from the bytes that `version_to_js` gave.
pub(crate) fn version_from_js(bytes: &[u8]) -> Result<VersionVector, Thrown> {
    let mut input = Reader::new(bytes);
    let version = VersionVector::decode(&mut input)?;
    input.finish()?;
    Ok(version)
}
