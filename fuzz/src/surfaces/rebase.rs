//! What was done to a text while away, done again where others have changed it.

use crdt_document::{Document, ReplicaId};

use super::replicas;

/// The first two bytes cut the rest into the text that both knew, the one there, and the one here.
pub fn run(bytes: &[u8]) {
    let [cut, other, rest @ ..] = bytes else { return };
    let rest = String::from_utf8_lossy(rest);
    let chars: Vec<char> = rest.chars().collect();
    let at = |cut: u8| usize::from(cut) * chars.len() / 255;
    let (first, second) = (at(*cut.min(other)), at(*cut.max(other)));
    let text = |chars: &[char]| chars.iter().collect::<String>();
    let [then, there, here] = [&chars[..first], &chars[first..second], &chars[second..]].map(text);

    let [a, b, c] = replicas();
    let mut known = document(a);
    replace(&mut known, &then);
    let (mut server, mut away, mut again) = (document(a), document(b), document(c));
    for doc in [&mut server, &mut away] {
        doc.import(&known.encode()).expect("it is empty");
    }
    replace(&mut server, &there);
    replace(&mut away, &here);
    again.import(&server.encode()).expect("it is empty");
    let done = away.rebase(&mut again, known.version()).expect("the edits are in the text");
    again.check_invariants();
    if then == here {
        assert!(done.is_none(), "nothing was done here");
        assert_eq!(again.text("text"), &*there);
    }
    if then == there {
        assert_eq!(again.text("text"), &*here, "nobody else did anything");
    }
}

/// Texts that have much in common, and such as have nothing.
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |texts: [&str; 3]| {
        let len: usize = texts.iter().map(|text| text.len()).sum();
        let cut = |before: usize| (before * 255).div_ceil(len) as u8;
        let cuts = [cut(texts[0].len()), cut(texts[0].len() + texts[1].len())];
        [&cuts[..], texts.concat().as_bytes()].concat()
    };
    vec![
        seed(["one two", "one 2 two", "1 two three"]),
        seed(["a\nb\nc\n", "a\nB\nc\nd\n", "b\nc\n"]),
        seed(["same", "same", "other"]),
        seed(["same", "other", "same"]),
        seed(["", "there", "here"]),
        seed(["gone", "", "gone too"]),
    ]
}

fn document(replica: ReplicaId) -> Document {
    Document::new(replica)
}

fn replace(doc: &mut Document, content: &str) {
    let len = doc.text("text").len();
    doc.transact(|tx| tx.text("text").splice(0..len, content).map(drop))
        .expect("it is in the text");
}
