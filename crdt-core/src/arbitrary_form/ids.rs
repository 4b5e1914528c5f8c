use arbitrary::{Arbitrary, Result, Unstructured};

use super::REPLICAS;
use crate::causality::{CausalContext, Frontier, VersionVector};
use crate::{Dot, DotRange, ReplicaId, SEQ_MAX};

impl<'a> Arbitrary<'a> for ReplicaId {
    /// Mostly one of a few, so that values meet.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.ratio(7_u8, 8_u8)? {
            u.choose(&REPLICAS).copied()
        } else {
            u.arbitrary().map(Self::from_u128)
        }
    }
}

/// Mostly a small number.
fn seq(u: &mut Unstructured<'_>) -> Result<u64> {
    if u.ratio(15_u8, 16_u8)? { u.int_in_range(1..=32) } else { u.int_in_range(1..=SEQ_MAX) }
}

impl<'a> Arbitrary<'a> for Dot {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u.arbitrary()?, seq(u)?))
    }
}

impl<'a> Arbitrary<'a> for DotRange {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (replica, one, other) = (u.arbitrary()?, seq(u)?, seq(u)?);
        Ok(Self::new(replica, one.min(other), one.max(other)))
    }
}

impl<'a> Arbitrary<'a> for VersionVector {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let dots: alloc::vec::Vec<Dot> = u.arbitrary()?;
        Ok(dots.into_iter().map(|dot| (dot.replica, dot.seq)).collect())
    }
}

impl<'a> Arbitrary<'a> for Frontier {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let vector: VersionVector = u.arbitrary()?;
        Ok(vector.iter().map(|(replica, seq)| Dot::new(replica, seq)).collect())
    }
}

impl<'a> Arbitrary<'a> for CausalContext {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut context = Self::new();
        for range in u.arbitrary_iter::<DotRange>()? {
            context.insert_range(range?);
        }
        Ok(context)
    }
}
