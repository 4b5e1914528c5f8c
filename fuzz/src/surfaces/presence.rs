//! Presence updates: who else is here.

use crdt_document::Presence;

use crate::memory::bounded;

/// Applies the bytes as two updates; what is here can be told to a newcomer, who then knows
/// the same.
pub fn run(bytes: &[u8]) {
    let Some((&at, bytes)) = bytes.split_first() else { return };
    let (first, second) = bytes.split_at(bytes.len().min(usize::from(at)));
    let mut here = known();
    for (now_ms, update) in [(1, first), (2, second)] {
        let before: Vec<_> = here.iter().map(|(client, state)| (client, state.to_vec())).collect();
        match bounded(bytes.len(), || here.apply(update, now_ms).map(|events| events.len())) {
            // Applied again, it tells nothing new.
            Ok(_) => assert_eq!(here.apply(update, now_ms).map(|events| events.len()), Ok(0)),
            Err(_) => {
                let after: Vec<_> =
                    here.iter().map(|(client, state)| (client, state.to_vec())).collect();
                assert_eq!(before, after, "a refused update changed who is here");
            }
        }
    }
    here.expire(2);
    let mut newcomer = Presence::default();
    for update in here.encode_split(2, 4096) {
        newcomer.apply(&update, 2).expect("an own update is understood");
    }
    assert!(newcomer.iter().eq(here.iter()), "a newcomer learns something else");
    here.expire(u64::MAX);
    assert_eq!(here.iter().count(), 0, "everyone expires");
}

/// A state, a change, a renewal, a departure, everyone at once.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut here = known();
    let updates = [
        here.set(2, b"new", 1).expect("there is room"),
        here.set(1, b"moved", 1).expect("there is room"),
        here.renew(1, 1).expect("is here"),
        here.leave(2, 1).expect("is here"),
        here.encode(1),
    ];
    updates
        .iter()
        .zip(updates.iter().rev())
        .map(|(first, second)| [&[first.len() as u8], &first[..], &second[..]].concat())
        .collect()
}

/// Someone is here already.
fn known() -> Presence {
    let mut here = Presence::default();
    let _ = here.set(1, b"cursor", 0).expect("there is room");
    let _ = here.set(1 << 40, b"", 0).expect("there is room");
    here
}
