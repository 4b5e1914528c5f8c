//! The file of a replica: one record after the other, each of which can tell that it is whole.
//!
//! A record is its length, its number, a CRC-32C over both and what it holds. A program that
//! starts reads until a record is not right. What comes then is the rest of a write that a crash
//! has torn, or damage to what had been synced; from here they look alike, and so the reader
//! only says that the file did not end cleanly.

use crdt_core::codec::checksum;

const HEADER_LEN: usize = 12;

/// The bytes of one record.
#[must_use]
pub fn record(number: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + payload.len());
    let len = u32::try_from(payload.len()).expect("a record is far shorter than 4 GiB");
    out.extend(len.to_le_bytes());
    out.extend(number.to_le_bytes());
    out.extend([0; 4]);
    out.extend(payload);
    let sum = checksum(&out);
    out[8..12].copy_from_slice(&sum.to_le_bytes());
    out
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered<'a> {
    /// What the records hold, in order.
    pub records: Vec<&'a [u8]>,
    /// How long the part of the file is that could be read.
    pub len: usize,
    /// Nothing comes after it. If something does, nobody can say what is missing.
    pub clean: bool,
}

/// Reads a file.
#[must_use]
pub fn recover(file: &[u8]) -> Recovered<'_> {
    let (mut records, mut len) = (Vec::new(), 0);
    while let Some(payload) = next(&file[len..], records.len() as u32) {
        records.push(payload);
        len += HEADER_LEN + payload.len();
    }
    Recovered { records, len, clean: len == file.len() }
}

fn next(file: &[u8], number: u32) -> Option<&[u8]> {
    let header = file.get(..HEADER_LEN)?;
    let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
    let end = HEADER_LEN.checked_add(word(0) as usize)?;
    let whole = file.get(..end)?;
    let mut summed = whole.to_vec();
    summed[8..12].fill(0);
    (word(4) == number && word(8) == checksum(&summed)).then(|| &whole[HEADER_LEN..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let file = [record(0, b"one"), record(1, b""), record(2, b"three")].concat();
        let recovered = recover(&file);
        assert_eq!(recovered.records, [&b"one"[..], b"", b"three"]);
        assert!(recovered.clean && recovered.len == file.len());
    }

    #[test]
    fn every_damage_is_noticed() {
        let file = [record(0, b"one"), record(1, b"two")].concat();
        let first = record(0, b"one").len();
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let recovered = recover(&damaged);
            assert!(!recovered.clean, "bit {bit}");
            assert_eq!(recovered.len, if bit / 8 < first { 0 } else { first });
        }
        for len in 1..file.len() {
            assert_eq!(recover(&file[..len]).clean, len == first, "{len} bytes");
        }
        // A record in another place is none.
        assert!(!recover(&record(1, b"two")).clean);
    }
}
