//! The first symbols of a set.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crdt_core::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

use super::indices::Indices;
use super::salt::{Entry, Salt};
use super::symbol::Symbol;

/// A summary of a set of entries: its first coded symbols.
///
/// The sum of the symbols of two sets tells the entries that are in one of them alone, if there
/// are enough symbols for that: between 1.4 and 2 for each such entry, the fewer the more there
/// are. A set has as many symbols as anyone wants; longer sketches begin as shorter ones do.
///
/// A symbol takes 14 bytes and as many as the greatest value needs, 8 at most.
///
/// ```
/// use crdt_causal::reconcile::{Salt, Sketch};
///
/// let salt = Salt([7; 16]);
/// let set = |extra: u64| (0..1_000).chain([extra]).map(move |n| salt.entry(b"number", n));
/// let theirs = Sketch::of(salt, set(2_000), 8);
/// let peeled = theirs.peel(salt, set(3_000)).expect("eight symbols are enough for two");
/// assert_eq!(peeled.theirs[0].value, 2_000);
/// assert_eq!(peeled.ours[0].value, 3_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sketch {
    symbols: Vec<Symbol>,
}

/// How two sets differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peeled {
    /// In their set alone, in ascending order.
    pub theirs: Vec<Entry>,
    /// In our set alone, in ascending order.
    pub ours: Vec<Entry>,
}

/// A sketch has too few symbols for the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TooShort {
    /// About how many entries differ.
    pub apart: u64,
}

impl TooShort {
    /// How many symbols will do, most likely, where `symbols` did not.
    #[must_use]
    pub fn symbols(&self, symbols: usize) -> usize {
        let apart = usize::try_from(self.apart).unwrap_or(usize::MAX);
        apart.saturating_mul(2).max(symbols.saturating_mul(3) / 2).saturating_add(16)
    }
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sketch is too short for about {} entries that differ", self.apart)
    }
}

impl core::error::Error for TooShort {}

impl Sketch {
    /// The first `symbols` symbols of a set, 1 at least. O(entries · log symbols).
    #[must_use]
    pub fn of(salt: Salt, entries: impl IntoIterator<Item = Entry>, symbols: usize) -> Self {
        let mut sketch = Self { symbols: vec![Symbol::default(); symbols.max(1)] };
        for entry in entries {
            sketch.add(entry, salt.digest(entry), 1);
        }
        sketch
    }

    /// How many symbols there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Whether there are no symbols, which is never so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// How the set of this sketch, theirs, differs from ours; where it has too few symbols to
    /// tell, or is no sketch under this salt, about how many entries differ.
    ///
    /// Costs as much as a sketch of ours, and O(difference · log symbols).
    ///
    /// # Errors
    ///
    /// [`TooShort`].
    pub fn peel(
        mut self,
        salt: Salt,
        ours: impl IntoIterator<Item = Entry>,
    ) -> Result<Peeled, TooShort> {
        let own = Self::of(salt, ours, self.symbols.len());
        for (symbol, own) in self.symbols.iter_mut().zip(&own.symbols) {
            symbol.subtract(own);
        }
        let too_short = TooShort { apart: self.estimate() };
        let mut peeled = Peeled::default();
        let mut pure: Vec<usize> = (0..self.symbols.len()).collect();
        while let Some(index) = pure.pop() {
            let symbol = self.symbols[index];
            let Some((entry, digest)) = symbol.only(salt) else { continue };
            // Symbols that were made up could go on for ever.
            if peeled.theirs.len() + peeled.ours.len() == self.symbols.len() {
                return Err(too_short);
            }
            if symbol.count > 0 { &mut peeled.theirs } else { &mut peeled.ours }.push(entry);
            self.add(entry, digest, -symbol.count);
            let touched = Indices::of(digest).take_while(|&at| at < self.symbols.len() as u64);
            pure.extend(touched.map(|at| at as usize).filter(|&at| self.symbols[at].count != 0));
        }
        if !self.symbols.iter().all(Symbol::is_empty) {
            return Err(too_short);
        }
        peeled.theirs.sort_unstable();
        peeled.ours.sort_unstable();
        Ok(peeled)
    }

    /// About how many entries the sum of two sketches still holds: the spread of the counts tells.
    fn estimate(&self) -> u64 {
        let balance = self.symbols[0].count as f64;
        let (mut squares, mut variance) = (0.0, 0.0);
        for (index, symbol) in self.symbols.iter().enumerate().skip(1) {
            let held = 2.0 / (index as f64 + 2.0);
            let deviation = symbol.count as f64 - balance * held;
            squares += deviation * deviation;
            variance += held * (1.0 - held);
        }
        // Casts saturate: who makes counts up gets a number that is no use.
        let spread = if variance > 0.0 { (squares / variance) as u64 } else { 0 };
        spread.max(self.symbols[0].count.unsigned_abs())
    }

    fn add(&mut self, entry: Entry, digest: u64, times: i64) {
        let end = self.symbols.len() as u64;
        for index in Indices::of(digest).take_while(|&index| index < end) {
            self.symbols[index as usize].add(entry, digest, times);
        }
    }

    /// About how many entries a symbol holds, of a set of so many.
    fn expected(entries: i64, index: usize) -> i64 {
        let (whole, index) = (entries.unsigned_abs() as u128 * 2, index as u128 + 2);
        i64::try_from(whole / index).unwrap_or(i64::MAX)
    }
}

/// How many symbols, how many bytes a value has, then the symbols: key and value and check as they are, the
/// count by how far it is from what is to be expected.
impl Encode for Sketch {
    fn encode(&self, out: &mut Writer) {
        let values = self.symbols.iter().fold(0, |all, symbol| all | symbol.value);
        let width = width(values);
        out.count(self.symbols.len());
        out.u8(width as u8);
        let entries = self.symbols[0].count;
        for (index, symbol) in self.symbols.iter().enumerate() {
            out.raw(&symbol.key.to_le_bytes());
            out.raw(&symbol.value.to_le_bytes()[..width]);
            out.raw(&symbol.check.to_le_bytes());
            let expected = if index == 0 { 0 } else { Self::expected(entries, index) };
            out.signed(symbol.count.wrapping_sub(expected));
        }
    }
}

impl Decode for Sketch {
    const BYTES_MIN: usize = 2 + SYMBOL_BYTES_MIN;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let count = input.count(SYMBOL_BYTES_MIN)?;
        let width = usize::from(input.u8()?);
        if count == 0 || width > 8 {
            return Err(DecodeErrorKind::OutOfRange.at(at));
        }
        let mut symbols: Vec<Symbol> =
            Vec::with_capacity(input.capacity(count, size_of::<Symbol>()));
        let mut values = 0;
        for index in 0..count {
            let key = u64::from_le_bytes(input.array()?);
            let mut value = [0; 8];
            value[..width].copy_from_slice(input.take(width)?);
            let value = u64::from_le_bytes(value);
            let check = u32::from_le_bytes(input.array()?);
            let expected = symbols.first().map_or(0, |first| Self::expected(first.count, index));
            let count = input.signed()?.wrapping_add(expected);
            values |= value;
            symbols.push(Symbol { key, value, check, count });
        }
        if self::width(values) != width {
            return Err(DecodeErrorKind::NotCanonical.at(at));
        }
        Ok(Self { symbols })
    }
}

/// Key, check, and a count in one byte.
const SYMBOL_BYTES_MIN: usize = 8 + 4 + 1;

/// How many bytes a value needs.
fn width(value: u64) -> usize {
    (u64::BITS - value.leading_zeros()).div_ceil(8) as usize
}
