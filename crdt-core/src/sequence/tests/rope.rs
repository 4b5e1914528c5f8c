//! The rope against a `String`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::random::Random;
use crate::sequence::{Misplaced, Rope};

/// The first few are ASCII, as most texts are from beginning to end.
const WORDS: [&str; 10] = [
    "a",
    "bc",
    "several words in one go",
    "ö",
    "日本語",
    "👍🏽",
    "👩‍👩‍👧",
    "e\u{301}",
    "\n",
    "a longer text that takes several chunks, ünd möre 🎉🎉🎉🎉",
];

const ASCII_WORDS: usize = 3;

/// Miri takes minutes for as many as the machine does in a second.
const SEEDS: u64 = if cfg!(miri) { 2 } else { 300 };
const STEPS: u64 = if cfg!(miri) { 50 } else { 150 };

fn check(rope: &Rope, text: &str, random: &mut Random) {
    rope.check_invariants();
    assert_eq!(rope.to_string(), text);
    assert_eq!(rope.len_bytes() as usize, text.len());
    assert_eq!(rope.len_chars() as usize, text.chars().count());
    assert_eq!(rope.len_utf16() as usize, text.encode_utf16().count());
    let chars: Vec<char> = text.chars().collect();
    let at = random.below(chars.len() + 1);
    let len = random.below(chars.len() - at + 1);
    let slice: String = chars[at..at + len].iter().collect();
    assert_eq!(rope.slice(at as u32, len as u32), slice);
    let before: String = chars[..at].iter().collect();
    let (bytes, utf16) = (before.len() as u32, before.encode_utf16().count() as u32);
    assert_eq!(rope.char_to_byte(at as u32), Some(bytes));
    assert_eq!(rope.char_to_utf16(at as u32), Some(utf16));
    assert_eq!(rope.byte_to_char(bytes), Ok(at as u32));
    assert_eq!(rope.utf16_to_char(utf16), Ok(at as u32));
    if let Some(next) = chars.get(at) {
        for inside in 1..next.len_utf8() as u32 {
            assert_eq!(rope.byte_to_char(bytes + inside), Err(Misplaced::InsideCodePoint));
        }
        if next.len_utf16() == 2 {
            assert_eq!(rope.utf16_to_char(utf16 + 1), Err(Misplaced::InsideCodePoint));
        }
    }
    assert_eq!(rope.char_to_byte(chars.len() as u32 + 1), None);
    assert_eq!(rope.utf16_to_char(rope.len_utf16() + 1), Err(Misplaced::BeyondEnd));
}

#[test]
fn behaves_as_a_string() {
    for seed in 0..SEEDS {
        let mut random = Random::new(seed);
        let (mut rope, mut text) = (Rope::new(), String::new());
        let shrinking = 30 + random.below(30);
        let words = if seed % 4 == 0 { &WORDS[..ASCII_WORDS] } else { &WORDS[..] };
        for _ in 0..STEPS {
            let len = text.chars().count();
            let byte = |text: &str, at: usize| {
                text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte)
            };
            if len > 0 && random.chance(shrinking) {
                let at = random.below(len);
                let most = if random.chance(10) { len } else { 5 };
                let count = 1 + random.below((len - at).min(most));
                rope.remove(at as u32, count as u32);
                let range = byte(&text, at)..byte(&text, at + count);
                text.replace_range(range, "");
            } else {
                let at = if random.chance(30) { len } else { random.below(len + 1) };
                let word = *random.pick(words);
                rope.insert(at as u32, word);
                let byte = byte(&text, at);
                text.insert_str(byte, word);
            }
            check(&rope, &text, &mut random);
        }
        rope.remove(0, rope.len_chars());
        check(&rope, "", &mut random);
        let again: Rope = {
            let mut r = Rope::new();
            r.insert(0, &text);
            r
        };
        assert_eq!(again.to_string(), text);
    }
}
