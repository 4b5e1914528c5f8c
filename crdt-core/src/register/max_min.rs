//! The registers of the greatest and of the least value.

use crate::Lattice;
use crate::codec::{self, Decode, DecodeError, DecodeErrorKind, Encode, Reader};
use crate::lattice::{Decompose, Part};
use alloc::vec::Vec;

const VERSION: u8 = 0;

macro_rules! extreme {
    (
        $(#[$doc:meta])* $name:ident, $delta:ident, $word:literal, $beats:tt,
        $(#[$raise_doc:meta])* $raise:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<V> {
            pub(crate) value: Option<V>,
        }

        #[doc = concat!("A part of a [`", stringify!($name), "`]: a value that it has reached.")]
        pub type $delta<V> = Part<$name<V>>;

        impl<V> $name<V> {
            /// The register that was never written.
            pub const fn new() -> Self {
                Self { value: None }
            }

            #[doc = concat!("The ", $word, " value so far, unless there is none.")]
            pub const fn get(&self) -> Option<&V> {
                self.value.as_ref()
            }
        }

        impl<V: Ord> $name<V> {
            $(#[$raise_doc])*
            pub fn $raise(&mut self, value: V) -> $delta<V>
            where
                V: Clone,
            {
                let other = Self { value: Some(value) };
                if self.join(other.clone()) { Part(other) } else { Part(Self::new()) }
            }

            /// Takes in a delta or another register; whether it brought news.
            pub fn join(&mut self, other: impl Into<$delta<V>>) -> bool {
                let Part(Self { value: Some(value) }) = other.into() else { return false };
                let news = self.value.as_ref().is_none_or(|held| value $beats *held);
                if news {
                    self.value = Some(value);
                }
                news
            }
        }

        impl<V> Default for $name<V> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<V: Ord> Lattice for $name<V> {
            type Delta = $delta<V>;

            fn join(&mut self, other: impl Into<$delta<V>>) -> bool {
                Self::join(self, other)
            }
        }

        impl<V: Ord + Clone> Decompose for $name<V> {
            fn decompose(&self) -> Vec<$delta<V>> {
                self.value.iter().map(|_| Part(self.clone())).collect()
            }
        }

        impl<V: Encode> Encode for $name<V> {
            /// The format version, then 0, or 1 and the value.
            fn encode(&self, out: &mut codec::Writer) {
                out.u8(VERSION);
                self.value.encode(out);
            }
        }

        impl<V: Decode> Decode for $name<V> {
            const BYTES_MIN: usize = 2;

            fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let at = input.position();
                if input.u8()? != VERSION {
                    return Err(DecodeErrorKind::UnknownVersion.at(at));
                }
                Ok(Self { value: Decode::decode(input)? })
            }
        }
    };
}

extreme!(
    /// A register that keeps the greatest value that it was ever raised to.
    ///
    /// | one replica | concurrently, another | after the join |
    /// |---|---|---|
    /// | `raise(3)` | `raise(5)` | 5 |
    /// | `raise(5)`, then `raise(3)` | nothing | 5: the second changes nothing |
    ///
    /// High-water marks, the last time somebody was seen, and the states of a life cycle that
    /// never goes back: what can be put in order is a chain, and the value only climbs it. No
    /// event is named, so to raise it takes no writer.
    ///
    /// **State.** The value. The lattice is the maximum. **Cost.** One comparison.
    ///
    /// Baquero, Almeida, Cunha, Ferreira, *Composition in state-based replicated data types*
    /// (2017), chains.
    ///
    /// ```
    /// use crdt_core::MaxRegister;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    /// enum Order { Placed, Confirmed, Preparing, Dispatched, Delivered }
    ///
    /// let (mut shop, mut rider) = (MaxRegister::new(), MaxRegister::new());
    /// let preparing = shop.raise(Order::Preparing);
    /// let delivered = rider.raise(Order::Delivered);
    /// rider.join(preparing); // arrives late
    /// shop.join(delivered);
    ///
    /// assert_eq!(rider.get(), Some(&Order::Delivered));
    /// assert_eq!(shop, rider);
    /// ```
    MaxRegister, MaxRegisterDelta, "greatest", >,
    /// Raises the register to a value. The delta is empty, and nothing has changed, if it holds
    /// an equal or a greater one.
    raise
);

extreme!(
    /// A register that keeps the least value that it was ever lowered to.
    ///
    /// | one replica | concurrently, another | after the join |
    /// |---|---|---|
    /// | `lower(3)` | `lower(5)` | 3 |
    /// | `lower(3)`, then `lower(5)` | nothing | 3: the second changes nothing |
    ///
    /// Lowest offers, earliest times, budgets that only shrink. No event is named, so to lower
    /// it takes no writer.
    ///
    /// **State.** The value. The lattice is the minimum. **Cost.** One comparison.
    ///
    /// Baquero, Almeida, Cunha, Ferreira, *Composition in state-based replicated data types*
    /// (2017), chains.
    ///
    /// ```
    /// use crdt_core::MinRegister;
    ///
    /// let (mut mumbai, mut delhi) = (MinRegister::new(), MinRegister::new());
    /// let offer = mumbai.lower(1_299);
    /// let better = delhi.lower(1_249);
    /// delhi.join(offer);
    /// mumbai.join(better);
    ///
    /// assert_eq!(mumbai.get(), Some(&1_249));
    /// assert_eq!(mumbai, delhi);
    /// ```
    MinRegister, MinRegisterDelta, "least", <,
    /// Lowers the register to a value. The delta is empty, and nothing has changed, if it holds
    /// an equal or a lesser one.
    lower
);
