//! Saved texts: what is loaded is what was saved, and goes on as if it had never been away.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::random::Random;
use super::share;
use super::text::{everything, fork, id, random_edit, random_session};
use super::trim::cuts;
use crate::sequence::{SavedHistory, Side, TextOp};
use crate::{Text, TextDelta, VersionVector};

/// A text that may have forgotten a part of its history, or all of it.
pub(in crate::sequence) fn maybe_trimmed(mut text: Text, random: &mut Random) -> Text {
    if random.chance(50) {
        let (whole, keep) = (text.clone(), random.chance(50));
        for _ in 0..random.below(3) {
            let upto = whole.graph.len() as usize;
            let lv = random.below(upto + 1) as u32;
            let stable = if lv as usize == upto {
                whole.version().clone()
            } else {
                whole.graph.version_vector(&[lv])
            };
            text.trim(&stable, |_| keep).expect("the history is sound");
            text.check_invariants();
        }
    }
    text
}

fn saved(text: &Text) -> Vec<u8> {
    text.encode().expect("the history is sound")
}

fn loaded(text: &Text) -> Text {
    let loaded = Text::decode(&saved(text)).expect("just encoded");
    assert_eq!(loaded.has_history(), text.version().is_empty());
    assert_eq!(loaded.base(), text.base());
    loaded.check_invariants();
    loaded
}

/// Reading, comparing, and all that needs the history, before and after it is decoded.
#[test]
fn a_loaded_text_is_the_text() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let other = texts.pop().expect("at least two");
        let text = &maybe_trimmed(texts.swap_remove(0), &mut random);
        let mut again = loaded(text);
        assert_eq!(again, *text, "seed {seed}");
        assert_eq!(again.to_string(), text.to_string());
        assert_eq!((again.version(), again.frontier()), (text.version(), text.frontier()));
        assert_eq!(saved(&again), saved(text), "load and save is the identity");
        for known in [VersionVector::new(), other.version().clone()] {
            let news = text.delta_since(&known).map(|delta| delta.encode());
            let ours = again.delta_since(&known).map(|delta| delta.encode());
            assert_eq!(ours, news, "seed {seed}");
        }
        assert_eq!(again.text_at(&text.frontier()), Ok(text.to_string()));
        for past in [&other, text] {
            let (ours, theirs) = (again.text_at(&past.frontier()), text.text_at(&past.frontier()));
            assert_eq!(ours, theirs, "seed {seed}");
        }
        again.load_history().expect("just encoded");
        again.check_invariants();
        assert_eq!(again, *text, "seed {seed}");
        assert_eq!(saved(&again), saved(text));
        let anchor = other.anchor(other.len_chars() / 2, Side::After).expect("within");
        assert_eq!(again.resolve(&anchor), text.resolve(&anchor), "seed {seed}");
        assert_eq!(loaded(text).resolve(&anchor), text.resolve(&anchor), "seed {seed}");
    }
}

/// What is written on a text that was loaded, with loads in between, comes to the bytes and the
/// history that it would have come to without.
#[test]
fn writing_goes_on_after_loading() {
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let mut text = maybe_trimmed(texts.swap_remove(0), &mut random);
        let mut again = loaded(&text);
        let mut newest = TextDelta::default();
        for _ in 0..random.below(12) {
            // Newcomers, and after another load those who wrote before.
            let number = 1000 + random.next() as u128 % 3;
            let (mut writer, mut same) = (fork(&text, number).1, fork(&again, number).1);
            let before = random.clone();
            newest = random_edit(&mut text, &mut writer, &mut random);
            let delta = random_edit(&mut again, &mut same, &mut before.clone());
            assert_eq!(delta.encode(), newest.encode(), "seed {seed}");
            assert_eq!(again.frontier(), text.frontier());
            again.check_invariants();
            if random.chance(30) {
                assert_eq!(saved(&again), saved(&text), "seed {seed}");
                again = loaded(&again);
            }
        }
        assert_eq!(again.to_string(), text.to_string());
        assert_eq!(saved(&again), saved(&text), "seed {seed}");
        for from in &texts {
            // Decodes what was loaded and puts what was written since behind it.
            let joined = again.join(&everything(from));
            assert_eq!(joined, text.join(&everything(from)), "seed {seed}");
            assert!(joined.is_ok() || text.base().is_some(), "nothing is missing");
            again.check_invariants();
        }
        assert_eq!(again.join_with_patches(&newest).as_deref(), Ok(&[][..]));
        assert_eq!(again, text, "seed {seed}");
        assert_eq!(again.to_string(), text.to_string());
        assert_eq!(saved(&again), saved(&text), "seed {seed}");
    }
}

