//! `Text` as its users have it: fixtures and laws.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::random::Random;
use crate::sequence::JoinError;
use crate::{Dot, ReplicaId, Text, TextDelta, VersionVector, Writer};

pub(in crate::sequence) fn id(number: u128) -> ReplicaId {
    ReplicaId::from_u128(number)
}

/// A copy of `text` with a writer.
pub(in crate::sequence) fn fork(text: &Text, number: u128) -> (Text, Writer) {
    (text.clone(), text.writer(id(number)))
}

pub(in crate::sequence) fn everything(text: &Text) -> TextDelta {
    text.delta_since(&VersionVector::new()).expect("the history is sound")
}

/// All orders of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The talks' editor shredded three offline words into one another.
#[test]
fn three_offline_words_stay_words() {
    let words = ["API", "REST", "GRAPHQL"];
    for ids in ORDERS {
        let deltas: Vec<TextDelta> = words
            .iter()
            .zip(ids)
            .map(|(word, number)| {
                let (mut text, mut writer) = fork(&Text::new(), number as u128);
                for (at, c) in word.chars().enumerate() {
                    let mut buffer = [0; 4];
                    let typed = text.insert(at as u32, c.encode_utf8(&mut buffer), &mut writer);
                    let _sent = typed.expect("in bounds");
                }
                everything(&text)
            })
            .collect();
        let merged: Vec<String> = ORDERS
            .iter()
            .map(|order| {
                let mut text = Text::new();
                for &index in order {
                    text.join(&deltas[index]).expect("nothing is missing");
                    text.check_invariants();
                }
                text.to_string()
            })
            .collect();
        assert!(merged.iter().all(|text| *text == merged[0]), "{merged:?}");
        assert!(words.iter().all(|word| merged[0].contains(word)), "{merged:?}");
    }
}

/// Its 125 settings of three clocks gave six documents. There is no clock here; what runs
/// ahead instead is how much each replica has done before, elsewhere in the text.
#[test]
fn who_has_done_more_before_changes_nothing() {
    let (mut base, mut writer) = fork(&Text::new(), 9);
    let _sent = base.insert(0, "\nbelow", &mut writer).expect("in bounds");
    let mut merged: Vec<String> = Vec::new();
    for setting in 0..125u32 {
        let deltas: Vec<TextDelta> = ["API", "REST", "GRAPHQL"]
            .iter()
            .zip([setting % 5, setting / 5 % 5, setting / 25])
            .enumerate()
            .map(|(number, (word, ahead))| {
                let (mut text, mut writer) = fork(&base, 1 + number as u128);
                let below = text.len_chars();
                for _ in 0..ahead {
                    let _sent = text.insert(below, "x", &mut writer).expect("in bounds");
                    let _sent = text.delete(below, 1, &mut writer).expect("in bounds");
                }
                let _sent = text.insert(0, word, &mut writer).expect("in bounds");
                text.delta_since(base.version()).expect("it was not loaded")
            })
            .collect();
        for order in ORDERS {
            let mut text = base.clone();
            for index in order {
                text.join(&deltas[index]).expect("nothing is missing");
            }
            merged.push(text.to_string());
        }
    }
    merged.dedup();
    assert_eq!(merged, ["APIRESTGRAPHQL\nbelow"], "the smaller id goes first");
}

/// It took the arrival order where stamps were equal: `YX` here and `XY` there.
#[test]
fn equal_places_have_one_order() {
    let (mut here, mut x) = fork(&Text::new(), 1);
    let (mut there, mut y) = fork(&Text::new(), 2);
    let first = here.insert(0, "X", &mut x).expect("in bounds");
    let second = there.insert(0, "Y", &mut y).expect("in bounds");
    here.join(&second).expect("nothing is missing");
    there.join(&first).expect("nothing is missing");
    assert_eq!(here.to_string(), there.to_string());
    assert_eq!(here.to_string(), "XY", "the smaller id goes first");
    assert_eq!(here.encode(), there.encode());
}

/// It deleted a position, not a letter.
#[test]
fn a_deletion_hits_what_it_meant() {
    let (mut here, mut a) = fork(&Text::new(), 1);
    let hello = here.insert(0, "HELLO", &mut a).expect("in bounds");
    let (mut there, mut b) = fork(&Text::new(), 2);
    there.join(&hello).expect("nothing is missing");
    let insert = here.insert(0, ">", &mut a).expect("in bounds");
    let delete = there.delete(0, 1, &mut b).expect("in bounds");
    let patches = here.join_with_patches(&delete).expect("nothing is missing");
    assert_eq!((patches[0].at, patches[0].deleted), (1, 1));
    let patches = there.join_with_patches(&insert).expect("nothing is missing");
    assert_eq!((patches[0].at, patches[0].inserted.as_str()), (0, ">"));
    assert_eq!(here.to_string(), ">ELLO");
    assert_eq!(there.to_string(), ">ELLO");
}

