//! What a message names as its causes.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::slice;

use crdt_core::Dot;

/// The direct parents that a message names, in an order of its own.
///
/// A list of dots, used as a slice. One parent, and most messages have no more, stands in the message
/// itself: neither to make such a list nor to let go of it asks the allocator for anything, which took
/// as long as everything else that is done with a message that is next in turn.
///
/// ```
/// use crdt_causal::delivery::Parents;
/// use crdt_core::{Dot, ReplicaId};
///
/// let [ann, bob] = [1, 2].map(|number| Dot::new(ReplicaId::from_u128(number), 1));
/// let mut parents = Parents::from(ann);
/// parents.push(bob);
/// assert_eq!(*parents, [ann, bob]);
/// assert_eq!(parents, [ann, bob].into_iter().collect());
/// assert!(Parents::NONE.is_empty());
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Parents(Few);

/// One form for each length, so that equal lists are equal values.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
enum Few {
    #[default]
    None,
    One(Dot),
    /// Two or more.
    Many(Vec<Dot>),
}

impl Parents {
    /// No parent but the predecessor of the same replica, which goes without saying.
    pub const NONE: Self = Self(Few::None);

    /// Appends a parent. Amortised O(1).
    pub fn push(&mut self, dot: Dot) {
        match &mut self.0 {
            Few::None => self.0 = Few::One(dot),
            Few::One(first) => self.0 = Few::Many(vec![*first, dot]),
            Few::Many(dots) => dots.push(dot),
        }
    }
}

impl Deref for Parents {
    type Target = [Dot];

    #[inline]
    fn deref(&self) -> &[Dot] {
        match &self.0 {
            Few::None => &[],
            Few::One(dot) => slice::from_ref(dot),
            Few::Many(dots) => dots,
        }
    }
}

impl From<Dot> for Parents {
    fn from(dot: Dot) -> Self {
        Self(Few::One(dot))
    }
}

impl From<Vec<Dot>> for Parents {
    fn from(dots: Vec<Dot>) -> Self {
        match *dots {
            [] => Self::NONE,
            [dot] => dot.into(),
            _ => Self(Few::Many(dots)),
        }
    }
}

impl From<&[Dot]> for Parents {
    fn from(dots: &[Dot]) -> Self {
        dots.iter().copied().collect()
    }
}

impl<const N: usize> From<[Dot; N]> for Parents {
    fn from(dots: [Dot; N]) -> Self {
        dots.into_iter().collect()
    }
}

impl FromIterator<Dot> for Parents {
    fn from_iter<I: IntoIterator<Item = Dot>>(dots: I) -> Self {
        let mut dots = dots.into_iter();
        let Some(first) = dots.next() else { return Self::NONE };
        let Some(second) = dots.next() else { return first.into() };
        let mut many = Vec::with_capacity(2 + dots.size_hint().0);
        many.extend([first, second]);
        many.extend(dots);
        Self(Few::Many(many))
    }
}

impl<'a> IntoIterator for &'a Parents {
    type Item = &'a Dot;
    type IntoIter = slice::Iter<'a, Dot>;

    fn into_iter(self) -> slice::Iter<'a, Dot> {
        self.iter()
    }
}

impl fmt::Debug for Parents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Message;
    use crdt_core::ReplicaId;

    /// However a list came about, it is the list, and equal to itself alone.
    #[test]
    fn behaves_as_a_vector() {
        let dots: Vec<Dot> = (1..=5).map(|seq| Dot::new(ReplicaId::from_u128(7), seq)).collect();
        for len in 0..=dots.len() {
            let plain = dots[..len].to_vec();
            let mut pushed = Parents::NONE;
            plain.iter().for_each(|dot| pushed.push(*dot));
            let collected: Parents = plain.iter().copied().collect();
            for parents in [&collected, &plain.clone().into(), &plain[..].into()] {
                assert_eq!((&pushed, &**parents), (parents, &plain[..]));
                assert!(parents.into_iter().eq(&plain));
            }
            for other in (0..=dots.len()).filter(|other| *other != len) {
                assert_ne!(collected, dots[..other].into());
            }
        }
        assert_eq!(Parents::from([dots[0]]), Parents::from(dots[0]));
    }

    #[test]
    fn a_message_is_its_dot_a_parent_and_its_payload() {
        assert_eq!(size_of::<Message<[u8; 16]>>(), 24 + 32 + 16);
        assert_eq!(size_of::<Option<Message<[u8; 16]>>>(), 24 + 32 + 16);
    }
}