/// What others write who have seen everything is joined without the history; and what they write
/// who have not, with it.
#[test]
fn what_goes_straight_on_needs_no_history() {
    let (mut without, mut with) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let mut text = maybe_trimmed(texts.swap_remove(0), &mut random);
        let (mut again, mut plain) = (loaded(&text), loaded(&text));
        let mut editor = text.to_string();
        for _ in 0..1 + random.below(4) {
            let before = text.version().clone();
            let mut writers = [1001, 1002].map(|number| fork(&text, number));
            for _ in 0..1 + random.below(4) {
                // One behind the other's back now and then.
                let (other, writer) = &mut writers[random.below(2)];
                if random.chance(80) {
                    let news = text.delta_since(other.version()).expect("it began here");
                    other.join(&news).expect("nothing is missing");
                }
                let _sent = random_edit(other, writer, &mut random);
                let news = other.delta_since(text.version()).expect("it began here");
                text.join(&news).expect("nothing is missing");
            }
            let news = text.delta_since(&before).expect("it was not loaded");
            let patches = again.join_with_patches(&news).expect("nothing is missing");
            plain.join(&news).expect("nothing is missing");
            editor = super::difference::apply(&editor, &patches);
            assert_eq!(editor, text.to_string(), "seed {seed}");
            for other in [&again, &plain] {
                other.check_invariants();
                assert_eq!(other.to_string(), text.to_string(), "seed {seed}");
                assert_eq!(saved(other), saved(&text), "seed {seed}");
                assert_eq!((other.version(), other.frontier()), (text.version(), text.frontier()));
            }
        }
        if again.has_history() {
            with += 1
        } else {
            without += 1
        }
        again.load_history().expect("just encoded");
        again.check_invariants();
        assert_eq!(again, text, "seed {seed}");
    }
    assert!(without > share(50) && with > share(50), "{without} without, {with} with");
}

/// A change that is refused leaves a loaded text as it was.
#[test]
fn a_refused_change_leaves_a_loaded_text_as_it_was() {
    let (mut text, mut writer) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "hällo", &mut writer).expect("in bounds");
    let mut again = loaded(&text);
    let mut writer = again.writer(writer.replica());
    let ops = [
        crate::sequence::TextOp::Delete { at: 1, len: 3, forward: false },
        crate::sequence::TextOp::Insert { at: 9, content: "x" },
    ];
    again.edit(&ops, &mut writer).expect_err("the second is beyond the end");
    again.delete(4, 2, &mut writer).expect_err("beyond the end");
    again.check_invariants();
    assert_eq!(again, text);
    assert_eq!(saved(&again), saved(&text));
    let _sent = again.delete(1, 1, &mut writer).expect("in bounds");
    assert_eq!(again.to_string(), "hllo");
    again.load_history().expect("just encoded");
    again.check_invariants();
}

/// However the changes came, and however often it was trimmed on the way: the same bytes, if what
/// is left is the same.
#[test]
fn texts_trimmed_at_one_place_have_equal_bytes() {
    let mut compared = 0;
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, deltas) = random_session(&mut random);
        let mut whole = Text::new();
        deltas.iter().for_each(|delta| whole.join(delta).expect("made in this order"));
        let (mut again, mut stepwise) = (Text::new(), Text::new());
        texts.iter().rev().for_each(|text| again.join(&everything(text)).expect("whole"));
        let keep = random.chance(50);
        let all = cuts(&whole);
        let Some(cut) = all.get(random.below(all.len().max(1))) else { continue };
        let stable = whole.graph.version_vector(&whole.graph.local(cut).expect("it is held"));
        for delta in &deltas {
            stepwise.join(delta).expect("made in this order, and trimmed where all follows");
            // Whatever is still to come follows the place where the whole text can be cut.
            let cut = whole.graph.trim_point(&stable);
            let mut before = whole.graph.clone();
            before.truncate(cut);
            let mut upto = before.version().clone();
            for lv in 0..whole.graph.len() {
                if !stepwise.version().contains(whole.graph.dot_of(lv)) {
                    upto.meet(&whole.graph.version_vector(&whole.graph.parents_of(lv)));
                }
            }
            if random.chance(40) {
                stepwise.trim(&upto, |_| true).expect("sound");
            }
        }
        for text in [&mut whole, &mut again, &mut stepwise] {
            text.trim(&stable, |_| keep).expect("sound");
            text.check_invariants();
        }
        compared += usize::from(whole.base().is_some());
        assert_eq!(again, whole, "seed {seed}");
        assert_eq!(stepwise, whole, "seed {seed}");
        assert_eq!(saved(&again), saved(&whole), "seed {seed}");
        assert_eq!(saved(&stepwise), saved(&whole), "seed {seed}");
    }
    assert!(compared > share(1000), "{compared} compared");
}

