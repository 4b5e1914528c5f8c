use arbitrary::{Arbitrary, Result, Unstructured};

use super::history;
use crate::counter::Movement;
use crate::dot_store::{Causal, Delta, Digest, DotFun, DotMap, DotSet, DotStore, Edit};
use crate::flag::Toggle;
use crate::lattice::Lattice;
use crate::map::Whole;
use crate::register::{Payload, RedactableStore};

/// A store that can be changed by what bytes say.
pub trait ArbitraryStore<'a>: DotStore + Clone {
    /// One change.
    ///
    /// # Errors
    ///
    /// There are not enough bytes.
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()>;
}

/// A root and a delta of it.
fn made<'a, S: ArbitraryStore<'a>>(
    u: &mut Unstructured<'a>,
) -> Result<(Causal<S>, Option<Delta<S>>)> {
    history(u, |root: &mut Causal<S>, replica, u| {
        let mut writer = root.writer(replica);
        let mut changed = Ok(());
        let delta = root.edit(&mut writer, |edit| changed = S::change(edit, u));
        changed?;
        Ok(delta.expect("numbers are left"))
    })
}

impl<'a, S: ArbitraryStore<'a>> Arbitrary<'a> for Causal<S> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(made(u)?.0)
    }
}

impl<'a, S: ArbitraryStore<'a>> Arbitrary<'a> for Delta<S> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(made(u)?.1.unwrap_or_default())
    }
}

impl<'a> Arbitrary<'a> for Digest {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Causal::<DotMap<u8, DotSet>>::arbitrary(u)?.digest())
    }
}

impl<'a> ArbitraryStore<'a> for DotSet {
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        if u.ratio(3_u8, 4_u8)? {
            edit.put()
        } else {
            edit.take_out()
        }
        Ok(())
    }
}

impl<'a, V: Arbitrary<'a> + Clone> ArbitraryStore<'a> for DotFun<V> {
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        match u.int_in_range(0..=7)? {
            0 => edit.take_out(),
            1..=3 => edit.put_beside(u.arbitrary()?),
            _ => edit.put(u.arbitrary()?),
        }
        Ok(())
    }
}

impl<'a, V: Arbitrary<'a> + Clone, C: Arbitrary<'a> + Ord + Clone> ArbitraryStore<'a>
    for RedactableStore<V, C>
{
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        match u.int_in_range(0..=7)? {
            0 => edit.take_out(),
            1 | 2 => {
                let commitment: C = u.arbitrary()?;
                edit.redact_all(|_| commitment.clone());
            }
            _ => edit.put(u.arbitrary()?),
        }
        Ok(())
    }
}

impl<'a, K: Arbitrary<'a> + Ord + Clone, S: ArbitraryStore<'a>> ArbitraryStore<'a>
    for DotMap<K, S>
{
    fn change(edit: &mut Edit<'_, Self>, u: &mut Unstructured<'a>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0 => edit.clear(),
            1..=4 => {
                let index = u.int_in_range(0..=edit.get().len())?;
                let key = edit.get().keys().nth(index).cloned();
                key.into_iter().for_each(|key| _ = edit.remove(&key));
            }
            _ => {
                let mut changed = Ok(());
                edit.update(u.arbitrary()?, |store| changed = S::change(store, u));
                changed?;
            }
        }
        Ok(())
    }
}

impl<'a> Arbitrary<'a> for Movement {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let amount = u.arbitrary::<i64>()?;
        Ok(Self::of(if amount == 0 { 1 } else { amount }).expect("it is not 0"))
    }
}

impl<'a> Arbitrary<'a> for Toggle {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { enables: u.arbitrary()? })
    }
}

impl<'a, L: Arbitrary<'a> + Lattice> Arbitrary<'a> for Whole<L> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self)
    }
}

impl<'a, V: Arbitrary<'a>, C: Arbitrary<'a>> Arbitrary<'a> for Payload<V, C> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.arbitrary()? {
            u.arbitrary().map(Self::Held)
        } else {
            u.arbitrary().map(Self::Redacted)
        }
    }
}
