use alloc::vec::Vec;

use arbitrary::{Arbitrary, Result, Unstructured};

use super::history;
use crate::counter::{GCounterDelta, PnCounterDelta};
use crate::lattice::Part;
use crate::register::LwwRegisterDelta;
use crate::{
    BoundedCounter, GCounter, GrowOnlySet, LwwRegister, MaxRegister, MinRegister, PnCounter,
    TwoPhaseSet,
};

impl<'a> Arbitrary<'a> for GCounter {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let made = history(u, |root: &mut Self, replica, u| {
            let mut writer = root.writer(replica);
            Ok(root.increment(u.arbitrary()?, &mut writer).unwrap_or_default())
        });
        Ok(made?.0)
    }
}

impl<'a> Arbitrary<'a> for PnCounter {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let made = history(u, |root: &mut Self, replica, u| {
            let (amount, mut writer) = (u.arbitrary()?, root.writer(replica));
            let moved = if u.arbitrary()? {
                root.increment(amount, &mut writer)
            } else {
                root.decrement(amount, &mut writer)
            };
            Ok(moved.unwrap_or_default())
        });
        Ok(made?.0)
    }
}

impl<'a> Arbitrary<'a> for BoundedCounter {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let made = history(u, |root: &mut Self, replica, u| {
            let (amount, mut writer) = (u64::from(u.arbitrary::<u16>()?), root.writer(replica));
            let changed = match u.int_in_range(0..=3)? {
                0 => root.transfer(amount, u.arbitrary()?, &mut writer),
                1 => root.decrement(amount, &mut writer),
                _ => root.increment(amount, &mut writer),
            };
            Ok(changed.unwrap_or_default())
        });
        Ok(made?.0)
    }
}

impl<'a, V: Arbitrary<'a> + Clone, S: Arbitrary<'a> + Ord + Clone> Arbitrary<'a>
    for LwwRegister<V, S>
{
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let made = history(u, |root: &mut Self, replica, u| {
            let mut writer = root.writer(replica);
            let set = root.set(u.arbitrary()?, u.arbitrary()?, &mut writer);
            Ok(set.expect("numbers are left"))
        });
        Ok(made?.0)
    }
}

impl<'a, V: Arbitrary<'a>> Arbitrary<'a> for MaxRegister<V> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { value: u.arbitrary()? })
    }
}

impl<'a, V: Arbitrary<'a>> Arbitrary<'a> for MinRegister<V> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { value: u.arbitrary()? })
    }
}

impl<'a, E: Arbitrary<'a> + Ord> Arbitrary<'a> for GrowOnlySet<E> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary_iter()?.collect()
    }
}

impl<'a, E: Arbitrary<'a> + Ord> Arbitrary<'a> for TwoPhaseSet<E> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut set = Self::new();
        for known in u.arbitrary::<Vec<(E, bool)>>()? {
            set.raise(known.0, known.1);
        }
        Ok(set)
    }
}

/// Deltas that are a value of the kind of which they are a part.
macro_rules! parts {
    ($($delta:ident [$($generics:tt)*] [$($names:ident),*] $value:ty;)*) => {$(
        impl<'a, $($generics)*> Arbitrary<'a> for $delta<$($names),*> {
            fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
                <$value>::arbitrary(u).map(Self)
            }
        }
    )*};
}

parts! {
    GCounterDelta [] [] GCounter;
    PnCounterDelta [] [] PnCounter;
    LwwRegisterDelta
        [V: Arbitrary<'a> + Clone, S: Arbitrary<'a> + Ord + Clone] [V, S]
        LwwRegister<V, S>;
    Part [L: Arbitrary<'a>] [L] L;
}
