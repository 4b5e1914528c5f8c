//! A set of numbers that only grows, with one mistake in it.

use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

use crate::codec::{Decode, DecodeError, Encode, Reader, Writer};
use crate::lattice::{Decompose, Parts};
use crate::laws::{Event, Subject, Version};
use crate::{Lattice, ReplicaId};

/// What is wrong with a [`Flawed`] type.
pub(super) type Flaw = u8;

pub(super) const NONE: Flaw = 0;
/// A reader is not shown a 3.
pub(super) const HIDES: Flaw = 1;
/// A reader of the empty set is shown a 7.
pub(super) const BEGINS_WITH_ONE: Flaw = 2;
/// The delta of a 3 does not tell it.
pub(super) const LEAVES_OUT: Flaw = 3;
/// What is known already is told again.
pub(super) const REPEATS: Flaw = 4;
/// A state with more than one number does not say that it has changed.
pub(super) const KEEPS_QUIET: Flaw = 5;
/// A state says that it has changed, whether it has or not.
pub(super) const BOASTS: Flaw = 6;
/// A delta says so.
pub(super) const DELTA_BOASTS: Flaw = 7;
/// A 3 that is there breaks an invariant.
pub(super) const INVARIANT: Flaw = 8;
/// A 3 is not read from the bytes.
pub(super) const FORGETS: Flaw = 9;
/// A 3 is not read from the bytes of a delta.
pub(super) const DELTA_FORGETS: Flaw = 10;
/// Bytes are left when a state has been read.
pub(super) const READS_LESS: Flaw = 11;
/// How often a state was joined with something is in its bytes.
pub(super) const COUNTS_JOINS: Flaw = 12;
/// A delta that gathers more than two numbers loses one.
pub(super) const GATHERS_TWO: Flaw = 13;
/// A 0 is lost where a 1 comes in.
pub(super) const ORDER: Flaw = 14;
/// Of more than one number that come in at once, one is lost.
pub(super) const TAKES_ONE: Flaw = 15;
/// No part has the 3.
pub(super) const PARTS_LESS: Flaw = 16;
/// A number is in two parts.
pub(super) const PARTS_TWICE: Flaw = 17;
/// Of three numbers, two are one part.
pub(super) const PARTS_PAIRED: Flaw = 18;
/// A 3 is not in the difference.
pub(super) const DIFFERENCE_LESS: Flaw = 19;
/// What lacks nothing is told something all the same.
pub(super) const DIFFERENCE_FOR_NOTHING: Flaw = 20;
/// What lacks something is told something else besides.
pub(super) const DIFFERENCE_MORE: Flaw = 21;

const THREE: u8 = 1 << 3;

/// Bits 0 to 7 are the numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Known<const FLAW: Flaw> {
    pub(super) numbers: u8,
    joins: u8,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told<const FLAW: Flaw> {
    pub(super) numbers: u8,
}

pub(super) struct Flawed<const FLAW: Flaw>;

impl<const FLAW: Flaw> Known<FLAW> {
    pub(super) const fn of(numbers: u8) -> Self {
        Self { numbers, joins: 0 }
    }
}

impl<const FLAW: Flaw> Told<FLAW> {
    pub(super) const fn of(numbers: u8) -> Self {
        Self { numbers }
    }
}

impl<const FLAW: Flaw> PartialEq for Known<FLAW> {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl<const FLAW: Flaw> Hash for Known<FLAW> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.numbers.hash(state);
    }
}

impl<const FLAW: Flaw> From<Known<FLAW>> for Told<FLAW> {
    fn from(known: Known<FLAW>) -> Self {
        Self { numbers: known.numbers }
    }
}

impl<const FLAW: Flaw> Lattice for Known<FLAW> {
    type Delta = Told<FLAW>;

    fn join(&mut self, other: impl Into<Told<FLAW>>) -> bool {
        let before = self.numbers;
        let mut told = other.into().numbers;
        if FLAW == TAKES_ONE && told.count_ones() > 1 {
            told &= told - 1;
        }
        self.numbers |= told;
        if FLAW == ORDER && told & 0b11 == 0b10 {
            self.numbers &= !1;
        }
        self.joins = self.joins.wrapping_add(1);
        match FLAW {
            KEEPS_QUIET if self.numbers.count_ones() > 1 => false,
            BOASTS => true,
            _ => self.numbers != before,
        }
    }
}

