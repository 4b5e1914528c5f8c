//! Differences between versions, against the texts themselves.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::random::Random;
use super::share;
use super::text::{everything, random_session};
use crate::sequence::TextPatch;
use crate::{Frontier, Text};

/// The text after patches, in code points and in UTF-16 units.
pub(super) fn apply(text: &str, patches: &[TextPatch]) -> String {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    let mut chars: Vec<char> = text.chars().collect();
    for patch in patches {
        assert!(patch.deleted > 0 || !patch.inserted.is_empty(), "a patch changes something");
        let at = patch.at as usize;
        chars.splice(at..at + patch.deleted as usize, patch.inserted.chars());
        let at = patch.at_utf16 as usize;
        units.splice(at..at + patch.deleted_utf16 as usize, patch.inserted.encode_utf16());
    }
    let text: String = chars.into_iter().collect();
    assert_eq!(String::from_utf16_lossy(&units), text);
    text
}

/// From every version that was someone's to every other, by way of no other, and the text at each
/// as a replay has it.
#[test]
fn a_difference_leads_from_version_to_version() {
    let (mut concurrent, mut back) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (texts, deltas) = random_session(&mut random);
        let mut whole = Text::new();
        let mut versions = alloc::vec![Frontier::default()];
        for delta in &deltas {
            whole.join(delta).expect("made in this order");
            if random.chance(30) {
                versions.push(whole.frontier());
            }
        }
        texts.iter().for_each(|text| whole.join(&everything(text)).expect("nothing is missing"));
        versions.extend(texts.iter().map(Text::frontier));
        let texts: Vec<String> = versions
            .iter()
            .map(|version| {
                let local = whole.graph.local(version).expect("known");
                whole.store.replay(&whole.graph, &local).to_string()
            })
            .collect();
        for _ in 0..6 {
            let (a, b) = (random.below(versions.len()), random.below(versions.len()));
            let (from, to) = (&versions[a], &versions[b]);
            let patches = whole.diff(from, to).expect("both are known");
            assert_eq!(apply(&texts[a], &patches), texts[b], "seed {seed}");
            let ends = patches.iter().map(|patch| patch.at + patch.inserted.chars().count() as u32);
            assert!(ends.zip(patches.iter().skip(1)).all(|(end, next)| end < next.at));
            assert_eq!(whole.text_at(from).as_ref(), Ok(&texts[a]), "seed {seed}");
            let local = |version| whole.graph.local(version).expect("known");
            let (only_from, only_to) = whole.graph.diff(&local(from), &local(to));
            back += usize::from(!only_from.is_empty() && only_to.is_empty());
            concurrent += usize::from(!only_from.is_empty() && !only_to.is_empty());
        }
    }
    assert!(concurrent > share(100) && back > share(100), "{concurrent} apart, {back} back");
}
