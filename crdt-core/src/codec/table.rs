use crate::collections::OrderedMap;
use alloc::vec::Vec;

use super::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// What a table can hold: long names that occur often.
pub trait TableKey: Clone + Ord + Encode + Decode {}

impl<K: Clone + Ord + Encode + Decode> TableKey for K {}

/// The sender's half of a table: gives every key a small number at its first use, and
/// writes the key itself right behind that first number.
///
/// A table lives as long as what it abbreviates: one bundle, or one connection whose
/// messages are processed exactly once and in order.
///
/// ```
/// use crdt_core::codec::{Reader, ReceiveTable, SendTable, Writer};
///
/// let (mut out, mut table) = (Writer::new(), SendTable::new());
/// table.write(&String::from("body"), 0, 0, &mut out);
/// table.write(&String::from("body"), 0, 0, &mut out);
/// assert_eq!(out.as_bytes(), b"\x00\x04body\x00");
///
/// let (mut input, mut table) = (Reader::new(out.as_bytes()), ReceiveTable::<String>::new());
/// for _ in 0..2 {
///     let (index, _flags) = table.read(0, &mut input)?;
///     assert_eq!(table.get(index).map(String::as_str), Some("body"));
/// }
/// # Ok::<(), crdt_core::codec::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SendTable<K> {
    numbers: OrderedMap<K, u32>,
}

impl<K> Default for SendTable<K> {
    fn default() -> Self {
        Self { numbers: OrderedMap::new() }
    }
}

impl<K: TableKey> SendTable<K> {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table of keys that the reader has already, in ascending order: they have the numbers from 0
    /// on and are not written again. O(n).
    ///
    /// # Panics
    ///
    /// If they do not ascend.
    pub fn of_known(keys: impl IntoIterator<Item = K>) -> Self {
        Self { numbers: numbered(keys).expect("known keys ascend") }
    }

    /// How many keys have a number.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no key has a number.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Forgets all but the first `len` keys, where what introduced them will not be sent.
    ///
    /// O(n) if there is anything to forget.
    pub fn truncate(&mut self, len: usize) {
        if len < self.numbers.len() {
            self.numbers.retain(|_, number| (*number as usize) < len);
        }
    }

    /// Writes the key's number with `flags` in its lowest `flag_bits` bits, then, at the
    /// key's first use, the key. Returns the number.
    ///
    /// # Panics
    ///
    /// If the flags do not fit their bits, or after 2³² keys.
    pub fn write(&mut self, key: &K, flags: u64, flag_bits: u32, out: &mut Writer) -> u32 {
        assert!(flags >> flag_bits == 0, "flags fit their bits");
        let (number, fresh) = match self.numbers.get(key) {
            Some(&number) => (number, false),
            None => {
                let number = u32::try_from(self.numbers.len()).expect("a table has < 2^32 keys");
                self.numbers.insert(key.clone(), number);
                (number, true)
            }
        };
        out.varint(u64::from(number) << flag_bits | flags);
        if fresh {
            key.encode(out);
        }
        number
    }
}

/// The receiver's half of a table.
#[derive(Clone, Debug)]
pub struct ReceiveTable<K> {
    keys: Vec<K>,
    known: OrderedMap<K, u32>,
    keys_max: usize,
}

impl<K> Default for ReceiveTable<K> {
    fn default() -> Self {
        Self { keys: Vec::new(), known: OrderedMap::new(), keys_max: u32::MAX as usize }
    }
}

impl<K: TableKey> ReceiveTable<K> {
    /// An empty table, bounded only by the bytes that fill it.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty table that refuses more than `keys_max` keys.
    pub fn with_keys_max(keys_max: usize) -> Self {
        Self { keys_max, ..Self::default() }
    }

    /// The reader's half of [`SendTable::of_known`]; `None` if the keys do not ascend. O(n).
    pub fn of_known(keys: Vec<K>) -> Option<Self> {
        let known = numbered(keys.iter().cloned())?;
        Some(Self { keys, known, ..Self::default() })
    }

    /// How many keys are known.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is known.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of a number.
    pub fn get(&self, number: u32) -> Option<&K> {
        self.keys.get(number as usize)
    }

    /// Reads a number and its flags, and at a key's first use the key.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::UnknownTableEntry`] for a number that was not introduced,
    /// [`DecodeErrorKind::NotCanonical`] for a key introduced twice, and
    /// [`DecodeErrorKind::OutOfRange`] past the greatest number of keys.
    pub fn read(
        &mut self,
        flag_bits: u32,
        input: &mut Reader<'_>,
    ) -> Result<(u32, u64), DecodeError> {
        let at = input.position();
        let word = input.varint()?;
        let flags = word & ((1 << flag_bits) - 1);
        let number = u32::try_from(word >> flag_bits)
            .map_err(|_| DecodeErrorKind::UnknownTableEntry.at(at))?;
        match (number as usize).cmp(&self.keys.len()) {
            core::cmp::Ordering::Less => {}
            core::cmp::Ordering::Equal if self.keys.len() < self.keys_max => {
                let at = input.position();
                let key = K::decode(input)?;
                if self.known.insert(key.clone(), number).is_some() {
                    return Err(DecodeErrorKind::NotCanonical.at(at));
                }
                self.keys.push(key);
            }
            core::cmp::Ordering::Equal => return Err(DecodeErrorKind::OutOfRange.at(at)),
            core::cmp::Ordering::Greater => {
                return Err(DecodeErrorKind::UnknownTableEntry.at(at));
            }
        }
        Ok((number, flags))
    }

    /// Reads a number without flags, and returns its key.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_key(&mut self, input: &mut Reader<'_>) -> Result<K, DecodeError> {
        let (number, _) = self.read(0, input)?;
        Ok(self.get(number).expect("a number that was read is in the table").clone())
    }
}

/// Keys in ascending order, each with its number.
fn numbered<K: TableKey>(keys: impl IntoIterator<Item = K>) -> Option<OrderedMap<K, u32>> {
    let mut numbers: OrderedMap<K, u32> = OrderedMap::new();
    for (key, number) in keys.into_iter().zip(0..) {
        if numbers.last_key_value().is_some_and(|(last, _)| *last >= key) {
            return None;
        }
        numbers.insert(key, number);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn known_keys_are_not_written_again() {
        let (mut send, mut out) = (SendTable::of_known([3u64, 7, 9]), Writer::new());
        for key in [7, 8, 3] {
            send.write(&key, 0, 0, &mut out);
        }
        assert_eq!(out.as_bytes(), [1, 3, 8, 0]);
        let mut receive = ReceiveTable::of_known(vec![3u64, 7, 9]).expect("they ascend");
        let mut input = Reader::new(out.as_bytes());
        let read: Vec<u64> = (0..3).map(|_| receive.read_key(&mut input).expect("ours")).collect();
        assert_eq!(read, [7, 8, 3]);
        assert!(ReceiveTable::of_known(vec![3u64, 3]).is_none());
    }
}