/// Whole, from a version on, and the state alone: each is the text, and says what it holds.
#[test]
fn less_history_is_the_same_text() {
    let (mut shorter, mut parts) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let other = texts.pop().expect("at least two");
        let text = maybe_trimmed(texts.swap_remove(0), &mut random);
        let whole = text.encode_with(SavedHistory::Whole).expect("sound");
        assert_eq!(whole, saved(&text));
        let since = text.encode_with(SavedHistory::Since(other.version())).expect("sound");
        let state = text.encode_with(SavedHistory::Nothing).expect("sound");
        assert_eq!(loaded(&text).encode_with(SavedHistory::Nothing).as_ref(), Ok(&state));
        for bytes in [&since, &state] {
            let mut part = Text::import(bytes).expect("just encoded");
            part.check_invariants();
            assert_eq!(saved(&part), *bytes, "seed {seed}");
            assert_eq!(part.to_string(), text.to_string(), "seed {seed}");
            assert_eq!((part.version(), part.frontier()), (text.version(), text.frontier()));
            // It goes on as the text does.
            let (mut text, mut writer) = fork(&text, 5_000);
            let delta = random_edit(&mut text, &mut writer, &mut random);
            part.join(&delta).expect("it has seen everything");
            assert_eq!(part.to_string(), text.to_string(), "seed {seed}");
            parts += 1;
        }
        let left = Text::import(&state).expect("just encoded");
        assert_eq!(left.graph.first(), left.graph.len(), "nothing but the base");
        shorter += usize::from(state.len() < whole.len());
    }
    assert!(shorter > share(1000) && parts > share(1000), "{shorter} shorter");
}

/// A deletion that goes around what others inserted meanwhile: from either end, at once, and by
/// several who delete the same.
#[test]
fn deleted_text_is_found_around_what_came_between() {
    let (mut text, mut anna) = fork(&Text::new(), 1);
    let _sent = text.insert(0, "abcdefgh", &mut anna).expect("in bounds");
    let delete = |at, len, forward| TextOp::Delete { at, len, forward };
    let deletions: [&[TextOp<'_>]; 4] = [
        &[delete(1, 6, true)],
        &[delete(1, 6, false)],
        &[TextOp::Clear { len: 1 }],
        &[delete(2, 2, true), delete(1, 4, false)],
    ];
    for (index, ops) in deletions.into_iter().enumerate() {
        for (other_index, others) in deletions.into_iter().enumerate() {
            let ((mut here, _), (mut there, mut bela)) = (fork(&text, 1), fork(&text, 2));
            let mut anna = here.writer(id(1));
            // What comes between comes first in the order of the events.
            for (at, content) in [(2, "12"), (6, "34"), (9, "é")] {
                let _sent = here.insert(at, content, &mut anna).expect("in bounds");
            }
            let _sent = there.edit(ops, &mut bela).expect("in bounds");
            let (mut third, mut cleo) = fork(&text, 3);
            let _sent = third.edit(others, &mut cleo).expect("in bounds");
            let versions = [here.frontier(), there.frontier(), third.frontier()];
            let shown = [here.to_string(), there.to_string(), third.to_string()];
            here.join(&everything(&there)).expect("nothing is missing");
            here.join(&everything(&third)).expect("nothing is missing");
            let again = Text::import(&saved(&here)).expect("just encoded");
            again.check_invariants();
            assert_eq!(saved(&again), saved(&here));
            for (version, shown) in versions.iter().zip(&shown) {
                assert_eq!(again.text_at(version).as_ref(), Ok(shown), "{index} {other_index}");
            }
            let first = text.text_at(&text.frontier());
            assert_eq!(again.text_at(&text.frontier()), first, "{index} {other_index}");
        }
    }
}