/// The anomaly of the Fugue paper, which Yjs 13.6 shows as `1b2`.
#[test]
fn three_writers_do_not_come_between() {
    for ids in ORDERS {
        let (mut two, mut c) = fork(&Text::new(), ids[2] as u128);
        let second = two.insert(0, "2", &mut c).expect("in bounds");
        let (mut one, mut a) = fork(&Text::new(), ids[0] as u128);
        one.join(&second).expect("nothing is missing");
        let first = one.insert(0, "1", &mut a).expect("in bounds");
        let (mut other, mut b) = fork(&Text::new(), ids[1] as u128);
        let between = other.insert(0, "b", &mut b).expect("in bounds");
        other.join(&second).expect("nothing is missing");
        other.join(&first).expect("nothing is missing");
        one.join(&between).expect("nothing is missing");
        assert_eq!(one.to_string(), other.to_string());
        assert!(one.to_string().contains("12"), "{one}, ids {ids:?}");
    }
}

#[test]
fn two_who_type_backwards_do_not_mix() {
    for (first, second) in [(1, 2), (2, 1)] {
        let mut whole = Text::new();
        for (number, word) in [(first, "backwards"), (second, "UPWARDS")] {
            let (mut text, mut writer) = fork(&Text::new(), number);
            for c in word.chars().rev() {
                let _sent = text.insert(0, &c.to_string(), &mut writer).expect("in bounds");
            }
            whole.join(&everything(&text)).expect("nothing is missing");
        }
        let text = whole.to_string();
        assert!(text == "backwardsUPWARDS" || text == "UPWARDSbackwards", "{text}");
    }
}

/// Three writers offline, 1,000 edits each; what one typed without a break stays together.
#[test]
fn long_offline_work_converges_without_mixing() {
    for seed in 0..3 {
        let mut random = Random::new(seed);
        let (mut base, mut writer) = fork(&Text::new(), 9);
        let _sent = base.insert(0, &"base ".repeat(20), &mut writer).expect("in bounds");
        let texts: Vec<Text> = (0..3u32)
            .map(|who| {
                let (mut text, mut writer) = fork(&base, 1 + u128::from(who));
                let mut done = 0;
                while done < 1000 {
                    let len = text.len_chars();
                    if len > 10 && random.chance(25) {
                        let at = random.below(len as usize) as u32;
                        let count = (1 + random.below(4) as u32).min(len - at);
                        let _sent = text.delete(at, count, &mut writer).expect("in bounds");
                        done += 1;
                        continue;
                    }
                    let start = random.below(len as usize + 1) as u32;
                    let typed = 1 + random.below(12) as u32;
                    for at in start..start + typed {
                        let c = char::from_u32(0x4E00 + who * 2000 + done).expect("a character");
                        let _sent =
                            text.insert(at, &c.to_string(), &mut writer).expect("in bounds");
                        done += 1;
                    }
                }
                text
            })
            .collect();
        let merged: Vec<Text> = ORDERS
            .iter()
            .map(|order| {
                let mut text = base.clone();
                for &index in order {
                    text.join(&everything(&texts[index])).expect("nothing is missing");
                }
                text.check_invariants();
                text
            })
            .collect();
        assert!(merged.iter().all(|text| *text == merged[0]));
        assert!(merged.iter().all(|text| text.to_string() == merged[0].to_string()));
        assert!(merged.iter().all(|text| text.encode() == merged[0].encode()));
        // Neighbours that one writer typed one after the other, and left so, are neighbours.
        let all: Vec<char> = merged[0].chars().collect();
        for text in &texts {
            let own: Vec<char> = text.chars().collect();
            for pair in own.windows(2) {
                let (a, b) = (pair[0], pair[1]);
                if (a as u32) + 1 == b as u32 && a as u32 >= 0x4E00 {
                    let at = all.iter().position(|&c| c == a).expect("nobody else deleted it");
                    assert_eq!(all.get(at + 1), Some(&b), "seed {seed}: a run was torn");
                }
            }
        }
    }
}