impl<const FLAW: Flaw> Lattice for Told<FLAW> {
    type Delta = Self;

    fn join(&mut self, other: impl Into<Self>) -> bool {
        let before = self.numbers;
        self.numbers |= other.into().numbers;
        if FLAW == GATHERS_TWO && self.numbers.count_ones() > 2 {
            self.numbers &= self.numbers - 1;
        }
        FLAW == DELTA_BOASTS || self.numbers != before
    }
}

impl<const FLAW: Flaw> Decompose for Known<FLAW> {
    fn decompose(&self) -> Parts<Self> {
        let numbers = if FLAW == PARTS_LESS { self.numbers & !THREE } else { self.numbers };
        let mut parts: Vec<u8> =
            (0..8).map(|number| 1 << number).filter(|part| numbers & part != 0).collect();
        if FLAW == PARTS_TWICE {
            parts.extend(parts.first().copied());
        }
        if FLAW == PARTS_PAIRED && parts.len() > 2 {
            parts[0] |= parts.pop().expect("more than two");
        }
        parts.into_iter().map(Told::of).collect()
    }

    fn difference(&self, other: &Self) -> Told<FLAW> {
        let lacking = self.numbers & !other.numbers;
        Told::of(match FLAW {
            DIFFERENCE_LESS => lacking & !THREE,
            DIFFERENCE_FOR_NOTHING if lacking == 0 => self.numbers,
            DIFFERENCE_MORE if lacking != 0 => self.numbers,
            _ => lacking,
        })
    }
}

impl<const FLAW: Flaw> Encode for Known<FLAW> {
    fn encode(&self, out: &mut Writer) {
        let second = if FLAW == COUNTS_JOINS { self.joins } else { 0 };
        [self.numbers, second].iter().for_each(|byte| byte.encode(out));
    }
}

impl<const FLAW: Flaw> Decode for Known<FLAW> {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let numbers = u8::decode(input)?;
        let joins = if FLAW == READS_LESS { 0 } else { u8::decode(input)? };
        Ok(Self { numbers: if FLAW == FORGETS { numbers & !THREE } else { numbers }, joins })
    }
}

impl<const FLAW: Flaw> Encode for Told<FLAW> {
    fn encode(&self, out: &mut Writer) {
        self.numbers.encode(out);
    }
}

impl<const FLAW: Flaw> Decode for Told<FLAW> {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let numbers = u8::decode(input)?;
        Ok(Self::of(if FLAW == DELTA_FORGETS { numbers & !THREE } else { numbers }))
    }
}

impl<const FLAW: Flaw> Subject for Flawed<FLAW> {
    /// A number to add.
    type Op = u8;
    type Root = Known<FLAW>;
    type Delta = Told<FLAW>;
    type Writer = ();
    type Value = u8;

    fn writer(_: &Known<FLAW>, _: ReplicaId) {}

    fn apply(root: &mut Known<FLAW>, op: &u8, (): &mut ()) -> Told<FLAW> {
        let added = 1 << (op % 8);
        let known = root.numbers;
        root.numbers |= added;
        Told::of(match FLAW {
            LEAVES_OUT if added == THREE => 0,
            REPEATS => added,
            _ => added & !known,
        })
    }

    fn value(root: &Known<FLAW>) -> u8 {
        match FLAW {
            HIDES => root.numbers & !THREE,
            BEGINS_WITH_ONE if root.numbers == 0 => 1 << 7,
            _ => root.numbers,
        }
    }

    fn specified(events: &[Event<u8>], version: Version) -> u8 {
        version.iter().fold(0, |numbers, event| numbers | 1 << (events[event].op % 8))
    }

    fn check(root: &Known<FLAW>) {
        assert!(FLAW != INVARIANT || root.numbers & THREE == 0, "the invariant holds");
    }
}
