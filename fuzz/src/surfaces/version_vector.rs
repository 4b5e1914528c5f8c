//! Version vectors and frontiers, the short names of versions.

use crdt_core::{Dot, Frontier, VersionVector};

use super::replicas;
use crate::values::{decode, encode};

/// Decodes a vector and a frontier behind it, and compares them as a peer would.
pub fn run(bytes: &[u8]) {
    let rest = match decode::<VersionVector>(bytes) {
        Some((vector, rest)) => {
            assert!(vector.iter().all(|(_, last)| last > 0), "zero is absence");
            let mut joined = vector.clone();
            joined.join(&vector);
            assert_eq!(joined, vector);
            rest
        }
        None => bytes,
    };
    if let Some((frontier, _)) = decode::<Frontier>(rest) {
        assert!(frontier.dots().is_sorted(), "a frontier ascends");
    }
}

/// Nothing, a few replicas, and a vector with its frontier.
pub fn seeds() -> Vec<Vec<u8>> {
    let vector: VersionVector = replicas().into_iter().zip([1, 300, 1 << 40]).collect();
    let frontier: Frontier = vector.iter().map(|(replica, last)| Dot::new(replica, last)).collect();
    let (vector, frontier) = (encode(&vector), encode(&frontier));
    vec![encode(&VersionVector::new()), vector.clone(), [vector, frontier].concat()]
}
