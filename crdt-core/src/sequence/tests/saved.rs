//! Saved texts: what is loaded is what was saved, and goes on as if it had never been away.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::random::Random;
use super::text::{everything, fork, random_edit, random_session};
use crate::sequence::Side;
use crate::{Text, VersionVector};

fn saved(text: &Text) -> Vec<u8> {
    text.encode().expect("the history is sound")
}

fn loaded(text: &Text) -> Text {
    let loaded = Text::decode(&saved(text)).expect("just encoded");
    assert_eq!(loaded.has_history(), text.version().is_empty());
    loaded.check_invariants();
    loaded
}

/// Reading, comparing, and all that needs the history, before and after it is decoded.
#[test]
fn a_loaded_text_is_the_text() {
    for seed in 0..crate::test_support::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let other = texts.pop().expect("at least two");
        let text = &texts[0];
        let mut again = loaded(text);
        assert_eq!(again, *text, "seed {seed}");
        assert_eq!(again.to_string(), text.to_string());
        assert_eq!((again.version(), again.frontier()), (text.version(), text.frontier()));
        assert_eq!(saved(&again), saved(text), "load and save is the identity");
        for known in [VersionVector::new(), other.version().clone()] {
            let news = text.delta_since(&known).expect("sound").encode();
            assert_eq!(again.delta_since(&known).expect("sound").encode(), news, "seed {seed}");
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
    for seed in 0..crate::test_support::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let mut text = texts.swap_remove(0);
        let mut again = loaded(&text);
        let mut newest = everything(&text);
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
            again.join(&everything(from)).expect("nothing is missing");
            text.join(&everything(from)).expect("nothing is missing");
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
    for seed in 0..crate::test_support::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let mut text = texts.swap_remove(0);
        let (mut again, mut plain) = (loaded(&text), loaded(&text));
        let mut editor = text.to_string();
        for _ in 0..1 + random.below(4) {
            let before = text.version().clone();
            let mut writers = [1001, 1002].map(|number| fork(&text, number));
            for _ in 0..1 + random.below(4) {
                // One behind the other's back now and then.
                let (other, writer) = &mut writers[random.below(2)];
                if random.chance(80) {
                    other.join(&everything(&text)).expect("nothing is missing");
                }
                let _sent = random_edit(other, writer, &mut random);
                text.join(&everything(other)).expect("nothing is missing");
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
    assert!(without > 50 && with > 50, "{without} without, {with} with");
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
