//! Files that are damaged behind their checksums.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::file::{File, Packed};
use super::past::Past;
use super::write;
use crate::Text;
use crate::sequence::tests::random::Random;
use crate::sequence::tests::saved::maybe_trimmed;
use crate::sequence::tests::text::random_session;

/// Every part of a file, changed at random and sealed again: what is accepted is a text whose
/// parts are just those, and the rest is refused.
#[test]
fn damaged_files_are_refused_or_canonical() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..crate::laws::cases() {
        let mut random = Random::new(seed);
        let (mut texts, _) = random_session(&mut random);
        let text = maybe_trimmed(texts.pop().expect("at least two"), &mut random);
        let mut file = write::file(&text.graph, &text.store);
        let mut shown = text.to_string();
        for _ in 0..1 + random.below(2) {
            damage(&mut file, &mut shown, &mut random);
        }
        let bytes = file.write(&shown);
        // Its lengths may be too long now.
        let Ok(mut loaded) = Text::decode(&bytes) else { continue };
        assert_eq!(loaded.to_string(), shown);
        match loaded.load_history() {
            Ok(()) => {
                accepted += 1;
                loaded.check_invariants();
                let again = loaded.encode().expect("decoded");
                assert_eq!(again, bytes, "seed {seed}: another form than the one accepted");
            }
            Err(_) => {
                refused += 1;
                assert!(!loaded.has_history());
                assert_eq!(loaded.to_string(), shown, "seed {seed}: nothing is changed");
                loaded.check_invariants();
            }
        }
    }
    assert!(accepted > 0, "some damage is another valid history");
    assert!(refused > accepted, "most is none");
}

fn damage(file: &mut File, shown: &mut alloc::string::String, random: &mut Random) {
    if file.authors.is_empty() {
        return;
    }
    let number = random.below(file.authors.len());
    if file.base.is_some() && random.chance(30) {
        return damage_base(file, random);
    }
    match random.below(8) {
        0 => {
            let other = random.below(file.authors.len());
            if number.min(other) >= file.base_writers() {
                file.authors.swap(number, other);
            }
        }
        1 => file.frontier = alloc::vec![number as u32],
        2 => {
            shown.pop();
        }
        3 => shown.push('x'),
        _ => {
            let author = &mut file.authors[number];
            if author.chunks.is_empty() {
                return;
            }
            let chunk = random.below(author.chunks.len());
            let (mut columns, mut deleted) = author.chunks[chunk].streams();
            let stream: &mut Vec<u8> = if random.chance(80) { &mut columns } else { &mut deleted };
            let at = random.below(stream.len().max(1));
            match random.below(4) {
                0 => stream.truncate(at),
                1 => stream.insert(at.min(stream.len()), random.next() as u8 & 0x7f),
                _ if at < stream.len() => {
                    stream[at] = stream[at].wrapping_add(1 + random.below(6) as u8);
                }
                _ => {}
            }
            author.chunks[chunk] = Packed::of_streams(&columns, &deleted);
        }
    }
}

/// Another base than the one that the history was written upon.
fn damage_base(file: &mut File, random: &mut Random) {
    let writers = file.base_writers();
    let base = file.base.as_mut().expect("there is one");
    let (mut heads, mut lamport) = (base.events.heads().dots().to_vec(), base.events.lamport());
    let number = random.below(writers);
    match random.below(6) {
        0 => base.length = base.length.wrapping_add_signed(1 - 2 * random.below(2) as i32),
        1 => lamport = lamport.wrapping_add_signed(2 - random.below(5) as i64),
        2 => lamport = random.next(),
        3 => {
            heads.swap_remove(random.below(heads.len()));
        }
        4 => {
            let author = &mut file.authors[number];
            author.trimmed = (author.trimmed + random.below(3) as u64).saturating_sub(1).max(1);
            author.last = author.last.max(author.trimmed);
        }
        _ => {
            let author = &file.authors[number];
            heads.push(crate::Dot::new(author.replica, author.trimmed));
        }
    }
    let writers = file.authors[..writers].iter().map(|author| (author.replica, author.trimmed));
    let writers: crate::VersionVector = writers.collect();
    let heads = heads.iter().map(|head| crate::Dot::new(head.replica, writers.get(head.replica)));
    if let Ok(events) = crate::causality::Base::new(heads.collect(), lamport, writers) {
        base.events = events;
    }
}

