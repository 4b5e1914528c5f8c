//! Bytes as text for headers and addresses: base64url of RFC 4648, section 5, without padding.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::TokenError;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for index in 0..=chunk.len() {
            let digit = group >> (18 - 6 * index) & 63;
            text.push(char::from(ALPHABET[digit as usize]));
        }
    }
    text
}

/// The one reading of a text; bits that no byte has room for have to be zero.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, TokenError> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for (index, chunk) in text.as_bytes().chunks(4).enumerate() {
        let mut group = 0u32;
        for (offset, &digit) in chunk.iter().enumerate() {
            let at = 4 * index + offset;
            group = group << 6 | value(digit).ok_or(TokenError::NotBase64Url { at })?;
        }
        let [_, whole @ ..] = (group << (6 * (4 - chunk.len()))).to_be_bytes();
        let len = chunk.len() - 1;
        if len == 0 || whole[len..].iter().any(|&byte| byte != 0) {
            return Err(TokenError::NotBase64Url { at: 4 * index + len });
        }
        bytes.extend_from_slice(&whole[..len]);
    }
    Ok(bytes)
}

const fn value(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    };
    Some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crdt_core::laws::trials;

    /// The vectors of RFC 4648, section 10, without their padding.
    #[test]
    fn the_standard_says_so() {
        let vectors = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Ok(bytes.as_bytes()));
        }
        assert_eq!(encode(&[0xfb, 0xff, 0xbf]), "-_-_");
    }

    #[test]
    fn one_text_has_one_reading_and_no_other_text_has_it() {
        fn there_and_back(bytes: Vec<u8>) -> bool {
            decode(&encode(&bytes)) == Ok(bytes)
        }
        fn back_and_there(digits: Vec<u8>) -> bool {
            let text: String =
                digits.iter().map(|digit| char::from(ALPHABET[usize::from(digit % 64)])).collect();
            decode(&text).is_err() || encode(&decode(&text).unwrap()) == text
        }
        trials().quickcheck(there_and_back as fn(_) -> _);
        trials().quickcheck(back_and_there as fn(_) -> _);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let wrong = [("Zg==", 2), ("Zm9vY", 4), ("Zh", 1), ("Z", 0), ("Zm9+", 3), ("Zm9vÄ", 4)];
        for (text, at) in wrong {
            assert_eq!(decode(text), Err(TokenError::NotBase64Url { at }), "{text}");
        }
    }
}
