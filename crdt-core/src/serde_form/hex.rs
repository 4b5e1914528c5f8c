//! Bytes as text.

use alloc::string::String;
use alloc::vec::Vec;

use ::serde::de::Error;

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |digit| char::from_digit(u32::from(digit), 16).expect("below 16");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

pub(super) fn unhex<E: Error>(text: &str) -> Result<Vec<u8>, E> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        &[high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.ok_or_else(|| E::custom("an even number of hexadecimal digits"))
}
