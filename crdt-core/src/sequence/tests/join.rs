//! Several deltas at once.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::random::Random;
use super::share;
use super::text::{everything, fork, id, random_session};
use crate::codec::{CHECKSUM_LEN, seal};
use crate::sequence::{ImportError, JoinError, TextPatch};
use crate::{Text, TextDelta};

fn joined(text: &mut Text, batch: &[&TextDelta], shown: bool) -> Result<(), JoinError> {
    if !shown {
        return text.join_all(batch);
    }
    let mut editor: Vec<char> = text.chars().collect();
    for TextPatch { at, deleted, inserted, .. } in text.join_all_with_patches(batch)? {
        editor.splice(at as usize..(at + deleted) as usize, inserted.chars());
    }
    assert_eq!(editor.into_iter().collect::<String>(), text.to_string());
    Ok(())
}

/// Deltas of single edits, of parts of the history that overlap, and repeated ones, in any
/// order and in any batches: the same as one by one; and a batch that lacks something changes
/// nothing.
#[test]
fn batches_are_taken_in_whole_and_in_any_order() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, mut deltas) = random_session(&mut random);
        let mut one_by_one = Text::new();
        for delta in &deltas {
            one_by_one.join(delta).expect("made in this order");
            one_by_one.check_invariants();
        }
        for _ in 0..random.below(4) {
            let (from, to) = (random.pick(&texts), random.pick(&texts));
            let delta = one_by_one.delta_between(from.version(), to.version()).expect("sound");
            deltas.push(TextDelta::decode(&delta.encode()).expect("just encoded"));
            deltas.push(random.pick(&deltas).clone());
        }

        let mut text = Text::new();
        let mut waiting: Vec<&TextDelta> = deltas.iter().collect();
        while !waiting.is_empty() {
            let mut batch = Vec::new();
            for _ in 0..1 + random.below(waiting.len()) {
                batch.push(waiting.swap_remove(random.below(waiting.len())));
            }
            let before = text.clone();
            match joined(&mut text, &batch, random.chance(50)) {
                Ok(()) => {}
                Err(JoinError::Missing(_)) => {
                    assert_eq!(text, before, "seed {seed}");
                    assert_eq!(text.to_string(), before.to_string());
                    waiting.extend(batch);
                }
                Err(error) => panic!("seed {seed}: {error}"),
            }
            text.check_invariants();
        }
        assert_eq!(text, one_by_one, "seed {seed}");
        assert_eq!(text.to_string(), one_by_one.to_string(), "seed {seed}");
        assert_eq!(text.encode(), one_by_one.encode(), "seed {seed}");
    }
}

/// What [`Text::join`] makes of a delta that was decoded, [`Text::join_encoded`] makes of its
/// bytes: in any order, of parts that are known or lack something, and of bytes that are broken.
#[test]
fn bytes_are_taken_in_as_the_delta_that_they_are() {
    let (mut straight, mut refused) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, deltas) = random_session(&mut random);
        let mut offers: Vec<Vec<u8>> = deltas.iter().map(TextDelta::encode).collect();
        let whole = everything(random.pick(&texts));
        offers.insert(random.below(offers.len() + 1), whole.encode());
        let mut text = Text::new();
        while !offers.is_empty() {
            let next = if random.chance(70) { 0 } else { random.below(offers.len()) };
            let mut offer = offers.remove(next);
            if random.chance(15) {
                offer = broken(&offer, &mut random);
            }
            let before = text.clone();
            let mut other = text.clone();
            let result = text.join_encoded(&offer);
            let decoded = TextDelta::decode(&offer).map_err(ImportError::Bytes);
            let expected = decoded.and_then(|delta| Ok(other.join(&delta)?));
            assert_eq!(result, expected, "seed {seed}");
            assert_eq!(text, other, "seed {seed}");
            assert_eq!(text.to_string(), other.to_string(), "seed {seed}");
            text.check_invariants();
            if result.is_err() {
                assert_eq!(text.encode(), before.encode(), "seed {seed}");
                refused += 1;
            } else if text.version() != before.version() {
                straight += 1;
            }
        }
    }
    assert!(
        straight > share(1000) && refused > share(100),
        "{straight} taken in, {refused} refused"
    );
}

/// Bytes with another content, whose checksum is right.
fn broken(sealed: &[u8], random: &mut Random) -> Vec<u8> {
    let (magic, rest) = sealed.split_at(4);
    let mut body = rest[..rest.len() - CHECKSUM_LEN].to_vec();
    if random.chance(30) {
        body.truncate(random.below(body.len()));
    } else {
        let at = random.below(body.len());
        body[at] = body[at].wrapping_add(1 + random.below(4) as u8);
    }
    seal(magic.try_into().expect("four bytes"), &body)
}

#[test]
fn two_contents_for_one_dot_are_found_in_a_batch() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let base = text.insert(0, "abc", &mut writer).expect("in bounds");
    let (mut one, mut own) = fork(&text, 2);
    let (mut other, mut stolen) = fork(&text, 2);
    let first = one.insert(1, "x", &mut own).expect("in bounds");
    let second = other.insert(1, "y", &mut stolen).expect("in bounds");
    let alike = other.insert(2, "z", &mut stolen).expect("in bounds");
    let whole = everything(&other);
    let error = JoinError::Equivocation { replica: id(2) };
    let mut reader = Text::new();
    for batch in [&[&base, &first, &second][..], &[&first, &whole], &[&whole, &alike, &first]] {
        assert_eq!(reader.join_all(batch), Err(error.clone()));
        assert_eq!((reader.is_empty(), reader.version().is_empty()), (true, true));
        reader.check_invariants();
    }
    reader.join_all(&[&alike, &whole, &second, &base]).expect("they tell the same");
    assert_eq!(reader.to_string(), other.to_string());
    reader.join_all(&[]).expect("nothing is nothing new");
}