/// Damage that a checksum tells is found by the call that needs what is damaged.
#[test]
fn each_chunk_has_its_checksum() {
    let mut random = Random::new(1);
    for _ in 0..50 {
        let (mut texts, _) = random_session(&mut random);
        let text = maybe_trimmed(texts.pop().expect("at least two"), &mut random);
        let file = write::file(&text.graph, &text.store);
        let bytes = file.write(&text.to_string());
        let history: usize = file.authors.iter().flat_map(|a| &a.chunks).map(Packed::len).sum();
        for at in bytes.len() - history..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let mut loaded = Text::decode(&damaged).expect("the head is as it was");
            assert_eq!(loaded.to_string(), text.to_string());
            loaded.load_history().expect_err("the history is not");
            Text::import(&damaged).expect_err("nor is it imported");
        }
        for at in 0..bytes.len() - history {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Text::decode(&damaged).is_err(), "{at}");
        }
        for cut in 0..bytes.len() {
            assert!(Text::decode(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}

/// What is not touched is not read: a chunk that stays is kept as it is, damaged or not.
#[test]
fn chunks_that_stay_are_not_decoded() {
    let mut text = Text::new();
    let mut writer = text.writer(crate::ReplicaId::from_u128(1));
    for _ in 0..70 {
        let _sent = text.insert(0, "x", &mut writer).expect("in bounds");
    }
    let mut file = write::file(&text.graph, &text.store);
    assert!(file.authors[0].chunks.len() > 1);
    file.authors[0].chunks[0] = Packed::of_streams(b"no columns", b"");
    let mut loaded = Text::decode(&file.write(&text.to_string())).expect("the head is sound");
    let mut writer = loaded.writer(writer.replica());
    let _sent = loaded.insert(3, "y", &mut writer).expect("in bounds");
    let saved = loaded.encode().expect("the last chunk is sound");
    let (again, _) = File::read(&saved).expect("just written");
    assert_eq!(again.authors[0].chunks[0], file.authors[0].chunks[0]);
    assert_eq!(Past::new(again).version().get(writer.replica()), 71);
}

/// A sound history in another form than the canonical one is refused.
#[test]
fn another_form_of_the_same_history_is_refused() {
    let ids = [1, 2].map(crate::ReplicaId::from_u128);
    let mut texts = ids.map(|id| {
        let mut text = Text::new();
        let mut writer = text.writer(id);
        for at in 0..70 {
            let _sent = text.insert(at, "x", &mut writer).expect("in bounds");
        }
        text
    });
    let [text, other] = &mut texts;
    text.join(&other.delta_since(&crate::VersionVector::new()).expect("sound"))
        .expect("nothing is missing");
    let file = write::file(&text.graph, &text.store);
    let shown = text.to_string();
    let loads = |file: &File| Text::import(&file.write(&shown)).is_ok();
    assert!(loads(&file));

    // Neither has seen the other, so that the smaller id comes first.
    let mut swapped = file.clone();
    swapped.authors.swap(0, 1);
    swapped.frontier = alloc::vec![1, 0];
    assert!(!loads(&swapped), "numbers in another order");

    // All in the first chunk, and nothing in the others.
    let mut gathered = file.clone();
    let chunks = &mut gathered.authors[0].chunks;
    let mut all = super::chunk::Chunk::default();
    chunks.iter().for_each(|chunk| all.append(&chunk.unpack(2).expect("sound")));
    chunks.fill(Packed::of_streams(&[], &[]));
    chunks[0] = Packed::new(&all);
    assert!(!loads(&gathered), "a chunk that does not end where it should");
}