pub(in crate::sequence) fn random_edit(
    text: &mut Text,
    writer: &mut Writer,
    random: &mut Random,
) -> TextDelta {
    let len = text.len_chars();
    let at = random.below(len as usize + 1) as u32;
    let words = ["a", "bc", "é", "日本", "🎉x", "some words"];
    let edited = match random.below(12) {
        0 => text.clear(writer),
        1..=3 if len > 0 => {
            let at = at.min(len - 1);
            let most = (len - at).min(4) as usize;
            text.delete(at, 1 + random.below(most) as u32, writer)
        }
        4 => {
            let deleted = (len - at).min(2);
            text.splice(at, deleted, "sp", writer)
        }
        5 => {
            let content = random.pick(&words).repeat(2);
            text.replace(&content, writer)
        }
        _ => text.insert(at, words[random.below(words.len())], writer),
    };
    edited.expect("in bounds")
}

/// Deltas as they were made, on a few replicas that merge now and then.
pub(in crate::sequence) fn random_session(random: &mut Random) -> (Vec<Text>, Vec<TextDelta>) {
    let mut texts: Vec<Text> = Vec::new();
    let mut writers = Vec::new();
    for number in 0..2 + random.below(3) {
        let (text, writer) = fork(&Text::new(), (random.next() as u128 % 50) * 10 + number as u128);
        texts.push(text);
        writers.push(writer);
    }
    let mut deltas = Vec::new();
    for _ in 0..3 + random.below(14) {
        let who = random.below(texts.len());
        if random.chance(30) {
            let from = everything(&texts[random.below(texts.len())]);
            texts[who].join(&from).expect("nothing is missing");
        }
        let delta = random_edit(&mut texts[who], &mut writers[who], random);
        if !delta.is_empty() {
            deltas.push(delta);
        }
    }
    (texts, deltas)
}

/// Operations in causal order, states, deltas in any order offered again until accepted,
/// deltas between versions, and any of it saved and loaded: one text, one sequence of bytes.
#[test]
fn every_way_of_replication_is_the_same() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, deltas) = random_session(&mut random);

        let mut by_operations = Text::new();
        for delta in &deltas {
            by_operations.join(delta).expect("made in this order");
        }
        by_operations.check_invariants();

        let mut by_states = Text::new();
        for text in &texts {
            let loaded = Text::decode(&text.encode().expect("sound")).expect("just encoded");
            assert_eq!(loaded.to_string(), text.to_string(), "seed {seed}");
            by_states.join(&everything(&loaded)).expect("nothing is missing");
            by_states.check_invariants();
        }

        let mut by_deltas = Text::new();
        let mut waiting: Vec<TextDelta> = deltas
            .iter()
            .chain(deltas.iter().take(2))
            .map(|delta| TextDelta::decode(&delta.encode()).expect("just encoded"))
            .collect();
        while !waiting.is_empty() {
            let before = by_deltas.clone();
            let delta = waiting.swap_remove(random.below(waiting.len()));
            match by_deltas.join(&delta) {
                Ok(_) => {}
                Err(JoinError::Missing(ranges)) => {
                    assert_eq!(by_deltas, before);
                    assert_eq!(by_deltas.to_string(), before.to_string());
                    assert!(ranges.iter().all(|range| {
                        !by_deltas.version().contains(Dot::new(range.replica, range.last))
                    }));
                    waiting.push(delta);
                }
                Err(error) => panic!("seed {seed}: {error}"),
            }
        }
        by_deltas.check_invariants();

        let mut by_steps = Text::new();
        for text in &texts {
            let upto = text.version().clone();
            let step = by_operations.delta_between(by_steps.version(), &upto);
            let step = step.expect("it was not loaded");
            let patches = by_steps.join_with_patches(&step).expect("a version is closed");
            drop(patches);
        }

        for other in [&by_states, &by_deltas, &by_steps] {
            assert_eq!(other.to_string(), by_operations.to_string(), "seed {seed}");
            assert_eq!(*other, by_operations);
            assert_eq!(other.encode(), by_operations.encode(), "seed {seed}");
        }
    }
}

/// The patches that a join returns do to a plain string what the join does to the text.
#[test]
fn patches_tell_an_editor_what_to_do() {
    for seed in 0..crate::laws::cases() / 4 {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let last = texts.pop().expect("at least two");
        for mut text in texts {
            let mut editor: Vec<u16> = text.to_string().encode_utf16().collect();
            let mut chars: Vec<char> = text.chars().collect();
            for patch in text.join_with_patches(&everything(&last)).expect("nothing is missing") {
                let at = patch.at_utf16 as usize;
                let inserted = patch.inserted.encode_utf16();
                editor.splice(at..at + patch.deleted_utf16 as usize, inserted);
                let at = patch.at as usize;
                chars.splice(at..at + patch.deleted as usize, patch.inserted.chars());
            }
            assert_eq!(String::from_utf16_lossy(&editor), text.to_string());
            assert_eq!(chars.into_iter().collect::<String>(), text.to_string());
        }
    }
}
